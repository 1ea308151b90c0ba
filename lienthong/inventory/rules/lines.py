"""Rules of the lines of a site: where they end, their addresses, which is the spare one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network
from itertools import product

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.gear import Uplink
from lienthong.model.site import Province, Site
from lienthong.model.words import WAN_LINES, Role, Side

Where = Callable[[Path_], str]
POOLS = ("wan_pool", "net_pool", "link_pool", "wan_pool6", "net_pool6")
MOST_WAN_LINES = 2
"""The office has two trunks for them, `br-a` and `br-b`."""


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    """Every line of one site."""
    for name, uplink in site.uplinks.items():
        here: Path_ = ("uplinks", name)
        device = site.devices.get(uplink.device)
        wanted = Side.WAN if uplink.kind in WAN_LINES else Side.NET
        if device is None or device.role is not Role.GATEWAY:
            known = [name for name, one in site.devices.items() if one.role is Role.GATEWAY]
            yield Problem(
                where((*here, "device")),
                f"{uplink.device!r} is not a gateway of this site",
                f"gateways: {', '.join(known) or 'none'}",
            )
        elif device.side is not wanted:
            yield Problem(
                where((*here, "device")),
                f"a line of kind {uplink.kind} ends on the {wanted} side, {uplink.device} is on the other",
                "the two sides share nothing",
            )
        yield from _address(uplink, here, province, where)
        yield from _contract(uplink, here, where)
    yield from _spare(site, where)


def _address(uplink: Uplink, here: Path_, province: Province, where: Where) -> Iterator[Problem]:
    if uplink.address is None or uplink.gateway is None:
        return
    if uplink.gateway not in uplink.address.network or uplink.gateway == uplink.address.ip:
        yield Problem(
            where((*here, "gateway")),
            f"{uplink.gateway} is not a neighbour of {uplink.address}",
            f"the provider's end is another address of {uplink.address.network}",
        )
    if uplink.address6 is not None and uplink.gateway6 is not None:
        near = uplink.gateway6 in uplink.address6.network or uplink.gateway6.is_link_local
        if not near or uplink.gateway6 == uplink.address6.ip:
            yield Problem(
                where((*here, "gateway6")),
                f"{uplink.gateway6} is not a neighbour of {uplink.address6}",
                f"the provider's end is another address of {uplink.address6.network}, or in fe80::/10",
            )
    addresses = {"address": uplink.address, "address6": uplink.address6}
    for key, pool_name in product(addresses, POOLS):
        address, pool = addresses[key], getattr(province, pool_name)
        if address is not None and pool is not None and _overlap(address.network, pool):
            yield Problem(
                where((*here, key)),
                f"{address} overlaps {pool_name} {pool}",
                "a provider's addresses are not ours to give",
            )


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def _contract(uplink: Uplink, here: Path_, where: Where) -> Iterator[Problem]:
    contract = uplink.contract
    if contract is not None and contract.since and contract.until and contract.until < contract.since:
        yield Problem(
            where((*here, "contract", "until")),
            f"the contract ends on {contract.until}, before it begins on {contract.since}",
            "a date is year-month-day",
        )


def _spare(site: Site, where: Where) -> Iterator[Problem]:
    lines = {name: uplink for name, uplink in site.uplinks.items() if uplink.kind in WAN_LINES}
    internet = sorted(set(site.uplinks) - set(lines))
    if len(lines) > MOST_WAN_LINES:
        yield Problem(
            where(("uplinks", sorted(lines)[-1])),
            f"{len(lines)} lines lead to the office, at most {MOST_WAN_LINES} can",
            f"lines: {', '.join(sorted(lines))}",
        )
    if len(internet) > 1:
        yield Problem(
            where(("uplinks", internet[-1])),
            f"{len(internet)} lines lead to the Internet, and addresses are translated on one only",
            f"lines: {', '.join(internet)}",
        )
    main = [uplink.cost for uplink in lines.values() if not uplink.spare]
    for name, uplink in lines.items():
        if uplink.spare and not main:
            yield Problem(
                where(("uplinks", name, "spare")),
                f"{name} is spare, and no other line leads to the office",
                "one of the lines is the main one: take its spare away",
            )
        elif uplink.spare and uplink.cost <= max(main):
            yield Problem(
                where(("uplinks", name, "cost" if "cost" in uplink.model_fields_set else "spare")),
                f"{name} is spare, and its cost {uplink.cost} is not above that of the main line",
                f"a cost above {max(main)}",
            )
    if len(internet) == 1 and site.uplinks[internet[0]].spare:
        yield Problem(
            where(("uplinks", internet[0], "spare")),
            f"{internet[0]} is spare, and no other line leads to the Internet",
            "take spare away",
        )
