"""A FortiGate returns by itself, locks nobody out, refuses what FortiGates refuse; with a simulated one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

import pytest
from ntc_templates.parse import parse_output  # type: ignore[import-untyped]

from lienthong.diff import Diff, compare
from lienthong.errors import LienThongError, Unreachable
from lienthong.guard import LOGIN, MANAGEMENT, Management, Predicted, reasons
from lienthong.platforms import Lines
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.undo import Arming, NotArmed, Rejected
from lienthong.platforms.undo.fortios import UNDO
from tests.boxes import CONTROLLER, ROOT, Drive
from tests.fortios import box_of, by_hand, drive

MANAGED = Management(
    frozenset(),
    IPv4Address("10.0.44.1"),
    (IPv4Network("10.0.4.0/24"), IPv4Network("10.0.44.0/24")),
    "netadm",
)
WINDOW_S = 120
BOOT_S = 90


def small(found: Drive) -> Diff:
    """A change that harms nobody."""
    old, new = ('set description "loc-ninh users"', 'set description "users"')
    wanted = tuple((*line[:-1], new) if line[-1] == old else line for line in found.intended)
    return compare(FORTIOS, wanted, found.running())


def state(found: Drive) -> tuple[str, str]:
    box = box_of(found)
    return box.configuration(), box.saved()


@pytest.fixture
def brought() -> Drive:
    found = drive()
    found.bring()
    return found


def test_fired_it_starts_anew_as_it_was(brought: Drive) -> None:
    before = state(brought)
    brought.send(small(brought), WINDOW_S)
    assert state(brought)[0] != before[0]
    assert state(brought)[1] == before[1]
    said = UNDO.fire(brought.session())
    assert "starts anew" in said
    with pytest.raises(Unreachable):
        brought.session()
    brought.box.pass_time(BOOT_S + 1)
    assert state(brought) == before
    assert UNDO.pending(brought.session()) is None
    assert UNDO.fire(brought.session()) == "it had returned already"
    assert state(brought) == before


def test_unconfirmed_it_returns_when_the_time_is_up_and_then_cannot_be_confirmed(brought: Drive) -> None:
    before = state(brought)
    brought.send(small(brought), WINDOW_S)
    brought.box.pass_time(WINDOW_S - 2)
    assert state(brought) != before
    brought.box.pass_time(BOOT_S + 2)
    assert state(brought) == before
    with pytest.raises(LienThongError, match="started anew"):
        UNDO.confirm(brought.session())
    assert state(brought) == before


@pytest.mark.parametrize("lines", [0, 1, 1000])
def test_without_power_while_armed_it_comes_up_as_it_was(lines: int) -> None:
    found = drive()
    before = state(found)
    diff = found.diff()
    session = found.session()
    UNDO.arm(session, Arming(WINDOW_S, ROOT / "templates", "netadm"))
    typed = FORTIOS.commands(diff.removed, diff.added)
    session.configure(typed[: lines or 0])
    found.box.power_off()
    found.box.power_on()
    assert state(found) == before


def test_confirmed_it_stays_whatever_happens(brought: Drive) -> None:
    brought.send(small(brought), WINDOW_S)
    brought.confirm()
    after = state(brought)
    assert after[0] == after[1]
    assert "cfg-save" not in after[0]
    brought.box.pass_time(10 * WINDOW_S)
    brought.box.power_off()
    brought.box.power_on()
    assert state(brought) == after
    assert 'set description "users"' in after[0]


@pytest.mark.parametrize("mode", ["manual", "revert"])
def test_somebody_who_works_without_saving_is_seen(brought: Drive, mode: str) -> None:
    by_hand(brought, "config system global", f"set cfg-save {mode}", "end")
    assert mode in (UNDO.pending(brought.session()) or "")


def test_a_time_out_that_somebody_set_is_not_lost(brought: Drive) -> None:
    by_hand(brought, "config system global", "set cfg-revert-timeout 300", "end")
    before = state(brought)
    with pytest.raises(NotArmed, match="cfg-revert-timeout"):
        UNDO.arm(brought.session(), Arming(WINDOW_S, ROOT / "templates", "netadm"))
    assert state(brought) == before


def test_what_cannot_be_armed_is_not_begun(brought: Drive) -> None:
    session = brought.session()
    session.configure(("config system global",))  # a login that stands elsewhere
    with pytest.raises(NotArmed):
        UNDO.arm(session, Arming(WINDOW_S, ROOT / "templates", "netadm"))
    assert box_of(brought).mode == "automatic"


def test_a_device_that_keeps_the_mode_itself_still_returns_and_says_that_it_is_not_ended(
    brought: Drive,
) -> None:
    box_of(brought).mode_is_kept = True
    before = brought.running()
    brought.send(small(brought), WINDOW_S)
    brought.box.pass_time(WINDOW_S + BOOT_S + 2)
    assert {line for line in brought.running() if "cfg-" not in line[-1]} == set(before)
    assert "revert" in (UNDO.pending(brought.session()) or "")
    with pytest.raises(LienThongError, match="nothing to save"):
        UNDO.confirm(brought.session())


def without(word: str) -> Callable[[Lines], Lines]:
    return lambda lines: tuple(line for line in lines if word not in "/".join(line[:2]))


def instead(old: str, new: str) -> Callable[[Lines], Lines]:
    return lambda lines: tuple((*line[:-1], new) if line[-1] == old else line for line in lines)


def no_ssh_policy(lines: Lines) -> Lines:
    mine = {
        line[1] for line in lines if line[-1].endswith('tinh-uy/management.loc-ninh/management.tcp22-443"')
    }
    return tuple(line for line in lines if line[0] != "config firewall policy" or line[1] not in mine)


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        (instead("set ip 10.0.44.1 255.255.255.0", "set ip 10.0.44.9 255.255.255.0"), MANAGEMENT, "address"),
        (without('edit "lt-vlan40"'), MANAGEMENT, "VLAN"),
        (instead("set allowaccess ping snmp ssh", "set allowaccess ping snmp"), LOGIN, "ends SSH"),
        (
            instead("set trusthost1 10.0.4.0 255.255.255.0", "set trusthost1 10.0.9.0 255.255.255.0"),
            LOGIN,
            "10.0.4.0/24",
        ),
        (without('edit "netadm"'), LOGIN, "account netadm"),
        (no_ssh_policy, LOGIN, "10.0.4.0/24"),
    ],
    ids=["address", "vlan", "ssh", "trusted hosts", "account", "policy"],
)
def test_what_locks_out_is_refused_by_name_and_forced_it_comes_back(
    brought: Drive, change: Callable[[Lines], Lines], rule: str, says: str
) -> None:
    running, before = brought.running(), state(brought)
    diff = compare(FORTIOS, change(brought.intended), running)
    why = reasons({"fortios": Predicted(FORTIOS, running, diff)}, MANAGED)
    assert any(name == rule and says in told for name, told in why), why
    try:
        brought.send(diff, WINDOW_S)
    except (Unreachable, Rejected):
        pass  # it was cut off in the middle, or the VLAN is still named by policies that stay
    else:
        with pytest.raises(Unreachable):
            brought.session()
    brought.box.pass_time(WINDOW_S + BOOT_S + 2)
    assert brought.box.answers(CONTROLLER)
    assert state(brought) == before
    assert not brought.diff()


def test_the_intended_change_is_not_refused(brought: Drive) -> None:
    running = brought.running()
    assert FORTIOS.reach is not None
    assert FORTIOS.reach(running).local
    diff = small(brought)
    assert reasons({"fortios": Predicted(FORTIOS, running, diff)}, MANAGED) == []


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("get system status", {"hostname": "loc-ninh-gw-wan", "current_ha_mode": "standalone"}),
        ("get system interface", {"name": "lt-vlan40", "ip_address": "10.0.44.1"}),
        ("get system interface physical", {"name": "wan1", "ip_address": "172.16.0.41"}),
        ("get router info routing-table all", {"destination": "10.0.44.0/24", "interface": "lt-vlan40"}),
        ("get system arp", {"interface": "wan1"}),
        ("execute date", {"year": "2026"}),
        ("execute time", {"hour": "06"}),
    ],
)
def test_what_is_shown_is_read_by_ntc_templates(brought: Drive, command: str, says: dict[str, str]) -> None:
    rows = parse_output("fortinet", command, brought.session().ask(command))
    assert any(says.items() <= row.items() for row in rows), rows


def test_paging_is_turned_off_as_netmiko_does_it(brought: Drive) -> None:
    by_hand(brought, "config system console", "unset output", "end")
    shell = brought.box.log_in("netadm")
    assert shell is not None
    assert shell.page
    assert "output              : more" in shell.line("get system console")
    for line in ("config system console", "set output standard", "end"):
        assert shell.line(line) == ""
    assert not shell.page


def test_neighbours_are_told_as_well(brought: Drive) -> None:
    found = FORTIOS.health
    assert found is not None
    assert found(brought.session().ask) == {
        "wan1 ospf 172.16.0.40 full",
        "wan2 ospf 172.16.0.42 full",
    }


REFUSED = {
    "config firewall nothing": "parse error",
    "nonsense": "Unknown action",
    "show what": "parse error",
    "get never": "parse error",
    "execute something": "parse error",
    "end": "Unknown action",
}
#: Lines that lead somewhere, and one that is refused there.
SECTIONS = [
    (("config system global",), "set admintimeout 999", "-651"),
    (("config system global",), "set hostname", "-160"),
    (("config system global",), 'set hostname "' + "x" * 36 + '"', "too long"),
    (("config system interface",), 'edit "a-name-of-16-abc"', "too long"),
    (("config system interface",), 'delete "wan1"', "-61"),
    (("config system interface",), 'delete "lt-vlan10"', "is used by other"),
    (("config system interface", 'edit "new"', 'set vdom "root"'), "next", "MUST be set"),
    (("config system interface", 'edit "wan1"'), "set ip 10.0.44", "-160"),
    (("config system interface", 'edit "wan1"'), "set ip 10.0.44.300 255.255.255.0", "invalid ip address"),
    (("config system interface", 'edit "wan2"', "set ip 10.0.44.129 255.255.255.128"), "next", "overlap"),
    (("config system interface", 'edit "wan2"', "set mode dhcp"), "set ip 10.9.9.9/24", "parse error"),
    (("config firewall policy",), "delete 99", "not found"),
    (("config firewall policy", "edit 9"), 'set srcaddr "nobody"', "entry not found in datasource"),
    (("config firewall policy", "edit 9"), "set action maybe", "parse error"),
    (("config firewall policy", "edit 9"), 'set name "(x)"', "XSS"),
    (("config firewall policy", "edit 9"), "set colour 3", "parse error"),
    (("config firewall policy", "edit 9", 'set name "x"'), "next", "MUST be set"),
    (("config firewall service custom", 'edit "x"'), "next", "cannot all be empty"),
    (("config firewall service custom", 'edit "x"'), "set tcp-portrange 100-10", "-650"),
    (("config router static", "edit 9"), "next", "MUST be set"),
    (("config system admin", 'edit "x"'), 'set ssh-public-key1 "nonsense"', "SSH public key"),
    (("config router ospf",), 'unselect passive-interface "wan1"', "not found"),
]


@pytest.mark.parametrize("line", REFUSED)
def test_an_unknown_command_is_noticed(brought: Drive, line: str) -> None:
    with pytest.raises(Rejected, match=REFUSED[line]):
        brought.session().ask(line)


def test_every_line_that_the_device_refuses_is_noticed(brought: Drive) -> None:
    before = state(brought)
    for way, line, why in SECTIONS:
        session = brought.session()
        for step in way:
            session.ask(step)
        said = session.shell.line(line)
        assert why in said, (line, said)
        with pytest.raises(Rejected):
            session._looked(line, said)
        session.close()
    assert state(brought) == before
