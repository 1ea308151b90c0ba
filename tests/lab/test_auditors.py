"""What others' auditors say of provisioned systems: ssh-audit (PyPI) from the controller, lynis on them."""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lienthong.lab.namespace import run_in
from lienthong.lab.place import Place
from lienthong.lab.state import read
from tests.lab.conftest import NAME, ROOT, District

#: Debian 12 has OpenSSH 9.2: what would please it comes with 9.9, and paramiko has none of it.
TOLERATED = "post-quantum"


def notes(address: str) -> list[tuple[str, str, str]]:
    """(`fail` or `warn`, algorithm, why) of a system's SSH server."""
    program = str(Path(sys.executable).with_name("ssh-audit"))
    netns = Place(ROOT, NAME).oob.name
    # Its rate test opens connections as fast as it can: the server's MaxStartups is looked at by SRV-01.
    done = run_in(netns, [program, "--json", "--skip-rate-test", address], timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    offered = [one for kind in ("kex", "key", "enc", "mac") for one in told[kind]]
    assert len(offered) >= 8, "it saw no server"
    return [
        (level, one["algorithm"], why)
        for one in offered
        for level in ("fail", "warn")
        for why in one.get("notes", {}).get(level, [])
    ]


@pytest.mark.usefixtures("district")
@pytest.mark.parametrize("node", ["loc-ninh-gw-wan", "loc-ninh-sw-net", "loc-ninh-srv", "tinh-uy-portal"])
def test_ssh_audit_finds_nothing(node: str) -> None:
    state = read(Place(ROOT, NAME))
    assert state is not None
    assert [one for one in notes(str(state.addresses[node])) if TOLERATED not in one[2]] == []


LYNIS = "lynis audit system --quick --quiet --no-colors --logfile /run/lynis.log --report-file /run/lynis.dat"
#: What no container can have, by lynis' own id: the kernel's audit, AppArmor. KRNL-6000 is judged key by key.
CAPS = {"ACCT-9628", "MACF-6290"}
#: Keys the role sets, with the "-" that lets a container's read-only part of /proc/sys pass.
SYSCTL = (ROOT / "roles/sysctl/vars/main.yml").read_text(encoding="utf-8")
KEYS = set(re.findall(r"^ +-([\w.-]+) = ", SYSCTL, re.MULTILINE))


def scored(log: str) -> list[tuple[str, int, int]]:
    """(test, points, of how many) of each item that lynis valued; of KRNL-6000 with the kernel's key."""
    items, test, key = [], "", ""
    for line in log.splitlines():
        if found := re.search(r"Performing test ID (\S+)", line):
            test, key = found[1], ""
        elif found := re.search(r"sysctl key (\S+) (?:contains|has)", line):
            key = f" {found[1]}"
        elif found := re.search(r"assigned maximum number of hardening points for this item \((\d+)\)", line):
            items.append((test + key, int(found[1]), int(found[1])))
        elif found := re.search(r"assigned partial number of hardening points \((\d+) of (\d+)\)", line):
            items.append((test + key, int(found[1]), int(found[2])))
    return items


def index(items: list[tuple[str, int, int]]) -> int:
    """Lynis' hardening index: whole percent of the points."""
    return sum(got for _, got, _ in items) * 100 // sum(most for _, _, most in items)


def capped(item: tuple[str, int, int]) -> bool:
    """Whether a container loses those points whatever is done on it."""
    test, got, most = item
    if got == most:
        return False
    name, _, key = test.partition(" ")
    return name in CAPS or (name == "KRNL-6000" and key in KEYS)


def test_lynis_finds_hardened_systems(district: District) -> None:
    """85 or more, no test skipped; only what a container cannot have is left out, and named."""
    nodes = ["loc-ninh-srv", "loc-ninh-gw-wan"]

    def ask(node: str) -> str:
        return district.on(node, "sh", "-c", f"{LYNIS} >/dev/null 2>&1; cat /run/lynis.log; rm /run/lynis.*")

    with ThreadPoolExecutor(len(nodes)) as pool:
        logs = dict(zip(nodes, pool.map(ask, nodes), strict=True))
    for node, log in logs.items():
        items = scored(log)
        own = re.search(r"Hardening index : \[(\d+)\]", log)
        assert own is not None and abs(int(own[1]) - index(items)) <= 1, "the points were read wrongly"
        assert "skipped by configuration" not in log
        left = [item for item in items if not capped(item)]
        lost = sorted(((most - got, test) for test, got, most in left if got < most), reverse=True)
        caps = sorted(test for test, got, most in items if capped((test, got, most)))
        print(f"lynis: {node}: {own[1]}, {index(left)} without {', '.join(caps)}; lost: {lost}")
        assert index(left) >= 85, f"{node}: {index(left)}, lost: {lost}"
