"""Plays a run on one gateway in a process of its own: `witness_drive.py PART NODE [ALLOW…]`.

Parts: `swallow` gives it a route by which everything for the office goes to an address where nobody is: its
neighbours, its interfaces and its own word stay as they were. `harmless` changes a description. Without the
word `checks@NODE` the checks of the site are asked, as `lienthong apply` does it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

from lienthong.audit.witness import Witness
from lienthong.lab.namespace import enter
from lienthong.model.intent import Node, ProvincePlan, StaticRoute
from lienthong.runners import netmiko
from lienthong.workspace import workspace

ROOT = Path(__file__).resolve().parents[2]


def swallowing(plan: ProvincePlan, node: Node) -> Node:
    """The node with a better route to each network of the office on its side, over an address of nobody's."""
    assert node.device is not None
    office = next(site for site in plan.sites.values() if site.site.hub)
    here = next(one for one in plan.sites[node.site].segments.values() if one.side is node.side)
    nobody = here.prefix.broadcast_address - 1
    routes = tuple(
        StaticRoute(IPv4Network(one.prefix), nobody)
        for one in office.segments.values()
        if one.side is node.side
    )
    return replace(node, device=replace(node.device, routes=(*node.device.routes, *routes)))


def described(node: Node) -> Node:
    """The node with another description."""
    assert node.device is not None
    first, *others = node.device.interfaces
    return replace(
        node, device=replace(node.device, interfaces=(replace(first, description="altered"), *others))
    )


def main(part: str, name: str, *allow: str) -> int:
    ws = workspace(ROOT)
    node = ws.node(name)
    node = swallowing(ws.plan, node) if part == "swallow" else described(node)
    enter(ROOT)
    (result,) = netmiko.run(
        ws.access, ws.secrets, ws.plan, [node], check=False, progress=print, witness=Witness(ws),
        allow=frozenset(allow),
    )  # fmt: skip
    print(f"{result.outcome}: {result.detail}")
    return 0 if result.good else 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
