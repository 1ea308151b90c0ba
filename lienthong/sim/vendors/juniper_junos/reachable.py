"""Whether SSH from somewhere reaches the device: what follows from its active configuration, and no more.

The other ends are as they should be: neighbours on VLANs and lines answer, with the right key. Filters: the
first term that fits decides, one that says nothing of it accepts, what fits none is dropped ("Firewall Filter
Nonterminating Actions", "How Standard Firewall Filters Evaluate Packets"). An SRX that is no packet-mode
router takes logins only by interfaces of a zone with `host-inbound-traffic system-services ssh`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.sim.vendors.juniper_junos.checks import units
from lienthong.sim.vendors.juniper_junos.tree import Node
from lienthong.sim.vendors.juniper_junos.values import PORTS

_OWN_PORT = 50022
_SSH = 22


def open_legs(tree: Node) -> Iterator[tuple[str, IPv4Interface]]:
    """Logical interfaces that are up, each with an IPv4 address it has."""
    for port, number, above, unit in units(tree):
        if above.has("disable") or unit.has("disable"):
            continue
        if port == "irb" and not _carried(tree, f"irb.{number}"):
            continue
        for address in unit.several("family", "inet", "address"):
            yield f"{port}.{number}", IPv4Interface(address)


def vlan_ports(tree: Node, name: str) -> list[str]:
    """Open ports that carry a VLAN."""
    number = tree.one("vlans", name, "vlan-id")
    found = []
    for port, unit_number, above, unit in units(tree):
        if above.has("disable") or unit.has("disable"):
            continue
        switched = unit.at("family", "ethernet-switching")
        members = switched.several("vlan", "members") if switched is not None else []
        if {name, number, "all"} & set(members) or any(_spans(one, number) for one in members):
            found.append(f"{port}.{unit_number}")
    return found


def _spans(member: str, number: str | None) -> bool:
    low, dash, high = member.partition("-")
    return bool(dash and number and low.isdigit() and high.isdigit() and int(low) <= int(number) <= int(high))


def _carried(tree: Node, leg: str) -> bool:
    """An irb is up with an open port of the VLAN that it belongs to ("autostate")."""
    return any(
        vlan.one("l3-interface") == leg and vlan.has("vlan-id") and vlan_ports(tree, name)
        for name, vlan in tree.entries("vlans").items()
    )


def answers(tree: Node, managed: IPv4Interface, source: IPv4Address, guarded: bool) -> bool:
    """Whether a login from there is answered at the address by which the device is managed.

    Args:
        guarded: its security zones are asked (flow mode of an SRX).
    """
    legs = list(open_legs(tree))
    if not tree.has("system", "services", "ssh") or not any(one.ip == managed.ip for _, one in legs):
        return False
    if not passes(tree, tree.one("interfaces", "lo0", "unit", "0", "family", "inet", "filter", "input"),
                  source, managed.ip):  # fmt: skip
        return False
    return any(
        passes(tree, _filter_of(tree, way), source, managed.ip) and (not guarded or _zoned(tree, way))
        for way in ways(tree, legs, source)
    )


def ways(tree: Node, legs: list[tuple[str, IPv4Interface]], source: IPv4Address) -> list[str]:
    """Interfaces by which there is a way to somewhere, and by which it therefore comes."""
    found = [name for name, one in legs if source in one.network]
    if found:
        return found
    for net, route in tree.entries("routing-options", "static", "route").items():
        if source in IPv4Network(net):
            hops = [*route.several("next-hop"), *route.entries("qualified-next-hop")]
            found += [name for name, one in legs if any(_leads(hop, name, one) for hop in hops)]
    for area in tree.entries("protocols", "ospf", "area").values():
        for name, one in area.entries("interface").items():
            if not one.has("passive") and not one.has("disable"):
                found += [leg for leg, _ in legs if leg == (name if "." in name else f"{name}.0")]
    return list(dict.fromkeys(found))


def _leads(hop: str, name: str, one: IPv4Interface) -> bool:
    return hop == name or (re.fullmatch(r"[\d.]+", hop) is not None and IPv4Address(hop) in one.network)


def _filter_of(tree: Node, leg: str) -> str | None:
    port, _, number = leg.partition(".")
    return tree.one("interfaces", port, "unit", number, "family", "inet", "filter", "input")


def _zoned(tree: Node, leg: str) -> bool:
    for zone in tree.entries("security", "zones", "security-zone").values():
        own = zone.entries("interfaces").get(leg)
        if own is None:
            continue
        within = own if own.has("host-inbound-traffic") else zone
        services = within.entries("host-inbound-traffic", "system-services")
        return any(name in services and not services[name].has("except") for name in ("ssh", "all"))
    return False


def passes(tree: Node, name: str | None, source: IPv4Address, to: IPv4Address) -> bool:
    """Whether a filter lets the first packet of a login by SSH through; no filter, no question."""
    if name is None:
        return True
    for term in tree.entries("firewall", "family", "inet", "filter", name, "term").values():
        if not _fits(tree, term, source, to):
            continue
        if term.has("then", "next"):
            continue
        return not (term.has("then", "discard") or term.has("then", "reject"))
    return False


def _fits(tree: Node, term: Node, source: IPv4Address, to: IPv4Address) -> bool:
    said = term.at("from")
    if said is None:
        return True
    for word, address in (("source", source), ("destination", to)):
        nets = {IPv4Network(net): one.has("except") for net, one in said.entries(f"{word}-address").items()}
        for used, one in said.entries(f"{word}-prefix-list").items():
            held = tree.entries("policy-options", "prefix-list", used)
            nets |= {IPv4Network(net): one.has("except") for net in held if ":" not in net}
        if nets or said.has(f"{word}-prefix-list"):
            within = [net for net in nets if address in net]
            if not within or nets[max(within, key=lambda net: net.prefixlen)]:
                return False
    if said.several("protocol") and not {"tcp", "6"} & set(said.several("protocol")):
        return False
    for word, ports in (
        ("destination-port", {_SSH}),
        ("source-port", {_OWN_PORT}),
        ("port", {_SSH, _OWN_PORT}),
    ):
        spans = [_span(one) for one in said.several(word)]
        if spans and not any(port in span for span in spans for port in ports):
            return False
    odd = ("icmp-type", "icmp-code")
    return not (said.has("tcp-established") or said.has("is-fragment") or any(said.several(w) for w in odd))


def _span(port: str) -> range:
    if port in PORTS:
        return range(PORTS[port], PORTS[port] + 1)
    low, _, high = port.partition("-")
    return range(int(low), int(high or low) + 1)
