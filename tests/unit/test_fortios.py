"""What a FortiGate is told, and what of it is the plan's; with a simulated one."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from lienthong.model.intent import Forwarding, StaticRoute
from lienthong.model.secret import SecretRef
from lienthong.model.wanted import AaaServer
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.dialects.fortios_text import Hidden
from lienthong.transport.veil import Veil
from tests.boxes import ROOT, Store
from tests.fortios import KIND, box_of, by_hand, drive, gateway, lines_of

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


def test_a_secret_that_is_there_is_as_intended_and_one_that_is_missing_is_told() -> None:
    found = drive()
    found.bring()
    assert any(isinstance(line[-1], Hidden) for line in found.running())
    by_hand(found, "config system admin", "edit console", "unset password", "next", "end")
    (line,) = found.diff().added
    assert str(line[-1]) == "set password <secret console/loc-ninh-gw-wan>"
