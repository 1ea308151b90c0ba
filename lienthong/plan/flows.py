"""Every flow that must pass, as each site sees it: matrix, infrastructure, services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from lienthong.model.intent import End, Flow, Forbidden, Node, SegmentPlan, UplinkPlan
from lienthong.model.site import Site
from lienthong.model.words import WAN_LINES, Side, Zone
from lienthong.plan import systems
from lienthong.plan.ends import ANY, INTERNET, Parts, Place, node_end, parts, segment_end, views, zone_parts
from lienthong.plan.policy import MATRIX, Cell, is_never
from lienthong.services import FlowSpec, ServiceContext, discover

BFD = ((3784, 3785),)
WIREGUARD = 51820
Span = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Declared:
    """A flow as a service on a node declares it, with its ends resolved once for all sites."""

    side: Side
    service: str
    spec: FlowSpec
    src: Parts
    dst: Parts


@dataclass(frozen=True)
class Whole:
    """The province as far as flows need it."""

    place: Place
    hub: str
    sites: tuple[str, ...]
    uplinks: tuple[UplinkPlan, ...]
    declared: tuple[Declared, ...]


def declared_in(place: Place, sites: Mapping[str, Site], hub: str) -> tuple[Declared, ...]:
    """Every flow that a service or an information system declares.

    Raises:
        LookupError: it speaks of a node or an outside system that does not exist.
    """
    found = []
    modules = discover()
    for node in place.nodes:
        specs: list[tuple[str, FlowSpec]] = []
        for name, service in node.services.items():
            context = ServiceContext(node.site, node.name, node.side, node.address, service.params)
            specs += [(name, spec) for spec in modules[name].contribute(context).flows]
        for slug, system in systems.on_host(sites[node.site], node.short).items():
            watched = any(one.side is node.side and one.runs("monitoring") for one in place.nodes)
            specs += [(f"{systems.ORIGIN}{slug}", spec) for spec in systems.flows(system, hub, watched)]
        for origin, spec in specs:
            src, dst = parts(spec.src, node, place), parts(spec.dst, node, place)
            found.append(Declared(node.side, origin, spec, src, dst))
    return tuple(found)


def flows_of(whole: Whole, site: str) -> tuple[Flow, ...]:
    """Every flow with an end in this site, and at the hub those between others; sorted by id."""
    found: dict[str, Flow] = {}
    for flow in [*_matrix(whole, site), *_infrastructure(whole, site), *_services(whole, site)]:
        found.setdefault(flow.id, flow)
    return tuple(found[key] for key in sorted(found))


def forbidden_of(whole: Whole, site: str) -> tuple[Forbidden, ...]:
    """Every ordered pair of ends, one in this site, the other here or at the hub or outside.

    A pair is listed also when some flow passes it: then everything else between them is forbidden.
    """
    here = [s for s in whole.place.segments if s.site == site]
    hub = [s for s in whole.place.segments if s.site == whole.hub != site]
    pairs = [*pairs_between(here, [*here, *hub]), *pairs_between(hub, here)]
    internet = End(INTERNET, (ANY,), ours=False)
    pairs += [Forbidden(a.side, segment_end(a), internet, a.side is Side.WAN) for a in here]
    pairs += [
        Forbidden(Side.NET, internet, segment_end(b), is_never(Side.NET, b.side, INTERNET, b.zone))
        for b in here
    ]
    return tuple(pairs)


def pairs_between(sources: Iterable[SegmentPlan], targets: Sequence[SegmentPlan]) -> list[Forbidden]:
    """Every ordered pair of two different segments."""
    return [
        Forbidden(a.side, segment_end(a), segment_end(b), is_never(a.side, b.side, a.zone, b.zone))
        for a in sources
        for b in targets
        if a != b
    ]


def _flow(side: Side, ends: tuple[End, End, bool], proto: str, ports: Span, reason: str, origin: str) -> Flow:
    src, dst, transit = ends
    what = proto + "-".join(f"{a}" if a == b else f"{a}to{b}" for a, b in ports)
    return Flow(
        f"{origin}.{src.label}.{dst.label}.{what}", side, src, dst, proto, ports, reason, origin, transit
    )


def _singles(ports: Iterable[int]) -> Span:
    return tuple((port, port) for port in ports)


def _matrix(whole: Whole, site: str) -> list[Flow]:
    found: list[Flow] = []
    for side, cells in MATRIX.items():
        for cell in cells:
            for src, dst in _cell_parts(whole, side, cell, site):
                found += [
                    _flow(side, ends, cell.proto, _singles(cell.ports), cell.reason, "matrix")
                    for ends in views(src, dst, site, whole.hub, side)
                ]
    return found


def _cell_parts(whole: Whole, side: Side, cell: Cell, site: str) -> list[tuple[Parts, Parts]]:
    def zone(which: Zone | str, sites: Iterable[str]) -> Parts:
        if which == INTERNET:
            return Parts({}, End(INTERNET, (ANY,), ours=False))
        return zone_parts(whole.place, side, Zone(which), sites)

    spokes = [s for s in whole.sites if s != whole.hub]
    if cell.reach == "site":
        return [(zone(cell.src, [site]), zone(cell.dst, [site]))]
    if cell.reach == "office":
        return [(zone(cell.src, spokes), zone(cell.dst, [whole.hub]))]
    return [(zone(cell.src, [whole.hub]), zone(cell.dst, spokes))]


def _services(whole: Whole, site: str) -> list[Flow]:
    return [
        _flow(one.side, ends, one.spec.proto, one.spec.ports, one.spec.reason, one.service)
        for one in whole.declared
        for ends in views(one.src, one.dst, site, whole.hub, one.side)
        if ends[0] != ends[1] or ends[0].node is None
    ]


def _infrastructure(whole: Whole, site: str) -> list[Flow]:
    nodes = {n.name: n for n in whole.place.nodes}
    found = [*_dhcp(whole, site), *_echo(whole, site)]
    for uplink in whole.uplinks:
        gateway = nodes[uplink.node]
        if uplink.kind in WAN_LINES and gateway.site == site and gateway.device is not None:
            found += _routing(gateway)
    for node in whole.place.nodes:
        for tunnel in node.tunnels:
            if tunnel.endpoint is None:
                continue
            caller, hub = node_end(node), node_end(nodes[tunnel.peer])
            if site in {node.site, hub.site}:
                span = _singles([tunnel.port])
                found.append(
                    _flow(
                        Side.NET, (caller, hub, False), "udp", span, "tunnel to the office", "infrastructure"
                    )
                )
    return found


def _routing(gateway: Node) -> list[Flow]:
    assert gateway.device is not None
    here = node_end(gateway)
    found = []
    for interface in gateway.device.interfaces:
        if interface.ospf is None:
            continue
        peer = End(f"{interface.name}-peer", (interface.address.network,))
        found.append(_flow(Side.WAN, (peer, here, False), "ospf", (), "routing", "infrastructure"))
        found.append(_flow(Side.WAN, (peer, here, False), "udp", BFD, "loss of a line", "infrastructure"))
    return found


def _dhcp(whole: Whole, site: str) -> list[Flow]:
    found = []
    for gateway in whole.place.nodes:
        if gateway.site != site or not gateway.is_gateway or not gateway.runs("dhcp"):
            continue
        for segment in whole.place.segments:
            if segment.site == site and segment.side is gateway.side and segment.dhcp:
                found.append(_lease(segment, gateway))
    return found


def _lease(segment: SegmentPlan, gateway: Node) -> Flow:
    src = End(
        f"{segment.site}/{segment.name}",
        (segment.prefix, IPv4Network("0.0.0.0/32")),
        segment.site,
        segment.zone,
    )
    ends = (src, node_end(gateway), False)
    return _flow(segment.side, ends, "udp", _singles([67]), "leases", "infrastructure")


def _echo(whole: Whole, site: str) -> list[Flow]:
    """Management pings everything of its side: the site's own, and the hub's pings every site.

    On the Internet side only the tunnel leads to other sites, and it carries their management segments alone.
    """
    found: list[Flow] = []
    zones: Sequence[Zone] = list(Zone)
    for side in Side:
        targets = [(zone, zone_parts(whole.place, side, zone, whole.sites)) for zone in zones]
        for sites in ([site], [whole.hub]):
            src = zone_parts(whole.place, side, Zone.MANAGEMENT, sites)
            for zone, dst in targets:
                far = sites == [whole.hub] and (side is Side.WAN or zone is Zone.MANAGEMENT)
                own = Parts({s: e for s, e in dst.by_site.items() if far or s == sites[0]})
                found += [
                    _flow(side, ends, "icmp", (), "reachability", "infrastructure")
                    for ends in views(src, own, site, whole.hub, side)
                    if ends[0].label != ends[1].label or ends[0].site == site
                ]
    return found
