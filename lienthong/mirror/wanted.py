"""Which packages a side needs, and whom its systems ask for them. Pure."""

from __future__ import annotations

from lienthong.bootstrap.preseed import PACKAGES as DAY_0
from lienthong.errors import LienThongError
from lienthong.lab.image import packages as base
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Side
from lienthong.services import discover
from lienthong.services.mirror import Params


def params(node: Node) -> Params:
    """What the inventory says of that mirror."""
    found = node.services["mirror"].params
    assert isinstance(found, Params)
    return found


def wanted(plan: ProvincePlan, side: Side) -> list[frozenset[str]]:
    """A set of package names for each kind of system of the side; dependencies are not among them.

    Sets stay apart, because packages of two systems may exclude each other.

    Raises:
        LienThongError: the side has no mirror.
    """
    mirrors = _mirrors(plan, side)
    more = {name for node in mirrors for name in params(node).packages}
    every = base() | frozenset(DAY_0) | more
    known = discover()
    systems = [node for node in plan.nodes.values() if node.side is side and node.debian]
    own = {frozenset(name for one in node.services for name in known[one].packages) for node in systems}
    return sorted({every | names for names in own}, key=sorted)


def valid_days(plan: ProvincePlan, side: Side) -> int:
    """How long a snapshot is valid; where mirrors differ, the shortest.

    Raises:
        LienThongError: the side has no mirror.
    """
    return min(params(node).valid_days for node in _mirrors(plan, side))


def serving(plan: ProvincePlan, node: Node) -> Node | None:
    """The one mirror that a system asks: that of its own site, else the side's first."""
    running = plan.running("mirror", node.side)
    near = [one for one in running if one.site == node.site]
    return next(iter(near or running), None)


def _mirrors(plan: ProvincePlan, side: Side) -> list[Node]:
    found = plan.running("mirror", side)
    if not found:
        raise LienThongError(
            f"no host of side {side} is a mirror", hint="give one `runs: {mirror: {}}` in its site's file"
        )
    return found
