"""What a lab is made of, derived from the plan: systems, probes, the world outside, and the cables. Pure.

Nothing here is drawn by hand: cables, probe ports, uplinks and outside systems all come from `ProvincePlan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from lienthong.errors import LienThongError
from lienthong.lab.image import packages
from lienthong.model.intent import Node, ProvincePlan, SitePlan, UplinkPlan
from lienthong.model.words import Side, UplinkKind
from lienthong.services import discover

TSLCD, ISP = "tslcd", "isp"
INTERNET_PROBE = "probe-internet"
#: The hub's interface to Central and Central's own name on that side.
CENTRAL_INTERFACE, CENTRAL_WAN, CENTRAL_NET = "tac", "central-wan", "central-net"
#: Names of the plan's outside systems that the Internet provider's node answers for.
INTERNET_DNS, UPDATES = "internet-dns", "updates"
#: The Internet by IPv6, where no line has an address of that family: RFC 3849. Its provider would carry it.
INTERNET6 = IPv6Network("2001:db8:ffff::/64")
#: What a host with a kernel of its own has beyond the base: Debian's own, with what Debian puts beside it.
#: The one for clouds is smaller but knows no USB, of which something is to be proved.
KERNEL = frozenset({"apparmor", "linux-image-amd64"})
_MANAGEMENT = ("10.255.0.0/20", "10.254.240.0/20", "172.31.240.0/20", "192.168.240.0/20", "100.127.240.0/20")


@dataclass(frozen=True)
class Plug:
    """An interface of a namespace."""

    node: str
    port: str


@dataclass(frozen=True)
class Link:
    """A cable."""

    a: Plug
    b: Plug


@dataclass(frozen=True)
class System:
    """A computer that is booted."""

    name: str
    outside: bool
    tun: bool
    """Whether it makes interfaces of its own in user space (Open vSwitch, WireGuard)."""
    booted: bool = True
    """Not: nobody can ship its software; a simulated device stands in its namespace, and switches nothing."""
    packages: frozenset[str] = frozenset()
    """What its services need beyond the base."""
    optional: bool = False
    """Every one of its services needs more than the base has: it is started where somebody asks for it."""
    kernel: bool = False
    """Whether it is an emulated computer with a kernel of its own, see `guest`."""


@dataclass(frozen=True)
class Probe:
    """A bare namespace on a socket that the inventory keeps free for a test device."""

    name: str
    site: str
    segment: str
    side: Side
    address: IPv4Interface
    gateway: IPv4Address
    address6: IPv6Interface | None = None
    gateway6: IPv6Address | None = None


@dataclass(frozen=True)
class Line:
    """An uplink of a site: the gateway's end and the provider's."""

    site: str
    uplink: str
    kind: UplinkKind
    link: Link
    """`a` is the gateway, `b` the provider."""
    bridge: str | None = None
    """TSLCD: the provider's bridge this line is on."""
    vlan: int | None = None
    """TSLCD: the site's hand-off VLAN; None for the hub's trunk."""
    provider_address: IPv4Interface | None = None
    """Internet: the provider's address on the line."""
    behind6: tuple[IPv6Network, ...] = ()
    """Internet: what the provider sends to this line by IPv6, as an attacker there would."""

    @property
    def hardware(self) -> str:
        """Internet: the Ethernet address of the gateway's port, so that the provider knows its neighbour."""
        number = int(self.provider_address.ip) if self.provider_address else 0
        return ":".join(f"{byte:02x}" for byte in (2, 0, *number.to_bytes(4)))

    @property
    def neighbour6(self) -> IPv6Address:
        """Internet: the gateway's link-local address, which follows from `hardware` (RFC 4291, A)."""
        mac = bytes.fromhex(self.hardware.replace(":", ""))
        return IPv6Address(b"\xfe\x80" + bytes(6) + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:])


@dataclass(frozen=True)
class Outside:
    """A system of somebody else that the lab plays, and its way into the network."""

    name: str
    address: IPv4Interface
    """Where it is known; a /32 lies on its loopback."""
    link: IPv4Interface | None
    """The address of its interface `eth0` where `address` is a /32."""
    gateway: IPv4Address
    side: Side


@dataclass(frozen=True)
class Topology:
    """Everything a lab needs to know of the network it builds."""

    sites: tuple[str, ...]
    domain: str
    systems: tuple[System, ...]
    probes: tuple[Probe, ...]
    links: tuple[Link, ...]
    lines: tuple[Line, ...]
    central: tuple[Outside, ...]
    central_vlan: int | None
    internet: IPv4Network
    """The provider's own network, where public servers stand."""
    answers: Mapping[str, IPv4Address]
    """Outside systems that the provider's node answers for."""
    management: IPv4Network
    """Range of the controller's network; overlaps nothing in the plan."""

    @property
    def controller(self) -> IPv4Interface:
        return IPv4Interface((self.management[1], self.management.prefixlen))

    @property
    def addresses(self) -> dict[str, IPv4Address]:
        """Management address by system."""
        return {system.name: self.management[index] for index, system in enumerate(self.systems, 10)}

    def line(self, site: str, uplink: str) -> Line:
        """One uplink.

        Raises:
            LienThongError: this lab has no such line.
        """
        for line in self.lines:
            if (line.site, line.uplink) == (site, uplink):
                return line
        known = ", ".join(f"{line.site} {line.uplink}" for line in self.lines)
        raise LienThongError(f"no line {uplink} at {site} in this lab", hint=f"there are: {known}")


def derive(plan: ProvincePlan, slugs: Sequence[str]) -> Topology:
    """The topology of some sites of a province and of what lies outside them.

    Raises:
        LienThongError: a site is not in the plan.
    """
    missing = [slug for slug in slugs if slug not in plan.sites]
    if missing:
        raise LienThongError(
            f"no site {missing[0]!r} in the inventory", hint=f"there are: {', '.join(plan.sites)}"
        )
    sites = [plan.sites[slug] for slug in dict.fromkeys(slugs)]
    internet = _internet(plan)
    central = tuple(_central(plan, sites, internet))
    lines = tuple(line for site in sites for line in _lines(site))
    probes = tuple(probe for site in sites for probe in _probes(site))
    if internet is not None:
        address = IPv4Interface((internet[99], internet.prefixlen))
        address6 = IPv6Interface((INTERNET6[99], INTERNET6.prefixlen))
        probes += (
            Probe(
                INTERNET_PROBE,
                "internet",
                "internet",
                Side.NET,
                address,
                internet[1],
                address6,
                INTERNET6[1],
            ),
        )
    outside = [System(TSLCD, True, True), System(ISP, True, False)]
    outside += [System(end.name, True, False) for end in central]
    nodes = [_system(node, plan) for site in sites for node in site.nodes.values()]
    return Topology(
        sites=tuple(site.site.slug for site in sites),
        domain=plan.domain,
        systems=(*outside, *nodes),
        probes=probes,
        links=tuple(_links(sites, probes, lines, central)),
        lines=lines,
        central=central,
        central_vlan=_central_vlan(sites),
        internet=internet or IPv4Network("198.51.100.0/24"),
        answers={name: plan.outside[name] for name in (INTERNET_DNS, UPDATES) if name in plan.outside},
        management=_free_range(plan),
    )


def default_sites(plan: ProvincePlan) -> tuple[str, ...]:
    """The hub, and the first district that has devices of its own described."""
    hub = [slug for slug, site in plan.sites.items() if site.site.hub]
    named = [slug for slug in ("loc-ninh",) if slug in plan.sites]
    others = [slug for slug, site in plan.sites.items() if not site.site.hub and site.nodes]
    return (*hub[:1], *(named or others[:1]))


def _system(node: Node, plan: ProvincePlan) -> System:
    needs = [frozenset(discover()[name].packages) - packages() for name in node.services]
    beyond = [
        frozenset(one.gateway_packages) - packages()
        for one in discover().values()
        if node.is_gateway and node.debian and one.gateway_packages and plan.running(one.name, node.side)
    ]
    return System(
        name=node.name,
        outside=False,
        tun=node.device is not None or bool(node.tunnels),
        booted=node.debian,
        packages=frozenset().union(*needs, *beyond),
        optional=node.device is None and node.debian and bool(needs) and all(needs),
    )


def with_kernel(topology: Topology, names: Sequence[str]) -> Topology:
    """The same, but these hosts have a kernel of their own, and Debian's packages for it.

    Raises:
        LienThongError: one of them is no host of these sites.
    """
    hosts = [s.name for s in topology.systems if s.booted and not s.outside and not s.tun]
    for name in names:
        if name not in hosts:
            raise LienThongError(
                f"{name} is no host at {', '.join(topology.sites)} that could have a kernel of its own",
                hint=f"there are: {', '.join(hosts)}; gear and what is outside share this machine's",
            )
    systems = (
        replace(s, kernel=True, packages=s.packages | KERNEL) if s.name in names else s
        for s in topology.systems
    )
    return replace(topology, systems=tuple(systems))


def left_out(topology: Topology, full: bool, also: Sequence[str] = ()) -> tuple[str, ...]:
    """The optional systems that are not started. Their sockets stay, with nothing in them.

    Args:
        full: start them all.
        also: start these.

    Raises:
        LienThongError: a name of `also` is no system of these sites.
    """
    names = {system.name for system in topology.systems}
    for name in also:
        if name not in names:
            raise LienThongError(
                f"no node {name!r} at {', '.join(topology.sites)}", hint="its full name, e.g. loc-ninh-srv"
            )
    optional = (system.name for system in topology.systems if system.optional and not full)
    return tuple(name for name in optional if name not in also)


def _links(
    sites: Sequence[SitePlan], probes: Sequence[Probe], lines: Sequence[Line], central: Sequence[Outside]
) -> Iterator[Link]:
    for site in sites:
        for cable in site.cables:
            yield Link(Plug(cable.a, cable.a_port), Plug(cable.b, cable.b_port))
        for port in site.probes:
            name = f"probe-{site.site.slug}-{port.segment.name}"
            yield Link(Plug(port.node, port.port), Plug(name, "eth0"))
    for line in lines:
        yield line.link
    for end in central:
        provider = Plug(TSLCD, "central") if end.side is Side.WAN else Plug(ISP, "lan1")
        yield Link(provider, Plug(end.name, "eth0"))
    if any(probe.name == INTERNET_PROBE for probe in probes):
        yield Link(Plug(ISP, "lan2"), Plug(INTERNET_PROBE, "eth0"))


def _probes(site: SitePlan) -> Iterator[Probe]:
    for port in site.probes:
        segment = port.segment
        yield Probe(
            name=f"probe-{site.site.slug}-{segment.name}",
            site=site.site.slug,
            segment=segment.name,
            side=segment.side,
            address=IPv4Interface((segment.probe, segment.prefix.prefixlen)),
            gateway=segment.gateway,
            address6=IPv6Interface((segment.probe6, 64)) if segment.probe6 else None,
            gateway6=segment.gateway6,
        )


def _lines(site: SitePlan) -> Iterator[Line]:
    for uplink in site.uplinks:
        own = Plug(uplink.node, uplink.name)
        if uplink.kind is UplinkKind.INTERNET:
            port = Plug(ISP, f"{uplink.name[:4]}-{site.site.number}")
            yield Line(
                site.site.slug,
                uplink.name,
                uplink.kind,
                Link(own, port),
                provider_address=_provider_end(uplink),
                behind6=tuple(s.prefix6 for s in site.segments.values() if s.prefix6),
            )
        else:
            letter = uplink.name.rsplit("-", 1)[-1]
            port = Plug(TSLCD, f"{letter}-hub" if site.site.hub else f"{letter}-{site.site.number}")
            yield Line(site.site.slug, uplink.name, uplink.kind, Link(own, port), f"br-{letter}", uplink.vlan)


def _provider_end(uplink: UplinkPlan) -> IPv4Interface:
    if uplink.address is None or uplink.peer is None:
        raise LienThongError(f"{uplink.node}: the Internet line {uplink.name} has no address")
    return IPv4Interface((uplink.peer, uplink.address.network.prefixlen))


def _internet(plan: ProvincePlan) -> IPv4Network | None:
    """The /24 in which the province file puts the public systems of others."""
    for name in (CENTRAL_NET, INTERNET_DNS, UPDATES):
        if name in plan.outside:
            return IPv4Network((plan.outside[name], 24), strict=False)
    return None


def _central(
    plan: ProvincePlan, sites: Sequence[SitePlan], internet: IPv4Network | None
) -> Iterator[Outside]:
    hub_end = _central_interface(sites)
    if CENTRAL_WAN in plan.outside and hub_end is not None:
        own = next(host for host in hub_end.network.hosts() if host != hub_end.ip)
        yield Outside(
            CENTRAL_WAN,
            IPv4Interface((plan.outside[CENTRAL_WAN], 32)),
            IPv4Interface((own, hub_end.network.prefixlen)),
            hub_end.ip,
            Side.WAN,
        )
    if CENTRAL_NET in plan.outside and internet is not None:
        address = IPv4Interface((plan.outside[CENTRAL_NET], internet.prefixlen))
        yield Outside(CENTRAL_NET, address, None, internet[1], Side.NET)


def _central_interface(sites: Sequence[SitePlan]) -> IPv4Interface | None:
    for site in sites:
        for node in site.nodes.values():
            for interface in node.device.interfaces if node.device else ():
                if interface.name == CENTRAL_INTERFACE:
                    return interface.address
    return None


def _central_vlan(sites: Sequence[SitePlan]) -> int | None:
    for site in sites:
        for node in site.nodes.values():
            for bridge in node.device.bridges if node.device else ():
                for port in bridge.ports:
                    if port.name == CENTRAL_INTERFACE:
                        return port.vlans[0]
    return None


def _free_range(plan: ProvincePlan) -> IPv4Network:
    taken = [segment.prefix for site in plan.sites.values() for segment in site.segments.values()]
    taken += [IPv4Network(address) for address in plan.outside.values()]
    for node in plan.nodes.values():
        taken += [tunnel.address.network for tunnel in node.tunnels]
        taken += [interface.address.network for interface in (node.device.interfaces if node.device else ())]
    for text in _MANAGEMENT:
        candidate = IPv4Network(text)
        if not any(candidate.overlaps(network) for network in taken):
            return candidate
    raise LienThongError("the plan leaves no range for the lab's management network")
