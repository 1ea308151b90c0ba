"""What gateways and switches are told: bridges, addresses, routing. Neutral of any vendor."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

from lienthong.model.intent import (
    Bridge,
    DeviceIntent,
    L3Interface,
    Ospf,
    SegmentPlan,
    StaticRoute,
    StaticRoute6,
    SwitchPort,
    Tunnel,
)
from lienthong.model.secret import SecretRef
from lienthong.model.site import Device, Province, Site
from lienthong.model.words import PARKING_VLAN, VLANS, WAN_LINES, Role, Side, UplinkKind, Zone
from lienthong.plan import addressing

LAN = "br-lan"
TRUNK = "trunk0"
TUNNEL = "wg-net"
TUNNEL_PORT = 51820
#: Lines of the hub by their letter: the bridge that carries the provider's trunk.
LETTERS = ("a", "b")
DEFAULT = IPv4Network("0.0.0.0/0")
DEFAULT6 = IPv6Network("::/0")
#: Administrative distance of a static route that is used only while no better one is there.
SPARE = 250


def wan_lines(site: Site) -> list[str]:
    """The names of a site's lines to the office, TSLCD or leased, in the order of their letters."""
    return [name for name, uplink in sorted(site.uplinks.items()) if uplink.kind in WAN_LINES]


def gateway(
    province: Province,
    site: Site,
    device: Device,
    name: str,
    segments: Iterable[SegmentPlan],
    spokes: list[Site],
) -> DeviceIntent:
    """A gateway: its trunk, its segments, its lines. `spokes` is empty unless this is the hub's."""
    mine = [segment for segment in segments if segment.side is device.side]
    bridges = [_lan_of_gateway(mine)]
    interfaces = [
        L3Interface(
            s.interface,
            IPv4Interface((s.gateway, s.prefix.prefixlen)),
            f"{s.site} {s.name}",
            passive=True,
            address6=_first(s.prefix6),
            vlan=s.vlan,
            parent=TRUNK,
        )
        for s in mine
    ]
    routes: list[StaticRoute] = []
    routes6: list[StaticRoute6] = []
    if device.side is Side.WAN:
        router_id = addressing.loopback(province, Side.WAN, site.number)
        interfaces.append(L3Interface("lo", IPv4Interface((router_id, 32)), "router id", passive=True))
        if site.hub:
            bridges += [_handoff(site, spokes, index) for index in range(len(wan_lines(site)))]
            interfaces += _hub_lines(province, site, spokes)
            central, _ = central_link(province)
            tag = addressing.handoff_vlan(addressing.CENTRAL_NUMBER)
            interfaces.append(L3Interface("tac", central, "Central", vlan=tag, parent=wan_lines(site)[0]))
            routes += [
                StaticRoute(IPv4Network(outside.address), central_link(province)[1].ip)
                for outside in province.outside.values()
                if outside.side is Side.WAN
            ]
        else:
            interfaces += _site_lines(province, site, name)
    else:
        router_id = None
        for line, uplink in sorted(site.uplinks.items()):
            if uplink.device == name and uplink.address is not None and uplink.gateway is not None:
                interfaces.append(
                    L3Interface(line, uplink.address, uplink.provider, address6=uplink.address6)
                )
                routes.append(StaticRoute(DEFAULT, uplink.gateway, SPARE if uplink.spare else 1))
                if uplink.gateway6 is not None:
                    routes6.append(StaticRoute6(DEFAULT6, uplink.gateway6))
    return DeviceIntent(
        Role.GATEWAY, device.platform, tuple(bridges), tuple(interfaces), router_id, tuple(routes),
        device.model, tuple(routes6),
    )  # fmt: skip


def central_link(province: Province) -> tuple[IPv4Interface, IPv4Interface]:
    """(the hub's end, Central's end) of the line to Central."""
    return addressing.link(province, addressing.CENTRAL_NUMBER, 0)


def switch(site: Site, device: Device, segments: Iterable[SegmentPlan]) -> DeviceIntent:
    """A switch: its ports as cabled, and its own leg in the management segment."""
    mine = {segment.name: segment for segment in segments if segment.side is device.side}
    every = tuple(sorted(segment.vlan for segment in mine.values()))
    ports = []
    for name, port in sorted(device.ports.items(), key=lambda item: (len(item[0]), item[0])):
        if port.device is not None:
            carried = every if port.carries is None else tuple(sorted(mine[s].vlan for s in port.carries))
            ports.append(SwitchPort(name, True, carried, port.device))
        elif port.unused:
            ports.append(SwitchPort(name, False, (PARKING_VLAN,), "unused", enabled=False))
        else:
            segment = mine[port.segment if port.segment is not None else site.hosts[str(port.host)].segment]
            ports.append(SwitchPort(name, False, (segment.vlan,), port.host or segment.name))
    management = next(s for s in mine.values() if s.zone is Zone.MANAGEMENT)
    ports.append(SwitchPort(management.interface, False, (management.vlan,), "management", internal=True))
    address = IPv4Interface((management.prefix[device.id], management.prefix.prefixlen))
    return DeviceIntent(
        Role.SWITCH,
        device.platform,
        (Bridge(LAN, tuple(ports)),),
        (
            L3Interface(
                management.interface,
                address,
                "management",
                address6=_at(management.prefix6, device.id),
                vlan=management.vlan,
            ),
        ),
        None,
        (StaticRoute(DEFAULT, management.gateway),),
        device.model,
        (StaticRoute6(DEFAULT6, management.prefix6[1]),) if management.prefix6 else (),
    )


def _at(prefix: IPv6Network | None, number: int) -> IPv6Interface | None:
    return None if prefix is None else IPv6Interface((prefix[number], prefix.prefixlen))


def _first(prefix: IPv6Network | None) -> IPv6Interface | None:
    """The gateway's address in a segment, as with IPv4."""
    return _at(prefix, 1)


def tunnels(province: Province, site: Site, name: str, hub: Site, spokes: list[Site]) -> tuple[Tunnel, ...]:
    """The WireGuard links of an Internet gateway: one to the hub, or at the hub one to each site."""

    def management(of: Site) -> IPv4Network:
        return addressing.prefix(province, Side.NET, Zone.MANAGEMENT, of.number)

    def tunnel(here: Site, other: Site, endpoint: bool) -> Tunnel:
        spoke = other if here.hub else here
        hub_end, site_end = addressing.link(province, spoke.number, 2)
        public = next((u.address for u in other.uplinks.values() if u.address is not None), None)
        peer_device = internet_gateway(other)
        return Tunnel(
            name=TUNNEL,
            address=hub_end if here.hub else site_end,
            peer=f"{other.slug}-{peer_device}",
            endpoint=public.ip if endpoint and public else None,
            port=TUNNEL_PORT,
            routes=(management(other), IPv4Network((site_end if here.hub else hub_end).ip)),
            key=SecretRef(f"wireguard/{here.slug}-{internet_gateway(here)}"),
            peer_key=SecretRef(f"wireguard/{other.slug}-{peer_device}"),
        )

    if internet_gateway(site) != name:
        return ()
    if site.hub:
        return tuple(tunnel(site, spoke, False) for spoke in spokes if internet_gateway(spoke))
    return (tunnel(site, hub, True),) if internet_gateway(hub) else ()


def internet_gateway(site: Site) -> str | None:
    """The device that holds the Internet line of a site."""
    return next((u.device for _, u in sorted(site.uplinks.items()) if u.kind is UplinkKind.INTERNET), None)


def _lan_of_gateway(segments: list[SegmentPlan]) -> Bridge:
    every = tuple(sorted(segment.vlan for segment in segments))
    internal = [
        SwitchPort(s.interface, False, (s.vlan,), s.name, internal=True)
        for s in sorted(segments, key=lambda s: s.vlan)
    ]
    return Bridge(LAN, (SwitchPort(TRUNK, True, every, "switch"), *internal))


def _handoff(site: Site, spokes: list[Site], index: int) -> Bridge:
    letter = LETTERS[index]
    carried = [(s.number, s.slug) for s in spokes if len(wan_lines(s)) > index]
    ids = [addressing.handoff_vlan(number) for number, _ in carried]
    internal = [
        SwitchPort(f"t{letter}{number}", False, (addressing.handoff_vlan(number),), slug, internal=True)
        for number, slug in carried
    ]
    if index == 0:
        vlan = addressing.handoff_vlan(addressing.CENTRAL_NUMBER)
        ids.append(vlan)
        internal.append(SwitchPort("tac", False, (vlan,), "Central", internal=True))
    uplink = wan_lines(site)[index]
    return Bridge(f"br-{letter}", (SwitchPort(uplink, True, tuple(sorted(ids)), "TSLCD"), *internal))


def _hub_lines(province: Province, site: Site, spokes: list[Site]) -> list[L3Interface]:
    found = []
    for spoke in spokes:
        for index, line in enumerate(wan_lines(spoke)[: len(wan_lines(site))]):
            hub_end, _ = addressing.link(province, spoke.number, index)
            ospf = Ospf(spoke.uplinks[line].cost, SecretRef(f"ospf/{spoke.slug}"))
            found.append(
                L3Interface(
                    f"t{LETTERS[index]}{spoke.number}",
                    hub_end,
                    f"{spoke.slug} {line}",
                    ospf,
                    vlan=addressing.handoff_vlan(spoke.number),
                    parent=wan_lines(site)[index],
                    rate_mbps=spoke.uplinks[line].bandwidth_mbps,
                )
            )
    return found


def _site_lines(province: Province, site: Site, name: str) -> list[L3Interface]:
    found = []
    for index, line in enumerate(wan_lines(site)):
        uplink = site.uplinks[line]
        if uplink.device == name:
            _, site_end = addressing.link(province, site.number, index)
            ospf = Ospf(uplink.cost, SecretRef(f"ospf/{site.slug}"))
            rate = uplink.bandwidth_mbps
            found.append(L3Interface(line, site_end, f"office by {line}", ospf, rate_mbps=rate))
    return found


assert PARKING_VLAN not in VLANS.values()
