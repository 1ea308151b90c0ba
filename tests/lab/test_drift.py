"""Trust and drift on real systems: a key is asked for and recorded; a change by hand is told, and by whom."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lienthong.lab.place import Place
from tests.lab.conftest import NAME, ROOT, District

LAB = Place(ROOT, NAME)
GATEWAY = "loc-ninh-gw-wan"


def look(district: District, *words: str) -> tuple[int, dict[str, Any]]:
    done = district.run("drift", *words, "--json")
    return done.returncode, {one["node"]: one for one in json.loads(done.stdout)["devices"]}


def commits(district: District) -> list[str]:
    git = ["git", "-C", str(LAB.folder / "configs"), "log", "--format=%s"]
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines()


def vtysh(district: District, *lines: str) -> None:
    words = [word for line in lines for word in ("-c", line)]
    district.on(GATEWAY, "vtysh", *words)


@pytest.fixture
def known_hosts(district: District) -> Iterator[Path]:
    """The lab's own file, put back afterwards."""
    before = LAB.known_hosts.read_bytes()
    yield LAB.known_hosts
    LAB.known_hosts.write_bytes(before)


def test_a_second_look_finds_nothing_and_keeps_nothing(district: District) -> None:
    first = look(district, "tinh-uy", "loc-ninh")
    assert first[0] == 0, first
    assert all(one["seen"] and one["drift"] == [] for one in first[1].values())
    before = commits(district)
    code, again = look(district, "tinh-uy", "loc-ninh")
    assert code == 0
    assert all(one["changed"] == [] and one["commit"] is None for one in again.values())
    assert commits(district) == before


def test_a_change_by_hand_is_drift_and_is_kept(district: District) -> None:
    look(district, "loc-ninh")
    before = commits(district)
    try:
        vtysh(district, "configure terminal", "interface vlan10", "description by hand", "exit",
              "ip prefix-list nobodys seq 5 permit 192.0.2.0/24")  # fmt: skip
        code, found = look(district, "loc-ninh")
        one = found[GATEWAY]
        assert code == 1
        assert "- interface vlan10 / description by hand" in one["drift"]
        assert any(
            "nobodys" in line for line in one["changed"]
        )  # what the plan does not own is told here only
        assert not any("nobodys" in line for line in one["drift"])
        assert one["by"] == "unknown"  # FRR does not tell
        assert [found[name]["changed"] for name in found if name != GATEWAY] == [[]] * (len(found) - 1)
        new = commits(district)[: -len(before)]
        assert len(new) == 1
        assert new[0].startswith(f"{GATEWAY}: ")
    finally:
        vtysh(district, "configure terminal", "interface vlan10", "description loc-ninh users", "exit",
              "no ip prefix-list nobodys")  # fmt: skip
    code, found = look(district, "loc-ninh")
    assert code == 0
    assert found[GATEWAY]["changed"]


def test_no_secret_is_kept(district: District) -> None:
    look(district, "tinh-uy", "loc-ninh")
    secrets = json.loads((LAB.folder / "secrets.json").read_text(encoding="utf-8"))
    git = ["git", "-C", str(LAB.folder / "configs"), "log", "-p", "--all"]
    history = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    assert "<secret ospf/loc-ninh>" in history
    assert [name for name, value in secrets.items() if value in history] == []


def test_a_device_that_is_away_is_not_seen(district: District) -> None:
    district.on("loc-ninh-sw-wan", "systemctl", "stop", "ssh")
    try:
        code, found = look(district, "loc-ninh")
        assert code == 3
        assert not found["loc-ninh-sw-wan"]["seen"]
        assert found["loc-ninh-sw-wan"]["drift"] is None
        assert found[GATEWAY]["seen"]
        text = district.run("drift", "loc-ninh").stdout
        assert next(line for line in text.splitlines() if line.startswith("loc-ninh-sw-wan")).split()[
            1:3
        ] == [
            "not",
            "seen",
        ]
    finally:
        district.on("loc-ninh-sw-wan", "systemctl", "start", "ssh")


def test_a_key_is_asked_for_and_recorded(district: District, known_hosts: Path) -> None:
    lines = known_hosts.read_text(encoding="utf-8").splitlines(keepends=True)
    address = json.loads(LAB.state_file.read_text(encoding="utf-8"))["management"][GATEWAY]
    known_hosts.write_text(
        "".join(line for line in lines if not line.startswith(f"{address},")), encoding="utf-8"
    )
    failed = district.run("drift", "loc-ninh")
    assert failed.returncode == 3
    assert "no host key is on record" in failed.stdout
    shown = district.run("trust", GATEWAY)
    assert shown.returncode == 1
    console = district.on(GATEWAY, "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert console in shown.stdout
    words = district.on(GATEWAY, "ssh-keygen", "-Bf", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert words in shown.stdout
    assert district.run("trust", GATEWAY, "--yes-fingerprint", console).returncode == 0
    assert district.run("trust", "loc-ninh").returncode == 0
    assert district.run("drift", "loc-ninh").returncode == 0


def test_a_device_set_anew_is_not_believed(district: District, known_hosts: Path) -> None:
    old = "/etc/ssh/ssh_host_ed25519_key"
    keep = f"cp -a {old} {old}.kept; cp -a {old}.pub {old}.pub.kept; rm {old} {old}.pub"
    make = f"ssh-keygen -q -t ed25519 -N '' -f {old}; systemctl restart ssh"
    district.on(GATEWAY, "sh", "-c", f"{keep}; {make}")
    try:
        shown = district.run("drift", "loc-ninh")
        assert shown.returncode == 3
        assert "HOST KEY HAS CHANGED" in shown.stdout
        new = district.on(GATEWAY, "ssh-keygen", "-lf", f"{old}.pub").split()[1]
        assert district.run("trust", GATEWAY, "--yes-fingerprint", new).returncode == 1
        assert district.run("trust", GATEWAY, "--yes-fingerprint", new, "--replace").returncode == 0
        assert district.run("drift", "loc-ninh").returncode == 0
    finally:
        district.on(
            GATEWAY, "sh", "-c", f"mv {old}.kept {old}; mv {old}.pub.kept {old}.pub; systemctl restart ssh"
        )
