"""Which packets would prove the flows of a site, and which must never arrive. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from lienthong.model.intent import End, Flow, Node, ProvincePlan, SegmentPlan

INTERNET = "internet"
#: What is tried where nothing may pass; the ports that services, attackers and worms use.
TCP_PORTS = (
    21, 22, 23, 25, 53, 80, 135, 139, 389, 443, 445, 853, 1433, 2514, 3306, 3389, 5060, 5061, 5432, 8080, 9100
)  # fmt: skip
UDP_PORTS = (53, 69, 123, 161, 500, 514, 5060, 10000, 20000, 51820)
#: Answers that prove a packet came through and back: an open port, and a closed one that says so.
PASSED = frozenset({"open", "refused"})

DNS_QUERY = "1234010000010000000000000776657273696f6e0462696e640000100003"
NTP_QUERY = "e3" + "00" * 47
#: Who are you? RFC 3414, section 4: every engine of SNMPv3 tells its name to anybody who may send to it.
SNMP_QUERY = (
    "303a020103300f02024a69020300ffe30401040201030410300e0400020100020100040004000400"
    "301204000400a00c020237f00201000201003000"
)
SIP_OPTIONS = (
    "OPTIONS sip:audit@invalid SIP/2.0\r\nVia: SIP/2.0/UDP {src}:{port};branch=z9hG4bKaudit;rport\r\n"
    "From: <sip:audit@invalid>;tag=1\r\nTo: <sip:audit@invalid>\r\n"
    "Call-ID: audit@{src}\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class Spot:
    """A place where packets can be sent or heard: a probe in a segment, a real node, or a system outside."""

    name: str
    address: IPv4Address
    probe: bool


@dataclass(frozen=True)
class Shot:
    """One attempt that must get through."""

    flow: str
    src: Spot
    dst: Spot
    proto: str
    address: IPv4Address
    port: int
    payload: str = ""
    """hexadecimal; what a real service answers to"""


@dataclass(frozen=True)
class Stage:
    """What this target has to play with."""

    plan: ProvincePlan
    probes: Mapping[str, Spot]
    """by segment label `<site>/<segment>`; the Internet's probe is `internet`"""
    nodes: Mapping[str, Node]
    """nodes that are reached"""
    outside: frozenset[str]
    """systems of others that answer here"""

    def ends(self, end: End) -> list[Spot]:
        """Where to stand for one end of a flow; empty where nobody can."""
        if end.label == INTERNET:
            return [self.probes[INTERNET]] if INTERNET in self.probes else []
        if not end.ours:
            if end.label not in self.outside:
                return []
            return [Spot(end.label, self.plan.outside[end.label], False)]
        if end.node is not None:
            return [_spot(self.nodes[end.node])] if end.node in self.nodes else []
        found: dict[str, Spot] = {}
        for network in end.networks:
            if network.prefixlen == 32:
                node = self._owner(network.network_address)
                if node is not None:
                    found[node.name] = _spot(node)
            else:
                for segment in self._segments():
                    label = f"{segment.site}/{segment.name}"
                    if segment.prefix == network and label in self.probes:
                        found[label] = self.probes[label]
        return list(found.values())

    def _segments(self) -> Iterator[SegmentPlan]:
        for site in self.plan.sites.values():
            yield from site.segments.values()

    def _owner(self, address: IPv4Address) -> Node | None:
        for node in self.nodes.values():
            if address == node.address:
                return node
        return None


def _spot(node: Node) -> Spot:
    return Spot(node.name, node.address, False)


def shots(stage: Stage, flow: Flow) -> list[Shot] | str:
    """How to play a flow; or why it cannot be played here."""
    if flow.proto == "ospf" or (flow.proto == "udp" and flow.ports == ((3784, 3785),)):
        return "routing among gateways: its neighbours are looked at instead"
    if flow.proto == "udp" and flow.ports == ((67, 67),):
        return "leases: a workstation asks for one instead"
    if flow.proto == "udp" and flow.ports == ((51820, 51820),):
        return "the tunnel: WireGuard answers no stranger; its handshake is looked at instead"
    if flow.proto == "udp" and flow.ports == ((4739, 4739),):
        return "flow records: their collector answers nobody; a flow is looked for in its store instead"
    sources, targets = stage.ends(flow.src), stage.ends(flow.dst)
    if not sources:
        return f"nobody stands at {flow.src.label}"
    if not targets:
        return f"nobody answers for {flow.dst.label}"
    found = []
    for src in sources:
        for dst in targets:
            if src.name == dst.name:
                continue
            for port in _ports(flow):
                address = _address(stage, flow, src, dst)
                found.append(
                    Shot(flow.id, src, dst, flow.proto, address, port, _payload(flow.proto, port, src, dst))
                )
    return found or "both ends are the same system"


def _ports(flow: Flow) -> Iterable[int]:
    if not flow.ports:
        return (0,)
    return sorted({port for span in flow.ports for port in span})


def _address(stage: Stage, flow: Flow, src: Spot, dst: Spot) -> IPv4Address:
    """Which address of the target is tried: a gateway's in one's own segment, a public from outside."""
    node = stage.nodes.get(dst.name)
    if flow.src.label == INTERNET and node is not None:
        for uplink in stage.plan.sites[node.site].uplinks:
            if uplink.address is not None and uplink.kind == "internet":
                return uplink.address.ip
    if node is not None and node.is_gateway:
        for segment in stage.plan.sites[node.site].segments.values():
            if segment.side is node.side and src.address in segment.prefix:
                return segment.gateway
    return dst.address


def _payload(proto: str, port: int, src: Spot, dst: Spot) -> str:
    """What makes a real service answer; a probe returns whatever it is sent."""
    if proto != "udp" or dst.probe:
        return ""
    if port == 5060:
        return SIP_OPTIONS.format(src=src.address, port=5060).encode().hex()
    return {53: DNS_QUERY, 123: NTP_QUERY, 161: SNMP_QUERY}.get(port, "")


def between(
    flows: Iterable[Flow], src: IPv4Address | IPv6Address, dst: IPv4Address | IPv6Address
) -> list[Flow]:
    """The flows that speak of packets from one address to another; no flow speaks of IPv6."""
    return [
        flow
        for flow in flows
        if any(src in network for network in flow.src.networks)
        and any(dst in network for network in flow.dst.networks)
    ]


def allows(flows: Iterable[Flow], proto: str, port: int) -> bool:
    """Whether one of some flows lets this packet pass."""
    return any(
        flow.proto == proto and (proto == "icmp" or any(low <= port <= high for low, high in flow.ports))
        for flow in flows
    )
