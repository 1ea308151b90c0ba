"""The policy matrix, and where each flow becomes a rule.

The matrix is the law: a cell says what passes, `DECLARE` what a service may open with a reason, and
what is not in it at all is `never`: no inventory can express it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lienthong.model.intent import End, Flow, Forwarding, Node, ProvincePlan, Rule
from lienthong.model.words import Side, UplinkKind, Zone

INTERNET = "internet"


@dataclass(frozen=True)
class Cell:
    """One opening of the matrix. `reach` says whether it stays in the site or goes to others."""

    src: Zone
    dst: Zone | str
    """a zone of the same side, or `internet`"""
    proto: str
    ports: tuple[int, ...]
    reach: str
    """`site`: within the site; `office`: to the hub's zone; `spokes`: from the hub to every site"""
    reason: str


WAN_MATRIX: tuple[Cell, ...] = (
    Cell(Zone.USERS, Zone.SERVERS, "tcp", (443,), "site", "applications of the site"),
    Cell(Zone.USERS, Zone.SERVERS, "tcp", (443,), "office", "applications of the office"),
    Cell(Zone.SERVERS, Zone.SERVERS, "tcp", (443,), "site", "servers among themselves"),
    Cell(Zone.SERVERS, Zone.SERVERS, "tcp", (443,), "office", "servers use the office's applications"),
    Cell(Zone.SCAN, Zone.SERVERS, "tcp", (22,), "site", "scans are dropped by SFTP"),
    Cell(Zone.MANAGEMENT, Zone.SERVERS, "tcp", (22,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.SERVERS, "tcp", (22,), "office", "management"),
    Cell(Zone.MANAGEMENT, Zone.SERVERS, "tcp", (22,), "spokes", "management"),
    Cell(Zone.MANAGEMENT, Zone.CONFERENCE, "tcp", (22, 443), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.CONFERENCE, "tcp", (22, 443), "spokes", "management"),
    Cell(Zone.MANAGEMENT, Zone.BACKUP, "tcp", (22,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "tcp", (22, 443), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "udp", (161,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "tcp", (22, 443), "spokes", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "udp", (161,), "spokes", "management"),
)
NET_MATRIX: tuple[Cell, ...] = (
    Cell(Zone.USERS, INTERNET, "tcp", (80, 443), "site", "the Internet, by the DNS filter"),
    Cell(Zone.USERS, Zone.DMZ, "tcp", (443,), "site", "the portal"),
    Cell(Zone.WIFI, INTERNET, "tcp", (80, 443), "site", "the Internet, by the DNS filter"),
    Cell(Zone.MANAGEMENT, Zone.BACKUP, "tcp", (22,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.DMZ, "tcp", (22,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "tcp", (22, 443), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "udp", (161,), "site", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "tcp", (22, 443), "spokes", "management"),
    Cell(Zone.MANAGEMENT, Zone.MANAGEMENT, "udp", (161,), "spokes", "management"),
)
MATRIX: dict[Side, tuple[Cell, ...]] = {Side.WAN: WAN_MATRIX, Side.NET: NET_MATRIX}

#: Pairs of one side that no declaration opens: what comes from the Internet ends in the DMZ.
NEVER: frozenset[tuple[str, Zone]] = frozenset(
    {
        (INTERNET, Zone.USERS),
        (INTERNET, Zone.WIFI),
        (INTERNET, Zone.MANAGEMENT),
        (INTERNET, Zone.BACKUP),
    }
)
ANY = IPv4Network("0.0.0.0/0")


def is_never(src_side: Side, dst_side: Side, src: str, dst: Zone | str) -> bool:
    """Whether the law forbids the pair, whatever the inventory declares."""
    return src_side is not dst_side or (src == INTERNET and (src, dst) in NEVER)


def input_rules(plan: ProvincePlan, node: Node) -> tuple[Rule, ...]:
    """What may come in to the node itself, in a stable order."""
    return tuple(
        Rule(flow, (), (), flow.src.networks, ())
        for flow in plan.sites[node.site].flows
        if flow.side is node.side and _covers(flow, node)
    )


def _covers(flow: Flow, node: Node) -> bool:
    if flow.dst.node is not None:
        return flow.dst.node == node.name
    return any(node.address in network for network in flow.dst.networks) and flow.dst.site is not None


def forward_rules(plan: ProvincePlan, node: Node) -> tuple[Rule, ...]:
    """What may pass through a gateway, in a stable order; empty for any other node."""
    if not node.is_gateway:
        return ()
    inside = {
        segment.interface: segment.prefix
        for segment in plan.sites[node.site].segments.values()
        if segment.side is node.side
    }
    rules = []
    for flow in plan.sites[node.site].flows:
        if flow.side is not node.side or node.name in {flow.src.node, flow.dst.node}:
            continue
        for iif, src in _ways(flow.src, inside, node):
            for oif, dst in _ways(flow.dst, inside, node):
                outward = not {*iif, *oif} & inside.keys()
                if iif == oif and not outward:
                    continue  # switched within the segment, not routed
                if outward and not flow.transit:
                    continue  # between two others, and not by way of us
                rules.append(Rule(flow, iif, oif, src, dst))
    return tuple(rules)


def lines(node: Node) -> tuple[str, ...]:
    """The interfaces of a gateway that are lines to a provider or to another site."""
    if node.device is None:
        return ()
    return tuple(i.name for i in node.device.interfaces if not i.name.startswith("vlan") and i.name != "lo")


def tunnels(node: Node) -> tuple[str, ...]:
    """The names of a gateway's tunnel interfaces, each once."""
    return tuple(sorted({tunnel.name for tunnel in node.tunnels}))


def _ways(
    end: End, inside: dict[str, IPv4Network], node: Node
) -> list[tuple[tuple[str, ...], tuple[IPv4Network, ...]]]:
    """Which interfaces lead to this end, and which of its networks lie there."""
    own = _own_addresses(node)
    rest = [n for n in end.networks if not (n.prefixlen == 32 and n.network_address in own)]
    ways: list[tuple[tuple[str, ...], tuple[IPv4Network, ...]]] = []
    for name, prefix in inside.items():
        here = tuple(n for n in rest if n.subnet_of(prefix))
        if here:
            ways.append(((name,), here))
            rest = [n for n in rest if n not in here]
    # On the Internet side other sites are reached by the tunnel only, strangers by the line only.
    out = tunnels(node) if node.side is Side.NET and end.ours else lines(node)
    if rest and out:
        ways.append((out, tuple(rest)))
    return ways


def _own_addresses(node: Node) -> set[IPv4Address]:
    own = {tunnel.address.ip for tunnel in node.tunnels}
    if node.device is not None:
        own |= {interface.address.ip for interface in node.device.interfaces}
    return own


def forwarding(plan: ProvincePlan, node: Node) -> Forwarding:
    """The address translation of an Internet gateway; empty for any other node."""
    site = plan.sites[node.site]
    uplink = next((u for u in site.uplinks if u.node == node.name and u.kind is UplinkKind.INTERNET), None)
    if uplink is None:
        return Forwarding((), ())
    out = uplink.name
    masquerade = {source for rule in forward_rules(plan, node) if rule.oif == (out,) for source in rule.src}
    dnat = tuple(
        (out, flow.proto, port, inside.address)
        for flow in site.flows
        if flow.src.label == INTERNET and flow.dst.node != node.name
        for inside in [site.nodes.get(flow.dst.node or "")]
        if inside is not None
        for port, _ in flow.ports
    )
    return Forwarding(tuple((net, out) for net in sorted(masquerade)), dnat)
