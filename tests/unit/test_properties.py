"""Addressing: nothing overlaps, and nobody moves when another site comes or goes, whatever its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_network
from itertools import groupby
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lienthong.inventory import load
from lienthong.model.intent import Node, ProvincePlan, SitePlan
from lienthong.model.site import Inventory, Site
from lienthong.model.words import VLANS, Side, Zone
from lienthong.plan import addressing
from lienthong.plan.build import build
from tests.examples import properties

ROOT = Path(__file__).resolve().parents[2]
#: (slug, number, which zones beside management it has, whether it has a second line)
Sketch = tuple[str, int, frozenset[tuple[Side, Zone]], bool]
ALWAYS = ("tinh-uy", "loc-ninh")
ZONES = sorted(set(VLANS) - {(side, Zone.MANAGEMENT) for side in Side})


@cache
def inventory() -> Inventory:
    return load(ROOT / "inventory")


def sketches(least: int) -> st.SearchStrategy[list[Sketch]]:
    """Sites with random names, numbers, zones and lines; numbers and names differ."""
    slug = st.from_regex(r"[a-z][a-z0-9]{1,6}", fullmatch=True).filter(lambda name: name not in ALWAYS)
    # neighbours too, since what is cut too small touches the next one; Lộc Ninh has 5
    anyone = st.one_of(st.integers(1, 9), st.integers(1, addressing.CENTRAL_NUMBER - 1))
    number = anyone.filter(lambda n: n != 5)
    one = st.tuples(slug, number, st.frozensets(st.sampled_from(ZONES)), st.booleans())
    return st.lists(one, min_size=least, max_size=5, unique_by=(lambda s: s[0], lambda s: s[1]))


def site(sketch: Sketch) -> Site:
    """A board with other zones, name and number; its Internet address follows from the number."""
    slug, number, zones, second = sketch
    like = inventory().sites["loc-ninh" if second else "ban-to-chuc"].model_dump(by_alias=True)
    keep = {(s["side"], s["zone"]): name for name, s in like["segments"].items()}
    like["segments"] = {
        name: s for name, s in like["segments"].items() if s["zone"] is Zone.MANAGEMENT
    } | {
        keep.get(zone, f"x-{zone[0]}-{zone[1]}"[:20]): {"side": zone[0], "zone": zone[1]} for zone in zones
    }  # fmt: skip
    like["hosts"], like["systems"] = {}, {}
    for device in like["devices"].values():
        device["ports"] = {name: port for name, port in device["ports"].items() if port["device"] is not None}
    first = 203 << 24 | number << 2
    like["uplinks"]["inet0"] |= {"address": f"{_dotted(first + 2)}/30", "gateway": _dotted(first + 1)}
    return Site.model_validate(like | {"slug": slug, "number": number})


def _dotted(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def planned(sites: Iterable[Sketch]) -> ProvincePlan:
    """The plan of these sites, of the office, and of a district that runs what the office's services need."""
    every = {slug: inventory().sites[slug] for slug in ALWAYS} | {sketch[0]: site(sketch) for sketch in sites}
    return build(Inventory(province=inventory().province, sites=dict(sorted(every.items()))))


def overlaps(networks: Iterable[Any]) -> list[tuple[str, str]]:
    """Pairs of networks that share an address."""
    found = []
    for _, family in groupby(sorted(networks, key=lambda n: (n.version, n)), key=lambda n: n.version):
        widest: Any = None
        for network in family:
            if widest is not None and network.network_address <= widest.broadcast_address:
                found.append((str(widest), str(network)))
            if widest is None or network.broadcast_address > widest.broadcast_address:
                widest = network
    return found


def twice(values: Iterable[Any]) -> list[Any]:
    """Values that come more than once."""
    return sorted(str(value) for value, times in Counter(values).items() if times > 1)


def links(node: Node) -> list[Any]:
    """Addresses of the lines and tunnels of a gateway."""
    lines = [i.address for i in node.device.interfaces if i.ospf is not None] if node.device else []
    return [*lines, *{tunnel.address for tunnel in node.tunnels}]


@properties(30)
@given(sketches(0))
def test_nothing_overlaps(sites: list[Sketch]) -> None:
    plan = planned(sites)
    segments = [segment for one in plan.sites.values() for segment in one.segments.values()]
    prefixes = [s.prefix for s in segments] + [s.prefix6 for s in segments if s.prefix6 is not None]
    devices = [node.device for node in plan.nodes.values() if node.device is not None]
    routers = [ip_network(device.router_id) for device in devices if device.router_id is not None]
    ends = [address for node in plan.nodes.values() for address in set(links(node))]
    both = Counter(address.network for address in ends)
    assert twice(ends) == []
    assert overlaps([*prefixes, *routers, *both]) == []
    # a /31 is seen from both of its ends, and from nowhere else
    assert set(both.values()) <= {2}
    for name in ("address", "address6", "fqdn"):
        assert twice(getattr(n, name) for n in plan.nodes.values() if getattr(n, name) is not None) == []
    for one in plan.sites.values():
        assert twice((s.side, s.vlan) for s in one.segments.values()) == []
        for segment in one.segments.values():
            assert segment.gateway in segment.prefix
            assert segment.prefix6 is not None
    handed = [
        u.vlan for slug, one in plan.sites.items() for u in one.uplinks if u.vlan and u.name == "tslcd-a"
    ]
    assert twice(handed) == []
    assert all(1 <= vlan <= 4094 for vlan in handed)


def still(one: SitePlan) -> dict[str, object]:
    """What must not change about a site when another comes or goes."""
    hub = one.site.hub
    return {
        "segments": one.segments,
        "uplinks": one.uplinks,
        "cables": one.cables,
        "probes": one.probes,
        "nodes": {
            name: (node.fqdn, node.address, node.address6, node.segment, node.names, node.services)
            for name, node in one.nodes.items()
        },
        # the office has a line and a tunnel to each site: only those of the others stay
        "devices": {
            name: (node.device and node.device.router_id, None if hub else (node.device, node.tunnels))
            for name, node in one.nodes.items()
        },
    }


@properties(30)
@given(sketches(1))
def test_a_site_that_comes_or_goes_moves_nobody(sites: list[Sketch]) -> None:
    before, after = planned(sites[1:]), planned(sites)
    for slug, one in before.sites.items():
        assert still(after.sites[slug]) == still(one), slug
    gone = after.sites[sites[0][0]]
    for node in before.sites["tinh-uy"].nodes.values():
        now = after.nodes[node.name]
        if node.device is not None and now.device is not None:
            assert set(node.device.interfaces) <= set(now.device.interfaces)
            assert set(node.tunnels) <= set(now.tunnels)
            for here, there in zip(node.device.bridges, now.device.bridges, strict=True):
                assert {(port.name, port.internal) for port in here.ports} <= {
                    (port.name, port.internal) for port in there.ports
                }
            new = {i.description.split()[0] for i in {*now.device.interfaces} - {*node.device.interfaces}}
            assert new <= {gone.site.slug}


@properties(10)
@given(sketches(1), st.randoms())
def test_the_order_of_sites_does_not_matter(sites: list[Sketch], random: Any) -> None:
    other = list(sites)
    random.shuffle(other)
    assert {s: still(p) for s, p in planned(sites).sites.items()} == {
        s: still(p) for s, p in planned(other).sites.items()
    }


def test_a_change_of_places_would_be_seen() -> None:
    sketch: Sketch = ("a1", 7, frozenset(ZONES), True)
    good = overlaps([s.prefix for s in planned([sketch]).sites["a1"].segments.values()])
    assert good == []
    assert overlaps([ip_network("10.0.0.0/24"), ip_network("10.0.0.128/25"), ip_network("fd00::/64")]) != []
    assert twice([1, 2, 1]) == ["1"]
