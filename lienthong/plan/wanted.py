"""What one device is told: its part of the plan, its management plane, what may pass it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from lienthong.model.intent import DeviceIntent, Node, ProvincePlan, SegmentPlan
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer, Account, Leases, ManagementPlane, SnmpUser, Wanted
from lienthong.model.words import Zone
from lienthong.plan.policy import forward_rules, forwarding, input_rules
from lienthong.platforms import Hardware, platform
from lienthong.services.dhcp import Params as Dhcp

IDLE_S = 600
SNMP_USER = "lienthong"
CONSOLE_USER = "console"
BANNER = "Authorised staff only. What you do here is recorded."


def wanted(plan: ProvincePlan, node: Node, user: str, public_key: str = "") -> Wanted:
    """What a device must be told.

    Args:
        user: account by which the tool logs in, with its public key (one line of `authorized_keys`).

    Raises:
        ValueError: the node is no device.
    """
    device = node.device
    if device is None:
        raise ValueError(f"{node.name} is no device")
    kind = platform(device.platform)
    site = plan.sites[node.site]
    segments = tuple(s for s in site.segments.values() if s.side is node.side)
    return Wanted(
        node=node.name,
        device=device,
        plane=_plane(plan, node, device, user, public_key),
        sockets=sockets(site.site.devices[node.short].sockets, kind.hardware(device.model)),
        segments=segments,
        inbound=input_rules(plan, node),
        forward=forward_rules(plan, node),
        forwarding=forwarding(plan, node),
        leases=tuple(_leases(plan, node, segments)),
        tunnels=node.tunnels,
    )


def sockets(said: Mapping[str, str], hardware: Hardware) -> dict[str, str]:
    """What the model calls its ports, with what the inventory says of this very device above it."""
    return {**hardware.sockets, **said}


def management_networks(plan: ProvincePlan, node: Node) -> tuple[IPv4Network, ...]:
    """From where the node is managed: the management segments of its side, its site's and the office's."""
    hub = next(name for name, site in plan.sites.items() if site.site.hub)
    found = {
        segment.prefix
        for name in (node.site, hub)
        for segment in plan.sites[name].segments.values()
        if segment.side is node.side and segment.zone is Zone.MANAGEMENT
    }
    return tuple(sorted(found))


def _plane(
    plan: ProvincePlan, node: Node, device: DeviceIntent, user: str, public_key: str
) -> ManagementPlane:
    watched = bool(plan.running("monitoring", node.side))
    return ManagementPlane(
        hostname=node.name,
        domain=node.fqdn.split(".", 1)[1],
        networks=management_networks(plan, node),
        source=next((i.name for i in device.interfaces if i.address.ip == node.address), ""),
        accounts=(
            Account(user, public_key, None),
            Account(CONSOLE_USER, "", SecretRef(f"console/{node.name}")),
        ),
        idle_s=IDLE_S,
        banner=BANNER,
        aaa=tuple(
            AaaServer(one.address, one.protocol, SecretRef(f"aaa/{node.side}"))
            for one in plan.aaa.values()
            if one.side is node.side
        ),
        snmp=SnmpUser(SNMP_USER, SecretRef(f"snmp-auth/{node.name}"), SecretRef(f"snmp-priv/{node.name}"))
        if watched
        else None,
        syslog=_addresses(plan.running("logs", node.side)),
        ntp=_addresses(plan.running("ntp", node.side)),
        resolvers=_resolvers(plan, node),
    )


def _leases(plan: ProvincePlan, node: Node, segments: tuple[SegmentPlan, ...]) -> list[Leases]:
    service = node.services.get("dhcp")
    if service is None or not isinstance(service.params, Dhcp):
        return []
    return [
        Leases(segment, service.params.relay, _resolvers(plan, node)) for segment in segments if segment.dhcp
    ]


def _resolvers(plan: ProvincePlan, node: Node) -> tuple[IPv4Address, ...]:
    running = plan.running("dns", node.side)
    near = [one for one in running if one.site == node.site]
    return _addresses(near or running)


def _addresses(nodes: list[Node]) -> tuple[IPv4Address, ...]:
    return tuple(node.address for node in nodes)
