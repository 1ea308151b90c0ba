"""From the whole inventory to the plan of every site. The only place that sees all sites at once."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface

from lienthong.errors import InventoryError, Problem
from lienthong.model.intent import (
    Cable,
    DeviceIntent,
    Node,
    ProbePort,
    ProvincePlan,
    SegmentPlan,
    Service,
    SitePlan,
    Tunnel,
    UplinkPlan,
)
from lienthong.model.site import Inventory, Province, Site
from lienthong.model.words import WAN_LINES, Role, Zone
from lienthong.plan import addressing, gear, systems
from lienthong.plan.ends import Place
from lienthong.plan.flows import Whole, declared_in, flows_of, forbidden_of
from lienthong.platforms import platform
from lienthong.services import Contribution, ServiceContext, discover


def build(inventory: Inventory) -> ProvincePlan:
    """Plan the province. `lienthong.inventory.load` has validated what is built here.

    Raises:
        InventoryError: a flow leads to something that nobody runs.
    """
    province, sites = inventory.province, inventory.sites
    hub = next(site for site in sites.values() if site.hub)
    spokes = [site for site in sites.values() if not site.hub]
    segments = {slug: plan_segments(province, site) for slug, site in sites.items()}
    nodes = {slug: _nodes(province, site, segments[slug], hub, spokes) for slug, site in sites.items()}
    uplinks = {slug: _uplinks(province, site) for slug, site in sites.items()}
    place = Place(
        tuple(node for found in nodes.values() for node in found.values()),
        tuple(segment for found in segments.values() for segment in found.values()),
        {name: outside.address for name, outside in province.outside.items()},
    )
    try:
        whole = Whole(
            place,
            hub.slug,
            tuple(sites),
            tuple(uplink for found in uplinks.values() for uplink in found),
            declared_in(place, sites, hub.slug),
        )
        plans = {
            slug: SitePlan(
                site=site,
                segments=segments[slug],
                nodes=nodes[slug],
                uplinks=uplinks[slug],
                cables=_cables(site),
                probes=_probes(site, segments[slug]),
                flows=flows_of(whole, slug),
                forbidden=forbidden_of(whole, slug),
            )
            for slug, site in sites.items()
        }
    except LookupError as error:
        raise InventoryError(
            [Problem("inventory", f"a service needs {error.args[0]!r}, and nobody runs it")]
        ) from None
    return ProvincePlan(
        name=province.slug,
        domain=province.domain,
        sites=plans,
        outside=place.outside,
        outside_side={name: outside.side for name, outside in province.outside.items()},
        aaa=province.aaa,
    )


def plan_segments(province: Province, site: Site) -> dict[str, SegmentPlan]:
    """The segments of a site with their VLAN ids and prefixes, by name."""
    found = {}
    for name, segment in site.segments.items():
        prefix = addressing.prefix(province, segment.side, segment.zone, site.number)
        found[name] = SegmentPlan(
            site=site.slug,
            name=name,
            side=segment.side,
            zone=segment.zone,
            vlan=addressing.vlan_of(segment.side, segment.zone),
            prefix=prefix,
            gateway=prefix[1],
            dhcp=segment.dhcp,
            probe=prefix[250],
            prefix6=addressing.prefix6(province, segment.side, segment.zone, site.number),
        )
    return dict(sorted(found.items(), key=lambda item: item[1].vlan))


def _nodes(
    province: Province, site: Site, segments: dict[str, SegmentPlan], hub: Site, spokes: list[Site]
) -> dict[str, Node]:
    found: list[Node] = []
    order = {Role.GATEWAY: 0, Role.SWITCH: 1}
    for short, device in sorted(site.devices.items(), key=lambda item: (order[item[1].role], item[0])):
        management = next(s for s in segments.values() if s.side is device.side and s.zone is Zone.MANAGEMENT)
        intent: DeviceIntent
        if device.role is Role.GATEWAY:
            intent = gear.gateway(
                province, site, device, short, segments.values(), spokes if site.hub else []
            )
        else:
            intent = gear.switch(site, device, segments.values())
        tunnels = gear.tunnels(province, site, short, hub, spokes)
        node = _node(province, site, short, management, device.id, intent, device.runs, tunnels)
        found.append(replace(node, handed_over=device.handed_over))
    for short, host in sorted(site.hosts.items()):
        node = _node(
            province, site, short, segments[host.segment], host.id, None, host.runs, (), host.platform
        )
        found.append(replace(node, handed_over=host.handed_over))
    return {node.name: node for node in found}


def _node(
    province: Province,
    site: Site,
    short: str,
    segment: SegmentPlan,
    number: int,
    device: DeviceIntent | None,
    runs: dict[str, dict[str, object]],
    tunnels: tuple[Tunnel, ...],
    kind: str | None = None,
) -> Node:
    name = f"{site.slug}-{short}"
    domain = f"{site.slug}.{segment.side}.{province.domain}"
    address = segment.prefix[number]
    services = {}
    names: list[str] = []
    for service, raw in sorted(runs.items()):
        module = discover()[service]
        params = module.params.model_validate(raw)
        services[service] = Service(service, params)
        yields: Contribution = module.contribute(
            ServiceContext(site.slug, name, segment.side, address, params)
        )
        names += [f"{label}.{domain}" for label in yields.names]
    names += [f"{system}.{domain}" for system in systems.on_host(site, short)]
    return Node(
        name=name,
        short=short,
        site=site.slug,
        side=segment.side,
        fqdn=f"{short}.{domain}",
        address=address,
        segment=segment,
        device=device,
        services=services,
        tunnels=tunnels,
        address6=segment.prefix6[number] if segment.prefix6 else None,
        names=tuple(names),
        debian=kind is None if device is None else platform(device.platform).debian,
        platform=kind,
    )


def _uplinks(province: Province, site: Site) -> tuple[UplinkPlan, ...]:
    found = []
    lines = gear.wan_lines(site)
    for name, uplink in sorted(site.uplinks.items()):
        node = f"{site.slug}-{uplink.device}"
        address: IPv4Interface | None = uplink.address
        peer = uplink.gateway
        vlan = None
        if uplink.kind in WAN_LINES and not site.hub:
            hub_end, address = addressing.link(province, site.number, lines.index(name))
            peer = hub_end.ip
            vlan = addressing.handoff_vlan(site.number)
        found.append(UplinkPlan(name, uplink.kind, node, address, peer, vlan, uplink.provider))
    return tuple(found)


def _cables(site: Site) -> tuple[Cable, ...]:
    found = []
    for short, device in sorted(site.devices.items()):
        for name, port in sorted(device.ports.items()):
            far = port.device or port.host
            if far is not None:
                socket = "eth0" if port.device is None else port.far_port or gear.TRUNK
                if port.far_port is not None and (far, port.far_port) < (short, name):
                    continue  # a cable between switches is written at both ends
                found.append(Cable(f"{site.slug}-{short}", name, f"{site.slug}-{far}", socket))
    return tuple(found)


def _probes(site: Site, segments: dict[str, SegmentPlan]) -> tuple[ProbePort, ...]:
    return tuple(
        ProbePort(f"{site.slug}-{short}", name, segments[port.segment])
        for short, device in sorted(site.devices.items())
        for name, port in sorted(device.ports.items())
        if port.probe and port.segment is not None
    )
