"""A system that is declared yields its flows, with their reasons, and its name; and no more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lienthong.inventory import load
from lienthong.inventory.rules import check
from lienthong.model.intent import Flow, ProvincePlan
from lienthong.model.site import Inventory, Site
from lienthong.plan.build import build
from lienthong.plan.policy import forward_rules

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = load(ROOT / "inventory")


def with_site(slug: str, **changes: Any) -> Inventory:
    """The inventory of the repository with some keys of one site replaced, rules checked."""
    raw = INVENTORY.sites[slug].model_dump(by_alias=True, exclude_none=True)
    site = Site.model_validate({**raw, **changes})
    inventory = Inventory(province=INVENTORY.province, sites={**INVENTORY.sites, slug: site})
    problems = check(inventory, {name: (lambda path: str(path)) for name in inventory.sites})
    assert not problems, problems
    return inventory


def of_system(plan: ProvincePlan, site: str) -> list[Flow]:
    return [flow for flow in plan.sites[site].flows if flow.origin == "system-test"]


def system(**keys: Any) -> dict[str, Any]:
    return {"test": {"name": {"vi": "Thử", "en": "Test"}, "host": "srv", **keys}}


def test_the_meeting_room_is_reached_from_the_office_and_says_why() -> None:
    plan = build(INVENTORY)
    opened = [f for f in plan.sites["loc-ninh"].flows if f.origin == "system-meeting"]
    assert [(f.src.label, f.dst.label, f.ports, f.reason) for f in opened] == [
        ("tinh-uy-svc-wan", "loc-ninh-srv", ((443, 443),), "is it there?"),
        ("tinh-uy/users", "loc-ninh-srv", ((443, 443),), "the office joins meetings of districts"),
    ]
    for site in ("loc-ninh", "tinh-uy"):
        gateway = plan.sites[site].node("gw-wan")
        assert any(rule.flow.origin == "system-meeting" for rule in forward_rules(plan, gateway)), site
    assert "meeting.loc-ninh.wan.binhphuoc.internal" in plan.nodes["loc-ninh-srv"].names


def test_a_system_for_all_sites_passes_the_office_and_nothing_else() -> None:
    reached = [{"zone": "users", "sites": "all", "ports": [8443, 8080], "why": "shared by the province"}]
    plan = build(with_site("loc-ninh", systems=system(reached_by=reached)))
    transit = [flow for flow in of_system(plan, "tinh-uy") if flow.transit]
    assert [(f.dst.label, f.ports) for f in transit] == [("loc-ninh-srv", ((8080, 8080), (8443, 8443)))]
    assert [f.dst.label for f in of_system(plan, "bu-dang")] == ["loc-ninh-srv"]
    hub = plan.sites["tinh-uy"].node("gw-wan")
    assert any(r.flow.transit and r.flow.origin == "system-test" for r in forward_rules(plan, hub))


def test_a_system_of_central_is_reached_by_way_of_the_office() -> None:
    reaches = [{"outside": "central-wan", "ports": [443], "why": "records of members"}]
    plan = build(with_site("loc-ninh", systems=system(reaches=reaches)))
    assert [(f.src.label, f.dst.label) for f in of_system(plan, "loc-ninh")] == [
        ("loc-ninh-srv", "central-wan")
    ]
    assert [flow.transit for flow in of_system(plan, "tinh-uy")] == [True]
    assert not of_system(plan, "bu-dang")


def test_without_a_declaration_nothing_is_opened() -> None:
    assert not of_system(build(with_site("loc-ninh", systems=system())), "loc-ninh")


@pytest.fixture(scope="module")
def two_switches() -> ProvincePlan:
    raw = INVENTORY.sites["bu-dang"].model_dump(by_alias=True, exclude_none=True)
    second = {
        "role": "switch",
        "side": "wan",
        "platform": "linux-sw",
        "id": 3,
        "ports": {
            "e1": {"device": "sw-wan", "far_port": "e20", "carries": ["users", "management"]},
            "e2": {"segment": "users"},
        },
    }
    raw["devices"]["sw-wan"]["ports"]["e20"] = {
        "device": "sw-two",
        "far_port": "e1",
        "carries": ["users", "management"],
    }
    return build(with_site("bu-dang", devices={**raw["devices"], "sw-two": second}))


def test_a_trunk_between_switches_carries_what_it_says(two_switches: ProvincePlan) -> None:
    for name, port in (("bu-dang-sw-wan", "e20"), ("bu-dang-sw-two", "e1")):
        device = two_switches.nodes[name].device
        assert device is not None
        (trunk,) = [p for p in device.bridges[0].ports if p.name == port]
        assert trunk.trunk and trunk.vlans == (10, 40)


def test_a_cable_between_switches_is_one_cable(two_switches: ProvincePlan) -> None:
    ends = [
        {(c.a, c.a_port), (c.b, c.b_port)}
        for c in two_switches.sites["bu-dang"].cables
        if "bu-dang-sw-two" in {c.a, c.b}
    ]
    assert ends == [{("bu-dang-sw-two", "e1"), ("bu-dang-sw-wan", "e20")}]


def test_every_segment_and_node_has_a_v6_prefix_of_its_own() -> None:
    plan = build(INVENTORY)
    prefixes = [s.prefix6 for site in plan.sites.values() for s in site.segments.values()]
    assert None not in prefixes
    assert len(set(prefixes)) == len(prefixes)
    node = plan.nodes["loc-ninh-srv"]
    assert str(node.segment.prefix6) == "fd5a:6c69:6e00:514::/64"
    assert str(node.address6) == "fd5a:6c69:6e00:514::a"
