"""Whose endpoints are called in a rehearsal, and which cannot be: from the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lienthong.conference.call import End
from lienthong.conference.reach import Reach
from lienthong.conference.rehearsal import Pair, pairs
from lienthong.conference.verdict import Row, State
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.videoconf import Params
from lienthong.target import Access


@dataclass(frozen=True)
class Partners:
    """Endpoints, who calls whom, and what is said of those that cannot be measured."""

    nodes: tuple[Node, ...]
    pairs: tuple[Pair, ...]
    unmeasured: tuple[Row, ...]

    def end(self, node: Node, reach: Reach, seconds: float) -> End:
        """One of them, as it is reached."""
        listen = reach.listener(node, seconds)
        return End(node.name, node.site, number(node), node.address, reach.run(node), listen, watched=True)


def partners(plan: ProvincePlan, access: Access, sites: Sequence[str], *, every: bool) -> Partners:
    """The endpoints of these sites.

    Args:
        every: a rehearsal with the office, of all sites unless some are named; else one site calls another.

    Raises:
        LienThongError: not two sites, an unknown one, or one without an endpoint.
        Unreachable: the target has none of them, or simulated devices only.
    """
    if access.simulated:
        raise Unreachable("simulated devices carry no sound", hint="lienthong lab up, or --target live")
    for slug in sites:
        if slug not in plan.sites:
            raise LienThongError(
                f"no site {slug!r} in the inventory", hint=f"there are: {', '.join(plan.sites)}"
            )
    if not every:
        return _two(plan, access, sites)
    office = {slug for slug, site in plan.sites.items() if site.site.hub}
    chosen = [node for node in endpoints(plan) if not sites or node.site in {*sites, *office}]
    here = [node for node in chosen if _reached(node, access)]
    driven = [node for node in here if why_not(node) is None]
    unmeasured = [_unmeasured(node) for node in here if why_not(node) is not None]
    wanted = pairs(
        [node.name for node in driven if node.site in office],
        [node.name for node in driven if node.site not in office],
    )
    if not here:
        raise Unreachable("this target reaches no conference endpoint", hint="lienthong lab status")
    if driven and not wanted:
        unmeasured += [_unmeasured(node, "no other endpoint to call is reached") for node in driven]
    return Partners(tuple(driven), tuple(wanted), tuple(unmeasured))


def endpoints(plan: ProvincePlan) -> list[Node]:
    """Every endpoint of the inventory."""
    return [node for node in plan.nodes.values() if (found := _params(node)) and found.role == "endpoint"]


def number(node: Node) -> str:
    """What others dial to reach that endpoint."""
    found = _params(node)
    if found is None or found.number is None:
        raise LienThongError(f"{node.name} is no conference endpoint")
    return found.number


def why_not(node: Node) -> str | None:
    """Why nothing is measured at that endpoint; None where it can be."""
    if node.platform is None:
        return None
    return f"{node.platform} has a software of its own: its calls are not driven from here, nor counted there"


def _two(plan: ProvincePlan, access: Access, sites: Sequence[str]) -> Partners:
    if len(sites) != 2 or sites[0] == sites[1]:
        raise LienThongError(
            "name two sites, the calling one first, or say --all",
            hint=f"endpoints: {', '.join(dict.fromkeys(node.site for node in endpoints(plan)))}",
        )
    both = []
    for slug in sites:
        there = [node for node in endpoints(plan) if node.site == slug]
        if not there:
            raise LienThongError(f"{slug} has no conference endpoint", hint="a host that runs videoconf")
        reached = [node for node in there if _reached(node, access)]
        if not reached:
            raise Unreachable(f"{there[0].name} is not reached by this target", hint="lienthong lab status")
        # One that can be driven before one that cannot.
        both.append(min(reached, key=lambda node: why_not(node) is not None))
    bad = [node for node in both if why_not(node) is not None]
    if bad:
        return Partners((), (), tuple(_unmeasured(node) for node in bad))
    return Partners(tuple(both), ((both[0].name, both[1].name),), ())


def _reached(node: Node, access: Access) -> bool:
    return access.reaches(node) and node.name not in access.acted


def _unmeasured(node: Node, why: str = "") -> Row:
    return Row(node.site, number(node), node.name, "", State.UNMEASURED, (why or why_not(node) or "",))


def _params(node: Node) -> Params | None:
    service = node.services.get("videoconf")
    return service.params if service and isinstance(service.params, Params) else None
