"""The plan: nothing overlaps, nobody moves, and no flow joins the two sides."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import InventoryError
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory, Site
from lienthong.model.words import Role, Side, Zone
from lienthong.plan import addressing
from lienthong.plan.build import build
from lienthong.plan.policy import forward_rules, forwarding, input_rules

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(ROOT / "inventory")


@pytest.fixture(scope="module")
def plan(inventory: Inventory) -> ProvincePlan:
    return build(inventory)


def test_the_province_is_whole(plan: ProvincePlan) -> None:
    kinds = [site.site.kind for site in plan.sites.values()]
    assert kinds.count("district") == 11
    assert kinds.count("provincial-office") == 1
    assert kinds.count("attached-committee") == 4
    assert kinds.count("board") == 5


def test_a_district_is_one_short_file() -> None:
    lines = (ROOT / "inventory/sites/loc-ninh.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 15


def test_no_prefix_overlaps_another(plan: ProvincePlan) -> None:
    prefixes = [s.prefix for site in plan.sites.values() for s in site.segments.values()]
    prefixes += [
        interface.address.network
        for node in plan.nodes.values()
        if node.device
        for interface in node.device.interfaces
        if interface.name.startswith("t") and "tinh-uy" in node.name
    ]
    assert not [(a, b) for a, b in combinations(prefixes, 2) if a.overlaps(b)]


def test_no_address_is_given_twice(plan: ProvincePlan) -> None:
    addresses = [node.address for node in plan.nodes.values()]
    assert len(addresses) == len(set(addresses))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2998), min_size=2, max_size=6, unique=True))
def test_sites_never_share_addresses(inventory: Inventory, numbers: list[int]) -> None:
    province = inventory.province
    blocks = [addressing.block(province, side, n) for n in numbers for side in Side]
    links = [
        addressing.link(province, n, index)[0].network
        for n in numbers
        for index in range(addressing.LINKS_PER_SITE)
    ]
    assert not [(a, b) for a, b in combinations([*blocks, *links], 2) if a.overlaps(b)]


def test_nobody_moves_when_a_site_is_removed(inventory: Inventory, plan: ProvincePlan) -> None:
    fewer = {slug: site for slug, site in inventory.sites.items() if slug != "bu-dang"}
    after = build(Inventory(province=inventory.province, sites=fewer))
    for name, node in after.nodes.items():
        before = plan.nodes[name]
        assert (node.address, node.fqdn, node.segment) == (before.address, before.fqdn, before.segment)


def test_no_flow_joins_the_sides(plan: ProvincePlan, inventory: Inventory) -> None:
    province = inventory.province
    pools = {Side.WAN: province.wan_pool, Side.NET: province.net_pool}
    other = {Side.WAN: Side.NET, Side.NET: Side.WAN}
    for site in plan.sites.values():
        for flow in site.flows:
            for network in (*flow.src.networks, *flow.dst.networks):
                assert network.prefixlen == 0 or not network.overlaps(pools[other[flow.side]]), flow.id
            if flow.side is Side.WAN:
                assert "internet" not in {flow.src.label, flow.dst.label}, flow.id


def test_no_node_has_a_leg_in_both(plan: ProvincePlan, inventory: Inventory) -> None:
    pools = {Side.WAN: inventory.province.wan_pool, Side.NET: inventory.province.net_pool}
    for node in plan.nodes.values():
        if node.device is None:
            continue
        sides = {
            side
            for interface in node.device.interfaces
            for side, pool in pools.items()
            if interface.address.ip in pool
        }
        assert sides == {node.side}, node.name


def test_flow_ids_are_unique(plan: ProvincePlan) -> None:
    for site in plan.sites.values():
        ids = [flow.id for flow in site.flows]
        assert len(ids) == len(set(ids))


def test_users_reach_servers_and_nothing_else_of_their_site(plan: ProvincePlan) -> None:
    gateway = plan.nodes["loc-ninh-gw-wan"]
    opened = {
        (rule.oif, rule.flow.proto, rule.flow.ports)
        for rule in forward_rules(plan, gateway)
        if rule.iif == ("vlan10",)
    }
    assert (("vlan20",), "tcp", ((443, 443),)) in opened
    assert {oif for oif, _, _ in opened} == {("vlan20",), ("tslcd-a", "tslcd-b")}


def test_users_of_the_internet_side_reach_the_internet_by_the_line_only(plan: ProvincePlan) -> None:
    gateway = plan.nodes["loc-ninh-gw-net"]
    ways = {rule.oif for rule in forward_rules(plan, gateway) if rule.iif == ("vlan100",)}
    assert ways == {("inet0",)}


def test_the_portal_is_published_and_nothing_else(plan: ProvincePlan) -> None:
    office = forwarding(plan, plan.nodes["tinh-uy-gw-net"])
    portal = plan.nodes["tinh-uy-portal"].address
    assert office.dnat == (("inet0", "tcp", 443, portal),)
    assert forwarding(plan, plan.nodes["loc-ninh-gw-net"]).dnat == ()


def test_hosts_take_in_only_their_flows(plan: ProvincePlan) -> None:
    vault = plan.nodes["tinh-uy-vault-net"]
    opened = {(rule.flow.origin, rule.flow.proto, rule.flow.ports) for rule in input_rules(plan, vault)}
    assert opened == {
        ("matrix", "tcp", ((22, 22),)),
        ("infrastructure", "icmp", ()),
        ("monitoring", "icmp", ()),
        ("monitoring", "tcp", ((9100, 9100),)),
    }


def test_media_between_districts_passes_the_office(plan: ProvincePlan) -> None:
    gateway = plan.nodes["tinh-uy-gw-wan"]
    transit = [rule.flow for rule in forward_rules(plan, gateway) if rule.flow.transit]
    assert {(flow.origin, flow.proto) for flow in transit} == {("videoconf", "udp")}


def test_a_service_that_needs_what_nobody_runs_is_an_error(inventory: Inventory) -> None:
    office = inventory.sites["tinh-uy"]
    gateway = office.devices["gw-wan"].model_copy(update={"runs": {"dns": {"forward_node": "nobody"}}})
    broken = office.model_copy(update={"devices": {**office.devices, "gw-wan": gateway}})
    with pytest.raises(InventoryError, match="nobody"):
        build(Inventory(province=inventory.province, sites={**inventory.sites, "tinh-uy": broken}))


def test_switch_trunks_carry_the_side_and_only_it(plan: ProvincePlan) -> None:
    for site in plan.sites.values():
        for node in site.nodes.values():
            if node.device is None or node.device.role is not Role.SWITCH:
                continue
            vlans = {s.vlan for s in site.segments.values() if s.side is node.side}
            (trunk,) = [port for port in node.device.bridges[0].ports if port.trunk]
            assert set(trunk.vlans) == vlans


def test_every_zone_has_its_own_place() -> None:
    for side in Side:
        places = [place for (s, _), place in addressing.PLACES.items() if s is side]
        assert len(places) == len(set(places))
        assert max(places) < addressing.INFRASTRUCTURE_PLACE
    assert {zone for _, zone in addressing.PLACES} == set(Zone)


def test_site_type_is_frozen(inventory: Inventory) -> None:
    site: Site = inventory.sites["loc-ninh"]
    with pytest.raises(ValueError, match="frozen"):
        site.number = 6


def test_other_sites_are_reached_by_the_tunnel_and_strangers_by_the_line(plan: ProvincePlan) -> None:
    gateway = plan.nodes["loc-ninh-gw-net"]
    office = plan.sites["tinh-uy"].segments["net-management"].prefix
    ways = {rule.iif for rule in forward_rules(plan, gateway) if office in rule.src}
    assert ways == {("wg-net",)}
    back = {rule.oif for rule in forward_rules(plan, gateway) if rule.flow.origin == "logs"}
    assert back == {("wg-net",)}


def test_rules_speak_of_their_own_side_only(plan: ProvincePlan, inventory: Inventory) -> None:
    foreign = {Side.WAN: inventory.province.net_pool, Side.NET: inventory.province.wan_pool}
    for node in plan.nodes.values():
        for rule in (*forward_rules(plan, node), *input_rules(plan, node)):
            assert rule.flow.side is node.side
            inner = [n for n in (*rule.src, *rule.dst) if n.prefixlen > 0]
            assert not [n for n in inner if n.overlaps(foreign[node.side])], (node.name, rule.flow.id)


def test_router_ids_are_addresses_of_hosts(plan: ProvincePlan) -> None:
    ids = {n.name: n.device.router_id for n in plan.nodes.values() if n.device and n.device.router_id}
    assert str(ids["loc-ninh-gw-wan"]) == "10.0.47.1"
    assert len(set(ids.values())) == len(ids) == 21
