"""Resolves what a service or a cell of the matrix speaks of into ends with addresses.

A site sees the province from its own place: itself one by one, all others as one end, so that the
number of flows of a site does not grow with the number of sites.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from lienthong.model.intent import End, Node, SegmentPlan
from lienthong.model.words import Side, Zone
from lienthong.services import Ends

INTERNET = "internet"
ANY = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Place:
    """What is known of the province before there are flows: enough to resolve ends."""

    nodes: tuple[Node, ...]
    segments: tuple[SegmentPlan, ...]
    outside: Mapping[str, IPv4Address]

    @cached_property
    def ends(self) -> dict[str, End]:
        """Every node as an end, by its name."""
        return {node.name: node_end(node) for node in self.nodes}


@dataclass(frozen=True)
class Parts:
    """The ends of one specification, by site; `elsewhere` is what no site holds."""

    by_site: Mapping[str, tuple[End, ...]]
    elsewhere: End | None = None


def addresses_of(node: Node) -> tuple[IPv4Network, ...]:
    """Every address a packet of this node may carry: a gateway speaks from any of its interfaces."""
    found = {node.address}
    if node.is_gateway and node.device is not None:
        found |= {interface.address.ip for interface in node.device.interfaces}
        found |= {tunnel.address.ip for tunnel in node.tunnels}
    return tuple(IPv4Network(int(address)) for address in sorted(found))


def node_end(node: Node) -> End:
    """A single node."""
    return End(node.name, addresses_of(node), node.site, node.segment.zone, node.name)


def segment_end(segment: SegmentPlan) -> End:
    """A whole segment."""
    return End(f"{segment.site}/{segment.name}", (segment.prefix,), segment.site, segment.zone)


def merged(label: str, ends: Iterable[End]) -> End:
    """Several ends as one; it keeps its site or node only when there is just one."""
    several = tuple(ends)
    if len(several) == 1:
        return several[0]
    networks = sorted({network for end in several for network in end.networks})
    sites = {end.site for end in several}
    return End(label, tuple(networks), sites.pop() if len(sites) == 1 else None)


def parts(spec: Ends, here: Node, place: Place) -> Parts:
    """What `spec` means when the service stands on `here`.

    Raises:
        LookupError: it names a node or an outside system that does not exist on this side.
    """
    if spec.outside is not None:
        if spec.outside == INTERNET:
            return Parts({}, End(INTERNET, (ANY,), ours=False))
        address = place.outside[spec.outside]
        return Parts({}, End(spec.outside, (IPv4Network(address),), ours=False))
    found: dict[str, list[End]] = {}
    if spec.zone is not None:
        for segment in place.segments:
            right = segment.side is here.side and segment.zone is spec.zone
            if right and (not spec.near or segment.site == here.site) and spec.site in {None, segment.site}:
                found.setdefault(segment.site, []).append(segment_end(segment))
        return Parts({site: tuple(ends) for site, ends in found.items()})
    for node in place.nodes:
        if node.side is here.side and _meant(spec, here, node):
            found.setdefault(node.site, []).append(place.ends[node.name])
    if (spec.node or spec.service) and not found:
        raise LookupError(spec.node or spec.service)
    every = "gateways" if spec.gateways else "gear" if spec.gear else "nodes"
    grouped = {
        site: (merged(f"{site}/{every if spec.everyone else spec.service}", ends),)
        if spec.everyone or spec.service
        else tuple(ends)
        for site, ends in found.items()
    }
    return Parts(grouped)


def _meant(spec: Ends, here: Node, node: Node) -> bool:
    if spec.here:
        return node.name == here.name
    if spec.node is not None:
        return node.name == spec.node
    if spec.service is not None:
        return node.runs(spec.service)
    if (spec.gear and node.device is None) or (spec.gateways and not node.is_gateway):
        return False
    return spec.everyone and (not spec.near or node.site == here.site)


def zone_parts(place: Place, side: Side, zone: Zone, sites: Iterable[str]) -> Parts:
    """A zone of some sites, for the matrix."""
    wanted = set(sites)
    found = {
        segment.site: (segment_end(segment),)
        for segment in place.segments
        if segment.side is side and segment.zone is zone and segment.site in wanted
    }
    return Parts(found)


def views(src: Parts, dst: Parts, site: str, hub: str, side: Side) -> list[tuple[End, End, bool]]:
    """The pairs of ends that one site sees of a flow: (source, destination, transit).

    On the WAN side the hub also carries what passes between two other sites, or between one and Central.
    """
    pairs: list[tuple[End, End, bool]] = []
    for a in _local(src, site):
        pairs += [(a, b, False) for b in _local(dst, site)]
        other = _others(dst, site)
        if other:
            pairs.append((a, other, False))
    away, other = _others(src, site), _others(dst, site)
    if away:
        pairs += [(away, b, False) for b in _local(dst, site)]
    if site == hub and away and other:
        apart = {*src.by_site, *dst.by_site} - {hub}
        outside = src.elsewhere or dst.elsewhere
        if (side is Side.WAN) if outside else len(apart) > 1:
            pairs.append((away, other, True))
    return pairs


def _local(parts: Parts, site: str) -> tuple[End, ...]:
    return tuple(parts.by_site.get(site, ()))


def _others(parts: Parts, site: str) -> End | None:
    if parts.elsewhere:
        return parts.elsewhere
    ends = [end for name, found in parts.by_site.items() if name != site for end in found]
    if not ends:
        return None
    zone = ends[0].zone.value if ends[0].zone and ends[0].node is None else "nodes"
    return merged(f"others/{zone}", ends)
