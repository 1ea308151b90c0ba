"""Plays a part of a run on the lab's gear in a process of its own: `gear_drive.py PART NODE WINDOW_S`.

Parts: `alter` changes a little and completes; `die` is killed between sending and confirming; `reject`
sends a line that the device refuses after one that it takes; `stranger` believes another host key than the
device's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from lienthong.lab.namespace import enter
from lienthong.model.intent import Node
from lienthong.model.wanted import Wanted
from lienthong.model.words import Role
from lienthong.platforms import Dialect, Lines, Platform
from lienthong.render import render
from lienthong.runners import armed, look, netmiko
from lienthong.workspace import workspace

ROOT = Path(__file__).resolve().parents[2]


def altered(node: Node) -> Node:
    """The node with another description (gateway) or with port e14 in VLAN 30 (switch)."""
    assert node.device is not None
    if node.device.role is Role.GATEWAY:
        first, *others = node.device.interfaces
        interfaces = (replace(first, description="altered"), *others)
        return replace(node, device=replace(node.device, interfaces=interfaces))
    (bridge,) = node.device.bridges
    ports = tuple(replace(port, vlans=(30,)) if port.name == "e14" else port for port in bridge.ports)
    return replace(node, device=replace(node.device, bridges=(replace(bridge, ports=ports),)))


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def with_a_bad_line(lines: Lines) -> Lines:
    heading = next(line[:-1] for line in lines if line[-1].startswith("ip address"))
    place = next(index for index, line in enumerate(lines) if line[:-1] == heading)
    return (*lines[: place + 1], (*heading, "ip ospf cost 99999999"), *lines[place + 1 :])


def render_badly(told: Wanted, kind: Platform, dialect: Dialect, templates: Path) -> Lines:
    lines = render(told, kind, dialect, templates)
    return with_a_bad_line(lines) if dialect.name == "frr" else lines


def main(part: str, name: str, window_s: int) -> int:
    ws = workspace(ROOT)
    node, access = altered(ws.node(name)), ws.access
    if part == "die":
        setattr(armed, "_confirm", die)  # noqa: B010 - a stand-in of another type
    if part == "reject":
        setattr(look, "render", render_badly)  # noqa: B010
    with tempfile.TemporaryDirectory() as folder:
        if part == "stranger":
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/other"], check=True
            )
            key = " ".join(Path(f"{folder}/other.pub").read_text(encoding="utf-8").split()[:2])
            believed = Path(folder) / "known_hosts"
            believed.write_text(f"{access.address(node)} {key}\n", encoding="utf-8")
            access = replace(access, known_hosts=believed)
        enter(ROOT)
        (result,) = netmiko.run(
            access, ws.secrets, ws.plan, [node], check=False, progress=print, window_s=window_s
        )
    print(f"{result.outcome}: {result.detail}")
    print("\n".join(result.changes))
    return 0 if result.good else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
