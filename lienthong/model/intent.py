"""What must be true of a site once it is provisioned: neutral of any vendor, derived, pure.

These values are what templates, deploys, checks, the lab and the report all read. Addresses are
`ipaddress` objects, VLAN ids are integers 1..4094, names of nodes are unique in the province.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from pydantic import BaseModel

from lienthong.model.secret import SecretRef
from lienthong.model.site import Aaa, Site
from lienthong.model.words import Role, Side, UplinkKind, Zone


@dataclass(frozen=True)
class SegmentPlan:
    """A VLAN of one site with its prefix."""

    site: str
    name: str
    side: Side
    zone: Zone
    vlan: int
    prefix: IPv4Network
    gateway: IPv4Address
    dhcp: bool
    probe: IPv4Address
    """Address that a probe on this segment's probe port takes (.250)."""
    prefix6: IPv6Network | None = None
    """Its /64; None while the province has no IPv6 pool for the side."""

    @property
    def dhcp_range(self) -> tuple[IPv4Address, IPv4Address]:
        """First and last address that may be leased: .100 to .199."""
        return self.prefix[100], self.prefix[199]

    @property
    def interface(self) -> str:
        """Name of the gateway's interface in this segment."""
        return f"vlan{self.vlan}"


@dataclass(frozen=True)
class SwitchPort:
    """A port of an OVS bridge or of a switch. `vlans` has one id unless it is a trunk."""

    name: str
    trunk: bool
    vlans: tuple[int, ...]
    description: str
    enabled: bool = True
    internal: bool = False
    """The device's own leg in the VLAN (an SVI); named `vlanN`."""


@dataclass(frozen=True)
class Bridge:
    """A group of ports that switch among themselves. A gateway has one for its trunk."""

    name: str
    ports: tuple[SwitchPort, ...]


@dataclass(frozen=True)
class Ospf:
    """OSPFv2 on one point-to-point line; anything without it is passive or not in OSPF."""

    cost: int
    key: SecretRef
    bfd: bool = True


@dataclass(frozen=True)
class L3Interface:
    """An addressed interface of a device."""

    name: str
    address: IPv4Interface
    description: str
    ospf: Ospf | None = None
    passive: bool = False
    """In OSPF, announced, but no neighbour is looked for."""
    address6: IPv6Interface | None = None
    vlan: int | None = None
    """Tag under which it lies on `parent`; None for a line of its own."""
    parent: str | None = None
    """Port of the device that carries the tag: the trunk of a gateway, the line of a hub; None for the leg
    of a switch, which lies in its own VLAN."""


@dataclass(frozen=True)
class StaticRoute:
    """A route written by hand; `via` is a next hop."""

    prefix: IPv4Network
    via: IPv4Address
    preference: int = 1
    """Administrative distance: the lower is used, a spare path has a higher one."""


@dataclass(frozen=True)
class StaticRoute6:
    """An IPv6 route written by hand; `via` is a next hop."""

    prefix: IPv6Network
    via: IPv6Address


@dataclass(frozen=True)
class DeviceIntent:
    """What a gateway or switch is told by its command line (FRR and Open vSwitch in the lab)."""

    role: Role
    platform: str
    bridges: tuple[Bridge, ...]
    interfaces: tuple[L3Interface, ...]
    router_id: IPv4Address | None
    routes: tuple[StaticRoute, ...]
    model: str | None = None
    """Maker and model as the inventory says; decides names of sockets and what the device lacks."""
    routes6: tuple[StaticRoute6, ...] = ()

    @property
    def routed(self) -> bool:
        """Whether OSPF runs here."""
        return any(interface.ospf for interface in self.interfaces)


@dataclass(frozen=True)
class Tunnel:
    """A WireGuard link between two gateways of one side; `peer` is the other gateway's node name."""

    name: str
    address: IPv4Interface
    peer: str
    endpoint: IPv4Address | None
    """The peer's public address; None where the peer is the one who calls."""
    port: int
    routes: tuple[IPv4Network, ...]
    """What lies behind the peer and may pass the tunnel."""
    key: SecretRef
    peer_key: SecretRef
    """Both are names of private keys; only the peer's public half is ever derived from it."""


@dataclass(frozen=True)
class End:
    """One end of a flow. With `nodes` empty it is the whole segment or outside network."""

    label: str
    """How a reader knows it: `loc-ninh/users`, `tinh-uy-svc-wan`, `internet`."""
    networks: tuple[IPv4Network, ...]
    site: str | None = None
    """The one site it lies in; None when it is in several sites, or outside."""
    zone: Zone | None = None
    node: str | None = None
    ours: bool = True
    """False for the Internet and systems of others."""


@dataclass(frozen=True)
class Flow:
    """Traffic that must pass. Whatever no flow names is dropped."""

    id: str
    """Stable and unique in the province, e.g. `loc-ninh.users-servers.tcp443`."""
    side: Side
    src: End
    dst: End
    proto: str
    """`tcp`, `udp`, `icmp` (echo), or `ospf`."""
    ports: tuple[tuple[int, int], ...]
    """Inclusive ranges; empty for icmp and ospf."""
    reason: str
    origin: str
    """`matrix`, `infrastructure`, or the name of the service that declared it."""
    transit: bool = False
    """Between two other sites, passing through the hub."""


@dataclass(frozen=True)
class Forbidden:
    """A pair of ends between which no flow may pass, whatever the inventory says; probed."""

    side_src: Side
    src: End
    dst: End
    never: bool
    """True: the law of the two sides. False: denied because nothing declared it."""


@dataclass(frozen=True)
class Service:
    """A service that a node runs, with its validated parameters."""

    name: str
    params: BaseModel


@dataclass(frozen=True)
class Node:
    """One computer that the tool keeps: a device or a host. `name` is also its host name."""

    name: str
    """`<site>-<short>`, e.g. `loc-ninh-gw-wan`; unique in the province."""
    short: str
    site: str
    side: Side
    fqdn: str
    address: IPv4Address
    """Where its own side manages it: hosts in their segment, devices in the management segment."""
    segment: SegmentPlan
    """Where `address` lies."""
    device: DeviceIntent | None
    services: Mapping[str, Service]
    tunnels: tuple[Tunnel, ...] = ()
    address6: IPv6Address | None = None
    """In the same segment, its last part the last octet of `address`; None without `prefix6`."""
    names: tuple[str, ...] = ()
    """Further DNS names, fully qualified, that lead to `address`."""
    debian: bool = True
    """A Debian system, on which Ansible and pyinfra work; False for gear with a software of its own."""
    platform: str | None = None
    """How a host is configured that is no Debian system, e.g. `cisco-roomos`; None for all others."""
    handed_over: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Roles of Central that run on it, with the values of their variables."""

    @property
    def is_gateway(self) -> bool:
        return self.device is not None and self.device.role is Role.GATEWAY

    @property
    def is_switch(self) -> bool:
        return self.device is not None and self.device.role is Role.SWITCH

    def runs(self, service: str) -> bool:
        return service in self.services


@dataclass(frozen=True)
class UplinkPlan:
    """A line of a gateway with what lies at its far end."""

    name: str
    kind: UplinkKind
    node: str
    address: IPv4Interface | None
    """None at the hub's end of TSLCD, where each site has a VLAN of its own on the line."""
    peer: IPv4Address | None
    """The other end: the hub's gateway, or the provider."""
    vlan: int | None
    """Hand-off VLAN of this site on the hub's trunk; None for Internet lines."""
    provider: str


@dataclass(frozen=True)
class Cable:
    """Two sockets joined, within a site: `node`, `port` and the other end."""

    a: str
    a_port: str
    b: str
    b_port: str


@dataclass(frozen=True)
class ProbePort:
    """A socket of a switch kept free for a test device."""

    node: str
    port: str
    segment: SegmentPlan


@dataclass(frozen=True)
class SitePlan:
    """Everything that follows from one site's inventory within its province."""

    site: Site
    segments: Mapping[str, SegmentPlan]
    nodes: Mapping[str, Node]
    """By node name; gateways first, then switches, then hosts."""
    uplinks: tuple[UplinkPlan, ...]
    cables: tuple[Cable, ...]
    probes: tuple[ProbePort, ...]
    flows: tuple[Flow, ...]
    """Every flow with an end in this site."""
    forbidden: tuple[Forbidden, ...]
    """Every forbidden pair whose source is in this site."""

    def node(self, short: str) -> Node:
        """The node by its name within the site."""
        return self.nodes[f"{self.site.slug}-{short}"]

    def gateway(self, side: Side) -> Node | None:
        return next((n for n in self.nodes.values() if n.is_gateway and n.side is side), None)


@dataclass(frozen=True)
class ProvincePlan:
    """All sites, planned together."""

    name: str
    domain: str
    sites: Mapping[str, SitePlan]
    outside: Mapping[str, IPv4Address]
    """Systems of others by name, e.g. `central-wan`."""
    outside_side: Mapping[str, Side] = field(default_factory=dict)
    aaa: Mapping[str, Aaa] = field(default_factory=dict)
    """Servers that devices ask about logins, by name."""

    @property
    def nodes(self) -> dict[str, Node]:
        """Every node of the province by its name."""
        return {name: node for plan in self.sites.values() for name, node in plan.nodes.items()}

    def running(self, service: str, side: Side | None = None) -> list[Node]:
        """Nodes that run a service, of one side or of both, in a stable order."""
        return [
            node for node in self.nodes.values() if node.runs(service) and (side is None or node.side is side)
        ]


@dataclass(frozen=True)
class Rule:
    """One packet-filter rule of one node, already placed: which way in, which way out.

    Empty interface tuples mean any; a rule of the input chain has no `oif`.
    """

    flow: Flow
    iif: tuple[str, ...]
    oif: tuple[str, ...]
    src: tuple[IPv4Network, ...]
    dst: tuple[IPv4Network, ...]


@dataclass(frozen=True)
class Forwarding:
    """What a gateway of the Internet side does to addresses."""

    masquerade: tuple[tuple[IPv4Network, str], ...]
    """(source prefix, outgoing interface)"""
    dnat: tuple[tuple[str, str, int, IPv4Address], ...]
    """(incoming interface, protocol, port, inside address)"""
