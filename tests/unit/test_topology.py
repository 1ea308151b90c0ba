"""The lab's network is the plan's: every cable once, no way between the sides, a range of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.lab.topology import ISP, TSLCD, Link, Plug, Topology, default_sites, derive
from lienthong.model.intent import L3Interface, ProvincePlan
from lienthong.model.words import Side, UplinkKind
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]
SITES = ("tinh-uy", "loc-ninh")


@cache
def plan() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


@cache
def topology() -> Topology:
    return derive(plan(), SITES)


def sides(links: Iterable[Link]) -> list[set[Side]]:
    """The sides that each connected part of the network touches."""
    parts: list[set[str]] = []
    for link in links:
        ends = {link.a.node, link.b.node}
        touched = [part for part in parts if part & ends]
        parts = [part for part in parts if not part & ends] + [ends.union(*touched)]
    side = {node.name: node.side for node in plan().nodes.values()}
    side |= {probe.name: probe.side for probe in topology().probes}
    side |= {TSLCD: Side.WAN, ISP: Side.NET}
    side |= {end.name: end.side for end in topology().central}
    return [{side[name] for name in part} for part in parts]


def test_no_cable_joins_the_two_sides() -> None:
    assert {tuple(found) for found in sides(topology().links)} == {(Side.WAN,), (Side.NET,)}
    assert len(sides(topology().links)) == 2


def test_a_cable_between_the_sides_would_be_seen() -> None:
    join = Link(Plug("loc-ninh-sw-wan", "e9"), Plug("loc-ninh-sw-net", "e9"))
    assert sides([*topology().links, join]) == [{Side.WAN, Side.NET}]


def test_every_socket_holds_one_cable() -> None:
    plugs = [plug for link in topology().links for plug in (link.a, link.b)]
    assert len(plugs) == len(set(plugs))
    assert all(len(plug.port) <= 15 for plug in plugs)


def test_every_cable_ends_at_something_that_is_started() -> None:
    started = {system.name for system in topology().systems} | {probe.name for probe in topology().probes}
    assert {plug.node for link in topology().links for plug in (link.a, link.b)} <= started


def test_every_node_and_every_probe_port_of_the_sites_is_there() -> None:
    names = {system.name for system in topology().systems if not system.outside}
    assert names == {name for name, node in plan().nodes.items() if node.site in SITES}
    ports = {(p.node, p.port) for slug in SITES for p in plan().sites[slug].probes}
    assert ports
    assert ports <= {(link.a.node, link.a.port) for link in topology().links}


def test_probes_stand_where_the_segment_says() -> None:
    probe = next(p for p in topology().probes if p.name == "probe-loc-ninh-users")
    segment = plan().sites["loc-ninh"].segments["users"]
    assert (probe.address.ip, probe.gateway) == (segment.probe, segment.gateway)
    assert probe.address.network == segment.prefix


def test_lines_carry_what_the_plan_says() -> None:
    a = topology().line("loc-ninh", "tslcd-a")
    assert (a.bridge, a.vlan) == ("br-a", 1005)
    assert a.link == Link(Plug("loc-ninh-gw-wan", "tslcd-a"), Plug(TSLCD, "a-5"))
    assert topology().line("tinh-uy", "tslcd-b").vlan is None
    internet = topology().line("loc-ninh", "inet0")
    uplink = next(u for u in plan().sites["loc-ninh"].uplinks if u.kind is UplinkKind.INTERNET)
    assert internet.provider_address is not None and uplink.address is not None
    assert internet.provider_address.ip == uplink.peer
    assert uplink.address.ip in internet.provider_address.network


def test_an_unknown_line_names_those_there_are() -> None:
    with pytest.raises(LienThongError, match="no line tslcd-c") as caught:
        topology().line("loc-ninh", "tslcd-c")
    assert "loc-ninh tslcd-a" in caught.value.hint


def test_central_sits_opposite_the_hubs_interface() -> None:
    central = next(end for end in topology().central if end.name == "central-wan")
    hub = next(i for i in device_interfaces("tinh-uy-gw-wan") if i.name == "tac")
    assert central.link is not None
    assert central.gateway == hub.address.ip != central.link.ip
    assert central.link.network == hub.address.network
    assert topology().central_vlan == 3999


def device_interfaces(node: str) -> tuple[L3Interface, ...]:
    device = plan().nodes[node].device
    assert device is not None
    return device.interfaces


def test_without_the_hub_there_is_no_central_on_the_wan_side() -> None:
    alone = derive(plan(), ["loc-ninh"])
    assert [end.name for end in alone.central] == ["central-net"]


def test_management_addresses_are_unique_and_outside_the_plan() -> None:
    found = topology()
    assert len(set(found.addresses.values())) == len(found.systems)
    assert found.controller.ip not in found.addresses.values()
    assert all(address in found.management for address in found.addresses.values())
    for site in plan().sites.values():
        for segment in site.segments.values():
            assert not segment.prefix.overlaps(found.management)


def test_management_gives_way_to_the_plan() -> None:
    site = plan().sites["loc-ninh"]
    segment = replace(site.segments["users"], prefix=IPv4Network("10.255.3.0/24"))
    taken = replace(site, segments={**site.segments, "users": segment})
    moved = replace(plan(), sites={**plan().sites, "loc-ninh": taken})
    assert derive(moved, SITES).management != topology().management


def test_gear_may_make_interfaces_of_its_own() -> None:
    tun = {system.name: system.tun for system in topology().systems}
    assert tun["loc-ninh-sw-wan"] and tun["loc-ninh-gw-net"] and tun[TSLCD]
    assert not tun["loc-ninh-srv"]


def test_an_unknown_site_is_refused() -> None:
    with pytest.raises(LienThongError, match="no site 'nowhere'"):
        derive(plan(), ["nowhere"])


def test_the_office_and_a_district_are_the_default() -> None:
    assert default_sites(plan()) == SITES
