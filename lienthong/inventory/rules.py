"""What must hold within a site and across all of them, beyond the type of each value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from pydantic import ValidationError

from lienthong.errors import Problem
from lienthong.inventory.yamlfile import Path_
from lienthong.model.site import Inventory, Province, Site
from lienthong.model.words import VLANS, Role, Side, UplinkKind, Zone
from lienthong.plan import addressing
from lienthong.services import discover

Where = Callable[[Path_], str]


def check(inventory: Inventory, where: dict[str, Where]) -> list[Problem]:
    """Every broken rule of a set of sites that parsed."""
    problems: list[Problem] = []
    for slug, site in inventory.sites.items():
        problems += _site(site, inventory.province, where[slug])
    problems += _across(inventory, where)
    return problems


def _site(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    yield from _segments(site, where)
    yield from _ports(site, where)
    yield from _uplinks(site, where)
    yield from _services(site, where)
    try:
        for side in Side:
            addressing.block(province, side, site.number)
        addressing.link(province, site.number, addressing.LINKS_PER_SITE - 1)
    except ValueError as error:
        yield Problem(where(("number",)), str(error), "widen the pool in inventory/layers/province.yaml")
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
    sides = {device.side for device in site.devices.values()}
    for side in sorted(sides):
        if (side, Zone.MANAGEMENT) not in seen:
            yield Problem(
                where(("segments",)),
                f"the {side} side has devices and no management segment",
                "add one with zone: management",
            )
    taken: dict[tuple[str, int], str] = {}
    for name, host in site.hosts.items():
        if host.segment not in site.segments:
            yield Problem(
                where(("hosts", name, "segment")),
                f"no segment {host.segment!r} in this site",
                f"segments: {', '.join(site.segments)}",
            )
        other = taken.setdefault((host.segment, host.id), name)
        if other != name:
            yield Problem(where(("hosts", name, "id")), f"{name} has the address of {other}", "change its id")
    for name in sorted(set(site.hosts) & set(site.devices)):
        yield Problem(where(("hosts", name)), f"{name} is also a device", "every name is used once in a site")


def _ports(site: Site, where: Where) -> Iterator[Problem]:
    cabled: dict[str, str] = {}
    for name, device in site.devices.items():
        here = ("devices", name)
        if device.role is Role.GATEWAY and device.id != 1:
            yield Problem(where((*here, "id")), "a gateway has id 1", "it is .1 of every segment")
        if device.role is Role.GATEWAY and device.ports:
            yield Problem(where((*here, "ports")), "a gateway's cabling is said at the switch")
        for port_name, port in device.ports.items():
            place = (*here, "ports", port_name)
            side: Side | None = None
            target = port.device or port.host or port.segment
            if port.device is not None:
                side = site.devices[port.device].side if port.device in site.devices else None
            elif port.host is not None:
                host = site.hosts.get(port.host)
                segment = site.segments.get(host.segment) if host else None
                side = segment.side if segment else None
            elif port.segment is not None:
                side = site.segments[port.segment].side if port.segment in site.segments else None
            if target is None:
                continue
            if side is None:
                yield Problem(where(place), f"{target!r} is not in this site", "check its spelling")
            elif side is not device.side:
                yield Problem(
                    where(place),
                    f"{target} is on the {side} side and {name} on the {device.side} side",
                    "the two sides share nothing",
                )
            if port.segment is None:
                other = cabled.setdefault(target, f"{name} {port_name}")
                if other != f"{name} {port_name}":
                    yield Problem(where(place), f"{target} is already cabled to {other}")
    for name in site.hosts:
        if name not in cabled:
            yield Problem(where(("hosts", name)), f"{name} is cabled to no switch", "give it a port")


def _uplinks(site: Site, where: Where) -> Iterator[Problem]:
    wanted = {UplinkKind.TSLCD: Side.WAN, UplinkKind.INTERNET: Side.NET}
    for name, uplink in site.uplinks.items():
        here = ("uplinks", name)
        device = site.devices.get(uplink.device)
        if device is None or device.role is not Role.GATEWAY:
            yield Problem(where((*here, "device")), f"{uplink.device!r} is not a gateway of this site")
        elif device.side is not wanted[uplink.kind]:
            yield Problem(
                where((*here, "device")),
                f"a {uplink.kind} line ends on the {wanted[uplink.kind]} side, "
                f"{uplink.device} is on the other",
                "the two sides share nothing",
            )
        if uplink.address is None or uplink.gateway is None:
            continue
        if uplink.gateway not in uplink.address.network or uplink.gateway == uplink.address.ip:
            yield Problem(
                where((*here, "gateway")), f"{uplink.gateway} is not a neighbour of {uplink.address}"
            )


def _services(site: Site, where: Where) -> Iterator[Problem]:
    known = discover()
    owners = {**{("devices", n): d.runs for n, d in site.devices.items()}}
    owners |= {("hosts", n): h.runs for n, h in site.hosts.items()}
    for (group, name), runs in owners.items():
        for service, params in runs.items():
            here: Path_ = (group, name, "runs", service)
            if service not in known:
                yield Problem(where(here), f"no service {service!r}", f"services: {', '.join(known)}")
                continue
            try:
                known[service].params.model_validate(params)
            except ValidationError as error:
                for item in error.errors(include_url=False):
                    message = item["msg"].removeprefix("Value error, ")
                    at = ".".join(str(part) for part in item["loc"])
                    yield Problem(
                        where((*here, *item["loc"])), f"{service}{'.' if at else ''}{at}: {message}"
                    )


def _across(inventory: Inventory, where: dict[str, Where]) -> Iterator[Problem]:
    numbers: dict[int, str] = {}
    addresses: dict[IPv4Address, str] = {}
    serials: dict[str, str] = {}
    hubs = [slug for slug, site in inventory.sites.items() if site.hub]
    if len(hubs) != 1:
        yield Problem(
            "inventory/sites", f"{len(hubs)} sites say hub: true, exactly one must", ", ".join(hubs)
        )
    for slug, site in inventory.sites.items():
        other = numbers.setdefault(site.number, slug)
        if other != slug:
            yield Problem(
                where[slug](("number",)), f"number {site.number} is already {other}'s", "take a free one"
            )
        for name, uplink in site.uplinks.items():
            if uplink.address is not None:
                owner = addresses.setdefault(uplink.address.ip, f"{slug} {name}")
                if owner != f"{slug} {name}":
                    yield Problem(
                        where[slug](("uplinks", name, "address")), f"{uplink.address.ip} is already {owner}'s"
                    )
        for name, device in site.devices.items():
            if device.serial is not None:
                owner = serials.setdefault(device.serial, f"{slug} {name}")
                if owner != f"{slug} {name}":
                    yield Problem(
                        where[slug](("devices", name, "serial")),
                        f"serial {device.serial} is already {owner}'s",
                    )
