"""Sites and single nodes on one command line, for verbs that take either."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.model.words import Side
from lienthong.workspace import Workspace


def picked(ws: Workspace, names: Sequence[str], side: Side | None) -> list[Node]:
    """The nodes that names of sites and nodes mean, each once, in the order of the names.

    Raises:
        LienThongError: a name is neither, or nothing was named, or the side leaves nothing.
    """
    plan = ws.plan
    if side is None and ws.access.side:
        side = Side(ws.access.side)
    found: dict[str, Node] = {}
    for name in names:
        if name in plan.sites:
            found |= {
                full: node for full, node in plan.sites[name].nodes.items() if full not in ws.access.absent
            }
        elif name in plan.nodes:
            found[name] = plan.nodes[name]
        else:
            raise LienThongError(f"{name!r} is no site and no node", hint=f"sites: {', '.join(plan.sites)}")
    chosen = [node for node in found.values() if side is None or node.side is side]
    if not chosen:
        raise LienThongError("that leaves no node", hint="name sites or nodes, e.g. loc-ninh-gw-wan")
    return chosen
