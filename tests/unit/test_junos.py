"""Junos: what is read, owned and typed, by what a device is managed, and the order of its undo."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from lienthong.diff import Diff, compare
from lienthong.errors import LienThongError
from lienthong.guard import Management, Predicted, reasons
from lienthong.platforms.dialects.junos import JUNOS
from lienthong.platforms.undo import Arming, NotArmed
from lienthong.platforms.undo.junos import UNDO

SWITCH = """\
set system host-name loc-ninh-sw-wan
set system services ssh protocol-version v2
set system login user netadm class super-user
set system login user netadm authentication ssh-ed25519 "ssh-ed25519 AAAA lienthong"
set vlans vlan40 vlan-id 40
set vlans vlan40 l3-interface irb.40
set vlans vlan20 vlan-id 20
set interfaces ge-0/0/0 unit 0 family ethernet-switching interface-mode trunk
set interfaces ge-0/0/0 unit 0 family ethernet-switching vlan members vlan40
set interfaces ge-0/0/0 unit 0 family ethernet-switching vlan members vlan20
set interfaces irb unit 40 family inet address 10.0.44.2/24
set routing-options static route 0.0.0.0/0 next-hop 10.0.44.1
set firewall family inet filter lienthong-self term ssh from source-address 10.0.4.0/24
set firewall family inet filter lienthong-self term ssh from protocol tcp
set firewall family inet filter lienthong-self term ssh from destination-port 22
set firewall family inet filter lienthong-self term ssh then accept
set firewall family inet filter lienthong-self term rest then discard
set interfaces lo0 unit 0 family inet filter input lienthong-self
"""
FOREIGN = """\
set version 21.4R3.15
set system login user old authentication encrypted-password "$6$x$y"
set vlans cameras vlan-id 77
set interfaces ge-0/0/9 description "of others"
set snmp community public authorization read-only
set protocols rstp interface all
"""
MANAGED = Management(frozenset(), IPv4Address("10.0.44.2"), (IPv4Network("10.0.4.0/24"),), "netadm")


def test_lines_of_others_are_not_touched() -> None:
    wanted = JUNOS.parse(SWITCH)
    assert not compare(JUNOS, wanted, JUNOS.parse(FOREIGN + SWITCH))
    cut = JUNOS.parse(FOREIGN + SWITCH.replace("10.0.44.2", "10.0.44.9"))
    assert JUNOS.commands(compare(JUNOS, wanted, cut).removed, compare(JUNOS, wanted, cut).added) == (
        "delete interfaces irb unit 40 family inet address 10.0.44.9/24",
        "set interfaces irb unit 40 family inet address 10.0.44.2/24",
    )


def test_a_hidden_secret_equals_the_intended_one_of_its_place_only() -> None:
    one = JUNOS.parse("set system login user console authentication plain-text-password-value <secret c/x>")
    shown = JUNOS.parse(
        'set system login user console authentication encrypted-password "$6$a$b" ## SECRET-DATA'
    )
    other = JUNOS.parse('set system login user rescue authentication encrypted-password "$6$a$b"')
    assert not compare(JUNOS, one, shown)
    assert compare(JUNOS, one, other).added == one
    assert JUNOS.commands(shown, ()) == (
        "delete system login user console authentication encrypted-password",
    )
    keys = "set snmp v3 usm local-engine user lienthong "
    auth = JUNOS.parse(f"{keys}authentication-sha authentication-password <secret a/x>")
    assert not compare(JUNOS, auth, JUNOS.parse(f'{keys}authentication-sha authentication-key "$9$z"'))
    assert compare(JUNOS, auth, JUNOS.parse(f'{keys}privacy-aes128 privacy-key "$9$z"')).added == auth


def test_a_new_term_stands_before_the_one_that_drops_the_rest() -> None:
    term = "set firewall family inet filter lienthong-self term new then accept"
    assert JUNOS.commands((), ((term,),)) == (
        term, "insert firewall family inet filter lienthong-self term new before term rest",
    )  # fmt: skip


def test_a_value_is_deleted_by_its_statement() -> None:
    assert JUNOS.commands((('set interfaces ge-0/0/0 description "a b"',),), ()) == (
        "delete interfaces ge-0/0/0 description",
    )


CUTS = {
    "address": ("10.0.44.2/24", "10.0.44.9/24", "management address"),
    "vlan": ("vlan members vlan40", "vlan members vlan10", "off ge-0/0/0"),
    "ssh": ("set system services ssh protocol-version v2\n", "", "ends SSH"),
    "limited": ("source-address 10.0.4.0/24", "source-address 10.0.9.0/24", "no longer answers"),
    "user": (
        'set system login user netadm authentication ssh-ed25519 "ssh-ed25519 AAAA lienthong"\n',
        "",
        "account",
    ),
    "shut": (
        "set vlans vlan40 l3",
        "set interfaces irb unit 40 disable\nset vlans vlan40 l3",
        "management address",
    ),
}


@pytest.mark.parametrize("name", CUTS)
def test_the_guard_names_what_cuts_the_way_of_management(name: str) -> None:
    old, new, why = CUTS[name]
    running = JUNOS.parse(SWITCH)
    wanted = JUNOS.parse(SWITCH.replace(old, new))
    assert old in SWITCH
    found = reasons({"junos": Predicted(JUNOS, running, compare(JUNOS, wanted, running))}, MANAGED)
    assert any(why in one for _, one in found), found


def test_the_guard_names_the_loss_of_the_default_route() -> None:
    running = JUNOS.parse(SWITCH)
    gone = tuple(line for line in running if " static route " in line[0])
    found = reasons({"junos": Predicted(JUNOS, running, Diff(gone, (), len(running)))}, MANAGED)
    assert any("default route" in one for _, one in found)


class Said:
    """A session that says what it is given, and keeps what it was asked."""

    def __init__(self, *status: str) -> None:
        self.status, self.asked = list(status), list[str]()

    def ask(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:
        self.asked.append(line)
        if line != "show system commit":
            return ""
        return self.status.pop(0) if len(self.status) > 1 else self.status[0]


KEPT = "0   2026-11-23 07:00:00 UTC by netadm via cli commit confirmed, rollback in 2mins\n"
WAITS = f"{KEPT}    rollback pending\n1   2026-11-23 06:00:00 UTC by root via other\n"
DONE = f"{KEPT}1   2026-11-23 06:00:00 UTC by root via other\n"


def test_it_is_confirmed_only_while_a_commit_waits() -> None:
    session = Said(WAITS, DONE)
    UNDO.confirm(session)  # type: ignore[arg-type]
    assert "commit" in session.asked
    late = Said(DONE)
    with pytest.raises(LienThongError, match="returned already"):
        UNDO.confirm(late)  # type: ignore[arg-type]
    assert late.asked == ["show system commit"]


def test_it_returns_by_the_commit_before() -> None:
    session = Said(WAITS)
    UNDO.fire(session)  # type: ignore[arg-type]
    assert session.asked[1:4] == ["configure exclusive", "rollback 1", "commit"]
    idle = Said(DONE)
    UNDO.fire(idle)  # type: ignore[arg-type]
    assert idle.asked == ["show system commit"]


def test_it_is_armed_in_minutes_and_by_one_only() -> None:
    assert UNDO.pending(Said(WAITS)) and UNDO.pending(Said(DONE)) is None  # type: ignore[arg-type]
    for status, seconds in ((DONE, 90), (DONE, 0), (WAITS, 120)):
        with pytest.raises(NotArmed):
            UNDO.arm(Said(status), Arming(seconds, Path(), "netadm"))  # type: ignore[arg-type]
    assert JUNOS.commit(UNDO.window(61)) == ("commit check", "commit confirmed 2")
