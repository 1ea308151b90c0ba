"""Rules of the lines of a site: where they end, their addresses, which is the spare one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.gear import Uplink
from lienthong.model.site import Province, Site
from lienthong.model.words import WAN_LINES, Role, Side

Where = Callable[[Path_], str]
MOST_WAN_LINES = 2
"""The office has two trunks for them, `br-a` and `br-b`."""


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    """Every line of one site."""
    for name, uplink in site.uplinks.items():
        here: Path_ = ("uplinks", name)
        device = site.devices.get(uplink.device)
        wanted = Side.WAN if uplink.kind in WAN_LINES else Side.NET
        if device is None or device.role is not Role.GATEWAY:
            yield Problem(where((*here, "device")), f"{uplink.device!r} is not a gateway of this site")
        elif device.side is not wanted:
            yield Problem(
                where((*here, "device")),
                f"a {uplink.kind} line ends on the {wanted} side, {uplink.device} is on the other",
                "the two sides share nothing",
            )
        yield from _address(uplink, here, province, where)
    yield from _spare(site, where)


def _address(uplink: Uplink, here: Path_, province: Province, where: Where) -> Iterator[Problem]:
    if uplink.address is None or uplink.gateway is None:
        return
    if uplink.gateway not in uplink.address.network or uplink.gateway == uplink.address.ip:
        yield Problem(where((*here, "gateway")), f"{uplink.gateway} is not a neighbour of {uplink.address}")
    if uplink.address6 is not None and uplink.gateway6 is not None:
        near = uplink.gateway6 in uplink.address6.network or uplink.gateway6.is_link_local
        if not near or uplink.gateway6 == uplink.address6.ip:
            yield Problem(
                where((*here, "gateway6")), f"{uplink.gateway6} is not a neighbour of {uplink.address6}"
            )
    for name in ("wan_pool", "net_pool", "link_pool"):
        pool = getattr(province, name)
        if uplink.address.network.overlaps(pool):
            yield Problem(
                where((*here, "address")),
                f"{uplink.address} overlaps {name} {pool}",
                "a provider's addresses are not ours to give",
            )


def _spare(site: Site, where: Where) -> Iterator[Problem]:
    lines = {name: uplink for name, uplink in site.uplinks.items() if uplink.kind in WAN_LINES}
    if len(lines) > MOST_WAN_LINES:
        last = sorted(lines)[-1]
        yield Problem(
            where(("uplinks", last)),
            f"{len(lines)} lines lead to the office, at most {MOST_WAN_LINES} can",
            f"lines: {', '.join(sorted(lines))}",
        )
    main = [uplink.cost for uplink in lines.values() if not uplink.spare]
    for name, uplink in lines.items():
        if uplink.spare and not main:
            yield Problem(where(("uplinks", name, "spare")), "every line to the office is a spare one", "")
        elif uplink.spare and uplink.cost <= max(main):
            yield Problem(
                where(("uplinks", name, "cost")),
                f"{name} is spare, and its cost {uplink.cost} is not above that of the main line",
                f"a cost above {max(main)}",
            )
