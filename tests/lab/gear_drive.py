"""Plays a part of a run on the lab's gear in a process of its own: `gear_drive.py PART NODE WINDOW_S`.

Parts: `alter` changes a little and completes; `die` is killed between sending and confirming, `early`
between arming and sending; `reject` sends a line that the device refuses after one that it takes;
`stranger` believes another host key than the device's; `sever` takes away by what it manages the device (its
own address, from the neighbour's side, in VLAN 40), `force` does so although the guard refuses. `late`
alters over a line that goes deaf with the first line sent, and hears again when the device has returned;
`stubborn` too, from a system that never forgets what it sent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path
from threading import Timer
from typing import Any

from lienthong.guard import MANAGEMENT
from lienthong.lab.namespace import enter, setns
from lienthong.lab.place import NETNS_DIR, place
from lienthong.model.intent import Node
from lienthong.model.wanted import Wanted
from lienthong.model.words import Role
from lienthong.platforms import Dialect, Lines, Platform
from lienthong.render import render
from lienthong.runners import armed, look, netmiko
from lienthong.target import Access
from lienthong.transport import ssh
from lienthong.transport.reading import Reader
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


MANAGING = 40
NEIGHBOUR = {"loc-ninh-gw-wan": "loc-ninh-sw-wan", "loc-ninh-sw-wan": "loc-ninh-gw-wan"}


def severed(node: Node) -> Node:
    """The node with another address in VLAN 40 (gateway), or without VLAN 40 on its trunk (switch)."""
    assert node.device is not None
    if node.device.role is Role.GATEWAY:
        interfaces = tuple(
            replace(one, address=IPv4Interface("10.0.44.77/24")) if one.vlan == MANAGING else one
            for one in node.device.interfaces
        )
        return replace(node, device=replace(node.device, interfaces=interfaces))
    (bridge,) = node.device.bridges
    ports = tuple(
        replace(port, vlans=tuple(vlan for vlan in port.vlans if vlan != MANAGING)) if port.trunk else port
        for port in bridge.ports
    )
    return replace(node, device=replace(node.device, bridges=(replace(bridge, ports=ports),)))


def from_beside(access: Access, node: Node, folder: Path) -> Access:
    """Go to where the node's neighbour is: the node is managed by the plan's own address from there."""
    known = access.known_hosts.read_text(encoding="utf-8").splitlines()
    (key,) = [
        line.split(" ", 1)[1] for line in known if str(access.address(node)) in line.split()[0].split(",")
    ]
    file = folder / "known_hosts"
    file.write_text(f"{node.address} {key}\n", encoding="utf-8")
    setns(NETNS_DIR / place(ROOT).netns(NEIGHBOUR[node.name]))
    return replace(access, addresses={node.name: node.address}, known_hosts=file, simulated=True)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deaf(name: str, until: float) -> None:
    """From now on nothing of the neighbour's reaches the device's SSH, until that moment."""
    inside = ("nsenter", f"--net={NETNS_DIR / place(ROOT).netns(name)}", "nft", "-f", "-")
    rule = (
        "table inet late { chain in { type filter hook input priority -300;"
        f" tcp dport 22 iifname vlan{MANAGING} drop; }}; }}"
    )
    subprocess.run(inside, input=rule, text=True, check=True)
    Timer(
        until - time.monotonic(),
        subprocess.run,
        (inside,),
        {"input": "add table inet late\ndelete table inet late", "text": True},
    ).start()


def goes_deaf(name: str, window_s: int) -> None:
    """Let the device go deaf with the first line of the change."""
    within, send = getattr(armed, "_within"), Reader.send  # noqa: B009

    def sent(reader: Reader, line: str) -> None:
        if line.startswith("description"):
            setattr(Reader, "send", send)  # noqa: B010
            deaf(name, time.monotonic() + window_s + 3)
        send(reader, line)

    def begun(*arguments: Any) -> None:
        within(*arguments)
        setattr(Reader, "send", sent)  # noqa: B010

    setattr(armed, "_within", begun)  # noqa: B010


def with_a_bad_line(lines: Lines) -> Lines:
    heading = next(line[:-1] for line in lines if line[-1].startswith("ip address"))
    place = next(index for index, line in enumerate(lines) if line[:-1] == heading)
    return (*lines[: place + 1], (*heading, "ip ospf cost 99999999"), *lines[place + 1 :])


def render_badly(told: Wanted, kind: Platform, dialect: Dialect, templates: Path) -> Lines:
    lines = render(told, kind, dialect, templates)
    return with_a_bad_line(lines) if dialect.name == "frr" else lines


def main(part: str, name: str, window_s: int) -> int:
    ws = workspace(ROOT)
    beside = part in {"sever", "force", "late", "stubborn"}
    node, access = (severed if part in {"sever", "force"} else altered)(ws.node(name)), ws.access
    allow = frozenset({f"{MANAGEMENT}@{name}"} if part == "force" else ())
    if part == "die":
        setattr(armed, "_confirm", die)  # noqa: B010 - a stand-in of another type
    if part == "stubborn":
        setattr(ssh, "limit", lambda *_: None)  # noqa: B010
    if part in {"late", "stubborn"}:
        goes_deaf(name, window_s)
    if part == "early":
        setattr(armed, "_within", die)  # noqa: B010
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
        if beside:
            access = from_beside(access, node, Path(folder))
        else:
            enter(ROOT)
        (result,) = netmiko.run(
            access, ws.secrets, ws.plan, [node], check=False, progress=print, window_s=window_s, allow=allow
        )
    print(f"{result.outcome}: {result.detail}")
    print("\n".join(result.changes))
    return 0 if result.good else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
