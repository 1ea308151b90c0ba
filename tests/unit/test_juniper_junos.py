"""Juniper Junos as a platform: what its devices are told, that it is stable, owned, reached, and refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from lienthong.bootstrap.first import first
from lienthong.bootstrap.paste import lines as pasted
from lienthong.diff import Diff, compare, future
from lienthong.guard import Management, Predicted, reasons
from lienthong.inventory import load
from lienthong.inventory.rules.platforms import check
from lienthong.model.intent import StaticRoute
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer, Wanted
from lienthong.model.words import Role
from lienthong.platforms import Lines, platform
from lienthong.platforms.dialects.junos import JUNOS
from lienthong.platforms.dialects.junos_lines import LONGEST, named
from lienthong.render import render
from lienthong.transport.veil import Veil
from tests.boxes import KEY, ROOT, Store, node_of, province, told

KIND = platform("juniper-junos")
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gear"
MODEL = {Role.SWITCH: "EX2300-24T", Role.GATEWAY: "SRX300"}
ROLES = list(MODEL)
OFFICE = (IPv4Network("10.0.4.0/24"),)
OWN = {Role.SWITCH: IPv4Address("10.0.44.2"), Role.GATEWAY: IPv4Address("10.0.44.1")}

LINE = "protocols ospf area 0.0.0.0 interface ge-0/0/0.0"
WATCHER = "snmp v3 usm local-engine user lienthong"


def wanted_of(role: Role) -> Wanted:
    return told(node_of(KIND, role, MODEL[role]))


def lines_of(wanted: Wanted) -> Lines:
    return render(wanted, KIND, JUNOS, ROOT / "templates")


def texts(lines: Lines) -> list[str]:
    return [str(line[0]) for line in lines]


def typed(running: Lines, intended: Lines) -> tuple[str, ...]:
    diff = compare(JUNOS, intended, running)
    after = future(running, diff)
    assert {line for line in after if JUNOS.owns(line, frozenset(intended))} == set(intended)
    return JUNOS.commands(diff.removed, diff.added)


@pytest.mark.parametrize(
    ("role", "model"),
    [
        (Role.SWITCH, "EX2300-24T"),
        (Role.SWITCH, "EX3400-24T"),
        (Role.GATEWAY, "SRX300"),
        (Role.GATEWAY, "SRX320"),
    ],
)
def test_a_device_is_told_what_the_golden_file_says(role: Role, model: str) -> None:
    told_lines = texts(lines_of(told(node_of(KIND, role, model))))
    golden = GOLDEN / f"juniper-junos.{MODEL[role]}.{role}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text("\n".join(told_lines) + "\n", encoding="utf-8")
    # the models of a role differ in nothing that is told
    assert told_lines == golden.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_rendered_is_what_would_be_shown_and_a_second_look_finds_nothing(role: Role) -> None:
    lines = lines_of(wanted_of(role))
    assert JUNOS.parse("\n".join(texts(lines))) == lines
    assert not compare(JUNOS, lines, lines)
    assert len(set(lines)) == len(lines)
    assert all(JUNOS.owns(line, frozenset(lines)) for line in lines)


@pytest.mark.parametrize("role", ROLES)
def test_what_a_device_makes_of_it_is_the_same(role: Role) -> None:
    """Keys hashed and marked, the order of accounts a line each, quotes where there need be none."""
    wanted = wanted_of(role)
    servers = (AaaServer(IPv4Address("10.0.1.9"), "tacacs", SecretRef("aaa/wan")),)
    lines = lines_of(replace(wanted, plane=replace(wanted.plane, aaa=servers)))
    shown = []
    for text in texts(lines):
        text = re.sub(r"plain-text-password-value <.*", 'encrypted-password "$6$ab$cd" ## SECRET-DATA', text)
        text = re.sub(r"(authentication|privacy)-password <.*", r'\1-key "$9$ab" ## SECRET-DATA', text)
        text = re.sub(r"(secret|key) <secret.*", r'\1 "$9$abcd" ## SECRET-DATA', text)
        text = re.sub(r"l3-interface (\S+)", r'l3-interface "\1"', text)
        order = re.fullmatch(r"(set system authentication-order) \[ (\S+) (\S+) \]", text)
        shown += [f"{order[1]} {order[2]}", f"{order[1]} {order[3]}"] if order else [text]
    assert shown != texts(lines)
    running = JUNOS.parse(Veil(Store(), lines).conceal("\n".join(reversed(shown[:9] + shown[9:]))))
    assert not compare(JUNOS, lines, JUNOS.parse(Veil(Store(), lines).conceal("\n".join(shown))))
    assert "$9$" not in "".join(texts(running)) + "".join(typed(running, lines))
    # asked in the other order is another thing
    assert "delete system authentication-order" in typed(running, lines)


FOREIGN = """\
set version 21.4R3.15
set system root-authentication encrypted-password "$6$x$y"
set system login user old class super-user
set system login user old uid 2001
set system login user netadm uid 2000
set system name-server 192.0.2.53
set system ntp server 192.0.2.1
set system syslog user * any emergency
set system syslog host 192.0.2.9 any any
set system services netconf ssh
set chassis alarm management-ethernet link-down ignore
set interfaces ge-0/0/1 ether-options no-auto-negotiation
set interfaces ge-0/0/1 unit 77 vlan-id 77
set interfaces ge-0/0/0 unit 0 family ethernet-switching storm-control default
set interfaces ge-0/0/7 description "of others"
set interfaces irb unit 77 family inet address 192.0.2.77/24
set interfaces irb unit 40 family inet6
set vlans cameras vlan-id 77
set protocols rstp interface all
set protocols ospf area 0.0.0.0 interface ge-0/0/6.0 metric 7
set protocols lldp interface all
set routing-options static route 198.51.100.0/24 next-hop 192.0.2.1
set snmp community public authorization read-only
set firewall family inet filter cameras term a then accept
set access address-assignment pool old family inet network 192.0.2.0/24
set policy-options prefix-list of-others 192.0.2.0/24
"""


@pytest.mark.parametrize("role", ROLES)
def test_lines_of_others_are_not_touched(role: Role) -> None:
    lines = lines_of(wanted_of(role))
    foreign = JUNOS.parse(FOREIGN)
    # one bare family, which does nothing, is noise
    assert len(foreign) == len(FOREIGN.splitlines()) - 1
    assert not compare(JUNOS, lines, foreign + lines)
    assert all("delete" not in line for line in typed(foreign, lines))


def changed(lines: Lines, change: Callable[[str], str | None]) -> Lines:
    found = [change(text) for text in texts(lines)]
    assert found != texts(lines)
    return JUNOS.parse("\n".join(text for text in found if text is not None))


@pytest.mark.parametrize(
    ("role", "before", "commands"),
    [
        (Role.SWITCH, "set interfaces ge-0/0/1 description other", {"set interfaces ge-0/0/1 description "
         '"srv (lienthong)"'}),
        (Role.SWITCH, "set switch-options interface ge-0/0/1.0 interface-mac-limit 9",
         {"set switch-options interface ge-0/0/1.0 interface-mac-limit 2"}),
        (Role.SWITCH, "set vlans vlan50 vlan-id 50", {"delete vlans vlan50"}),
        (Role.SWITCH, "set system services telnet connection-limit 5", {"delete system services telnet"}),
        (Role.SWITCH, "set interfaces ge-0/0/1 unit 0 family ethernet-switching vlan members cameras",
         {"delete interfaces ge-0/0/1 unit 0 family ethernet-switching vlan members cameras"}),
        (Role.SWITCH, "set system login user netadm authentication ssh-rsa \"ssh-rsa AAAA of class x\"",
         {"delete system login user netadm authentication ssh-rsa \"ssh-rsa AAAA of class x\""}),
        (Role.SWITCH, "set interfaces irb unit 40 family inet address 10.0.44.2/24 primary",
         {"delete interfaces irb unit 40 family inet address 10.0.44.2/24 primary"}),
        (Role.GATEWAY, "set interfaces ge-0/0/1 unit 10 vlan-id 11",
         {"set interfaces ge-0/0/1 unit 10 vlan-id 10"}),
        (Role.GATEWAY, f"set {LINE} authentication md5 2 key \"$9$x\"",
         {f"delete {LINE} authentication md5 2"}),
        (Role.GATEWAY, f"set {LINE} metric 1", {f"set {LINE} metric 10"}),
        (Role.GATEWAY, "set security forwarding-options family inet6 mode flow-based",
         {"set security forwarding-options family inet6 mode packet-based"}),
        (Role.GATEWAY, f"set {WATCHER} authentication-md5 authentication-key \"$9$x\"",
         {f"delete {WATCHER} authentication-md5"}),
    ],
)  # fmt: skip
def test_what_stands_in_place_of_ours_is_put_right(role: Role, before: str, commands: set[str]) -> None:
    """Nothing else is typed: a value is replaced, an entry that would stay behind goes as a whole."""
    lines = lines_of(wanted_of(role))
    one = {line for line in commands if line.startswith("set ")}
    running = (*(line for line in lines if line[0] not in one), *JUNOS.parse(before))
    assert set(typed(running, lines)) == commands


def test_a_term_and_a_filter_that_go_leave_nothing_behind() -> None:
    """`term x` without a statement would let everything pass."""
    wanted = wanted_of(Role.GATEWAY)
    before = lines_of(wanted)
    rule = next(rule for rule in wanted.forward if rule.iif == ("vlan10",))
    flow = rule.flow.id
    less = tuple(one for one in wanted.forward if one.flow.id != flow)
    commands = typed(before, lines_of(replace(wanted, forward=less)))
    assert commands
    assert f"delete firewall family inet filter lienthong-vlan10 term {named(flow)}" in commands
    assert all(re.fullmatch(r"delete firewall family inet filter \S+ term \S+", line) for line in commands)
    again = typed(lines_of(replace(wanted, forward=less)), before)
    place = f"firewall family inet filter lienthong-vlan10 term {named(flow)}"
    assert again.index(f"insert {place} before term rest") > again.index(f"set {place} then accept")
    extra = "set firewall family inet filter lienthong-vlan77 term"
    gone = JUNOS.parse(f"{extra} a from protocol tcp\n{extra} a then accept\n{extra} rest then discard\n")
    assert typed((*before, *gone), before) == ("delete firewall family inet filter lienthong-vlan77",)
    bare = JUNOS.parse("set firewall family inet filter lienthong-self term mine")
    assert typed((*before, *bare), before) == ("delete firewall family inet filter lienthong-self term mine",)


def test_leases_and_relays_take_the_place_of_each_other_and_leave_no_bare_entry() -> None:
    wanted = wanted_of(Role.GATEWAY)
    own = tuple(replace(lease, servers=()) for lease in wanted.leases)
    others = tuple(replace(lease, servers=(IPv4Address("10.0.1.11"),)) for lease in wanted.leases)
    assert own
    vlan = own[0].segment.vlan
    leased, relayed = (lines_of(replace(wanted, leases=one)) for one in (own, others))
    there, back = typed(leased, relayed), typed(relayed, leased)
    assert f"delete access address-assignment pool lienthong-vlan{vlan}" in there
    assert f"delete system services dhcp-local-server group lienthong-vlan{vlan}" in there
    assert f"set forwarding-options dhcp-relay server-group lienthong-vlan{vlan} 10.0.1.11" in there
    assert f"delete forwarding-options dhcp-relay group lienthong-vlan{vlan}" in back
    assert f"delete forwarding-options dhcp-relay server-group lienthong-vlan{vlan}" in back
    deleted = [line for line in (*there, *back) if line.startswith("delete ") and " filter " not in line]
    assert len(deleted) == 4 * len(own)


@pytest.mark.parametrize("role", ROLES)
def test_the_guard_sees_by_what_it_is_managed(role: Role) -> None:
    reach = JUNOS.reach(lines_of(wanted_of(role))) if JUNOS.reach else None
    assert reach is not None
    leg, trunk = ("irb.40", "ge-0/0/0") if role is Role.SWITCH else ("ge-0/0/1.40", "ge-0/0/1")
    assert reach.addresses[leg] == (IPv4Interface(f"{OWN[role]}/24"),)
    assert reach.tag[leg] == 40
    assert 40 in reach.carried[trunk]
    assert reach.dynamic is (role is Role.GATEWAY)
    assert (IPv4Network("0.0.0.0/0") in reach.routes) is (role is Role.SWITCH)
    assert reach.ssh
    assert set(reach.logins or ()) == {IPv4Network("10.0.4.0/24"), IPv4Network("10.0.44.0/24")}
    assert set(reach.users or ()) == {"netadm", "console"}
    if role is Role.SWITCH:
        assert "ge-0/0/23" not in reach.carried  # unused: shut


@pytest.mark.parametrize(
    ("role", "pattern", "why"),
    [
        (Role.SWITCH, r"irb unit 40 family inet address", "management address"),
        (Role.SWITCH, r"ge-0/0/0 .*members vlan40", "off ge-0/0/0"),
        (Role.GATEWAY, r"unit 40 vlan-id", "VLAN 40"),
        (Role.GATEWAY, r"term ssh from source-address 10\.0\.4\.", "no longer answers"),
        (Role.GATEWAY, r"user netadm authentication", "account netadm"),
        (Role.GATEWAY, r"protocols ospf .* (?!passive)\S+ \S+$", "routing protocol"),
        (Role.SWITCH, r"services ssh", "ends SSH"),
    ],
)
def test_the_guard_refuses_what_cuts_the_management(role: Role, pattern: str, why: str) -> None:
    running = lines_of(wanted_of(role))
    cut = tuple(line for line in running if not re.search(pattern, line[0]))
    assert len(cut) < len(running)
    managed = Management(frozenset(), OWN[role], OFFICE, "netadm")
    found = reasons({"junos": Predicted(JUNOS, running, compare(JUNOS, cut, running))}, managed)
    gone = Diff(tuple(line for line in running if line not in cut), (), len(running))
    lost = reasons({"junos": Predicted(JUNOS, running, gone)}, managed)
    assert any(why in one for _, one in (*found, *lost)), (found, lost)


@pytest.mark.parametrize(
    ("said", "logins"),
    [
        ("from source-address 10.0.0.0/8\nfrom source-address 10.128.0.0/9 except", {"10.0.0.0/9"}),
        ("from source-prefix-list bosses", {"192.0.2.0/24"}),
        ("from destination-port 20-30", {"0.0.0.0/0"}),
        ("from destination-port 443", set()),
        ("from protocol udp", set()),
        ("from protocol tcp\nfrom tcp-established", set()),
    ],
)
def test_who_may_log_in_is_read_from_filters_of_others_too(said: str, logins: set[str]) -> None:
    head = "set firewall family inet filter theirs term a "
    text = "\n".join(head + one for one in [*said.splitlines(), "then accept"])
    text += "\nset policy-options prefix-list bosses 192.0.2.0/24"
    text += "\nset interfaces lo0 unit 0 family inet filter input theirs"
    assert JUNOS.reach is not None
    assert {str(one) for one in JUNOS.reach(JUNOS.parse(text)).logins or ()} == logins


def test_the_device_is_spoken_to_by_ssh_from_management_only() -> None:
    for role in ROLES:
        wanted = wanted_of(role)
        widest = replace(wanted.inbound[0].flow, id="x.y.z.tcp1to65535", proto="tcp", ports=((1, 65535),))
        rule = replace(wanted.inbound[0], flow=widest, src=(IPv4Network("0.0.0.0/0"),))
        lines = lines_of(replace(wanted, inbound=(*wanted.inbound, rule)))
        assert JUNOS.reach is not None
        assert set(JUNOS.reach(lines).logins or ()) == set(wanted.plane.networks)
        assert any(text.endswith("from destination-port 23-65535") for text in texts(lines))
        assert "set interfaces lo0 unit 0 family inet6 filter input lienthong-six" in texts(lines)


def test_a_spare_route_is_a_next_hop_with_a_preference() -> None:
    wanted = wanted_of(Role.GATEWAY)
    routes = tuple(
        StaticRoute(IPv4Network("0.0.0.0/0"), IPv4Address(via), preference)
        for via, preference in (("10.0.0.1", 1), ("10.0.0.3", 250))
    )
    lines = lines_of(replace(wanted, device=replace(wanted.device, routes=routes)))
    assert [text for text in texts(lines) if " static route 0" in text] == [
        "set routing-options static route 0.0.0.0/0 next-hop 10.0.0.1",
        "set routing-options static route 0.0.0.0/0 qualified-next-hop 10.0.0.3 preference 250",
    ]
    assert JUNOS.reach is not None
    assert IPv4Network("0.0.0.0/0") in JUNOS.reach(lines).routes


def test_texts_are_quoted_and_hold_nothing_that_steers() -> None:
    wanted = wanted_of(Role.SWITCH)
    evil = 'a"; set system services telnet\nset x\\ đ {#} 日'
    port = replace(wanted.device.bridges[0].ports[0], description=evil)
    bridge = replace(wanted.device.bridges[0], ports=(port, *wanted.device.bridges[0].ports[1:]))
    plane = replace(wanted.plane, banner=evil)
    told_lines = texts(
        lines_of(replace(wanted, device=replace(wanted.device, bridges=(bridge,)), plane=plane))
    )
    assert len(told_lines) == len(texts(lines_of(wanted)))
    assert 'set system login message "a.; set system services telnet.set x. d ... ."' in told_lines


def test_a_name_of_a_term_is_short_and_its_own() -> None:
    ids = {rule.flow.id for rule in (*wanted_of(Role.GATEWAY).forward, *wanted_of(Role.GATEWAY).inbound)}
    long = {one for one in ids if len(one) > LONGEST - 10}
    assert long
    names = {named(prefix + one) for one in ids for prefix in ("", "back-")}
    assert len(names) == 2 * len(ids)
    assert all(re.fullmatch(rf"[a-z][A-Za-z0-9_-]{{0,{LONGEST - 1}}}", name) for name in names)


def test_neighbours_that_are_full_are_what_is_well() -> None:
    said = (
        "Address          Interface              State           ID               Pri  Dead\n"
        "10.255.0.4       ge-0/0/0.0             Full            10.255.255.1     128     3\n"
        "10.255.0.6       ge-0/0/2.0             Init            10.255.255.2     128     3\n"
    )
    assert JUNOS.health is not None
    assert JUNOS.health(lambda _: said) == {"ge-0/0/0.0 ospf 10.255.0.4 full"}
    assert JUNOS.health(lambda _: "OSPF instance is not running\n") == frozenset()


@pytest.mark.parametrize(
    ("name", "model", "lacking"),
    [
        ("gw-wan", "EX2300-24T", "bfd, dhcp-server, ospf, routing"),
        ("gw-net", "SRX300", "nat, wireguard"),
        ("sw-wan", "SRX320", "ports-off, switching"),
        ("gw-wan", "SRX320", ""),
        ("sw-wan", "EX3400-24T", ""),
    ],
)
def test_a_site_that_asks_what_a_model_lacks_is_refused(name: str, model: str, lacking: str) -> None:
    site = province().sites["loc-ninh"].site
    device = site.devices[name].model_copy(update={"platform": KIND.name, "model": model})
    changed_site = site.model_copy(update={"devices": {**site.devices, name: device}})
    found = [
        one.what
        for one in check(changed_site, load(ROOT / "inventory").province, str)
        if " cannot do " in one.what
    ]
    wanted = [f"juniper-junos ({model}) cannot do what {name} needs here: {lacking}"] if lacking else []
    assert found == wanted


def test_day_0_of_a_gateway_ends_as_a_router_and_begins_what_the_plan_goes_on_with() -> None:
    given = first(province(), node_of(KIND, Role.GATEWAY, "SRX300"), "netadm", KEY)
    lines = pasted(given, KIND.name, ROOT / "templates")
    assert lines.index("delete security") < lines.index(
        "set security forwarding-options family mpls mode packet-based"
    )
    assert lines[-2:] == ("commit and-quit", "request system reboot")
    start = JUNOS.parse("\n".join(lines))
    commands = typed(start, lines_of(wanted_of(Role.GATEWAY)))
    deleted = [line for line in commands if line.startswith("delete ")]
    # the same key, which bears its comment from now on
    assert [line.split('"')[0] for line in deleted] == [
        "delete system login user netadm authentication ssh-ed25519 "
    ]
    switch = first(province(), node_of(KIND, Role.SWITCH, "EX2300-24T"), "netadm", KEY)
    text = "\n".join(pasted(switch, KIND.name, ROOT / "templates"))
    assert "packet-based" not in text
    assert "reboot" not in text
