"""What is plugged in where: ports of a switch, from VLANs, learnt addresses and LLDP. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from lienthong.adopt.seen import Seen
from lienthong.adopt.services import Known
from lienthong.facts.parse import OvsPort
from lienthong.model.site import Site
from lienthong.model.words import PARKING_VLAN, Side
from lienthong.plan import addressing

PROBE = 250


@dataclass
class Cabling:
    """The `ports` of a switch's entry, and what is not sure of them."""

    ports: dict[str, dict[str, Any]] = field(default_factory=dict)
    asks: list[str] = field(default_factory=list)
    contradicts: list[str] = field(default_factory=list)


def ports(
    seen: Seen,
    site: Site,
    side: Side,
    known: Known,
    others: Sequence[Seen],
    below: Mapping[str, Any],
) -> Cabling:
    """Every socket of the switch."""
    found = Cabling()
    segments = {addressing.vlan_of(s.side, s.zone): n for n, s in site.segments.items() if s.side is side}
    addresses = _addresses((seen, *others))
    for name, port in sorted(seen.ports.items(), key=lambda item: _order(item[0])):
        if port.internal:
            continue
        said = below.get(name) or {}
        at = {ip for p, _, mac in seen.fdb if p == name for ip in addresses.get(mac, ())}
        if port.tag == PARKING_VLAN:
            found.ports[name] = {"unused": True}
        elif port.tag is None:
            _trunk(found, name, port, site, known, at, seen.lldp.get(name), said, segments)
        elif port.tag not in segments:
            found.contradicts.append(f"VLAN {port.tag} on port {name} is no segment of {site.slug}")
        else:
            _access(found, name, segments[port.tag], site, known, at, said)
    return found


def socket_of(mac: str | None, site: Site, others: Iterable[Seen]) -> tuple[str, str] | None:
    """(switch, port) of the one access port where an Ethernet address was learnt; None: not or not only."""
    found = {
        (other.hostname.removeprefix(f"{site.slug}-"), port)
        for other in others
        if other.kind == "switch" and other.hostname
        for port, _, learnt in other.fdb
        if learnt == mac and other.ports[port].tag is not None and not other.ports[port].internal
    }
    return found.pop() if len(found) == 1 else None


def _trunk(
    found: Cabling,
    name: str,
    port: OvsPort,
    site: Site,
    known: Known,
    at: set[IPv4Address],
    lldp: str | None,
    said: Mapping[str, Any],
    segments: Mapping[int, str],
) -> None:
    behind = {known[ip][1] for ip in at if ip in known and known[ip][0] == site.slug}
    devices = sorted(behind & set(site.devices))
    if lldp is not None and lldp.removeprefix(f"{site.slug}-") in site.devices:
        devices = [lldp.removeprefix(f"{site.slug}-")]
    if not devices and said.get("device") is not None:
        devices = [str(said["device"])]
        found.asks.append(f"ports.{name}: nobody was seen at this trunk; the layers say {devices[0]}")
    if len(devices) != 1:
        who = f"one of {', '.join(devices)}" if devices else "nobody known was seen there"
        found.asks.append(f"ports.{name}: a trunk; which device is at its other end ({who})")
        return
    entry: dict[str, Any] = {"device": devices[0]}
    carried = port.trunks or frozenset(segments)
    strange = sorted(carried - set(segments))
    found.contradicts += [f"VLAN {vlan} on port {name} is no segment of {site.slug}" for vlan in strange]
    if carried - set(strange) != set(segments):
        entry["carries"] = [segments[vlan] for vlan in sorted(carried - set(strange))]
    if said.get("device") == devices[0] and "far_port" in said:
        entry["far_port"] = said["far_port"]
    found.ports[name] = entry


def _access(
    found: Cabling,
    name: str,
    segment: str,
    site: Site,
    known: Known,
    at: set[IPv4Address],
    said: Mapping[str, Any],
) -> None:
    hosts = sorted({known[ip][1] for ip in at if ip in known and known[ip][0] == site.slug} & set(site.hosts))
    if len(hosts) == 1 and site.hosts[hosts[0]].segment == segment:
        found.ports[name] = {"host": hosts[0]}
    elif len(hosts) > 1:
        found.ports[name] = {"segment": segment}
        found.asks.append(f"ports.{name}: {', '.join(hosts)} were all seen there; is a switch in between")
    elif said.get("host") in site.hosts and site.hosts[said["host"]].segment == segment:
        found.ports[name] = {"host": said["host"]}
        found.asks.append(f"ports.{name}: nobody was seen there; the layers say {said['host']}")
    elif any(int(ip) & 0xFF == PROBE for ip in at) or (said.get("segment") == segment and said.get("probe")):
        found.ports[name] = {"segment": segment, "probe": True}
    else:
        found.ports[name] = {"segment": segment}
        strangers = ", ".join(str(ip) for ip in sorted(at))
        found.asks.append(
            f"ports.{name}: {strangers} is plugged in there; what is it"
            if strangers
            else f"ports.{name}: open to {segment} with nobody known on it; is it meant to be"
        )


def _addresses(tables: Iterable[Seen]) -> dict[str, set[IPv4Address]]:
    """IPv4 addresses by Ethernet address, from all neighbour tables."""
    found: dict[str, set[IPv4Address]] = {}
    for one in tables:
        for mac, ips in one.neighbours.items():
            found.setdefault(mac, set()).update(ips)
    return found


def _order(name: str) -> tuple[str, int]:
    """e2 before e10."""
    parts = re.fullmatch(r"(.*?)(\d*)", name)
    assert parts is not None
    return parts[1], int(parts[2] or 0)
