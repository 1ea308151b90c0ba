"""Cuts and mends the lines of a site: at the provider's end, as a digger in the road does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from lienthong.errors import Unreachable
from lienthong.lab import lifecycle, wire
from lienthong.lab.node import Running
from lienthong.lab.place import Place
from lienthong.lab.progress import say
from lienthong.lab.topology import Line, Topology
from lienthong.model.words import UplinkKind


def cut(place: Place, topology: Topology, site: str, uplink: str, silent: bool = False) -> None:
    """Cut a line. Both ends lose the carrier; with `silent` only frames are lost, as in a sick network.

    Raises:
        LienThongError: no such line.
        Unreachable: the provider's system cannot do it.
    """
    line = topology.line(site, uplink)
    if silent:
        _drop(place, line)
    else:
        wire.ip([f"link set {line.link.b.port} down"], place.netns(line.link.b.node))
    say(f"{site} {uplink}: cut" + (" in silence" if silent else ""))


def mend(place: Place, topology: Topology, site: str, uplink: str) -> None:
    """Take back what `cut` did, in either way.

    Raises:
        LienThongError: no such line.
    """
    line = topology.line(site, uplink)
    wire.ip([f"link set {line.link.b.port} up"], place.netns(line.link.b.node))
    _pass(place, line)
    say(f"{site} {uplink}: mended")


def cut_lines(place: Place, topology: Topology) -> list[str]:
    """Lines whose carrier is cut now: `loc-ninh tslcd-a`."""
    down: set[tuple[str, str]] = set()
    for node in {line.link.b.node for line in topology.lines}:
        shown = subprocess.run(
            ["ip", "-n", place.netns(node), "-json", "link", "show"], capture_output=True, text=True
        ).stdout
        down |= {
            (node, str(link["ifname"])) for link in json.loads(shown or "[]") if "UP" not in link["flags"]
        }
    ends = ((line.link.b.node, line.link.b.port) for line in topology.lines)
    return [
        f"{line.site} {line.uplink}" for line, end in zip(topology.lines, ends, strict=True) if end in down
    ]


def enter(running: Running) -> list[str]:
    """The command by which something is run as root within a node.

    Raises:
        Unreachable: the node is off.
    """
    if not running.alive:
        raise Unreachable("that node is off", hint="lienthong lab reboot NODE")
    if running.entry:
        return [*running.entry, "--"]
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]
    return ["nsenter", f"--target={running.pid}", *spaces, "--"]


# Userspace Open vSwitch takes frames before the kernel's filter sees them, so at the state network's provider
# its own flow table drops them; at the Internet provider, a router, the kernel's filter does.


def _drop(place: Place, line: Line) -> None:
    port = line.link.b.port
    if line.kind is UplinkKind.INTERNET:
        rules = (
            f"table inet cut_{_id(line)} {{"
            f" chain in {{ type filter hook prerouting priority -400; iifname {port} drop; }};"
            f" chain out {{ type filter hook postrouting priority 400; oifname {port} drop; }}; }}"
        )
        _in(place, line, ["nft", rules])
        return
    into = "actions=drop" if line.vlan is None else f"dl_vlan={line.vlan},actions=drop"
    for match in (f"in_port={port},actions=drop", into):
        _in(
            place,
            line,
            ["ovs-ofctl", "add-flow", str(line.bridge), f"cookie={_cookie(line)},priority=100,{match}"],
        )


def _pass(place: Place, line: Line) -> None:
    if line.kind is UplinkKind.INTERNET:
        table = f"inet cut_{_id(line)}"
        _in(place, line, ["nft", f"add table {table}; delete table {table}"])
    else:
        _in(place, line, ["ovs-ofctl", "del-flows", str(line.bridge), f"cookie={_cookie(line)}/-1"])


def _id(line: Line) -> str:
    return line.link.b.port.replace("-", "_")


def _cookie(line: Line) -> str:
    return hex(int.from_bytes(line.link.b.port.encode()[:7]))


def _in(place: Place, line: Line, command: Sequence[str]) -> None:
    provider = lifecycle.running(place).nodes[line.link.b.node]
    done = subprocess.run([*enter(provider), *command], capture_output=True, text=True)
    if done.returncode:
        raise Unreachable(f"{line.link.b.node}: {command[0]}: {done.stderr.strip()}")
