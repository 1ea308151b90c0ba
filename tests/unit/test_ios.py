"""Cisco IOS: what it is told, how it is compared, how it returns, what it refuses; on simulated devices."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong import guard
from lienthong.diff import Diff, compare, future
from lienthong.errors import LienThongError, Unreachable
from lienthong.guard import Management, Predicted
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer, Account
from lienthong.model.words import Role
from lienthong.platforms import Lines, platform
from lienthong.platforms.dialects.ios import IOS
from lienthong.platforms.undo import Arming, NotArmed, Rejected
from lienthong.render import render
from lienthong.sim.box import Vendor
from lienthong.sim.vendors.cisco_ios import VENDOR, box
from lienthong.sim.vendors.cisco_ios.box import IosBox
from lienthong.transport.veil import Veil
from tests.boxes import CONTROLLER, ROOT, Drive, Store, intended, node_of, province, told
from tests.ios import RSA, foreign, survivors, with_history

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gear"
MODEL = {Role.SWITCH: "C9200L-24T", Role.GATEWAY: "ISR4331"}
ROLES = list(MODEL)
OTHERS = [(Role.SWITCH, "C2960X-24"), (Role.GATEWAY, "ISR1111")]


def drive(role: Role, model: str | None = None) -> Drive:
    name = model or MODEL[role]
    return Drive(Vendor("cisco_ios", "cisco-ios", lambda n, m, k: box(n, m, k, name)), role, name)


def box_of(device: Drive) -> IosBox:
    assert isinstance(device.box, IosBox)
    return device.box


def swap(lines: Lines, old: str, new: str) -> Lines:
    """The intent with one word changed wherever it stands."""
    found = tuple(tuple(type(part)(part.replace(old, new)) for part in line) for line in lines)
    assert found != lines
    return found


def without(lines: Lines, pattern: str) -> Lines:
    left = tuple(line for line in lines if not re.search(pattern, " ".join(line)))
    assert left != lines
    return left


@pytest.mark.parametrize(("role", "model"), [*MODEL.items(), *OTHERS])
def test_a_device_is_told_what_the_golden_file_says(role: Role, model: str) -> None:
    golden(intended(node_of(platform("cisco-ios"), role, model), IOS), f"cisco-ios.{model}.{role}.txt")


def golden(lines: Lines, name: str) -> None:
    text = "\n".join(" / ".join(line) for line in lines) + "\n"
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_gateway_of_the_internet_side_translates_and_its_lists_know_it() -> None:
    node = province().nodes["loc-ninh-gw-net"]
    assert node.device is not None
    node = replace(node, device=replace(node.device, platform="cisco-ios", model="ISR4331"))
    lines = render(told(node), platform("cisco-ios"), IOS, ROOT / "templates")
    golden(lines, "cisco-ios.ISR4331.net.txt")
    assert ("ip nat inside source list lienthong-nat interface GigabitEthernet0/0/1 overload",) in lines


@pytest.mark.parametrize(("role", "model"), [*MODEL.items(), *OTHERS])
def test_from_day_0_the_whole_way_and_a_second_look_finds_nothing(role: Role, model: str) -> None:
    device = drive(role, model)
    assert device.bring()
    assert not device.diff()
    assert device.box.saved() == device.box.configuration()
    device.box.reboot()
    device.box.pass_time(device.box.boot_s)
    assert not device.diff()


@pytest.mark.parametrize("role", ROLES)
def test_it_is_there_to_the_last_line_of_the_change_and_of_the_way_back(role: Role) -> None:
    """A session drops with the first line that cuts it, so a whole way is one that never was cut."""
    device = drive(role)
    start = device.box.configuration()
    diff = device.bring()
    session = device.session()
    session.configure(IOS.commands(diff.added, diff.removed))
    session.close()
    assert device.box.configuration() == start


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seed", range(3))
def test_not_one_foreign_line_of_a_history_is_touched(role: Role, seed: int) -> None:
    device = drive(role)
    history = foreign(seed)
    assert sum(map(len, history)) >= 500
    box_of(device).load(with_history(device.box.configuration(), history))
    before = survivors(device.box.configuration(), history)
    assert len(before) == len(history)
    device.bring()
    assert not device.diff()
    assert survivors(device.box.configuration(), history) == before


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("eq 9100", "eq 9101", ("permit tcp",)),
        ("10.0.44.1 tag 227", "10.0.44.3 tag 227", ("ip route ",)),
        ("exec-timeout 10 0", "exec-timeout 5 0", ("exec-timeout ",)),
        ("srv (lienthong)", "may chu (lienthong)", ("description ",)),
        ("access vlan 35", "access vlan 30", ("switchport access vlan ",)),
        ("allowed vlan 10,20,30,35,40", "allowed vlan 10,20,30,40", ("switchport trunk allowed ",)),
    ],
)
def test_a_change_touches_only_what_changed(old: str, new: str, touched: tuple[str, ...]) -> None:
    device = drive(Role.SWITCH)
    device.bring()
    diff = device.bring(swap(device.intended, old, new))
    assert diff
    assert all(line[-1].startswith(touched) for line in (*diff.added, *diff.removed))


def test_a_new_entry_stands_before_the_one_that_denies_the_rest() -> None:
    device = drive(Role.SWITCH)
    device.bring()
    device.bring(swap(device.intended, "eq 9100", "eq 9101"))
    entries = box_of(device).running.lines(("ip access-list extended lienthong-self",))
    assert entries[-1].endswith("deny ip any any log")
    assert any("eq 9101" in line for line in entries)
    assert not any("eq 9100" in line for line in entries)


def test_an_entry_that_somebody_wrote_behind_the_last_is_put_right() -> None:
    device = drive(Role.SWITCH)
    device.bring()
    session = device.session()
    late = "permit tcp host 10.0.1.10 host 10.0.44.2 eq 9100"
    session.configure(("ip access-list extended lienthong-self", f"no {late}", late))
    session.save()
    session.close()
    assert box_of(device).running.lines(("ip access-list extended lienthong-self",))[-1].endswith("eq 9100")
    assert device.bring()
    assert box_of(device).running.lines(("ip access-list extended lienthong-self",))[-1].endswith("any log")


def without_vlan_35(lines: Lines) -> Lines:
    gone = without(lines, r"/0\.35\b|lienthong-vlan35|^vlan 35|Vlan35")
    return tuple(line for line in gone if "10.0.43." not in " ".join(line))


@pytest.mark.parametrize("model", ["ISR4331", "ISR1111"])
def test_a_vlan_that_the_plan_no_longer_has_goes_with_all_that_was_made_for_it(model: str) -> None:
    device = drive(Role.GATEWAY, model)
    device.bring()
    before = frozenset(device.running())
    diff = device.bring(without_vlan_35(device.intended))
    left = device.box.configuration()
    for word in ("0/0.35", "lienthong-vlan35", "Vlan35", "vlan 35\n", "10.0.43."):
        assert word not in left
    session = device.session()
    session.configure(IOS.commands(diff.added, diff.removed))
    assert frozenset(device.running()) == before  # entries of a list may stand in another order


@pytest.mark.parametrize("role", ROLES)
def test_every_line_that_the_device_rejects_is_noticed(role: Role) -> None:
    device = drive(role)
    session = device.session()
    for line in (
        "frobnicate",
        "vlan 4095",
        "vlan 1003",
        "interface GigabitEthernet1/0/99",
        "ip route 1.2.3.4",
        "ip route 10.0.0.1 255.255.255.0 10.0.44.1",
        "no ip route 9.9.9.0 255.255.255.0 1.1.1.1",
        "no interface Loopback77",
        "snmp-server user x y v3 auth sha short priv aes 128 shorter",
        "ip ssh version 3",
        "hostname",
        "username",
        "banner login ~never ends",
        "line vty 4 0",
    ):
        with pytest.raises(Rejected):
            session.configure((line,))
    for lines in (
        ("ip access-list extended x", "permit tcp any"),
        ("ip access-list extended x", "permit udp any any established"),
        ("ip access-list extended x", "permit tcp any any eq 70000"),
        ("interface Loopback1", "ip address 10.0.44.9 255.255.255.0"),
        ("interface Loopback2", "ip address 10.9.9.0 255.255.255.0"),
        ("router ospf 227", "router-id 10.0"),
        ("line vty 0 4", "transport input carrier-pigeon"),
    ):
        with pytest.raises(Rejected):
            session.configure(lines)


def test_a_switch_rejects_what_its_ports_are_not_ready_for() -> None:
    session = drive(Role.SWITCH).session()
    port = "interface GigabitEthernet1/0/2"
    for line in ("switchport port-security", "switchport nonegotiate", "ip address 192.0.2.1 255.255.255.0"):
        with pytest.raises(Rejected):
            session.configure((port, line))
    with pytest.raises(Rejected):
        session.configure((port, "switchport mode access", "switchport nonegotiate", "no switchport mode"))
    with pytest.raises(Rejected):
        session.configure((f"no {port}",))


def test_a_router_rejects_an_address_before_a_tag_and_a_tag_twice() -> None:
    session = drive(Role.GATEWAY).session()
    trunk = "interface GigabitEthernet0/0/0"
    with pytest.raises(Rejected):
        session.configure((f"{trunk}.77", "ip address 192.0.2.1 255.255.255.0"))
    with pytest.raises(Rejected):
        session.configure((f"{trunk}.78", "encapsulation dot1Q 40"))
    key = "ip ospf message-digest-key 1 md5 "
    with pytest.raises(Rejected, match="already exists"):
        session.configure((f"{trunk}.79", "encapsulation dot1Q 79", f"{key}one", f"{key}two"))


@pytest.mark.parametrize("role", ROLES)
def test_it_returns_when_told(role: Role) -> None:
    device = drive(role)
    before = device.box.configuration()
    device.send(device.diff())
    assert device.box.configuration() != before
    session = device.session()
    assert device.kind.undo is not None
    device.kind.undo.fire(session)
    session.close()
    assert device.box.configuration() == device.box.saved() == before


@pytest.mark.parametrize("role", ROLES)
def test_it_returns_by_itself_and_then_nothing_can_be_confirmed(role: Role) -> None:
    device = drive(role)
    before = device.box.configuration()
    device.send(device.diff(), 120)
    device.box.pass_time(119)
    assert device.box.configuration() != before
    device.box.pass_time(1)
    assert device.box.configuration() == device.box.saved() == before
    with pytest.raises(LienThongError, match="returned already"):
        device.confirm()
    session = device.session()
    assert device.kind.undo is not None
    assert "before the change" in device.kind.undo.fire(session)
    assert device.box.configuration() == before


@pytest.mark.parametrize("last", [False, True])
def test_a_power_cut_while_it_is_armed_leads_back(last: bool) -> None:
    device = drive(Role.SWITCH)
    before = device.box.configuration()
    diff = device.diff()
    device.send(diff if last else replace(diff, added=(), removed=()))
    device.box.power_off()
    device.box.power_on()
    assert device.box.configuration() == device.box.saved() == before
    device.box.pass_time(600)
    assert device.box.configuration() == before


def test_firing_after_a_power_cut_or_without_a_timer_leads_back_too() -> None:
    device = drive(Role.SWITCH)
    before = device.box.configuration()
    session = device.session()
    session.configure(("ip name-server 192.0.2.1",))
    assert device.kind.undo is not None
    device.kind.undo.fire(session)
    assert device.box.configuration() == before


def test_nothing_is_begun_on_what_somebody_did_not_save_or_has_armed() -> None:
    device = drive(Role.SWITCH)
    undo = device.kind.undo
    assert undo is not None
    session = device.session()
    assert undo.pending(session) is None
    session.configure(("ip name-server 192.0.2.1",))
    assert "not saved" in (undo.pending(session) or "")
    session.save()
    session.ask("configure terminal revert timer 10")
    session.ask("end")
    assert "10 min" in (undo.pending(session) or "")
    with pytest.raises(NotArmed, match="armed already"):
        undo.arm(session, Arming(120, ROOT / "templates", "netadm"))


def test_a_device_without_an_archive_gets_one_first_and_keeps_it() -> None:
    device = drive(Role.SWITCH)
    box_of(device).load(device.box.configuration().replace("archive\n path flash:lienthong-\n!\n", ""))
    assert box_of(device).path is None
    device.send(device.diff())
    assert "path flash:lienthong-" in device.box.saved()
    device.box.pass_time(180)
    assert box_of(device).path == "flash:lienthong-"
    assert device.box.configuration() == device.box.saved()


def test_where_the_archive_or_the_copy_has_no_room_nothing_is_sent() -> None:
    device = drive(Role.SWITCH)
    before = device.box.configuration()
    device.box.full = True
    with pytest.raises(NotArmed, match="No space"):
        device.send(device.diff())
    assert device.box.configuration() == before


def test_a_switch_whose_vlans_are_in_no_configuration_is_not_changed() -> None:
    device = drive(Role.SWITCH)
    box_of(device).load(device.box.configuration().replace("vtp mode transparent\n!\n", ""))
    before = device.box.configuration()
    with pytest.raises(NotArmed, match="VTP runs as server"):
        device.send(device.diff())
    assert device.box.configuration() == before


WAY, LOGIN = guard.MANAGEMENT, guard.LOGIN
#: A change that cuts the way: (role, how the intent is wrong, what the guard says of it).
CUTS: tuple[tuple[str, Role, Callable[[Lines], Lines], str], ...] = (
    ("address", Role.SWITCH, lambda x: swap(x, "address 10.0.44.2 ", "address 10.0.44.77 "), WAY),
    ("shut", Role.SWITCH, lambda x: (*x, ("interface Vlan40", "shutdown")), WAY),
    ("trunk", Role.SWITCH, lambda x: swap(x, "allowed vlan 10,20,30,35,40", "allowed vlan 10,20,30,35"), WAY),
    ("port", Role.SWITCH, lambda x: (*x, ("interface GigabitEthernet1/0/1", "shutdown")), WAY),
    ("list", Role.SWITCH, lambda x: swap(x, "permit 10.0.4.0 ", "permit 10.77.4.0 "), LOGIN),
    ("ssh", Role.SWITCH, lambda x: swap(x, "transport input ssh", "transport input telnet"), LOGIN),
    ("gateway's address", Role.GATEWAY, lambda x: swap(x, "address 10.0.44.1 ", "address 10.0.44.77 "), WAY),
    ("gateway's trunk", Role.GATEWAY, lambda x: (*x, ("interface GigabitEthernet0/0/0", "shutdown")), WAY),
    ("gateway's list", Role.GATEWAY, lambda x: swap(x, "permit 10.0.4.0 ", "permit 10.77.4.0 "), LOGIN),
)


@pytest.mark.parametrize(("role", "cut", "rule"), [one[1:] for one in CUTS], ids=[one[0] for one in CUTS])
def test_a_change_that_cuts_the_way_is_refused_by_name_and_if_forced_ends_by_itself(
    role: Role, cut: Callable[[Lines], Lines], rule: str
) -> None:
    device = drive(role)
    device.bring()
    running = device.running()
    stranded(device, compare(IOS, cut(device.intended), running), rule)


def test_an_account_that_goes_is_refused_and_if_forced_comes_back() -> None:
    device = drive(Role.SWITCH)
    device.bring()
    gone = Diff((("username netadm privilege 15",),), (), 100)
    stranded(device, gone, LOGIN)


def stranded(device: Drive, diff: Diff, rule: str) -> None:
    before, running = device.box.configuration(), device.running()
    management = Management(frozenset(), device.node.address, told(device.node).plane.networks, "netadm")
    found = guard.reasons({"ios": Predicted(IOS, running, diff)}, management)
    assert rule in {name for name, _ in found}
    with pytest.raises(Unreachable):
        device.send(diff, 60)
        device.session()
    device.box.pass_time(60)
    assert device.box.answers(CONTROLLER)
    assert device.box.configuration() == device.box.saved() == before
    assert device.session()


def test_the_change_that_a_plan_makes_is_not_refused() -> None:
    for role in ROLES:
        device = drive(role)
        management = Management(frozenset(), device.node.address, told(device.node).plane.networks, "netadm")
        assert not guard.reasons({"ios": Predicted(IOS, device.running(), device.diff())}, management)


def test_a_hostile_description_stays_a_description() -> None:
    device = drive(Role.SWITCH)
    wicked = "x ? [confirm]\treload ! exit"
    assert IOS.intended is not None
    lines = IOS.intended(f"interface GigabitEthernet1/0/2\n description {wicked} (lienthong)\n")
    assert not set("?[]\t") & set(lines[0][-1])
    session = device.session()
    boots = device.box.boots
    session.configure(IOS.commands((), lines))
    assert device.box.boots == boots
    assert " description x . (confirm).reload ! exit (lienthong)" in device.box.configuration()


def test_a_name_with_a_line_break_becomes_no_line() -> None:
    node = node_of(platform("cisco-ios"), Role.SWITCH, MODEL[Role.SWITCH])
    assert node.device is not None
    bridges = tuple(
        replace(
            bridge, ports=tuple(replace(one, description="a\nno ip ssh version 2") for one in bridge.ports)
        )
        for bridge in node.device.bridges
    )
    wicked = replace(node, device=replace(node.device, bridges=bridges))
    lines = render(told(wicked), platform("cisco-ios"), IOS, ROOT / "templates")
    assert not any(part.startswith("no ip ssh") for line in lines for part in line)


def test_a_secret_is_never_shown_and_one_that_is_there_is_not_sent_again() -> None:
    device = drive(Role.GATEWAY)
    device.bring()
    lines = [line for line in device.running() if "<" in line[-1]]
    assert len(lines) == 4  # an account, the key of two lines, the user of SNMP
    assert all(line in device.intended for line in lines)
    assert not any("Xy7" in part for line in device.running() for part in line)


def test_a_key_that_changed_is_noticed_where_the_device_shows_it() -> None:
    device = drive(Role.GATEWAY)
    device.bring()
    session = device.session()
    key = "ip ospf message-digest-key 1"
    session.configure(("interface GigabitEthernet0/0/1", f"no {key}", f"{key} md5 another"))
    session.save()
    session.close()
    diff = device.bring()
    assert [line[-1] for line in diff.added] == [f"{key} md5 <secret ospf/loc-ninh>"]
    assert "another" not in device.box.configuration()


def test_a_key_that_the_device_encrypts_is_taken_for_the_intended() -> None:
    shown = "interface GigabitEthernet0/0/1\n ip ospf message-digest-key 1 md5 7 070C285F4D06\n"
    line = IOS.parse(Veil(Store(), ()).conceal(shown))[0]
    meant = IOS.intended(
        "interface GigabitEthernet0/0/1\n ip ospf message-digest-key 1 md5 <secret ospf/x>\n"
    )[0]  # type: ignore[misc]
    assert line == meant
    assert {line} == {meant}
    plain = IOS.parse(Veil(Store(), ()).conceal(shown.replace("7 070C285F4D06", "plain")))[0]
    assert plain != meant
    server = "tacacs server x\n key 7 070C285F4D06\n"
    assert "070C" not in str(IOS.parse(server))


def test_a_user_of_snmp_is_made_with_its_group_though_no_configuration_has_it() -> None:
    device = drive(Role.SWITCH)
    device.bring()
    assert box_of(device).snmp_users == {("lienthong", "lienthong-lienthong"): ("sha", "AES128")}
    assert "snmp-server user" not in device.box.configuration()
    session = device.session()
    session.configure(("no snmp-server group lienthong-lienthong v3 priv",))
    session.save()
    session.close()
    assert sorted(line[0].split()[1] for line in device.bring().added) == ["group", "user"]


def test_a_community_stays_and_is_not_shown() -> None:
    parsed = IOS.parse("snmp-server community Cong4khai RO\n")
    assert parsed == (("snmp-server community <other secret> RO",),)
    assert not IOS.owns(parsed[0], frozenset(intended(node_of(platform("cisco-ios"), Role.SWITCH), IOS)))


def test_servers_that_ask_about_logins_are_told_with_the_local_accounts_behind() -> None:
    device = drive(Role.SWITCH)
    wanted = told(device.node)
    server = AaaServer(IPv4Address("10.0.1.49"), "tacacs", SecretRef("aaa/tacacs"))
    wanted = replace(wanted, plane=replace(wanted.plane, aaa=(server,)))
    lines = render(wanted, platform("cisco-ios"), IOS, ROOT / "templates")
    device.veil = Veil(Store(), lines)
    device.bring()
    device.bring(lines)
    assert not device.diff(lines)
    assert "aaa authentication login default group lienthong local" in device.box.configuration()
    diff = device.bring()
    assert "tacacs server" not in device.box.configuration()
    assert ("aaa authentication login default local",) in diff.added


def test_without_a_local_account_behind_a_server_the_guard_refuses() -> None:
    device = drive(Role.SWITCH)
    device.bring()
    before, after = "aaa authentication login default local", "aaa authentication login default none"
    diff = Diff(((before,),), ((after,),), 100)
    management = Management(frozenset(), device.node.address, (), "netadm")
    found = guard.reasons({"ios": Predicted(IOS, device.running(), diff)}, management)
    assert [name for name, _ in found] == [LOGIN]


def test_where_aaa_goes_again_the_lines_ask_the_local_accounts() -> None:
    typed = IOS.commands((("aaa new-model",),), ())
    assert typed.index("no aaa new-model") + 1 == typed.index("line vty 0 4")
    assert typed.count("login local") == 2


def test_an_rsa_key_is_stated_as_the_device_shows_it_and_replaces_others() -> None:
    device = drive(Role.SWITCH)
    wanted = told(device.node)
    accounts = (Account("netadm", RSA, None), *wanted.plane.accounts[1:])
    lines = render(
        replace(wanted, plane=replace(wanted.plane, accounts=accounts)),
        platform("cisco-ios"), IOS, ROOT / "templates",
    )  # fmt: skip
    box_of(device).known.append(RSA)
    device.bring(lines)
    assert device.box.keys_of("netadm") == [RSA]
    # as `openssl dgst -md5` says of the key, in the capitals of the device
    assert re.search(r"(?m)^   key-hash ssh-rsa [0-9A-F]{32}$", device.box.configuration())
    assert not device.diff(lines)


def test_lists_and_words_are_read_however_the_device_writes_them() -> None:
    port = "interface GigabitEthernet1/0/1\n switchport trunk allowed vlan "
    assert IOS.parse(f"{port}10-12,40\n switchport trunk allowed vlan add 50\n") == IOS.parse(
        f"{port}10,11,12,40,50\n"
    )
    assert IOS.vlans(IOS.parse(f"{port}none\n")[0]) == frozenset()
    assert ("vlan 21",) in IOS.parse("vlan 20-22,30\n")
    assert IOS.parse("ip name-server 10.0.0.1 10.0.0.2\n")[1] == ("ip name-server 10.0.0.2",)
    assert IOS.parse("logging 10.0.0.1\n") == (("logging host 10.0.0.1",),)
    assert IOS.parse("ip domain-name a.b\n") == (("ip domain name a.b",),)
    entry = "ip access-list extended a\n {}permit udp any eq domain any eq ntp{}\n"
    wanted = (("ip access-list extended a", "permit udp any eq 53 any eq 123"),)
    assert IOS.parse(entry.format("10 ", "")) == wanted
    assert IOS.parse(entry.format("", "")) == wanted
    logged = "*Nov 23 06:00:00.000: %SYS-5-CONFIG_I: Configured from console by x\n"
    assert IOS.parse(f"hostname a\n{logged}") == (("hostname a",),)
    six = "ipv6 access-list b\n sequence 20 permit icmp any any\n"
    assert IOS.parse(six) == (("ipv6 access-list b", "permit icmp any any"),)
    route = "ip route 10.0.0.0 255.0.0.0 10.1.1.1 {}\n"
    assert IOS.parse(route.format("name x 5 tag 227")) == IOS.parse(route.format("5 tag 227 name x"))


def test_what_a_banner_says_is_no_line() -> None:
    text = "banner motd ^C\nip http server\nhostname evil\n^C\nhostname good\n"
    parsed = IOS.parse(text)
    assert ("hostname good",) in parsed
    assert len(parsed) == 2


@pytest.mark.parametrize("role", ROLES)
def test_only_ntc_templates_say_whether_the_tables_are_real(role: Role) -> None:
    from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

    device = drive(role)
    device.bring()
    session = device.session()
    common = [
        ("show version", "hostname", device.node.name),
        ("show ip interface brief", "ip_address", str(device.node.address)),
        ("show snmp user", "user_name", "lienthong"),
        ("show clock", "timezone", "UTC"),
        ("show inventory", "pid", box_of(device).hardware.model),
    ]
    switch = [
        ("show vlan", "vlan_name", "lienthong-management"),
        ("show interfaces status", "vlan_id", "999"),
        ("show interfaces description", "description", "srv (lienthong)"),
    ]
    for command, column, value in common + (switch if role is Role.SWITCH else []):
        rows = parse_output("cisco_ios", command, session.show(command))
        assert value in {row[column] for row in rows}, command


def test_an_officer_may_cut_words_and_look_around() -> None:
    device = drive(Role.SWITCH)
    session = device.session()
    assert "hostname loc-ninh-sw-wan" in session.show("sh run")
    assert "VTP Operating Mode" in session.show("show vtp stat")
    assert "%No Rollback" in session.show("show archive config rollback timer")
    with pytest.raises(Rejected, match="Invalid input"):
        session.show("show magic")
    with pytest.raises(Rejected):
        session.ask("c")  # more than one command begins so


def test_future_holds_what_the_device_will_hold() -> None:
    device = drive(Role.SWITCH)
    predicted = future(device.running(), device.diff())
    device.bring()
    assert frozenset(device.running()) == frozenset(predicted)


def test_models_have_the_sockets_that_the_template_asks_for() -> None:
    kind = platform("cisco-ios")
    assert len(kind.models) == 6
    for name in ("ISR4331", "C8200-1N-4T", "ISR1111"):
        assert {"trunk0", "tslcd-a", "tslcd-b", "inet0"} <= set(kind.hardware(name).sockets)
        assert "ospf" in kind.able(name)
        assert "switching" not in kind.able(name)
    assert "ipv6" not in kind.able("C2960X-24")
    assert kind.hardware("C9200L-24T-4G").sockets["e24"] == "GigabitEthernet1/0/24"
    assert VENDOR.platform == kind.name
