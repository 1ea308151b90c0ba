"""Huawei VRP5 and VRP8 on simulated devices: told, compared, returned, locked out, refused."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lienthong import guard
from lienthong.diff import compare, future
from lienthong.errors import LienThongError, Unreachable
from lienthong.guard import Management, Predicted
from lienthong.model.intent import Node
from lienthong.model.words import Role
from lienthong.platforms import Line, Lines, platform
from lienthong.platforms.dialects.vrp import VRP
from lienthong.platforms.dialects.vrp_keys import compared, typed
from lienthong.platforms.dialects.vrp_scope import owns
from lienthong.platforms.dialects.vrp_words import sealed
from lienthong.platforms.undo import Arming, NotArmed, Rejected
from lienthong.render import render
from lienthong.sim.box import Vendor
from lienthong.sim.vendors import huawei_vrp, huawei_vrp8
from lienthong.sim.vendors.huawei_vrp.box import VrpBox
from tests.boxes import CONTROLLER, ROOT, Drive, intended, node_of, told

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gear"


@dataclass(frozen=True)
class Kind:
    """One model in one role."""

    vendor: Vendor
    role: Role
    model: str

    @property
    def node(self) -> Node:
        return node_of(platform(self.vendor.platform), self.role, self.model)

    @property
    def ports(self) -> str:
        """What stands before the number of a port."""
        return "GigabitEthernet0/0/" if self.vendor.name == "huawei_vrp" else "10GE1/0/"


S5735 = Kind(huawei_vrp.VENDOR, Role.SWITCH, "S5735-L24T4S")
AR651 = Kind(huawei_vrp.VENDOR, Role.GATEWAY, "AR651")
CE6881 = Kind(huawei_vrp8.VENDOR, Role.SWITCH, "CE6881-48S6CQ")
CE_GATEWAY = Kind(huawei_vrp8.VENDOR, Role.GATEWAY, "CE6881-48S6CQ")
SWITCHES, GATEWAYS = (S5735, CE6881), (AR651, CE_GATEWAY)
every = pytest.mark.parametrize("kind", [*SWITCHES, *GATEWAYS], ids=lambda k: f"{k.model}-{k.role}")
switches = pytest.mark.parametrize("kind", SWITCHES, ids=lambda k: k.model)
gateways = pytest.mark.parametrize("kind", GATEWAYS, ids=lambda k: k.model)
RSA = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC2ysFg1qKZC9yLtPfaeNNEjU1iCzzuwIQVdZPW7y9p2Uug2ZOl+4runPVUZN"
    "yZcul+dgInCgJngzIk01nD4INhiR7dEIDsTxH9wGRScDz8+Zb5fN0lCVDfhkhtHXicCG35cjAlb2Cyk9ykqtAFwV0P"
    "udyfTjckaTkWaZ2JC8YidX7qH7Y8xsRvDm06hN94Wi6yzkLsSiIhd8h4QzCApL5Pv9pNSjKMzDVqQMrGe4GaRzv8uW"
    "bkwbPfjaKy79XPYd9FCeBXyafuG1NVL3cIyhiSfXgkE0CEt0+7ZDIENtPw5obo6IhyGq4sEWCoBwauJKELO4gKI7r+"
    "fpVB3biwOtsZ"
    " an officer"
)


def drive(kind: Kind) -> Drive:
    return Drive(kind.vendor, kind.role, kind.model)


def box_of(drive: Drive) -> VrpBox:
    assert isinstance(drive.box, VrpBox)
    return drive.box


def swap(lines: Lines, old: str, new: str) -> Lines:
    """The intent with one word changed wherever it stands."""
    found = tuple(tuple(part.replace(old, new) for part in line) for line in lines)
    assert found != lines
    return tuple((*line[:-1], sealed(line[-1])) for line in found)


@pytest.mark.parametrize("kind", [*SWITCHES, *GATEWAYS, replace(AR651, model="AR6140")])
def test_a_device_is_told_what_the_golden_file_says(kind: Kind) -> None:
    (dialect,) = platform(kind.vendor.platform).dialects
    lines = intended(kind.node, dialect)
    text = "\n".join(" / ".join(line) for line in lines) + "\n"
    golden = GOLDEN / f"{kind.vendor.platform}.{kind.model}.{kind.role}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@every
def test_from_day_0_the_whole_way_and_a_second_look_finds_nothing(kind: Kind) -> None:
    device = drive(kind)
    assert device.bring()
    assert not device.diff()
    assert device.box.saved() == device.box.configuration()
    device.box.reboot()
    device.box.pass_time(device.box.boot_s)
    assert not device.diff()


@every
@pytest.mark.parametrize("seed", range(3))
def test_not_one_foreign_line_of_a_history_is_touched(kind: Kind, seed: int) -> None:
    device = drive(kind)
    box = box_of(device)
    history = foreign(seed)
    box.load(with_history(box.configuration(), history))
    blocks = ["\n".join(block) for block in history]
    before = [block for block in box.configuration().split("\n#\n") if block in blocks]
    assert sorted(before) == sorted(blocks)
    device.bring()
    assert not device.diff()
    assert [block for block in box.configuration().split("\n#\n") if block in blocks] == before


KINDS: tuple[Callable[[random.Random, int], list[str]], ...] = (
    lambda r, n: [f"acl number {3000 + n % 400}", f" description Phong ke toan {n}",
                  *(f" rule {i} permit ip source 192.168.{r.randrange(256)}.0 0.0.0.255" for i in range(4))],
    lambda r, n: [f"vlan {1200 + n}", f" description cu {r.randrange(10**6)}"],
    lambda _, n: [f"interface LoopBack{10 + n}", f" description kiem thu {n}",
                  f" ip address 192.0.2.{n % 250 + 1} 255.255.255.255"],
    lambda _, n: [f"traffic classifier c{n} operator or precedence {n}", f" if-match acl {3000 + n % 400}",
                  f"traffic behavior b{n}", f" remark dscp {n % 64}", " statistic enable"],
    lambda r, n: [f"ip route-static 172.31.{n % 256}.0 255.255.255.0 10.9.9.{r.randrange(1, 250)}"
                  f" description cu{n}"],
    lambda _, n: [f"port-group nhom{n}", f" group-member GigabitEthernet0/0/{n % 20 + 1}"],
    lambda r, n: [f"undo mac-address learning x{n}{r.randrange(10**6)}"],
    lambda _, n: [f"ospf {900 + n}", " area 0.0.0.9", f"  network 172.30.{n % 256}.0 0.0.0.255", "  stub"],
)  # fmt: skip


def foreign(seed: int) -> list[list[str]]:
    """500 lines and more that no plan has, of several kinds, in blocks."""
    chooser = random.Random(seed)
    blocks: list[list[str]] = []
    while sum(map(len, blocks)) < 500:
        blocks.append(chooser.choice(KINDS)(chooser, len(blocks) + 1))
    return blocks


def with_history(text: str, blocks: list[list[str]]) -> str:
    """A configuration with foreign sections before its interfaces."""
    head, _, tail = text.partition("#\ninterface ")
    return "\n".join(
        [head.rstrip("\n"), *(line for block in blocks for line in ["#", *block]), f"#\ninterface {tail}"]
    )


@every
def test_foreign_lines_in_the_plan_s_own_sections_stay(kind: Kind) -> None:
    device = drive(kind)
    box = box_of(device)
    heads = sorted(
        {line[0] for line in device.intended if re.match(rf"interface (?:{kind.ports}|Vlanif40)", line[0])}
    )
    inside = {head: [" stp edged-port enable", f" mtu {9000 + at}"] for at, head in enumerate(heads)}
    inside["aaa"] = [
        " local-user officer password irreversible-cipher $1a$abc$",
        " local-user officer level 1",
    ]
    inside["user-interface vty 0 4"] = [" history-command max-size 20"]
    text = box.configuration()
    for head, lines in inside.items():
        text = text.replace(f"{head}\n", "\n".join([head, *lines, ""]), 1)
        assert lines[0] in text or head.startswith("interface Vlanif"), head
    box.load(text)
    loaded = [(head, line) for head, lines in inside.items() for line in lines if line in text]
    device.bring()
    assert not device.diff()
    for head, line in loaded:
        assert line.strip() in box.running.lines((head,)), (head, line)


@every
def test_services_and_servers_that_nobody_planned_go_and_others_of_their_family_stay(kind: Kind) -> None:
    device = drive(kind)
    box = box_of(device)
    loose = [
        "telnet server enable",
        "http server enable",
        "info-center loghost 192.0.2.9",
        "dns server 192.0.2.8",
    ]
    kept = [
        "snmp-agent community read cipher %^%#x%^%#",
        "info-center timestamp log date",
        "telnet server port 992",
    ]
    box.load(box.configuration().replace("#\naaa", "\n".join(["#", *loose, *kept, "#", "aaa"]), 1))
    device.bring()
    left = box.configuration().splitlines()
    assert not set(loose) & set(left)
    assert set(kept) <= set(left)


@switches
def test_a_rule_that_goes_moves_no_other(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    wanted = told(device.node)
    less = replace(wanted, inbound=wanted.inbound[1:])
    lines = render(less, device.kind, device.dialect, ROOT / "templates")
    diff = device.bring(lines)
    assert not diff.added
    assert len(diff.removed) == 2
    assert {line[1].split()[1] for line in diff.removed} == {diff.removed[0][1].split()[1]}


@gateways
def test_an_address_that_moves_to_another_vlan_is_given_up_first(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    moved = tuple(
        tuple(re.sub(r"(?<=vlan )10$|(?<=vlan batch )10$|(?<=Vlanif)10$", "11", part) for part in line)
        for line in device.intended
    )
    device.bring(tuple((*line[:-1], sealed(line[-1])) for line in moved))
    left = box_of(device).running
    assert "ip address 10.0.40.1 255.255.255.0" in left.lines(("interface Vlanif11",))
    assert "interface Vlanif10" not in left.lines()


@switches
def test_a_port_changes_its_kind_in_an_order_that_the_device_takes(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    port = f"interface {kind.ports}2"
    plan = [line for line in device.intended if line[0] != port or line[1].startswith("description ")]
    words = ["port link-type trunk", "undo port trunk allow-pass vlan 1"]
    words += [f"port trunk allow-pass vlan {vlan}" for vlan in (20, 30)]
    trunk = (*plan, *((port, word) for word in words))
    device.bring(trunk)
    assert "port trunk allow-pass vlan 20 30" in box_of(device).running.lines((port,))
    device.bring()
    assert "port default vlan 20" in box_of(device).running.lines((port,))


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("destination-port eq 9100", "destination-port eq 9101", "rule "),
        ("10.0.44.1 preference 1", "10.0.44.3 preference 1", "ip route-static "),
        ("idle-timeout 10 0", "idle-timeout 5 0", "idle-timeout "),
        ("srv (lienthong)", "may chu (lienthong)", "description "),
    ],
)
@switches
def test_a_change_touches_only_what_changed(kind: Kind, old: str, new: str, touched: str) -> None:
    device = drive(kind)
    device.bring()
    diff = device.bring(swap(device.intended, old, new))
    assert diff
    assert all(line[-1].startswith(touched) for line in (*diff.added, *diff.removed))


def without_vlan_35(lines: Lines) -> Lines:
    pattern = r"[Vv]lan ?(?:batch )?(?:if)?35\b|vlan35|allow-pass vlan 35"
    return tuple(line for line in lines if not re.search(pattern, " ".join(line)))


@gateways
def test_a_vlan_that_the_plan_no_longer_has_goes_with_all_that_was_made_for_it(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    before = device.box.configuration()
    diff = device.bring(without_vlan_35(device.intended))
    left = device.box.configuration()
    assert "Vlanif35" not in left
    assert "lienthong-vlan35" not in left
    assert "vlan 35\n" not in left
    assert "allow-pass vlan 10 20 30 40\n" in left
    session = device.session()
    session.configure(device.dialect.commands(diff.added, diff.removed), device.dialect.commit(60))
    assert device.box.configuration() == before


@every
def test_every_line_that_the_device_rejects_is_noticed(kind: Kind) -> None:
    device = drive(kind)
    session = device.session()
    for line in (
        "frobnicate",
        "vlan batch 4095",
        f"interface {kind.ports}99",
        "ip route-static 1.2.3.4",
        "acl name x 9000",
        "undo acl name nothing",
        "undo ip route-static 9.9.9.0 24 1.1.1.1",
        "ssh user nobody assign rsa-key none",
        "snmp-agent usm-user v3 none authentication-mode sha",
    ):
        with pytest.raises(Rejected):
            session.configure((line,))
    with pytest.raises(Rejected):
        session.configure((f"interface {kind.ports}2", "port default vlan 41"))
    assert device.box.configuration() == device.box.saved()


@every
def test_it_returns_when_told(kind: Kind) -> None:
    device = drive(kind)
    before = device.box.configuration()
    device.send(device.diff())
    assert device.box.configuration() != before
    session = device.session()
    assert device.kind.undo is not None
    device.kind.undo.fire(session)
    session.close()
    device.box.pass_time(device.box.boot_s)
    assert device.box.configuration() == device.box.saved() == before


@every
def test_it_returns_by_itself_and_then_nothing_can_be_confirmed(kind: Kind) -> None:
    device = drive(kind)
    before = device.box.configuration()
    device.send(device.diff(), 120)
    device.box.pass_time(119)
    assert device.box.configuration() != before
    device.box.pass_time(1 + device.box.boot_s)
    assert device.box.configuration() == device.box.saved() == before
    with pytest.raises(LienThongError, match="returned already"):
        device.confirm()
    session = device.session()
    assert device.kind.undo is not None
    boots = device.box.boots
    assert "before the change" in device.kind.undo.fire(session)
    assert device.box.boots == boots


@pytest.mark.parametrize("last", [False, True])
@switches
def test_a_power_cut_while_it_is_armed_leads_back(kind: Kind, last: bool) -> None:
    device = drive(kind)
    before = device.box.configuration()
    diff = device.diff()
    device.send(diff if last else replace(diff, added=(), removed=()))
    device.box.power_off()
    device.box.power_on()
    assert device.box.configuration() == device.box.saved() == before
    device.box.pass_time(600)
    assert device.box.configuration() == before


def test_nothing_is_begun_on_what_somebody_did_not_save_or_has_set_to_start_anew() -> None:
    device = drive(S5735)
    undo = device.kind.undo
    assert undo is not None
    session = device.session()
    assert undo.pending(session) is None
    session.configure(("dns server 192.0.2.1",))
    assert "not saved" in (undo.pending(session) or "")
    session.save()
    session.ask("schedule reboot delay 10", ((r"\[Y/N\]:\Z", "y"),))
    assert "scheduled" in (undo.pending(session) or "")


WAY, LOGIN = guard.MANAGEMENT, guard.LOGIN
#: A change that cuts the way: (what, devices, how the intent is wrong, what the guard says of it).
WRONG: tuple[tuple[str, tuple[Kind, ...], Callable[[Lines], Lines], str], ...] = (
    ("address", SWITCHES, lambda x: swap(x, "address 10.0.44.2 ", "address 10.0.44.77 "), WAY),
    ("shut", SWITCHES, lambda x: (*x, ("interface Vlanif40", "shutdown")), WAY),
    ("trunk", SWITCHES, lambda x: without(x, r"/0/1 .*allow-pass vlan 40"), WAY),
    ("route", SWITCHES, lambda x: without(x, r"ip route-static 0\.0\.0\.0 "), WAY),
    ("list", SWITCHES, lambda x: swap(x, "permit source 10.0.4.0", "permit source 10.77.4.0"), LOGIN),
    ("ssh", SWITCHES, lambda x: without(x, r"stelnet "), LOGIN),
    ("account", SWITCHES, lambda x: without(x, r"netadm service-type"), LOGIN),
    ("address", GATEWAYS, lambda x: swap(x, "address 10.0.44.1 ", "address 10.0.44.77 "), WAY),
    ("list", GATEWAYS, lambda x: swap(x, "permit source 10.0.4.0", "permit source 10.77.4.0"), LOGIN),
)
CUTS = [
    pytest.param(kind, cut, rule, id=f"{kind.model}-{name}")
    for name, kinds, cut, rule in WRONG
    for kind in kinds
]


def without(lines: Lines, pattern: str) -> Lines:
    left = tuple(line for line in lines if not re.search(pattern, " ".join(line)))
    assert left != lines
    return left


@pytest.mark.parametrize(("kind", "cut", "rule"), CUTS)
def test_a_change_that_cuts_the_way_is_refused_by_name_and_if_forced_ends_by_itself(
    kind: Kind, cut: Callable[[Lines], Lines], rule: str
) -> None:
    device = drive(kind)
    device.bring()
    before = device.box.configuration()
    running = device.running()
    wrong = cut(device.intended)
    diff = compare(device.dialect, wrong, running)
    if not diff:  # a service that the plan says nothing of any more is nobody's
        diff = replace(diff, removed=tuple(line for line in device.intended if line not in wrong))
    management = Management(frozenset(), device.node.address, told(device.node).plane.networks, "netadm")
    found = guard.reasons({"vrp": Predicted(device.dialect, running, diff)}, management)
    assert rule in {name for name, _ in found}
    assert device.kind.undo is not None
    with pytest.raises(Unreachable):
        device.send(diff, 60)
        device.session()
    device.box.pass_time(device.kind.undo.window(60) + device.box.boot_s)
    assert device.box.answers(CONTROLLER)
    assert device.box.configuration() == device.box.saved() == before


@switches
def test_the_way_back_by_hand_leads_back(kind: Kind) -> None:
    device = drive(kind)
    start = device.box.configuration()
    diff = device.bring()
    session = device.session()
    session.configure(device.dialect.commands(diff.added, diff.removed), device.dialect.commit(60))
    session.close()
    assert device.box.configuration() == start


@switches
def test_a_hostile_description_stays_a_description(kind: Kind) -> None:
    device = drive(kind)
    wicked = "x ? [Y/N]: reboot fast # return"
    lines = VRP.intended(f"interface {kind.ports}2\n description {wicked} (lienthong)\n")  # type: ignore[misc]
    (line,) = lines
    assert "?" not in line[-1]
    assert "[" not in line[-1]
    session = device.session()
    boots = device.box.boots
    session.configure(device.dialect.commands((), lines), device.dialect.commit(60))
    assert device.box.boots == boots
    assert "description x . (Y/N): reboot fast # return (lienthong)" in device.box.configuration()


@switches
def test_a_secret_is_never_shown_and_one_that_is_there_is_not_sent_again(kind: Kind) -> None:
    device = drive(kind)
    device.bring()
    for secret in ("Xy7", "secret"):
        assert secret not in device.box.configuration()
    lines = [line for line in device.running() if "<" in line[-1]]
    assert len(lines) == 3
    assert {line[-1].rsplit(" ", 1)[-1] for line in lines} <= {"secret>"}
    assert all(line in device.intended for line in lines)


def test_a_line_with_a_secret_of_somebody_else_is_foreign() -> None:
    line: Line = ("aaa", "local-user officer password irreversible-cipher $1a$xyz$")
    assert not owns(VRP.parse("aaa\n " + line[1] + "\n")[0], frozenset(intended(S5735.node, VRP)))


def test_lists_are_read_however_the_device_joins_them() -> None:
    port = "interface GigabitEthernet0/0/1\n port trunk allow-pass vlan"
    split = f"{port} 10 to 12 40\n port trunk allow-pass vlan 50\n"
    whole = f"{port} 10 11 12 40 50\n"
    assert VRP.parse(split) == VRP.parse(whole)
    assert ("vlan batch 21",) in VRP.parse("vlan batch 20 to 22\n")


def test_what_a_device_logs_while_it_prints_is_no_line_and_ends_no_section() -> None:
    shown = "interface Vlanif40\n description x\n{} ip address 10.0.44.2 255.255.255.0\n"
    for log in (
        "*Nov 23 07:00:00: %SYS-5-NOTICE: something happened\n",
        "Nov 23 2026 07:00:00+07:00 sw %%01SHELL/5/LOGIN(s)[4]:VTY login succeeded.\n",
    ):
        assert VRP.parse(shown.format(log)) == VRP.parse(shown.format(""))


@switches
def test_a_full_flash_is_no_success(kind: Kind) -> None:
    device = drive(kind)
    before = device.box.saved()
    device.send(device.diff())
    device.box.full = True
    with pytest.raises(Rejected, match="no space left"):
        device.confirm()
    assert device.box.saved() == before


def test_names_of_ports_and_small_addresses_are_read_as_typed() -> None:
    shown = "acl name a 3001\n rule 5 permit udp source-port eq dns destination-port eq ntp\n"
    assert VRP.parse(shown)[0][1] == "rule 5 permit udp source-port eq 53 destination-port eq 123"
    assert VRP.parse("ipv6 route-static :: 0 fd00::1\n") == (("ipv6 route-static :: 0 FD00::1",),)


@switches
def test_only_ntc_templates_say_whether_the_tables_are_real(kind: Kind) -> None:
    from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

    device = drive(kind)
    device.bring()
    session = device.session()
    for command, column, value in (
        ("display version", "vrp_version", box_of(device).tables.version),
        ("display interface brief", "interface", "Vlanif40"),
        ("display vlan", "vlan_description", "management (lienthong)"),
        ("display interface description", "description", "srv (lienthong)"),
        ("display startup", "next_startup_saved_configuration_file", "flash:/vrpcfg.zip"),
        ("display acl all", "acl_name", "lienthong-self"),
        ("display telnet server status", "telnet_ipv4_server", "Disable"),
    ):
        rows = parse_output("huawei_vrp", command, session.show(command))
        assert value in {row[column] for row in rows}, command


def test_an_rsa_key_is_typed_in_the_device_s_own_form_and_read_from_any() -> None:
    words = compared(RSA)
    assert words is not None
    assert words.startswith("30")
    shown = " ".join(re.findall(".{1,8}", words))
    assert compared(shown) == words
    assert "".join(typed(words)) == words
    assert compared("203\n 10001") == "0203010001"  # as it is shown, without the zeros before
    assert compared("ssh-ed25519 AAAA x") is None


@switches
def test_future_holds_what_the_device_will_hold(kind: Kind) -> None:
    device = drive(kind)
    diff = device.diff()
    predicted = future(device.running(), diff)
    heads = {line[0] for line in predicted if len(line) > 1}
    device.bring()
    # a port without a line of its own is a line itself, until it gets one
    assert frozenset(device.running()) == {
        line for line in predicted if len(line) > 1 or line[0] not in heads
    }


def test_another_s_trial_is_let_end_and_a_trial_without_a_name_ends_with_its_login() -> None:
    device = drive(CE6881)
    undo = device.kind.undo
    assert undo is not None
    other, session = device.session(), device.session()
    before = device.box.configuration()
    other.configure(("dns server 192.0.2.1",), ("commit trial 300",))
    assert "on trial" in (undo.pending(session) or "")
    with pytest.raises(NotArmed):
        undo.arm(session, Arming(120, ROOT, "netadm"))
    with pytest.raises(Rejected):
        session.configure(("dns server 192.0.2.2",), device.dialect.commit(120))
    assert "before the change" in undo.fire(session)
    assert device.box.configuration() != before
    other.close()
    assert device.box.configuration() == before


def test_what_others_commit_meanwhile_is_not_written_over() -> None:
    device = drive(CE6881)
    mine, other = device.session(), device.session()
    mine.ask("system-view")
    mine.ask("dns server 192.0.2.1")
    other.configure(("dns server 192.0.2.2",), ("commit",))
    with pytest.raises(Rejected, match="changed by others"):
        mine.ask("commit trial 120 persist lienthong")
    assert "192.0.2.1" not in device.box.configuration()


def test_leaving_with_something_uncommitted_asks() -> None:
    device = drive(CE6881)
    session = device.session()
    session.ask("system-view")
    session.ask("dns server 192.0.2.1")
    assert session.shell.prompt() == f"[*{device.box.name}]"
    session.ask("return")
    assert "Uncommitted" in session.shell.prompt()
    session.shell.line("n")
    assert session.shell.prompt() == f"<{device.box.name}>"
    assert "192.0.2.1" not in device.box.configuration()
