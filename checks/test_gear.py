"""Gateways and switches: VLANs, ports, routing, and who may manage them."""

from __future__ import annotations

import re
from time import time

from lienthong.checks import ALL, GATEWAYS, GEAR, SWITCHES, Evidence, control, not_applicable
from lienthong.facts import Facts, nft
from lienthong.facts.parse import OvsPort, within
from lienthong.model.intent import Bridge, L3Interface, Node, ProvincePlan
from lienthong.model.words import PARKING_VLAN, Side
from lienthong.plan.addressing import SITE_BITS
from lienthong.target import Access

#: Plain-text ways to manage a device: FTP, Telnet, TFTP, HTTP, rexec, rlogin, rsh.
PLAIN = {("tcp", 21), ("tcp", 23), ("udp", 69), ("tcp", 80), ("tcp", 512), ("tcp", 513), ("tcp", 514)}
ROUTED = GATEWAYS


@control("NET-01", nodes=GEAR)
def test_vlans_equal_the_plan(facts: Facts, node: Node, evidence: Evidence) -> None:
    """Every port of every bridge carries the VLANs of the plan and no others."""
    wrong = []
    for bridge in _bridges(node):
        for port in bridge.ports:
            live = facts.ovs.get(port.name)
            if live is None or live.bridge != bridge.name:
                wrong.append(f"{bridge.name} has no port {port.name} ({port.description})")
                continue
            evidence(f"{port.name}: tag {live.tag}, trunks {sorted(live.trunks)}, mode {live.mode}")
            if port.trunk:
                if live.trunks != frozenset(port.vlans) or live.tag is not None:
                    wrong.append(
                        f"trunk {port.name} carries {sorted(live.trunks) or 'all'}, planned {port.vlans}"
                    )
            elif live.tag != port.vlans[0] or live.trunks:
                wrong.append(f"{port.name} is in VLAN {live.tag}, planned {port.vlans[0]}")
    known = {port.name for bridge in _bridges(node) for port in bridge.ports}
    known |= {bridge.name for bridge in _bridges(node)}
    wrong += [
        f"port {name} of {port.bridge} is in no plan" for name, port in facts.ovs.items() if name not in known
    ]
    assert not wrong, "\n".join(wrong)


@control("NET-04", nodes=ALL)
def test_no_system_has_a_leg_in_each_side(
    facts: Facts, node: Node, plan: ProvincePlan, access: Access, evidence: Evidence
) -> None:
    """The system has no address and no VLAN of the other side."""
    other = Side.NET if node.side is Side.WAN else Side.WAN
    segments = [s for site in plan.sites.values() for s in site.segments.values() if s.side is other]
    theirs = {segment.prefix.supernet(new_prefix=SITE_BITS) for segment in segments}
    vlans = {segment.vlan for segment in segments}
    wrong = []
    for name, addresses in facts.addresses.items():
        wrong += [f"{name} has {address}" for address in addresses if within(address, tuple(theirs))]
    if node.device is not None:
        wrong += [
            f"port {port.name} carries VLAN {sorted(set(_vlans(port)) & vlans)}"
            for port in facts.ovs.values()
            if set(_vlans(port)) & vlans
        ]
    wrong += [
        f"route to {route['dst']} by {route.get('dev')}"
        for route in facts.routes
        if route["dst"][0].isdigit() and within(route["dst"], tuple(theirs))
    ]
    evidence(f"{len(facts.addresses)} interfaces, {len(facts.routes)} routes, looked for {other} side")
    assert not wrong, "\n".join(wrong)


@control("DEV-01", nodes=ALL)
def test_no_plain_text_management(facts: Facts, node: Node, evidence: Evidence) -> None:
    """Nothing listens for Telnet, FTP, TFTP, rlogin or plain HTTP."""
    found = [seen for seen in facts.listeners if (seen.proto, seen.port) in PLAIN and not seen.local]
    declared = node.runs("portal") or node.runs("app")  # port 80 there only sends to 443; its own check looks
    wrong = [
        f"{seen.proto} {seen.port} by {seen.process}" for seen in found if not (declared and seen.port == 80)
    ]
    evidence(f"{len(facts.listeners)} sockets wait, {len(wrong)} of them for plain-text management")
    assert not wrong, "\n".join(wrong)


@control("DEV-12", nodes=SWITCHES)
def test_unused_ports_are_shut_and_parked(facts: Facts, node: Node, evidence: Evidence) -> None:
    """A port that leads nowhere is down and in the parking VLAN."""
    unused = [port.name for bridge in _bridges(node) for port in bridge.ports if not port.enabled]
    if not unused:
        not_applicable(f"inventory: {node.name} has no port that is marked unused")
    wrong = []
    for name in unused:
        live = facts.ovs.get(name)
        evidence(f"{name}: {live}")
        if live is None:
            wrong.append(f"{name} is not a port of the bridge")
        elif live.tag != PARKING_VLAN or live.trunks:
            wrong.append(f"{name} is in VLAN {live.tag}, parking is {PARKING_VLAN}")
        if live is not None and live.up:
            wrong.append(f"{name} is up")
    assert not wrong, "\n".join(wrong)


@control("DEV-15", nodes=GEAR)
def test_gear_does_not_redirect_or_answer_for_others(
    facts: Facts, node: Node, access: Access, evidence: Evidence
) -> None:
    """No source routing, no redirects, no proxy ARP; a gateway checks where packets come from."""
    scopes = ["all", "default", *(name for name in facts.addresses if name != "lo")]
    wrong = []
    for scope in scopes:
        for key in ("accept_source_route", "accept_redirects", "proxy_arp"):
            value = facts.sysctl.get(f"net.ipv4.conf.{scope}.{key}")
            # What counts for redirects while forwarding is `all` and the interface together.
            if value == "1" and (scope == "all" or facts.sysctl.get(f"net.ipv4.conf.all.{key}") == "1"):
                wrong.append(f"net.ipv4.conf.{scope}.{key} is {value}")
    everywhere = facts.sysctl.get("net.ipv4.conf.all.rp_filter")
    evidence(f"rp_filter {everywhere}; {len(scopes)} scopes looked at")
    if everywhere not in {"1", "2"}:
        wrong.append(f"net.ipv4.conf.all.rp_filter is {everywhere}")
    if node.is_switch and facts.sysctl.get("net.ipv4.ip_forward") != "0":
        wrong.append("a switch forwards packets")
    assert not wrong, "\n".join(wrong)


def _vlans(port: OvsPort) -> list[int]:
    return [vlan for vlan in (port.tag, *port.trunks) if vlan is not None]


def _bridges(node: Node) -> tuple[Bridge, ...]:
    return node.device.bridges if node.device is not None else ()


def _interfaces(node: Node) -> tuple[L3Interface, ...]:
    return node.device.interfaces if node.device is not None else ()


def _lines(node: Node) -> list[L3Interface]:
    lines = [interface for interface in _interfaces(node) if interface.ospf is not None]
    if not lines:
        not_applicable(f"inventory: no dynamic routing on {node.name}")
    return lines


def _peers(node: Node, plan: ProvincePlan, access: Access) -> dict[str, str]:
    """Lines whose far end runs on this target: {interface: far address}."""
    here = {
        str(i.address.ip)
        for n in plan.nodes.values()
        if access.reaches(n) and n.device
        for i in n.device.interfaces
    }
    found = {}
    for line in _lines(node):
        far = next(str(a) for a in line.address.network if a != line.address.ip)
        if far in here:
            found[line.name] = far
    return found


@control("NET-12", nodes=ROUTED, gear=True)
def test_every_line_has_its_neighbour(
    facts: Facts, node: Node, plan: ProvincePlan, access: Access, evidence: Evidence
) -> None:
    """On every line to the office the OSPF neighbour is full and BFD is up, so a spare way exists."""
    wrong = []
    for name, far in _peers(node, plan, access).items():
        states = [
            n.get("nbrState", n.get("state", ""))
            for n in facts.ospf_neighbours
            if n.get("ifaceName", "").split(":")[0] == name
        ]
        evidence(f"{name}: OSPF {states or 'no neighbour'}")
        if not any(state.startswith("Full") for state in states):
            wrong.append(f"{name}: OSPF neighbour is {states or 'missing'}")
        bfd = [peer for peer in facts.bfd if peer.get("peer") == far]
        evidence(f"{name}: BFD {[peer.get('status') for peer in bfd]}")
        if not any(peer.get("status") == "up" for peer in bfd):
            wrong.append(f"{name}: BFD with {far} is {[peer.get('status') for peer in bfd] or 'missing'}")
    assert not wrong, "\n".join(wrong)


@control("NET-17", nodes=ROUTED)
def test_routing_is_authenticated(facts: Facts, node: Node, evidence: Evidence) -> None:
    """Every line with OSPF has a message digest with a key; elsewhere OSPF is passive."""
    blocks = _blocks(facts.frr)
    wrong = []
    names = {line.name for line in _lines(node)}
    for name in sorted(names):
        block = blocks.get(name, "")
        for wanted in ("ip ospf authentication message-digest", "ip ospf message-digest-key"):
            if wanted not in block:
                wrong.append(f"{name} lacks: {wanted}")
    evidence(f"OSPF lines: {', '.join(sorted(names))}")
    for name, block in blocks.items():
        quiet = "ip ospf passive" in block or "passive-interface default" in facts.frr
        if "ip ospf area" in block and name not in names and not quiet:
            wrong.append(f"{name} looks for OSPF neighbours without being a line of the plan")
    assert not wrong, "\n".join(wrong)


def _blocks(config: str) -> dict[str, str]:
    """The lines under each `interface`."""
    return {
        match.group(1): match.group(2)
        for match in re.finditer(r"^interface (\S+)\n(.*?)^(?:exit|!)", config, re.MULTILINE | re.DOTALL)
    }


@control("NET-17", nodes=GATEWAYS)
def test_tunnels_are_up(
    facts: Facts, node: Node, plan: ProvincePlan, access: Access, evidence: Evidence
) -> None:
    """Each tunnel of the Internet side has shaken hands within the last three minutes."""
    mine = [t for t in node.tunnels if t.peer in plan.nodes and access.reaches(plan.nodes[t.peer])]
    if not mine:
        not_applicable(f"inventory: no tunnel on {node.name}")
    ages = []
    for line in facts.text("wireguard").splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and parts[2].isdigit() and len(parts[2]) >= 9:
            ages.append(time() - int(parts[2]))
    evidence(f"handshakes: {[round(age) for age in ages]} s ago")
    young = [age for age in ages if age < 185]
    assert len(young) >= len(mine), f"{len(mine)} tunnels planned, {len(young)} with a fresh handshake"


@control("DEV-16", nodes=ALL)
def test_a_warning_greets_who_logs_in(facts: Facts, evidence: Evidence) -> None:
    """Before a login a warning is shown, in Vietnamese."""
    shown = facts.sshd.get("banner", "none")
    text = facts.section("issue_net").out
    evidence(f"banner {shown}: {text.splitlines()[0] if text else 'empty'}")
    assert shown not in {"none", ""}, "sshd shows no banner"
    assert re.search("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", text), (
        "the banner is not Vietnamese"
    )


@control("DEV-19", nodes=GATEWAYS)
def test_no_management_from_outside(facts: Facts, node: Node, evidence: Evidence) -> None:
    """No line of the gateway takes logins: ssh is open to management networks only."""
    lines = {i.name for i in _interfaces(node) if not i.name.startswith("vlan") and i.name != "lo"}
    wrong = []
    for rule in nft.rules(facts.ruleset):
        opens_ssh = rule.verdict == "accept" and any(low <= 22 <= high for low, high in rule.match.ports)
        if rule.chain in {"input", "policy_input"} and opens_ssh:
            evidence(f"{rule.comment}: {rule.match}")
            if not rule.match.src and (not rule.match.iif or rule.match.iif & lines):
                wrong.append(f"{rule.comment}: {rule.match}")
    assert not wrong, "\n".join(wrong)
