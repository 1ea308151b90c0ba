"""From what was seen of a device to the entry the inventory should have of it. Pure.

What the device cannot tell is an ask, never a guess that looks like knowledge; what contradicts the inventory
is a finding. Only values that passed a type of the model are in the entry or in any text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from pydantic import ValidationError

from lienthong.adopt.cabling import ports, socket_of
from lienthong.adopt.seen import Seen
from lienthong.adopt.services import Known, runs
from lienthong.model.site import Device, Host, Inventory, Province, Segment, Site
from lienthong.model.words import Role, Side, Zone
from lienthong.plan import addressing, gear

Entry = dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """An entry of a site's `devices` or `hosts`. `site` and `short` are None where they must be asked."""

    site: str | None
    group: str
    short: str | None
    entry: Entry
    cabled: tuple[str, str] | None = None
    """(switch, port) where a host is plugged in"""
    told: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    """what an officer has to say, each beginning with the key it is about"""
    contradicts: tuple[str, ...] = ()
    """what does not agree with the inventory"""


@dataclass(frozen=True)
class _Leg:
    """An address of the plan with the segment it lies in."""

    interface: str
    address: IPv4Interface
    side: Side
    site: Site
    name: str
    segment: Segment


def propose(
    seen: Seen, inventory: Inventory, others: Sequence[Seen] = (), below: Mapping[str, Any] | None = None
) -> Proposal:
    """Propose an entry.

    Args:
        inventory: typed; its rules across sites need not hold, the device may be what it lacks.
        others: gear of the same site that knows what is plugged in where: its gateway, its switches.
        below: what the layers say of a device or host of that name; settles what no device can tell.
    """
    wrong = [f"the device's {what} is no text the inventory takes" for what in seen.refused]
    legs = _legs(seen, inventory, wrong)
    group = "hosts" if seen.kind == "host" else "devices"
    if not legs:
        nowhere = "site: no address of this device lies in the address plan"
        return Proposal(None, group, None, _facts_of(seen), asks=(nowhere,), contradicts=tuple(wrong))
    leg = _managed(seen, legs)
    others_legs = {one.site.slug for one in legs} - {leg.site.slug}
    wrong += [f"it also has an address of site {slug}" for slug in sorted(others_legs)]
    if {one.side for one in legs} != {leg.side}:
        wrong.append("it has legs on both sides, and no node may")
    asks: list[str] = []
    short = _short(seen, leg, asks, wrong)
    id_ = int(leg.address.ip) & 0xFF
    known = known_addresses(inventory)
    entry: Entry
    cabled = None
    if seen.kind == "host":
        entry = {"segment": leg.name, "id": id_}
        if leg.address.ip in known and known[leg.address.ip] != (leg.site.slug, short):
            wrong.append(f"address {leg.address.ip} is taken by {'-'.join(known[leg.address.ip])}")
        if len(legs) > 1:
            wrong.append("it has several legs in the plan, and a host has one")
        if leg.segment.zone is Zone.DMZ:
            asks.append("public: the address it is seen under on the Internet")
        cabled = socket_of(seen.macs.get(leg.interface), leg.site, others)
        if cabled is None:
            asks.append("ports: the switch port it is plugged into was not seen")
    else:
        role = Role.GATEWAY if seen.kind == "gateway" else Role.SWITCH
        platform = "linux-gw" if role is Role.GATEWAY else "linux-sw"
        entry = {"role": role.value, "side": leg.side.value, "platform": platform, "id": id_}
        for name, device in leg.site.devices.items():
            if name != short and device.side is leg.side and device.id == id_:
                wrong.append(f"id {id_} is taken by {leg.site.slug}-{name}")
        if role is Role.SWITCH:
            found = ports(seen, leg.site, leg.side, known, others, (below or {}).get("ports") or {})
            entry["ports"] = found.ports
            asks += found.asks
            wrong += found.contradicts
    _lines(seen, leg, wrong)
    services, questions = runs(seen, inventory, known)
    if services:
        entry["runs"] = services
    entry |= _facts_of(seen)
    asks += questions
    asks += [f"{key}: the device does not tell" for key in ("model", "serial") if key not in entry]
    _typed(entry, group, wrong)
    told = (f"runs {seen.system}",) if seen.system else ()
    return Proposal(leg.site.slug, group, short, entry, cabled, told, tuple(asks), tuple(wrong))


def known_addresses(inventory: Inventory) -> Known:
    """Every node of the inventory by its address."""
    found: dict[IPv4Address, tuple[str, str]] = {}
    for slug, site in inventory.sites.items():
        for name, device in site.devices.items():
            network = addressing.prefix(inventory.province, device.side, Zone.MANAGEMENT, site.number)
            found[network[device.id]] = (slug, name)
        for name, host in site.hosts.items():
            segment = site.segments.get(host.segment)
            if segment is not None:
                network = addressing.prefix(inventory.province, segment.side, segment.zone, site.number)
                found[network[host.id]] = (slug, name)
    return found


def _facts_of(seen: Seen) -> Entry:
    said = {"model": seen.model, "firmware": seen.firmware, "serial": seen.serial}
    return {key: value for key, value in said.items() if value is not None}


def _legs(seen: Seen, inventory: Inventory, wrong: list[str]) -> list[_Leg]:
    province = inventory.province
    numbers = {site.number: site for site in inventory.sites.values()}
    lines = _line_addresses(inventory)
    found: list[_Leg] = []
    for interface, address in seen.legs:
        side = next((s for s, pool in _pools(province).items() if address.ip in pool), None)
        if side is None:
            if address.ip not in lines:
                wrong.append(f"address {address} on {interface} is outside the address plan")
            continue
        pool = _pools(province)[side]
        site = numbers.get((int(address.ip) - int(pool.network_address)) >> (32 - addressing.SITE_BITS))
        if site is None:
            wrong.append(f"address {address} on {interface} is of a site number that nobody has")
            continue
        if address.ip == addressing.loopback(province, side, site.number):
            continue
        for name, segment in site.segments.items():
            if segment.side is side:
                network = addressing.prefix(province, side, segment.zone, site.number)
                if address.ip in network:
                    if address.network != network:
                        wrong.append(f"address {address} on {interface}: the plan's prefix is {network}")
                    found.append(_Leg(interface, address, side, site, name, segment))
                    break
        else:
            wrong.append(f"address {address} on {interface} is in no segment of {site.slug}")
    return found


def _managed(seen: Seen, legs: list[_Leg]) -> _Leg:
    if seen.kind == "host":
        return legs[0]
    return next((leg for leg in legs if leg.segment.zone is Zone.MANAGEMENT), legs[0])


def _pools(province: Province) -> dict[Side, IPv4Network]:
    return {Side.WAN: province.wan_pool, Side.NET: province.net_pool}


def _line_addresses(inventory: Inventory) -> set[IPv4Address]:
    """Addresses of lines and tunnels that the plan gives, at both ends."""
    province, found = inventory.province, set[IPv4Address]()
    for site in inventory.sites.values():
        for index in range(3):
            found |= {end.ip for end in addressing.link(province, site.number, index)}
        found |= {line.address.ip for line in site.uplinks.values() if line.address is not None}
    return found | {end.ip for end in gear.central_link(province)}


def _short(seen: Seen, leg: _Leg, asks: list[str], wrong: list[str]) -> str | None:
    """The name within the site, from the host name `<site>-<short>`."""
    slug = leg.site.slug
    if seen.hostname is None:
        asks.append("name: the device's own cannot be used")
        return None
    short = seen.hostname.removeprefix(f"{slug}-")
    if short == seen.hostname:
        wrong.append(f"its host name {seen.hostname} does not begin with {slug}, the site of its address")
    if len(short) > 20:
        asks.append("name: the device's own is too long")
        return None
    same = leg.site.hosts if seen.kind != "host" else leg.site.devices
    if short in same or short in leg.site.clients:
        wrong.append(f"{slug} has something else of the name {short}")
    return short


def _lines(seen: Seen, leg: _Leg, wrong: list[str]) -> None:
    """Interfaces named as VLANs must be those VLANs, and a node's way out must be the plan's."""
    gateway = IPv4Address(int(leg.address.network.network_address) + 1)
    for via in seen.gateways:
        if seen.kind != "gateway" and via != gateway:
            wrong.append(f"its default route goes to {via}, and the segment's gateway is {gateway}")
    if seen.kind == "gateway":
        given = {line.gateway for line in leg.site.uplinks.values() if line.gateway is not None}
        wrong += [f"its default route goes to {via}, and no line does" for via in seen.gateways
                  if leg.side is Side.NET and via not in given]  # fmt: skip
        vlans = {addressing.vlan_of(s.side, s.zone) for s in leg.site.segments.values() if s.side is leg.side}
        for name, port in sorted(seen.ports.items()):
            if port.internal and port.tag is not None and port.tag not in vlans and name == f"vlan{port.tag}":
                wrong.append(f"VLAN {port.tag} on {name} is no segment of {leg.site.slug}")


def _typed(entry: Entry, group: str, wrong: list[str]) -> None:
    try:
        (Host if group == "hosts" else Device).model_validate(entry)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            wrong.append(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}")
