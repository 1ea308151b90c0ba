"""A FortiGate returns by itself and locks nobody out; with a simulated one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

import pytest

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
