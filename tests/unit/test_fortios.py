"""What a FortiGate is told, and what of it is the plan's; with a simulated one."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from lienthong.errors import LienThongError
from lienthong.model.intent import Forwarding, StaticRoute
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.dialects.fortios_scope import LAST
from lienthong.platforms.dialects.fortios_text import Hidden, leaves
from lienthong.transport.veil import Veil
from tests.boxes import ROOT, Store
from tests.fortios import KIND, box_of, by_hand, drive, gateway, history, lines_of, merged

GOLDEN = ROOT / "tests" / "golden" / "gear"


def written(name: str, text: str) -> str:
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("model", ["FortiGate 40F", "FortiGate 60F", "FortiGate 100F"])
def test_a_gateway_is_told_what_the_golden_file_says(model: str) -> None:
    text = "\n".join(" / ".join(line) for line in lines_of(gateway(model))) + "\n"
    assert text == written(f"loc-ninh-gw-wan.fortios.{model.split()[1].lower()}.txt", text)


def test_what_is_told_holds_no_secret_and_no_service_of_the_past() -> None:
    text = "\n".join(" / ".join(line) for line in lines_of(gateway()))
    for word in ("http", "telnet enable", "Xy7", "snmp community"):
        assert word not in text
    assert text.count("<secret ospf/loc-ninh>") == 2


def test_logins_by_aaa_translation_and_routes_are_told_where_they_are_wanted() -> None:
    wanted = gateway()
    server = AaaServer(IPv4Address("10.0.1.10"), "tacacs", SecretRef("aaa/wan"))
    out = next(rule for rule in wanted.forward if rule.oif == ("tslcd-a", "tslcd-b"))
    wanted = replace(
        wanted,
        plane=replace(wanted.plane, aaa=(server, replace(server, protocol="radius"))),
        device=replace(
            wanted.device, routes=(StaticRoute(IPv4Network("0.0.0.0/0"), IPv4Address("172.16.0.40"), 200),)
        ),
        forward=(replace(out, oif=("tslcd-a",)), *(r for r in wanted.forward if "tcp22-443" in r.flow.id)),
        forwarding=Forwarding(
            ((out.src[0], "tslcd-a"),), (("tslcd-a", "udp", 5060, IPv4Address("10.0.41.10")),)
        ),
    )
    told_lines = lines_of(wanted)
    text = "\n".join(" / ".join(line) for line in told_lines)
    assert 'config user group / edit "lt-aaa" / set member "lt-aaa1" "lt-aaa2"' in text
    assert "admin-ssh-password" not in text  # who is asked elsewhere types a password
    assert "set nat enable" in text
    assert 'config firewall vip / edit "lt-udp-5060" / set mappedip "10.0.41.10"' in text
    assert "set distance 200" in text
    found = drive()
    found.veil = Veil(Store(), told_lines)
    found.bring(told_lines)
    assert not found.diff(told_lines)


def test_the_internet_side_is_not_for_a_gateway_without_wireguard() -> None:
    for model in (None, *KIND.models):
        assert "wireguard" not in KIND.able(model)
        assert {"ospf", "bfd", "nat", "policy", "dhcp-server"} <= KIND.able(model)


@pytest.mark.parametrize(
    "text",
    [
        "the password is md5 x",
        "say Command fail. Return code -61",
        'a"\nend\nconfig system admin\nedit evil',
        "x?y",
        "'`$(id)<b>\\",
        "\x1b[2J\x03",
    ],
)
def test_a_hostile_text_cannot_become_a_line(text: str) -> None:
    wanted = gateway()
    leg, *legs = wanted.device.interfaces
    hostile = replace(
        wanted,
        device=replace(wanted.device, interfaces=(replace(leg, description=text), *legs)),
        plane=replace(wanted.plane, banner=text),
    )
    plain, changed = lines_of(wanted), lines_of(hostile)
    assert len(plain) == len(changed)
    assert [line[:-1] for line in plain] == [line[:-1] for line in changed]
    assert not any(set("?'`<>\\\x1b\x03\n") & set(line[-1]) for line in changed if "<secret" not in line[-1])
    found = drive()
    found.bring(changed)
    assert not found.diff(changed)


def test_an_empty_device_is_brought_the_whole_way_and_is_then_as_intended() -> None:
    found = drive()
    assert found.bring()
    assert not found.diff()
    assert box_of(found).mode == "automatic"
    assert box_of(found).saved() == box_of(found).configuration()


def test_a_change_touches_only_what_changes() -> None:
    found = drive()
    found.bring()
    moved = tuple(
        (*line[:-1], "set ip 10.0.40.2 255.255.255.0")
        if line[-1] == "set ip 10.0.40.1 255.255.255.0"
        else line
        for line in found.intended
    )
    diff = found.bring(moved)
    assert [line[1] for line in (*diff.removed, *diff.added)] == ['edit "lt-vlan10"'] * 2
    typed = FORTIOS.commands(diff.removed, diff.added)
    new = "set ip 10.0.40.2 255.255.255.0"
    assert typed == ("config system interface", 'edit "lt-vlan10"', new, "next", "end")  # no gap in between
    fewer = tuple(
        line for line in moved if "10.0.5.10" not in "".join(line) and "4193580" not in "".join(line)
    )
    diff = found.bring(fewer)
    assert diff.removed
    assert not diff.added
    assert {line[0] for line in diff.removed} == {"config firewall address", "config firewall policy"}
    assert found.bring(found.intended)


def test_a_vlan_goes_with_all_that_names_it_and_comes_back() -> None:
    found = drive()
    found.bring()
    wanted = gateway()
    without = replace(
        wanted,
        device=replace(
            wanted.device, interfaces=tuple(i for i in wanted.device.interfaces if i.name != "vlan30")
        ),
        forward=tuple(r for r in wanted.forward if "vlan30" not in (*r.iif, *r.oif)),
    )
    found.bring(lines_of(without))
    assert "lt-vlan30" not in box_of(found).configuration()
    found.bring()
    assert not found.diff()


def test_an_address_that_moves_to_another_interface_is_taken_from_the_first() -> None:
    found = drive()
    found.bring()
    swap = {"set ip 10.0.42.1 255.255.255.0": "set ip 10.0.43.1 255.255.255.0"}
    swap |= {new: old for old, new in swap.items()}
    swapped = tuple((*line[:-1], swap.get(line[-1], line[-1])) for line in found.intended)
    found.bring(swapped)
    assert not found.diff(swapped)


def test_a_new_local_in_policy_comes_before_those_that_drop() -> None:
    found = drive()
    table = "config firewall local-in-policy"
    first = next(line[1] for line in found.intended if line[0] == table)
    later = tuple(line for line in found.intended if line[:2] != (table, first))
    found.bring(later)
    found.bring()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order.index(first) < order.index(f"edit {LAST}")
    # An officer moves it behind.
    by_hand(found, table, f"move {first.split()[1]} after {LAST}", "end")
    assert found.diff().told == (f"- {table} / {first} / misplaced",)
    found.bring()
    assert not found.diff()


def test_local_in_policies_stand_before_those_of_others_too() -> None:
    found = drive()
    box, table = box_of(found), "config firewall local-in-policy"
    old = """    edit 5
        set intf "wan1"
        set srcaddr "all"
        set dstaddr "all"
        set service "PING"
        set schedule "always"
    next
"""
    box.load(merged(box.configuration(), f"{table}\n{old}end\n"))
    found.bring()
    assert not found.diff()
    fewer = tuple(
        line for line in found.intended if line[0] != table or int(line[1].split()[1]) <= LAST + 10**6
    )
    found.bring(fewer)
    found.bring()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order[-1] == "edit 5"
    assert len(order) > 25
    assert not found.diff()


def test_firewall_policies_stand_before_those_of_others() -> None:
    found = drive()
    table = "config firewall policy"
    diff = found.bring()
    assert (table, "behind 1") in diff.removed
    first = next(line[1] for line in found.intended if line[0] == table)
    fewer = tuple(line for line in found.intended if line[:2] != (table, first))
    found.bring(fewer)
    found.bring()  # a new one comes before the one that drops the rest
    assert not found.diff()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order[-2:] == [f"edit {LAST}", "edit 1"]
    by_hand(found, table, "move 1 before " + order[0].split()[1], "end")
    assert len(found.diff().removed) == len(order) - 1
    found.bring()
    assert not found.diff()


def test_a_secret_that_is_there_is_as_intended_and_one_that_is_missing_is_told() -> None:
    found = drive()
    found.bring()
    assert any(isinstance(line[-1], Hidden) for line in found.running())
    by_hand(found, "config system admin", "edit console", "unset password", "next", "end")
    (line,) = found.diff().added
    assert str(line[-1]) == "set password <secret console/loc-ninh-gw-wan>"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_not_one_foreign_line_of_a_device_with_a_history_is_touched(seed: int) -> None:
    found = drive()
    box = box_of(found)
    box.load(merged(box.configuration(), history(seed)))
    before, raw = found.running(), box.configuration().splitlines()
    assert len(history(seed).splitlines()) > 500
    wanted = frozenset(found.intended)
    foreign = [line for line in before if not FORTIOS.owns(line, wanted)]
    diff = found.bring()
    after = set(found.running())
    assert all(line in after for line in foreign)
    # Every line that was there is there, in its order, but for the values that the plan replaced.
    replaced = {str(line[-1]).split()[1] for line in diff.removed}
    rest = iter(box.configuration().splitlines())
    left = [line for line in raw if not replaced.intersection(line.split()[1:2])]
    assert all(any(line == other for other in rest) for line in left)
    assert not found.diff()
    # And back again: what was typed for the way back leads to where it came from, byte for byte.
    session = found.session()
    session.configure(FORTIOS.commands(diff.added, diff.removed))
    session.close()
    assert set(found.running()) == set(before)


def test_the_way_back_returns_exactly() -> None:
    found = drive()
    before = box_of(found).configuration()
    diff = found.bring()
    session = found.session()
    session.configure(FORTIOS.commands(diff.added, diff.removed))
    session.close()
    assert sorted(box_of(found).configuration().splitlines()) == sorted(before.splitlines())


def test_a_text_that_is_not_whole_is_no_configuration() -> None:
    text = box_of(drive()).configuration()
    for cut in (len(text) // 3, len(text) // 2, len(text) - 3):
        with pytest.raises(LienThongError):
            FORTIOS.parse(text[:cut])
    with pytest.raises(LienThongError, match="virtual domains"):
        FORTIOS.parse("config vdom\n    edit root\n    next\nend\n")


def test_a_message_between_the_lines_is_none_of_them_and_an_unknown_word_is_noticed() -> None:
    text = "config system dns\n{}    set primary 10.0.0.1\nend\n"
    message = "System will reboot if no input is received in the next 9 seconds...\n"
    assert FORTIOS.parse(text.format(message)) == (("config system dns", "set primary 10.0.0.1"),)
    for word in ("    sit primary", "endconfig system global"):
        with pytest.raises(LienThongError, match="not understood"):
            leaves(text.format(f"{word}\n"))
    with pytest.raises(LienThongError, match="not understood"):
        FORTIOS.parse(text.format("    sit primary\n"))


def test_a_value_of_many_lines_is_one_line_and_no_heading() -> None:
    text = 'config vpn certificate local\n    edit "x"\n        set csr "a\nconfig b\nend"\n    next\nend\n'
    assert leaves(text)[-1] == ("config vpn certificate local", 'edit "x"', 'set csr "a\\nconfig b\\nend"')
