"""The little that a device must know before the tool can reach it, computed from the plan. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan, UplinkPlan
from lienthong.model.secret import SecretRef
from lienthong.model.words import WAN_LINES
from lienthong.plan.wanted import CONSOLE_USER, management_networks, sockets
from lienthong.platforms import platform


@dataclass(frozen=True)
class Line:
    """The line of a gateway by which the office reaches it first."""

    socket: str
    """What the device calls its port."""
    address: IPv4Interface
    via: IPv4Address


@dataclass(frozen=True)
class First:
    """What a template of `templates/bootstrap/` is given."""

    node: str
    domain: str
    role: str
    """`gateway`, `switch`, or `host` for an endpoint with a software of its own."""
    model: str
    user: str
    """The account of the tool."""
    key: str
    """Its public key, one line of `authorized_keys`."""
    console: str
    """The account for the console."""
    secret: SecretRef
    """Its password."""
    address: IPv4Interface
    """Where the device is managed."""
    vlan: int
    segment: str
    interface: str
    """Of the inventory, e.g. `vlan40`."""
    bridge: str
    """Of the inventory, e.g. `br-lan`."""
    trunk: str
    """What the device calls the port that carries the management VLAN."""
    line: Line | None
    gateway: IPv4Address | None
    """Next hop to the office; None where it is reached from its own segment only."""
    networks: tuple[IPv4Network, ...]
    """What lies behind that next hop and manages the device."""


def first(plan: ProvincePlan, node: Node, user: str, key: str) -> First:
    """What a device or an endpoint must know on day 0.

    Raises:
        LienThongError: it is a Debian host, or there is no public key to give it.
    """
    kind = node.device.platform if node.device is not None else node.platform
    if kind is None:
        raise LienThongError(f"{node.name} is a Debian host", hint="it gets a preseed file")
    if not key:
        raise LienThongError(
            "there is no public key to let the tool in",
            hint="LIENTHONG_KEY names the private key; its public half lies beside it as .pub",
        )
    site = plan.sites[node.site]
    device = node.device
    said = site.site.devices[node.short].sockets if device is not None else {}
    names = sockets(said, platform(kind).hardware(device.model if device else None))
    ports = [port for bridge in (device.bridges if device else ()) for port in bridge.ports]
    carrying = [p.name for p in ports if p.trunk and not p.internal and node.segment.vlan in p.vlans]
    line = _line(site.uplinks, node, names) if node.is_gateway else None
    return First(
        node=node.name,
        domain=node.fqdn.split(".", 1)[1],
        role=device.role.value if device is not None else "host",
        model=(device.model if device is not None else None) or "",
        user=user,
        key=" ".join(key.split()[:2]),
        console=CONSOLE_USER,
        secret=SecretRef(f"console/{node.name}"),
        address=IPv4Interface(f"{node.address}/{node.segment.prefix.prefixlen}"),
        vlan=node.segment.vlan,
        segment=node.segment.name,
        interface=f"vlan{node.segment.vlan}",
        bridge=device.bridges[0].name if device is not None and device.bridges else "",
        trunk=names.get(carrying[0], carrying[0]) if carrying else "",
        line=line,
        gateway=line.via if line else None if node.is_gateway else node.segment.gateway,
        networks=tuple(net for net in management_networks(plan, node) if net != node.segment.prefix),
    )


def _line(uplinks: tuple[UplinkPlan, ...], node: Node, names: dict[str, str]) -> Line | None:
    # A line to the Internet is none: before its packet filter is there nobody may reach a device by it.
    for line in uplinks:
        if line.node == node.name and line.kind in WAN_LINES and line.address and line.peer:
            return Line(names.get(line.name, line.name), line.address, line.peer)
    return None
