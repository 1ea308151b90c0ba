"""The drawing of a site: everything of the plan is there, nothing overlaps, nothing leaves the sheet."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from lienthong.inventory import load
from lienthong.model.finding import Status
from lienthong.model.intent import ProvincePlan, SitePlan
from lienthong.model.words import Side
from lienthong.plan.build import build
from lienthong.report import drawing, labels

NS = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]
Box = tuple[float, float, float, float]


@cache
def province() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


def site(slug: str) -> SitePlan:
    return province().sites[slug]


def draw(plan: SitePlan, worst: dict[str, Status] | None = None, *, standalone: bool = True) -> ET.Element:
    return ET.fromstring(drawing.draw(plan, worst or {}, standalone=standalone))


def boxes(svg: ET.Element, css: str) -> list[Box]:
    """Left, top, right, bottom of each rectangle of a class."""
    found = []
    for rect in svg.iter(f"{NS}rect"):
        if css in rect.get("class", "").split():
            x, y, w, h = (float(rect.get(key, "nan")) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + w, y + h))
    return found


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a: Box, b: Box) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


def words(svg: ET.Element) -> str:
    return "\n".join("".join(element.itertext()) for element in svg.iter(f"{NS}text"))


@pytest.mark.parametrize("slug", sorted(province().sites))
def test_every_node_and_segment_is_drawn_once_without_overlap(slug: str) -> None:
    plan = site(slug)
    svg = draw(plan)
    chips, segments, panels = boxes(svg, "chip"), boxes(svg, "segment"), boxes(svg, "panel")
    assert len(chips) == len(plan.nodes)
    assert len(segments) == len(plan.segments)
    assert len(panels) == 2
    solid = chips + boxes(svg, "cloud")
    assert not [pair for pair in combinations(solid, 2) if overlap(*pair)]
    assert not [pair for pair in combinations(segments, 2) if overlap(*pair)]
    assert not overlap(*panels)
    # A chip is wholly in its segment or wholly outside of it, and everything is wholly in one panel.
    assert all(inside(c, s) or not overlap(c, s) for c in solid for s in segments)
    assert all(sum(inside(box, panel) for panel in panels) == 1 for box in solid + segments)
    _, _, width, height = (float(part) for part in svg.attrib["viewBox"].split())
    assert all(inside(panel, (0, 0, width, height)) for panel in panels)


@pytest.mark.parametrize("slug", ["tinh-uy", "loc-ninh"])
def test_names_addresses_prefixes_and_lines_are_written(slug: str) -> None:
    plan = site(slug)
    text = words(draw(plan))
    for node in plan.nodes.values():
        assert node.short in text
        assert str(node.address) in text
    for segment in plan.segments.values():
        assert f"VLAN {segment.vlan}\n" in text
        assert str(segment.prefix) in text
    for uplink in plan.uplinks:
        assert uplink.name in text
    assert "WireGuard" in text


@pytest.mark.parametrize("slug", ["tinh-uy", "loc-ninh"])
def test_no_line_crosses_from_one_side_to_the_other(slug: str) -> None:
    svg = draw(site(slug))
    panels = boxes(svg, "panel")
    for number, side in enumerate((Side.WAN, Side.NET)):
        group = next(g for g in svg.iter(f"{NS}g") if g.get("class") == f"side side-{side.value}")
        for path in group.iter(f"{NS}path"):
            if path.get("class", "").startswith("line"):
                for x in _turns(path.get("d", "")):
                    assert panels[number][0] <= x <= panels[number][2]


def _turns(d: str) -> list[float]:
    """The x of every M and H of a path made of M, H and V."""
    spaced = d.replace("M", " M ").replace("H", " H ").replace("V", " V ").split()
    return [float(value) for letter, value in pairwise(spaced) if letter in "MH"]


def test_status_is_told_by_shape_and_words_not_by_colour_alone() -> None:
    plan = site("tinh-uy")
    statuses = list(Status)
    worst = {name: statuses[i % len(statuses)] for i, name in enumerate(plan.nodes)}
    svg = draw(plan, worst)
    shapes = {symbol.get("id"): ET.tostring(symbol[0]) for symbol in svg.iter(f"{NS}symbol")}
    assert len(set(shapes.values())) == len(Status)
    titles = {title.text for title in svg.iter(f"{NS}title")}
    for name, status in worst.items():
        assert f"{name}: {labels.STATUS[status].vi} / {labels.STATUS[status].en}" in titles
    used = [use.get("href") for use in svg.iter(f"{NS}use")]
    assert len(used) == len(worst)
    assert {f"#{name}" for name in shapes} == set(used)


def test_a_node_without_findings_is_not_drawn_as_good() -> None:
    svg = draw(site("loc-ninh"))
    assert not list(svg.iter(f"{NS}use"))
    assert not [g for g in svg.iter(f"{NS}g") if "s-pass" in g.get("class", "")]


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert drawing.draw(site("tinh-uy"), {}) == drawing.draw(
        build(load(ROOT / "inventory")).sites["tinh-uy"], {}
    )


def test_in_a_page_every_node_is_a_named_link() -> None:
    svg = draw(site("loc-ninh"), {"loc-ninh-srv": Status.FAIL}, standalone=False)
    links = {a.get("href"): a.get("aria-label") for a in svg.iter(f"{NS}a")}
    assert set(links) == {f"#node-{name}" for name in site("loc-ninh").nodes}
    assert links["#node-loc-ninh-srv"] == "loc-ninh-srv: Chưa đạt / fail"
    assert not list(svg.iter(f"{NS}style"))


def test_a_side_without_equipment_says_so() -> None:
    plan = site("loc-ninh")
    wan_only = replace(
        plan,
        nodes={name: node for name, node in plan.nodes.items() if node.side is Side.WAN},
        uplinks=tuple(u for u in plan.uplinks if plan.nodes[u.node].side is Side.WAN),
    )
    assert "no equipment here" in words(draw(wan_only))


def test_long_and_hostile_texts_are_shortened_and_shown_as_text() -> None:
    plan = site("loc-ninh")
    evil = "</svg><script>alert(1)</script>\x1b[31m\u202e" + "x" * 300
    hostile = replace(plan, uplinks=tuple(replace(uplink, provider=evil) for uplink in plan.uplinks))
    raw = drawing.draw(hostile, {}, standalone=True)
    assert "<script>" not in raw
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    for element in ET.fromstring(raw).iter(f"{NS}text"):
        shown = (element.text or "") + "".join(child.tail or "" for child in element)
        assert len(shown) < 80
