"""The difference between a device and its intent: only what the plan owns, and nothing twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.diff import compare, future
from lienthong.errors import LienThongError
from lienthong.model.secret import Secret, SecretRef
from lienthong.platforms import Line
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.leaves import leaves
from lienthong.platforms.dialects.ovs import OVS
from lienthong.transport.veil import Veil

RUNNING = (Path(__file__).parents[1] / "golden" / "gear" / "running-frr-8.4.txt").read_text(encoding="utf-8")
KEY = "<secret ospf/loc-ninh>"


class Store:
    """One secret for every name."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret("abcdef0123456789")


INTENT = leaves(
    f"""
service integrated-vtysh-config
ip forwarding
bfd
 profile lienthong
  detect-multiplier 5
  transmit-interval 190
  receive-interval 190
router ospf
 ospf router-id 10.0.47.1
interface vlan10
 description loc-ninh users
 ip address 10.0.40.1/24
 ip ospf passive
 ip ospf area 0
interface tslcd-a
 description office by tslcd-a
 ip address 172.16.0.41/31
 ip ospf authentication message-digest
 ip ospf message-digest-key 1 md5 {KEY}
 ip ospf network point-to-point
 ip ospf cost 10
 ip ospf hello-interval 1
 ip ospf dead-interval 4
 ip ospf bfd
 ip ospf bfd profile lienthong
 ip ospf area 0
ip route 172.30.0.10/32 172.16.93.185 tag 227
"""
)


def running(text: str = RUNNING) -> tuple[Line, ...]:
    return FRR.parse(Veil(Store(), INTENT).conceal(text))


def commands(text: str) -> tuple[str, ...]:
    diff = compare(FRR, INTENT, running(text))
    return FRR.commands(diff.removed, diff.added)


def test_what_frr_prints_of_an_applied_intent_is_no_difference() -> None:
    diff = compare(FRR, INTENT, running())
    assert not diff
    assert diff.owned == len(INTENT)


def test_foreign_lines_are_never_touched() -> None:
    foreign = "ntp server 1.2.3.4\n"
    foreign += "interface eth9\n ip address 192.0.2.1/24\n shutdown\nexit\nip route 192.0.2.0/24 Null0\n"
    foreign += "interface vlan10\n ipv6 address 2001:db8::1/64\nexit\n"
    foreign += "router bgp 65000\n no bgp ebgp-requires-policy\nexit\n"
    assert commands(RUNNING + foreign) == ()


@pytest.mark.parametrize(
    ("old", "new", "typed"),
    [
        ("description loc-ninh users", "description old", ("description loc-ninh users",)),
        ("ip ospf cost 10", "ip ospf cost 70", ("ip ospf cost 10",)),
        (
            "ip address 10.0.40.1/24",
            "ip address 10.9.9.1/24",
            ("no ip address 10.9.9.1/24", "ip address 10.0.40.1/24"),
        ),
        (
            "ip address 10.0.40.1/24",
            "ip address 10.0.40.1/24\n ip address 10.9.9.1/24",
            ("no ip address 10.9.9.1/24",),
        ),
        (
            "abcdef0123456789",
            "someone-else",
            ("no ip ospf message-digest-key 1", f"ip ospf message-digest-key 1 md5 {KEY}"),
        ),
        (
            "ospf router-id 10.0.47.1",
            "ospf router-id 10.0.47.1\n redistribute connected",
            ("no redistribute connected",),
        ),
    ],
)
def test_the_least_is_typed_inside_its_section(old: str, new: str, typed: tuple[str, ...]) -> None:
    found = commands(RUNNING.replace(old, new))
    assert found[1:-1] == typed
    assert found[0].startswith(("interface ", "router ospf"))
    assert found[-1] == "exit"


def test_a_route_changes_its_next_hop_without_a_moment_in_between() -> None:
    assert commands(RUNNING.replace("172.16.93.185 tag 227", "172.16.93.99")) == (
        "ip route 172.30.0.10/32 172.16.93.185 tag 227",
        "no ip route 172.30.0.10/32 172.16.93.99",
    )


def test_a_route_of_ours_that_is_no_longer_wanted_goes() -> None:
    assert commands(RUNNING + "ip route 10.99.0.0/16 172.16.93.185 tag 227\n") == (
        "no ip route 10.99.0.0/16 172.16.93.185 tag 227",
    )


def test_forwarding_that_is_off_is_turned_on() -> None:
    assert commands(RUNNING + "no ip forwarding\n") == ("ip forwarding",)


def test_a_profile_that_nobody_wants_goes_as_a_whole() -> None:
    intent = tuple(line for line in INTENT if line[0] != "bfd")
    diff = compare(FRR, intent, running())
    assert FRR.commands(diff.removed, diff.added) == ("bfd", "no profile lienthong", "exit")


def test_no_secret_is_in_what_is_shown() -> None:
    shown = Veil(Store(), INTENT).conceal(RUNNING.replace("abcdef0123456789", "someone-else"))
    assert "someone-else" not in shown
    assert " md5 <other secret>" in shown
    assert KEY in Veil(Store(), INTENT).conceal(RUNNING)
    assert "description the password office" in Veil(Store(), ()).conceal(" description the password office")


@given(st.sets(st.sampled_from(INTENT)), st.sets(st.sampled_from(INTENT)))
def test_the_future_is_the_intent(has: set[Line], wants: set[Line]) -> None:
    intent = tuple(line for line in INTENT if line in wants)
    now = tuple(line for line in INTENT if line in has)
    after = future(now, compare(FRR, intent, now))
    assert {line for line in after if FRR.owns(line, frozenset(intent))} == set(intent)


def ovsdb(ports: dict[str, dict[str, Any]], bridge: str = "br-lan", ours: bool = True) -> str:
    """What ovs-vsctl prints: bridges, ports, interfaces (RFC 7047 notation)."""
    mark = ["map", [["owner", "lienthong"]] if ours else []]

    def table(columns: list[str], rows: list[list[Any]]) -> str:
        return json.dumps({"headings": columns, "data": rows})

    every = {bridge: {"internal": True}, **ports}
    bridges = [[bridge, "netdev", "standalone", mark, ["set", [["uuid", f"p-{name}"] for name in every]]]]
    rows = [
        [["uuid", f"p-{name}"], name, port.get("mode", ["set", []]), port.get("tag", ["set", []]),
         ["set", port.get("trunks", [])], ["map", []] if port.get("foreign") else mark, ["uuid", f"i-{name}"]]
        for name, port in every.items()
    ]  # fmt: skip
    legs = [
        [
            ["uuid", f"i-{name}"],
            name,
            "internal" if port.get("internal") else "",
            port.get("error", ["set", []]),
        ]
        for name, port in every.items()
    ]
    return "\n".join(
        [
            table(["name", "datapath_type", "fail_mode", "external_ids", "ports"], bridges),
            table(["_uuid", "name", "vlan_mode", "tag", "trunks", "external_ids", "interfaces"], rows),
            table(["_uuid", "name", "type", "error"], legs),
        ]
    )


SWITCH: dict[str, dict[str, Any]] = {
    "e1": {"mode": "trunk", "trunks": [10, 20]},
    "e2": {"mode": "access", "tag": 10},
    "e24": {"mode": "access", "tag": 999, "error": "no such device"},
    "vlan40": {"mode": "access", "tag": 40, "internal": True},
}
WANTED: tuple[Line, ...] = (
    ("bridge br-lan netdev standalone",),
    ("port br-lan e1 trunk 10,20",),
    ("port br-lan e2 access 10",),
    ("port br-lan e24 access 999",),
    ("port br-lan vlan40 access 40 internal",),
)


def vsctl(text: str) -> str:
    diff = compare(OVS, WANTED, OVS.parse(text))
    return "".join(OVS.commands(diff.removed, diff.added)).removeprefix("sudo -n ovs-vsctl --timeout=20 -- ")


def test_a_switch_as_intended_is_no_difference() -> None:
    assert vsctl(ovsdb(SWITCH)) == ""


def test_foreign_ports_and_bridges_stay() -> None:
    theirs = {"x7": {"mode": "access", "tag": 77, "foreign": True}}
    assert vsctl(ovsdb({**SWITCH, **theirs})) == ""
    assert compare(OVS, (), OVS.parse(ovsdb(theirs, "br-other", ours=False))).removed == ()


def test_only_the_port_that_differs_is_set() -> None:
    ports = {**SWITCH, "e2": {"mode": "access", "tag": 20}}
    assert vsctl(ovsdb(ports)) == (
        "--may-exist add-port br-lan e2"
        " -- set port e2 vlan_mode=access tag=10 trunks=[] external_ids:owner=lienthong"
    )


def test_a_port_of_ours_that_is_no_longer_wanted_goes() -> None:
    assert vsctl(ovsdb({**SWITCH, "e9": {"mode": "access", "tag": 10}})) == "--if-exists del-port br-lan e9"


def test_a_foreign_port_that_the_plan_wants_is_taken_over() -> None:
    assert "set port e2" in vsctl(ovsdb({**SWITCH, "e2": {**SWITCH["e2"], "foreign": True}}))


def test_a_used_port_without_a_device_is_a_difference() -> None:
    broken = {**SWITCH, "e2": {**SWITCH["e2"], "error": "could not open network device e2"}}
    assert compare(OVS, WANTED, OVS.parse(ovsdb(broken))).removed == (("port br-lan e2 access 10 absent",),)


def test_a_bare_switch_is_made_in_one_transaction() -> None:
    text = "\n".join(json.dumps({"headings": ["name"], "data": []}) for _ in range(3))
    assert vsctl(text).startswith("--may-exist add-br br-lan -- set bridge br-lan datapath_type=netdev")
    diff = compare(OVS, WANTED, OVS.parse(text))
    assert len(OVS.commands(diff.removed, diff.added)) == 1


@pytest.mark.parametrize("text", ["", "{", '{"headings": ["a"], "data": [[1, 2]]}', "Permission denied"])
def test_an_answer_that_is_no_database_is_an_error(text: str) -> None:
    with pytest.raises(LienThongError):
        OVS.parse(text)


LEFT = """interface ta5
 description loc-ninh tslcd-a
 ip address 172.16.0.40/31
 ip ospf area 0
 ip ospf cost 10
 ip ospf message-digest-key 1 md5 gone
exit
"""


def test_a_section_of_ours_whose_interface_left_the_plan_goes_with_its_key() -> None:
    assert commands(RUNNING + LEFT) == (
        "interface ta5",
        "no description",
        "no ip address 172.16.0.40/31",
        "no ip ospf area 0",
        "no ip ospf cost 10",
        "no ip ospf message-digest-key 1",
        "exit",
        "no interface ta5",
    )


def test_a_switch_port_that_is_used_again_is_no_longer_shut() -> None:
    typed = commands(RUNNING + "interface e3\n description unused\n shutdown\nexit\n")
    assert typed == ("interface e3", "no description", "no shutdown", "exit", "no interface e3")


def test_a_bare_section_of_ours_goes_only_while_the_plan_has_no_use_for_it() -> None:
    assert commands(RUNNING + "interface tb5\nexit\n") == ("no interface tb5",)
    emptied = "".join(part for part in RUNNING.split("interface vlan10")[:1]) + "interface vlan10\nexit\n"
    assert "no interface vlan10" not in commands(emptied)


@pytest.mark.parametrize("name", ["eth0", "mgmt0", "vlan77", "ta5x", "tax5", "eno1", "lo", "wg-net", "e100"])
def test_a_section_of_another_name_stays_whatever_it_holds(name: str) -> None:
    assert commands(RUNNING + LEFT.replace("ta5", name)) == ()


def test_what_stays_of_a_section_is_never_dropped_with_it() -> None:
    """An address by hand goes; the interface may be away just now, and its section must stay."""
    found = commands(
        RUNNING.replace("ip address 10.0.40.1/24", "ip address 10.0.40.1/24\n ip address 10.9.9.1/24")
    )
    assert "no interface vlan10" not in found


def test_that_an_interface_is_there_is_no_refusal() -> None:
    said = "% Configuration failed.\n\nError type: validation\nError description: "
    assert not any(
        re.search(pattern, said + "only inactive interfaces can be deleted", re.M) for pattern in FRR.errors
    )
    assert any(re.search(pattern, said + "something else", re.M) for pattern in FRR.errors)
