"""The baseline on running systems: put in place once, found again, and put back when somebody changes it.

Plain `ansible-playbook` from a normal shell does the first part, the tool's own runner the second.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.lab.state import read
from lienthong.runners import ansible
from lienthong.runners.result import StepResult
from lienthong.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
LAB = Place(ROOT, "test-baseline")
GATEWAY, SERVER = "loc-ninh-gw-wan", "loc-ninh-srv"


@pytest.fixture(scope="module")
def lab() -> Iterator[Workspace]:
    """A lab of its own with one district, bare."""
    before = os.environ.get("LIENTHONG_LAB")
    os.environ["LIENTHONG_LAB"] = LAB.name
    command = [sys.executable, "-m", "lienthong.lab"]
    try:
        subprocess.run([*command, "up", "loc-ninh"], cwd=ROOT, check=True)
        yield Workspace(ROOT, "lab")
    finally:
        subprocess.run([*command, "down"], cwd=ROOT, check=True)
        if before is None:
            del os.environ["LIENTHONG_LAB"]
        else:
            os.environ["LIENTHONG_LAB"] = before


def on(node: str, *command: str) -> str:
    state = read(LAB)
    assert state is not None
    done = subprocess.run([*enter(state.nodes[node]), *command], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def playbook(*words: str) -> tuple[dict[str, tuple[int, int]], str]:
    """(changed, failed or unreachable) of each node, and the whole output."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory/hosts.py"]
    done = subprocess.run(
        [*command, "deploys/baseline.yaml", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    recap = re.findall(
        r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", done.stdout, re.M
    )
    return {name: (int(changed), int(lost) + int(bad)) for name, changed, lost, bad in recap}, done.stdout


def settle(lab: Workspace, *names: str, check: bool = False) -> dict[str, StepResult]:
    nodes = [lab.node(name) for name in names] or lab.reachable()
    return {r.node: r for r in ansible.run(lab.access, nodes, check=check, progress=lambda _: None)}


def test_plain_ansible_settles_a_bare_lab_once(lab: Workspace) -> None:
    names = {node.name for node in lab.reachable()}
    looked, told = playbook("--check", "--diff")
    assert looked == dict.fromkeys(names, (1, 0)), told
    assert "+PermitRootLogin no" in told
    assert "No such file" in on(SERVER, "ls", "/etc/ssh/sshd_config.d/lienthong.conf"), (
        "a look wrote something"
    )
    assert playbook()[0] == dict.fromkeys(names, (1, 0))
    assert playbook()[0] == dict.fromkeys(names, (0, 0))


def test_the_tool_sees_nothing_to_do(lab: Workspace) -> None:
    assert {result.outcome for result in settle(lab).values()} == {"unchanged"}
    assert not list((LAB.folder / "ansible").iterdir()), "what Ansible wrote is left behind"


def test_systems_are_as_intended(lab: Workspace) -> None:
    assert "permitrootlogin no" in on(SERVER, "sshd", "-T")
    assert "root L" in on(SERVER, "passwd", "-S", "root")
    assert str(lab.node(SERVER).address) in on(SERVER, "ip", "-br", "address", "show", "eth0")
    assert str(lab.node(SERVER).segment.gateway) in on(SERVER, "ip", "route", "show", "default")
    assert "chronyd" in on(SERVER, "pgrep", "-a", "chronyd"), "a skipped condition counts as started"
    assert on(GATEWAY, "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "1"
    assert on(SERVER, "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"
    assert "ospfd" in on(GATEWAY, "pgrep", "-a", "ospfd")


def test_what_somebody_changed_is_found_and_put_back(lab: Workspace) -> None:
    on(SERVER, "sh", "-c", "echo PermitRootLogin yes > /etc/ssh/sshd_config.d/lienthong.conf")
    on(SERVER, "systemctl", "stop", "chrony")
    on(GATEWAY, "usermod", "--shell", "/bin/bash", "netadm")
    seen = settle(lab, SERVER, GATEWAY, check=True)
    assert "/etc/ssh/sshd_config.d/lienthong.conf" in " ".join(seen[SERVER].changes)
    assert "-PermitRootLogin yes" in seen[SERVER].detail
    assert "permitrootlogin yes" in on(SERVER, "sshd", "-T"), "a look mended something"
    done = settle(lab, SERVER, GATEWAY)
    assert any("start chrony.service" in line for line in done[SERVER].changes)
    assert any("account netadm" in line for line in done[GATEWAY].changes)
    assert {result.outcome for result in settle(lab, SERVER, GATEWAY).values()} == {"unchanged"}


def test_a_failure_and_a_dead_system_are_told_apart_and_spare_the_others(lab: Workspace) -> None:
    dead, broken, well = "loc-ninh-vc", SERVER, GATEWAY
    on(dead, "systemctl", "stop", "ssh")
    on(broken, "systemctl", "mask", "--now", "chrony")
    try:
        seen = settle(lab, dead, broken, well)
        assert seen[dead].outcome == "unreachable"
        assert seen[broken].outcome == "failed"
        assert "chrony.service" in seen[broken].detail
        assert seen[well].outcome == "unchanged"
    finally:
        on(broken, "systemctl", "unmask", "chrony")
        on(dead, "systemctl", "start", "ssh")


def test_no_other_host_key_is_believed(lab: Workspace) -> None:
    known = lab.access.known_hosts
    right = known.read_text(encoding="utf-8")
    keys = [line.split(" ", 1) for line in right.splitlines()]
    turned = [f"{name} {key}" for (name, _), (_, key) in zip(keys, keys[1:] + keys[:1], strict=True)]
    known.write_text("\n".join(turned) + "\n", encoding="utf-8")
    try:
        result = settle(lab, SERVER)[SERVER]
        assert result.outcome == "unreachable"
        assert "host key" in result.detail.lower()
    finally:
        known.write_text(right, encoding="utf-8")
