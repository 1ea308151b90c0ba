"""Writes rules of the plan as nftables statements, for templates/hosts/firewall/. Pure.

Every statement ends with a comment: the id of the flow it stands for, so that a rule on a node can
be traced back to its reason and a missing one be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from lienthong.model.intent import Node, ProvincePlan, Rule, SegmentPlan
from lienthong.model.words import Side, UplinkKind, Zone
from lienthong.plan.policy import forward_rules, forwarding, input_rules

ANY = IPv4Network("0.0.0.0/0")
#: nftables refuses a comment of more than 128 characters, its end included.
COMMENT_LENGTH = 127
#: Sources that nobody on the Internet has (RFC 1918).
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@dataclass(frozen=True)
class Leg:
    """An interface of a gateway and the sources that may come in by it."""

    name: str
    sources: str
    sources6: str
    """the segment's /64 and link-local; empty without IPv6 here"""


@dataclass(frozen=True)
class Filter:
    """Everything the templates need for one node; strings are nftables expressions."""

    gateway: bool
    management: str
    """networks that may always reach this node's ssh: the path by which it is managed"""
    legs: tuple[Leg, ...]
    outer: str
    """interfaces by which sources of this site must never come in; empty when there are none"""
    internet: str
    """interfaces of Internet lines"""
    inside: str
    """prefixes of this site on this side"""
    inside6: str
    """the same by IPv6; empty where there are none"""
    private: str
    input: tuple[str, ...]
    forward: tuple[str, ...]
    masquerade: tuple[str, ...]
    dnat: tuple[str, ...]
    conference: tuple[str, ...]
    """prefixes whose calls are marked here; empty unless this is a WAN gateway"""
    untrusted: str
    """interfaces of segments whose own marks count for nothing; empty unless this is a WAN gateway"""


def filter_of(plan: ProvincePlan, node: Node) -> Filter:
    """The packet filter of a node."""
    site = plan.sites[node.site]
    mine = [segment for segment in site.segments.values() if segment.side is node.side]
    hub = next(s for s in plan.sites.values() if s.site.hub)
    management = {
        segment.prefix
        for found in (site, hub)
        for segment in found.segments.values()
        if segment.side is node.side and segment.zone is Zone.MANAGEMENT
    }
    addresses = forwarding(plan, node)
    outer: list[str] = []
    internet: list[str] = []
    if node.is_gateway and node.device is not None:
        outer = [i.name for i in node.device.interfaces if i.name != "lo" and not i.name.startswith("vlan")]
        internet = [u.name for u in site.uplinks if u.kind is UplinkKind.INTERNET and u.node == node.name]
    return Filter(
        gateway=node.is_gateway,
        management=networks(management),
        legs=tuple(Leg(s.interface, networks([s.prefix]), _sources6(s)) for s in mine)
        if node.is_gateway
        else (),
        outer=names(outer) if outer else "",
        internet=names(internet) if internet else "",
        inside=networks(s.prefix for s in mine),
        inside6=networks6(six) if (six := [s.prefix6 for s in mine if s.prefix6]) else "",
        private=networks(PRIVATE),
        input=tuple(statement(rule) for rule in input_rules(plan, node)),
        forward=tuple(statement(rule) for rule in forward_rules(plan, node)),
        masquerade=tuple(
            f'oifname "{out}" ip saddr {source} masquerade comment "nat.{source}"'
            for source, out in addresses.masquerade
        ),
        dnat=tuple(
            f'iifname "{into}" {proto} dport {port} dnat to {inside} comment "nat.{proto}{port}"'
            for into, proto, port, inside in addresses.dnat
        ),
        conference=tuple(
            str(s.prefix)
            for s in mine
            if node.is_gateway and node.side is Side.WAN and s.zone is Zone.CONFERENCE
        ),
        untrusted=names(legs)
        if (legs := [s.interface for s in mine if s.zone is not Zone.CONFERENCE])
        and node.is_gateway
        and node.side is Side.WAN
        else "",
    )


def _sources6(segment: SegmentPlan) -> str:
    # A neighbour that has no address yet asks from :: (RFC 4862, 5.4.2).
    if segment.prefix6 is None:
        return ""
    return networks6([segment.prefix6, IPv6Network("fe80::/10"), IPv6Network("::/128")])


def statement(rule: Rule) -> str:
    """One rule as one nftables statement that accepts, counts and names its flow."""
    words: list[str] = []
    if rule.iif:
        words.append(f"iifname {names(rule.iif)}")
    if rule.oif:
        words.append(f"oifname {names(rule.oif)}")
    if rule.src and ANY not in rule.src:
        words.append(f"ip saddr {networks(rule.src)}")
    if rule.dst and ANY not in rule.dst:
        words.append(f"ip daddr {networks(rule.dst)}")
    if not any(word.startswith("ip ") for word in words) and rule.flow.proto not in {"icmp", "ospf"}:
        words.append("meta nfproto ipv4")  # a flow speaks of IPv4; "anywhere" must not mean both
    words.append(_protocol(rule.flow.proto, rule.flow.ports))
    words.append(f'counter accept comment "{rule.flow.id[:COMMENT_LENGTH]}"')
    return " ".join(words)


def _protocol(proto: str, ports: Sequence[tuple[int, int]]) -> str:
    if proto == "icmp":
        return "icmp type echo-request"
    if proto == "ospf":
        return "ip protocol ospf"
    if not ports:
        return f"meta l4proto {proto}"
    spans = [f"{low}" if low == high else f"{low}-{high}" for low, high in sorted(ports)]
    return f"{proto} dport {{ {', '.join(spans)} }}"


def networks(found: Iterable[IPv4Network]) -> str:
    """A set of prefixes without overlaps; nftables refuses intervals that touch each other twice."""
    return "{ " + ", ".join(str(n) for n in collapse_addresses(found)) + " }"


def networks6(found: Iterable[IPv6Network]) -> str:
    """The same by IPv6."""
    return "{ " + ", ".join(str(n) for n in collapse_addresses(found)) + " }"


def names(found: Iterable[str]) -> str:
    """A set of interface names."""
    return "{ " + ", ".join(f'"{name}"' for name in sorted(found)) + " }"
