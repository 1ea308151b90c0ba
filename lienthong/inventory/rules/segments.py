"""Rules of segments, and of the addresses and rooms of what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.site import Province, Site
from lienthong.model.words import VLANS, Role, Side, Zone
from lienthong.plan import addressing

Where = Callable[[Path_], str]


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    """Zones, addresses, names and rooms of one site."""
    yield from _number(site, province, where)
    yield from _segments(site, where)
    yield from _addresses(site, where)
    yield from _rooms(site, where)


def _number(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    hint = "take a smaller number, or widen the pool in inventory/layers/province.yaml"
    try:
        for side in Side:
            addressing.block(province, side, site.number)
        addressing.link(province, site.number, addressing.LINKS_PER_SITE - 1)
    except ValueError as error:
        yield Problem(where(("number",)), str(error), hint)
    if site.number == addressing.CENTRAL_NUMBER:
        yield Problem(where(("number",)), f"number {site.number} stands for Central", "choose another")


def _segments(site: Site, where: Where) -> Iterator[Problem]:
    seen: dict[tuple[Side, Zone], str] = {}
    for name, segment in site.segments.items():
        here = ("segments", name)
        if (segment.side, segment.zone) not in VLANS:
            zones = ", ".join(zone for side, zone in VLANS if side is segment.side)
            yield Problem(
                where((*here, "zone")),
                f"the {segment.side} side has no zone {segment.zone}",
                f"zones of this side: {zones}",
            )
        other = seen.setdefault((segment.side, segment.zone), name)
        if other != name:
            yield Problem(where(here), f"{name} is the same VLAN as {other}", "a zone has one segment a side")
    gateways = {device.side for device in site.devices.values() if device.role is Role.GATEWAY}
    for side in Side:
        first = next((name for name, segment in site.segments.items() if segment.side is side), None)
        if first is not None and side not in gateways:
            yield Problem(
                where(("segments", first)),
                f"the {side} side has segments and no gateway, so nothing leaves them",
                f"add a device with role: gateway, side: {side}",
            )
    for side in sorted({device.side for device in site.devices.values()}):
        if (side, Zone.MANAGEMENT) not in seen:
            yield Problem(
                where(("segments",)),
                f"the {side} side has devices and no management segment",
                "add one with zone: management",
            )


def _addresses(site: Site, where: Where) -> Iterator[Problem]:
    ids: dict[tuple[Side, int], str] = {}
    for name, device in site.devices.items():
        if device.role is Role.GATEWAY and device.id != 1:
            yield Problem(where(("devices", name, "id")), "a gateway has id 1", "it is .1 of every segment")
        other = ids.setdefault((device.side, device.id), name)
        if other != name:
            yield Problem(
                where(("devices", name, "id")),
                f"{name} has the management address of {other}",
                f"id {device.id} is taken on the {device.side} side",
            )
    taken: dict[tuple[str, int], str] = {}
    for name, host in site.hosts.items():
        if host.segment not in site.segments:
            yield _no_segment(site, where(("hosts", name, "segment")), host.segment)
        other = taken.setdefault((host.segment, host.id), name)
        if other != name:
            yield Problem(
                where(("hosts", name, "id")),
                f"{name} has the address of {other}",
                f"id {host.id} is taken in segment {host.segment}",
            )
    for name, client in site.clients.items():
        if client.segment not in site.segments:
            yield _no_segment(site, where(("clients", name, "segment")), client.segment)
        if client.id is None:
            continue
        other = taken.setdefault((client.segment, client.id), name)
        if other != name:
            yield Problem(
                where(("clients", name, "id")),
                f"{name} has the address of {other}",
                f"id {client.id} is taken in segment {client.segment}",
            )
        if client.segment in site.segments and not site.segments[client.segment].dhcp:
            yield Problem(
                where(("clients", name, "id")),
                f"{name} has an address to be leased, and {client.segment} leases none",
                f"leave out id, or set dhcp: true for segment {client.segment}",
            )
    for group, beside in (("hosts", site.devices), ("clients", site.devices), ("clients", site.hosts)):
        for name in sorted(set(getattr(site, group)) & set(beside)):
            kind = "a device" if beside is site.devices else "a host"
            yield Problem(where((group, name)), f"{name} is also {kind}", "every name is used once in a site")


def _no_segment(site: Site, place: str, name: str) -> Problem:
    return Problem(place, f"no segment {name!r} in this site", f"segments: {', '.join(site.segments)}")


def _rooms(site: Site, where: Where) -> Iterator[Problem]:
    known = {f"{name}/{room}" for name, building in site.buildings.items() for room in building.rooms}
    for group in ("devices", "hosts", "clients"):
        for name, thing in getattr(site, group).items():
            asset = thing.asset
            if (
                asset
                and asset.purchased
                and asset.supported_until
                and asset.supported_until < asset.purchased
            ):
                yield Problem(
                    where((group, name, "asset", "supported_until")),
                    f"support ends on {asset.supported_until}, before {name} was bought ({asset.purchased})",
                    "a date is year-month-day",
                )
            if asset is not None and asset.room is not None and asset.room not in known:
                yield Problem(
                    where((group, name, "asset", "room")),
                    f"no room {asset.room!r} in this site",
                    f"rooms: {', '.join(sorted(known)) or 'none; add buildings'}",
                )
