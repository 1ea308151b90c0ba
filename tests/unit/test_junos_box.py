"""The simulated Junos device: two modes, one candidate, commits that return, and what it refuses."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface

import pytest
from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

from lienthong.errors import LienThongError
from lienthong.platforms.dialects.junos import JUNOS
from lienthong.platforms.undo import Arming, Rejected
from lienthong.platforms.undo.junos import UNDO
from lienthong.sim.box import Shell
from lienthong.sim.vendors import discover
from lienthong.sim.vendors.juniper_junos import VENDOR, JunosBox
from lienthong.transport.veil import Veil
from tests.boxes import CONTROLLER, KEY, ROOT, BoxSession, Store

SWITCH, GATEWAY = IPv4Interface("10.0.44.2/24"), IPv4Interface("10.0.44.1/24")
NAME = "loc-ninh-x"


def box(at: IPv4Interface = SWITCH) -> JunosBox:
    found = VENDOR.make(NAME, at, [KEY])
    assert isinstance(found, JunosBox)
    found.power_on()
    return found


def login(device: JunosBox, *lines: str) -> Shell:
    shell = device.log_in("netadm")
    assert shell is not None
    for line in lines:
        said = shell.line(line)
        assert not any(re.search(one, said, re.MULTILINE) for one in JUNOS.errors), (line, said)
    return shell


def session(device: JunosBox) -> BoxSession:
    return BoxSession(device, JUNOS, Veil(Store(), ()))


def committed(device: JunosBox, *lines: str) -> str:
    """What the commit of some lines says."""
    shell = login(device, "configure exclusive", *lines)
    said = shell.line("commit")
    shell.line("rollback 0")
    shell.line("exit configuration-mode")
    return said


def shown(device: JunosBox) -> frozenset[str]:
    return frozenset(device.configuration().splitlines())


# modes


def test_it_is_found_and_after_day_0_it_can_be_managed() -> None:
    assert discover()["juniper_junos"].platform == "juniper-junos"
    for at in (SWITCH, GATEWAY):
        device = box(at)
        assert device.answers(CONTROLLER)
        assert list(device.keys_of("netadm")) == [" ".join(KEY.split()[:2])]
        assert not device.keys_of("somebody")
        assert not committed(device).startswith("error"), "day 0 itself cannot be committed"


def test_prompts_tell_mode_level_and_what_waits() -> None:
    device = box(GATEWAY)
    shell = login(device)
    assert shell.prompt() == f"\r\nnetadm@{NAME}> "
    shell.line("configure")
    assert shell.prompt() == f"\r\n[edit]\r\nnetadm@{NAME}# "
    shell.line("edit interfaces ge-0/0/1 unit 40")
    assert "[edit interfaces ge-0/0/1 unit 40]" in shell.prompt()
    shell.line("up")
    assert "[edit interfaces ge-0/0/1]" in shell.prompt()
    shell.line('set description "a b"')
    shell.line("top")
    assert "[edit]" in shell.prompt()
    assert "commit complete" in shell.line("commit confirmed 1")
    assert shell.prompt().startswith("\r\n# commit confirmed will be rolled back in 1 minute\r\n[edit]")
    assert 'set interfaces ge-0/0/1 description "a b"' in shown(device)
    assert "{master:0}" in login(box()).prompt()


def test_netmiko_turns_paging_off() -> None:
    shell = login(box(), "set cli screen-width 511", "set cli complete-on-space off")
    assert shell.page
    assert "Screen length set to 0" in shell.line("set cli screen-length 0")
    assert shell.page == 0


REFUSED = {
    "nonsense": "unknown command.", "show what": "syntax error.", "configure foo": "syntax error.",
    "set vlans": "unknown command.",
}  # fmt: skip
WRONG = {
    "set vlans vlan10 vlan-id 5000": "error: Value 5000 is not within range (1..4094)",
    "set vlans vlan10 vlan-id ten": "error: invalid value",
    "set vlans vlan10 vlan-id": "missing argument.",
    "set vlans vlan10 colour red": "syntax error.",
    "set interfaces ge-0/0/1 unit 0 family inet address 10.0.44.300/24": "error: invalid value",
    "set interfaces ethernet1 description x": "error: invalid value",
    "set system login user a class": "missing argument.",
    "set system login user a authentication plain-text-password-value abc": "error: minimum",
    "set firewall family inet filter f term t then maybe": "syntax error.",
    "set security zones security-zone trust": "syntax error.",
    "delete system time-zone": "warning: statement not found",
    "delete system host-name x": "syntax error.",
    "insert firewall family inet filter f term a before term b": "error: statement not found",
    "rollback 50": "error: Value 50",
    "rollback 7": "error: could not open",
    "load factory": "syntax error.",
    "commit maybe": "syntax error.",
    "foo": "unknown command.",
}


@pytest.mark.parametrize("line", REFUSED)
def test_an_unknown_command_is_noticed(line: str) -> None:
    with pytest.raises(Rejected, match=re.escape(REFUSED[line])):
        session(box()).ask(line)


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_statement_changes_nothing_and_is_noticed(line: str) -> None:
    device = box()
    one = session(device)
    one.ask("configure exclusive")
    with pytest.raises(Rejected, match=re.escape(WRONG[line])):
        one.ask(line)
    assert not device.modified


def test_a_caret_stands_below_the_wrong_word() -> None:
    shell = login(box(GATEWAY), "configure")
    line = "set system hostname x"
    said = shell.line(line)
    at = len(shell.prompt().rpartition("\n")[2]) + line.index("hostname")
    assert said == f"{' ' * at}^\nsyntax error.\n"


# the candidate


def test_a_load_takes_all_lines_and_counts_the_wrong_ones() -> None:
    device = box()
    shell = login(device, "configure exclusive", "load set terminal")
    assert shell.prompt() == ""
    for line in ("set vlans vlan10 vlan-id 10", "set vlans vlan11 foo 3", "set vlans vlan12 vlan-id 12"):
        assert shell.line(line) == ""
    said = shell.line("\x04")
    assert "terminal:2:(18) syntax error: foo" in said
    assert said.endswith("load complete (1 errors)\n")
    assert shell.line("show | compare").count("vlan-id") == 2
    shell.line("rollback 0")
    shell.line("load set terminal")
    assert shell.line("set vlans vlan10 vlan-id 10\x04") == "load complete\n"
    with pytest.raises(Rejected, match="syntax error"):
        session(box()).configure(("set vlans vlan11 foo 3",), ("commit",))


def test_what_is_set_again_replaces_one_value_and_joins_several() -> None:
    device = box(GATEWAY)
    term, bfd = "firewall family inet filter f term t", "interface ge-0/0/0.0 bfd-liveness-detection"
    committed(
        device, f"set {term} from protocol [ tcp udp ]", f"set {term} from protocol icmp",
        f"set {term} then accept", f"set {term} then discard",
        "set interfaces ge-0/0/2 description a", "set interfaces ge-0/0/2 description b",
        f"set protocols ospf area 0 {bfd} minimum-interval 300 multiplier 3",
    )  # fmt: skip
    held = shown(device)
    assert {f"set {term} from protocol {one}" for one in ("tcp", "udp", "icmp")} <= held
    assert f"set {term} then discard" in held
    assert f"set {term} then accept" not in held
    assert "set interfaces ge-0/0/2 description b" in held
    assert "set interfaces ge-0/0/2 description a" not in held
    assert f"set protocols ospf area 0.0.0.0 {bfd} multiplier 3" in held


def test_an_entry_stays_without_its_statements_and_a_hierarchy_does_not() -> None:
    device = box()
    port = "interfaces ge-0/0/5 unit 0 family ethernet-switching"
    committed(device, f"set {port} interface-mode access", "set protocols lldp-med interface all")
    committed(device, f"delete {port} interface-mode", "delete protocols lldp-med interface all")
    assert f"set {port}" in shown(device)
    assert not any("lldp-med" in line for line in shown(device))
    committed(device, "delete interfaces ge-0/0/5 unit 0 family ethernet-switching")
    assert "set interfaces ge-0/0/5 unit 0" in shown(device)


def test_a_term_goes_before_another() -> None:
    device = box(GATEWAY)
    place = "firewall family inet filter f"
    said = [f"set {place} term {name} then accept" for name in ("a", "rest", "new")]
    committed(device, *said, f"insert {place} term new before term rest")
    order = [line.split()[-3] for line in device.configuration().splitlines() if " filter f " in line]
    assert order == ["a", "new", "rest"]


def test_secrets_are_not_shown_as_they_were_typed() -> None:
    device = box()
    user = "snmp v3 usm local-engine user lienthong"
    committed(
        device, "set system login user console class super-user",
        "set system login user console authentication plain-text-password-value Geheim99",
        f"set {user} authentication-sha authentication-password Geheim99",
        f"set {user} privacy-aes128 privacy-password Geheim99",
        "set system tacplus-server 10.0.4.9 secret Geheim99",
        "set system ntp authentication-key 1 type md5 value Geheim99",
        "set protocols ospf area 0.0.0.0 interface irb.40 authentication md5 1 key Geheim99",
    )  # fmt: skip
    text = device.configuration()
    assert "Geheim99" not in text
    assert 'console authentication encrypted-password "$6$' in text
    assert f'{user} authentication-sha authentication-key "$9$' in text
    assert f'{user} privacy-aes128 privacy-key "$9$' in text
    assert text.count('"$9$') == 5
    assert "## SECRET-DATA" in login(device).line("show configuration")


# commits


BAD = {
    "vlan": (("set interfaces ge-0/0/3 unit 0 family ethernet-switching vlan members vlan99",),
             "vlan99 does not exist"),
    "leg": (("set vlans vlan10 vlan-id 10", "set vlans vlan10 l3-interface irb.10"),
            "irb.10 is not configured"),
    "filter": (("set interfaces lo0 unit 0 family inet filter input nobody",),
               "Referenced filter 'nobody' is not defined"),
    "root": (("delete system root-authentication",), "Missing mandatory statement: 'root-authentication'"),
    "class": (("set system login user a uid 2001",), "Missing mandatory statement: 'class'"),
    "twice": (("set vlans other vlan-id 40",), "duplicate vlan-id"),
    "tag": (("set interfaces ge-0/0/3 unit 5 vlan-id 5",), "tagged"),
    "address": (("set interfaces ge-0/0/3 unit 0 family inet address 10.0.44.2/24",),
                "identical local address"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_commit_refuses_what_does_not_fit_together(name: str) -> None:
    lines, why = BAD[name]
    device = box()
    before = shown(device)
    for commit in ("commit check", "commit", "commit confirmed 1"):
        shell = login(device, "configure exclusive", *lines)
        said = shell.line(commit)
        assert why in said
        assert re.search(r"^error: (?:commit failed|configuration check-out failed)", said, re.MULTILINE)
        shell.interrupted()
        shell.closed = True
    assert shown(device) == before
    assert device.waiting is None


def test_a_full_flash_keeps_nothing() -> None:
    device = box()
    before = shown(device)
    device.full = True
    with pytest.raises(Rejected, match="error: "):
        session(device).configure(("set vlans vlan10 vlan-id 10",), ("commit check", "commit confirmed 2"))
    assert shown(device) == before
    assert len(device.history) == 1


def test_a_commit_is_saved_and_a_candidate_is_not() -> None:
    device = box()
    assert "commit complete" in committed(device, "set vlans vlan10 vlan-id 10")
    login(device, "configure", "set vlans vlan11 vlan-id 11")
    device.reboot()
    assert not device.up
    device.pass_time(device.boot_s + 1)
    assert device.up
    assert "set vlans vlan10 vlan-id 10" in shown(device)
    assert not device.modified
    assert device.configuration() == device.saved()


def test_history_is_fifty_commits_deep_and_can_be_gone_back() -> None:
    device = box()
    shell = login(device, "configure")
    for number in range(60):
        shell.line(f"set system domain-name d{number}.vn")
        assert shell.line('commit comment "so"') == "commit complete\n"
    assert len(device.history) == 50
    assert "\n49  2026-" in shell.line("run show system commit")
    assert shell.line("rollback 49") == "load complete\n"
    assert shell.line("show system domain-name") == "domain-name d10.vn;\n"
    assert "d10.vn" in shell.line("show | display set | match domain")
    assert "-   domain-name d59.vn;" in shell.line("show | compare")
    assert shell.line("commit and-quit") == "commit complete\nExiting configuration mode\n"


# one for itself alone


def test_another_holds_the_candidate() -> None:
    device = box()
    holder = login(device, "configure exclusive", "set vlans vlan10 vlan-id 10")
    other = session(device)
    for line in (
        "configure exclusive",
        "set vlans vlan11 vlan-id 11",
        "commit",
        "rollback 0",
        "load set terminal",
    ):
        if line != "configure exclusive":
            other.shell.line("configure")
        with pytest.raises(Rejected, match="error: configuration database locked by:"):
            other.ask(line)
    assert "somebody is configuring" in (UNDO.pending(session(device)) or "")
    said = holder.line("exit configuration-mode")
    assert said.startswith("The configuration has been changed but not committed\n")
    assert holder.prompt() == "Discard uncommitted changes? [yes,no] (yes) "
    assert "Exiting configuration mode" in holder.line("")
    assert not device.modified
    other.shell.line("exit configuration-mode")
    assert UNDO.pending(session(device)) is None


def test_what_somebody_left_uncommitted_refuses_one_for_itself_alone() -> None:
    device = box()
    somebody = login(device, "configure", "set vlans vlan10 vlan-id 10")
    said = login(device).line("configure")
    assert "Users currently editing" in said
    assert "changed but not committed" in said
    somebody.interrupted()
    with pytest.raises(Rejected, match="error: configuration database modified"):
        session(device).ask("configure exclusive")
    login(device, "configure", "rollback 0", "exit")
    session(device).ask("configure exclusive")


def test_the_lock_goes_with_a_connection_that_breaks() -> None:
    device = box()
    shell = login(device, "configure exclusive", "set vlans vlan10 vlan-id 10")
    shell.interrupted()
    shell.closed = True
    assert not device.modified
    assert UNDO.pending(session(device)) is None


# the undo

LINES = ("set vlans vlan10 vlan-id 10", "set interfaces ge-0/0/3 description x")


def sent(device: JunosBox) -> frozenset[str]:
    """Arm and send some lines; what was before."""
    before = shown(device)
    one = session(device)
    assert UNDO.pending(one) is None
    UNDO.arm(one, Arming(120, ROOT / "templates", "netadm"))
    one.configure(LINES, JUNOS.commit(120))
    one.close()
    assert set(LINES) <= shown(device)
    return before


def test_nobody_confirms_and_it_returns_by_itself() -> None:
    device = box()
    before = sent(device)
    device.pass_time(119)
    assert shown(device) != before
    device.pass_time(2)
    assert shown(device) == before
    assert len(device.history) == 3
    with pytest.raises(LienThongError, match="returned already"):
        UNDO.confirm(session(device))
    assert UNDO.pending(session(device)) is None
    device.reboot()
    device.pass_time(device.boot_s + 1)
    assert shown(device) == before


def test_it_is_confirmed_and_stays() -> None:
    device = box()
    sent(device)
    assert "waits" in (UNDO.pending(session(device)) or "")
    UNDO.confirm(session(device))
    device.pass_time(3600)
    assert set(LINES) <= shown(device)
    assert UNDO.pending(session(device)) is None
    assert "rollback pending" not in session(device).ask("show system commit")


def test_it_is_returned_when_asked() -> None:
    device = box()
    before = sent(device)
    assert "has returned" in UNDO.fire(session(device))
    assert shown(device) == before
    assert "it holds" in UNDO.fire(session(device))
    device.pass_time(3600)
    assert shown(device) == before


def test_a_check_confirms_too() -> None:
    device = box()
    sent(device)
    login(device, "configure", "commit check")
    device.pass_time(3600)
    assert set(LINES) <= shown(device)


@pytest.mark.parametrize("outlives", [False, True])
def test_a_restart_while_it_waits(outlives: bool) -> None:
    device = box()
    device.rollback_outlives_restart = outlives
    before = sent(device)
    device.reboot()
    device.pass_time(3600)
    assert (shown(device) == before) == outlives
    assert not UNDO.survives_reboot


# by what it is reached

CUTS = {
    "address": ("delete interfaces irb unit 40 family inet address 10.0.44.2/24",),
    "leg": ("set interfaces irb unit 40 disable",),
    "port": ("set interfaces ge-0/0/0 disable",),
    "vlan": ("set vlans vlan10 vlan-id 10",
             "delete interfaces ge-0/0/0 unit 0 family ethernet-switching vlan members vlan40",
             "set interfaces ge-0/0/0 unit 0 family ethernet-switching vlan members vlan10"),
    "l3": ("delete vlans vlan40 l3-interface",),
    "ssh": ("delete system services ssh",),
    "route": ("delete routing-options static route 0.0.0.0/0",),
    "filter": ("set firewall family inet filter f term t from source-address 10.0.9.0/24",
               "set firewall family inet filter f term t then accept",
               "set interfaces lo0 unit 0 family inet filter input f"),
    "order": ("set firewall family inet filter f term first then discard",
              "set firewall family inet filter f term second then accept",
              "set interfaces irb unit 40 family inet filter input f"),
    "established": ("set firewall family inet filter f term t from tcp-established",
                    "set firewall family inet filter f term t then accept",
                    "set interfaces lo0 unit 0 family inet filter input f"),
}  # fmt: skip


@pytest.mark.parametrize("name", CUTS)
def test_what_cuts_the_way_is_noticed_and_taken_back(name: str) -> None:
    device = box()
    assert device.answers(CONTROLLER)
    shell = login(device, "configure exclusive", *CUTS[name])
    assert "commit complete" in shell.line("commit confirmed 1")
    assert not device.answers(CONTROLLER)
    device.pass_time(61)
    assert device.answers(CONTROLLER)


def test_a_filter_that_lets_the_office_in_does() -> None:
    device = box()
    term = "set firewall family inet filter f term t"
    committed(
        device, f"{term} from source-address 10.0.4.0/24", f"{term} from protocol tcp",
        f"{term} from destination-port ssh", f"{term} then count logins", f"{term} then accept",
        "set interfaces lo0 unit 0 family inet filter input f",
    )  # fmt: skip
    assert device.answers(CONTROLLER)
    assert not device.answers(IPv4Address("10.0.9.9"))


def test_a_router_with_zones_answers_only_where_they_say_so() -> None:
    device = box(GATEWAY)
    assert "must reboot" in committed(device, "delete security forwarding-options family mpls mode")
    assert device.answers(CONTROLLER)
    device.reboot()
    device.pass_time(device.boot_s + 1)
    assert not device.answers(CONTROLLER)
    zone = "set security zones security-zone office"
    committed(device, f"{zone} interfaces ge-0/0/0.0", f"{zone} host-inbound-traffic system-services ssh")
    assert device.answers(CONTROLLER)
    committed(device, "set security policies default-policy deny-all")
    packets = "set security forwarding-options family mpls mode packet-based"
    assert "not allowed when [security policies]" in committed(device, packets)


def test_a_neighbour_is_a_way_too() -> None:
    device = box(GATEWAY)
    committed(device, "delete routing-options static route 0.0.0.0/0")
    assert not device.answers(CONTROLLER)
    area = "set protocols ospf area 0.0.0.0 interface ge-0/0/0.0"
    committed(device, area)
    assert device.answers(CONTROLLER)
    committed(device, f"{area} passive")
    assert not device.answers(CONTROLLER)


# what it tells


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("show version", {"hostname": NAME, "junos_version": "21.4R3.15", "model": "ex2300-24t"}),
        ("show system uptime", {"year": "2026", "last_config_user": "root"}),
        ("show vlans", {"vlan_name": "vlan40", "tag": "40", "interfaces": ["ge-0/0/0.0*"]}),
        ("show arp no-resolve", {"ip_address": "10.0.44.1", "interface": "irb.40"}),
    ],
)
def test_what_is_shown_is_read_by_ntc_templates(command: str, says: dict[str, object]) -> None:
    rows = parse_output("juniper_junos", command, session(box()).ask(command))
    assert any(says.items() <= row.items() for row in rows), rows


def test_neighbours_are_read_by_ntc_templates() -> None:
    device = box(GATEWAY)
    area = "set protocols ospf area 0.0.0.0 interface ge-0/0/0.0"
    committed(device, f"{area} authentication md5 1 key Geheim99")
    command = "show ospf neighbor"
    (row,) = parse_output("juniper_junos", command, session(device).ask(command))
    assert "192.0.2.1" in row.values()
    assert "Full" in row.values()


def test_the_whole_configuration_comes_back_as_it_is_shown() -> None:
    device = box()
    text = session(device).ask("show configuration | display set | no-more")
    device.load(text)
    assert device.configuration() == text
    curly = session(device).ask("show configuration")
    assert "    irb {\n        unit 40 {\n            family inet {\n" in curly
    assert curly.count("{") == curly.count("}")
    assert "vlan-id 40;" in session(device).ask("show configuration vlans vlan40")


#: What a gateway and a switch are told, in the words of the documents.
PLAN = """
system domain-name pn.vn
system time-zone Asia/Ho_Chi_Minh
system authentication-order [ tacplus password ]
system name-server 10.0.1.10
system login class lienthong permissions [ view configure ]
system login class lienthong idle-timeout 10
system login message "Authorised staff only. What you do here is recorded."
system login retry-options tries-before-disconnect 3
system login user remote class lienthong
system login user remote authentication plain-text-password-value Xy7abcabc
system services ssh root-login deny
system services ssh ciphers aes256-gcm@openssh.com
system services dhcp-local-server group lienthong interface ge-0/0/1.10
system syslog host 10.0.1.11 any info
system syslog host 10.0.1.11 port 6514
system syslog host 10.0.1.11 source-address 10.0.44.1
system syslog file interactive-commands interactive-commands any
system syslog user * any emergency
system ntp server 10.0.1.12 key 1
system ntp server 10.0.1.12 prefer
system ntp authentication-key 1 type sha256 value Xy7abcabc
system ntp trusted-key 1
system tacplus-server 10.0.1.13 secret Xy7abcabc
system tacplus-server 10.0.1.13 source-address 10.0.44.1
system radius-server 10.0.1.13 secret Xy7abcabc timeout 5
system accounting events [ login change-log interactive-commands ]
system accounting destination tacplus server 10.0.1.13 secret Xy7abcabc
system ports console log-out-on-disconnect
interfaces ge-0/0/1 unit 10 vlan-id 10
interfaces ge-0/0/1 unit 10 description "lienthong users"
interfaces ge-0/0/1 unit 10 family inet address 10.0.10.1/24
interfaces ge-0/0/1 unit 10 family inet filter input lienthong-users
interfaces ge-0/0/1 unit 10 family inet6 address fd00:10::1/64
interfaces ge-0/0/1 unit 10 family inet6 filter input lienthong-users-6
interfaces ge-0/0/5 disable
interfaces ge-0/0/6 unit 0 family ethernet-switching interface-mode access
interfaces ge-0/0/6 unit 0 family ethernet-switching vlan members vlan20
interfaces ge-0/0/7 native-vlan-id 20
interfaces ge-0/0/7 unit 0 family ethernet-switching interface-mode trunk vlan members [ vlan20 vlan30 ]
interfaces irb unit 20 family inet address 10.0.20.1/24
interfaces lo0 unit 0 family inet address 10.255.0.1/32
snmp v3 usm local-engine user lienthong authentication-sha256 authentication-password Xy7abcabc
snmp v3 usm local-engine user lienthong privacy-aes128 privacy-password Xy7abcabc
snmp v3 vacm security-to-group security-model usm security-name lienthong group lienthong
snmp v3 vacm access group lienthong default-context-prefix security-model usm security-level none read-view a
snmp view a oid .1 include
snmp v3 target-address lienthong address 10.0.1.14 target-parameters lienthong
snmp location "Loc Ninh"
routing-options router-id 10.255.0.1
routing-options static route 10.0.0.0/8 qualified-next-hop 172.16.0.42 preference 20
routing-options static route 10.8.0.0/16 discard
routing-options rib inet6.0 static route ::/0 next-hop fd00::1
protocols ospf area 0.0.0.0 interface ge-0/0/0.0 interface-type p2p metric 10
protocols ospf area 0.0.0.0 interface ge-0/0/0.0 authentication md5 1 key Xy7abcabc
protocols ospf area 0.0.0.0 interface ge-0/0/0.0 bfd-liveness-detection minimum-interval 300
protocols ospf area 0.0.0.0 interface ge-0/0/1.10 passive
protocols ospf3 area 0.0.0.0 interface ge-0/0/0.0
protocols lldp interface all
protocols lldp interface ge-0/0/0 disable
protocols router-advertisement interface ge-0/0/1.10 prefix fd00:10::/64
protocols rstp interface ge-0/0/6 edge
protocols rstp bridge-priority 4k
firewall family inet filter lienthong-users term a from source-address 10.0.10.0/24
firewall family inet filter lienthong-users term a from destination-address 10.0.1.0/24
firewall family inet filter lienthong-users term a from protocol [ tcp udp ]
firewall family inet filter lienthong-users term a from destination-port [ 53 https 8000-8010 ]
firewall family inet filter lienthong-users term a then accept
firewall family inet filter lienthong-users term ping from icmp-type [ echo-request 0 ]
firewall family inet filter lienthong-users term answers from tcp-established
firewall family inet filter lienthong-users term listed from source-prefix-list office
firewall family inet filter lienthong-users term rest then log
firewall family inet filter lienthong-users term rest then syslog
firewall family inet filter lienthong-users term rest then count dropped
firewall family inet filter lienthong-users term rest then reject
firewall family inet6 filter lienthong-users-6 term a from next-header icmp6
firewall family inet6 filter lienthong-users-6 term a from icmp-type [ neighbor-solicit 135 ]
firewall family inet6 filter lienthong-users-6 term a then accept
policy-options prefix-list office 10.0.4.0/24
forwarding-options dhcp-relay server-group office 10.0.1.15
forwarding-options dhcp-relay active-server-group office
forwarding-options dhcp-relay group lienthong interface irb.20
access address-assignment pool lan10 family inet network 10.0.10.0/24
access address-assignment pool lan10 family inet range one low 10.0.10.100
access address-assignment pool lan10 family inet range one high 10.0.10.200
access address-assignment pool lan10 family inet dhcp-attributes router 10.0.10.1
access address-assignment pool lan10 family inet dhcp-attributes name-server 10.0.1.10
access address-assignment pool lan10 family inet dhcp-attributes maximum-lease-time 86400
access address-assignment pool lan10 family inet dhcp-attributes option 42 ip-address 10.0.1.12
access address-assignment pool lan10 family inet host pc hardware-address 02:00:00:00:00:01
access address-assignment pool lan10 family inet host pc ip-address 10.0.10.9
switch-options interface ge-0/0/6.0 interface-mac-limit 2
switch-options interface ge-0/0/6.0 interface-mac-limit packet-action shutdown
security forwarding-options family inet6 mode packet-based
security nat source rule-set lan from zone trust
security nat source rule-set lan to zone untrust
security nat source rule-set lan rule one match source-address 10.0.10.0/24
security nat source rule-set lan rule one then source-nat interface
security zones security-zone trust interfaces ge-0/0/1.10 host-inbound-traffic system-services ssh
vlans vlan20 vlan-id 20
vlans vlan20 description "lienthong users"
vlans vlan20 l3-interface irb.20
vlans vlan30 vlan-id 30
"""


def test_what_a_plan_needs_is_taken_and_what_is_shown_can_be_typed() -> None:
    device = box(GATEWAY)
    login(device, "configure", *(f"set {line}" for line in PLAN.strip().splitlines()), "commit")
    held = device.configuration()
    login(device, "configure", *held.splitlines(), "commit")
    assert device.configuration() == held
    assert "Xy7abcabc" not in held


def test_what_is_shown_can_be_deleted_line_by_line() -> None:
    device = box(GATEWAY)
    login(device, "configure", *(f"set {line}" for line in PLAN.strip().splitlines()), "commit")
    shell = login(device, "configure")
    single = ("description ", "vlan-id ", "input ")  # `delete` takes a single value without it
    for (line,) in JUNOS.parse(device.configuration()):
        words = re.split(rf" (?={'|'.join(single)})", line.removeprefix("set "))
        if len(words) > 1:
            typed = f"delete {words[0]} {words[1].split()[0]}"
        elif " filter " in line and " count " not in line:
            typed = f"delete {words[0]}"
        else:
            continue
        assert shell.line(typed) == "", typed
    left = list(device.candidate.sets())
    assert "set firewall family inet filter lienthong-users term a" in left, "an empty term stays"
    assert "set vlans vlan30" in left
