"""Draws the network of one site from its plan, as SVG: nothing in the picture was placed by hand.

The two sides are two panels with a wall between them. In each panel, from the top: what lies outside,
gateways, switches, then one row a segment with its hosts. Rows grow with what they hold, so nothing can
overlap. Lengths are SVG user units, about one pixel on a screen.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.model.finding import Status
from lienthong.model.intent import Node, SegmentPlan, SitePlan
from lienthong.model.words import WAN_LINES, Side, Zone
from lienthong.report import labels
from lienthong.report.hostile import one_line

WIDTH = 1000
_MARGIN = 12
_WALL = 44
_PANEL = (WIDTH - 2 * _MARGIN - _WALL) // 2
_PAD = 14
_TITLE = 50
_BOX = 62
_CHIP = 60
_GAP = 38
_RAIL = 30
"""Left of the segments, where the line from the switch runs down."""
_HEAD = 28

STYLE = (Path(__file__).parent / "drawing.css").read_text(encoding="utf-8")

# A shape of its own for each status, for eyes and printers that see no colours.
_SHAPES: dict[Status, tuple[str, str]] = {
    Status.PASS: ("M10 1a9 9 0 1 0 0 18a9 9 0 0 0 0-18z", "M5.5 10.4l3 3l6-6.6"),
    Status.FAIL: ("M6.3 1h7.4l5.3 5.3v7.4l-5.3 5.3h-7.4l-5.3-5.3v-7.4z", "M6.5 6.5l7 7M13.5 6.5l-7 7"),
    Status.ERROR: ("M10 1l9.5 17.5h-19z", "M10 7v5.5M10 15.2v.4"),
    Status.NOT_ASSESSED: (
        "M10 .5l9.5 9.5l-9.5 9.5l-9.5-9.5z",
        "M7.6 8a2.4 2.4 0 1 1 3.4 2.2q-1 .5-1 1.6M10 14.4v.4",
    ),
    Status.NOT_APPLICABLE: ("M2 5h16v10h-16z", "M6 10h8"),
}


@dataclass(frozen=True)
class _Spot:
    """Where something was put: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def middle(self) -> float:
        return self.x + self.w / 2

    @property
    def bottom(self) -> float:
        return self.y + self.h


def symbols() -> ET.Element:
    """The icon of each status, to be used as `#st-<status>`."""
    defs = ET.Element("defs")
    for status, (outline, mark) in _SHAPES.items():
        symbol = ET.SubElement(defs, "symbol", id=f"st-{labels.slug(status)}", viewBox="0 0 20 20")
        ET.SubElement(symbol, "path", {"class": "ico-body", "d": outline})
        ET.SubElement(symbol, "path", {"class": "ico-mark", "d": mark})
    return defs


def draw(plan: SitePlan, worst: Mapping[str, Status], *, standalone: bool = False) -> str:
    """The network of a site as an `<svg>` element.

    Args:
        plan: the site.
        worst: by node name, the status that decides; a node that is not there is drawn as not looked at.
        standalone: True makes a file of its own with style and icons; False makes a part of the report, in
            which every node links to `#node-<name>`.
    """
    name = plan.site.name
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "net", "lang": "vi"})
    svg.set("role", "img" if standalone else "group")
    svg.set("aria-label", f"{name.vi}: sơ đồ mạng / network of {name.en}")
    if standalone:
        ET.SubElement(svg, "style").text = STYLE
        svg.append(symbols())
        ET.SubElement(svg, "rect", {"class": "paper", "width": "100%", "height": "100%"})
    body = ET.SubElement(svg, "g")
    heights = [
        _Panel(plan, side, left, worst, link=not standalone).draw(body)
        for side, left in ((Side.WAN, _MARGIN), (Side.NET, _MARGIN + _PANEL + _WALL))
    ]
    height = max(heights)
    for panel in svg.iter("rect"):
        if panel.get("class", "").startswith("panel"):
            panel.set("height", _n(height - _MARGIN))
    _wall(body, height)
    total = height + _MARGIN
    svg.set("viewBox", f"0 0 {WIDTH} {_n(total)}")
    if standalone:
        svg.set("width", str(WIDTH))
        svg.set("height", _n(total))
    return ET.tostring(svg, encoding="unicode")


def _n(value: float) -> str:
    return f"{value:g}"


def _text(
    parent: ET.Element, x: float, y: float, text: str, css: str, *, room: float = 0, size: float = 11.5
) -> None:
    """One line of text, shortened to `room` units; what was cut stays readable as a tooltip.

    0.6 of the size a character is what the widest usual fonts (DejaVu, Verdana) take on average.
    """
    whole = one_line(text)
    shown = one_line(text, max(3, int(room / (0.6 * size)))) if room else whole
    element = ET.SubElement(parent, "text", {"class": css, "x": _n(x), "y": _n(y)})
    if shown != whole:
        ET.SubElement(element, "title").text = whole
        element[0].tail = shown
    else:
        element.text = shown


def _path(parent: ET.Element, d: str, css: str) -> None:
    ET.SubElement(parent, "path", {"class": css, "d": d})


def _wall(parent: ET.Element, height: float) -> None:
    """What stands between the sides: nothing may cross it."""
    x = _MARGIN + _PANEL + _WALL / 2
    group = ET.SubElement(parent, "g", {"class": "wall"})
    for offset in (-13, 13):
        _path(group, f"M{_n(x + offset)} {_MARGIN}V{_n(height)}", "brick")
    y = (height + _MARGIN) / 2
    label = ET.SubElement(
        group,
        "text",
        {
            "class": "wall-text",
            "x": _n(x),
            "y": _n(y),
            "transform": f"rotate(-90 {_n(x)} {_n(y)})",
            "dy": "4",
        },
    )
    label.text = "không có gì nối hai phía · nothing joins the two sides"


@dataclass(frozen=True)
class _Outside:
    """A box above the gateways: a line or a tunnel, with the gateway it ends at."""

    node: str
    title: str
    lines: tuple[str, str]
    dashed: bool


@dataclass(frozen=True)
class _Panel:
    """One side of the site."""

    plan: SitePlan
    side: Side
    left: float
    worst: Mapping[str, Status]
    link: bool

    def draw(self, parent: ET.Element) -> float:
        """Draw from the top down; return the bottom edge."""
        group = ET.SubElement(parent, "g", {"class": f"side side-{self.side.value}"})
        label = labels.SIDE[self.side]
        ET.SubElement(
            group,
            "rect",
            {"class": "panel", "x": _n(self.left), "y": _n(_MARGIN), "width": _n(_PANEL), "rx": "10"},
        )
        _text(group, self.left + _PAD, _MARGIN + 22, label.vi, "side-vi", room=_PANEL - 2 * _PAD, size=16)
        _text(group, self.left + _PAD, _MARGIN + 39, label.en, "side-en", room=_PANEL - 2 * _PAD)
        nodes = [node for node in self.plan.nodes.values() if node.side is self.side]
        y: float = _MARGIN + _TITLE
        if not nodes:
            _text(group, self.left + _PAD, y + 16, "không có thiết bị nào · no equipment here", "faint")
            return y + 32
        gateways = [node for node in nodes if node.is_gateway]
        switches = [node for node in nodes if node.is_switch]
        above = self._outside_boxes(group, y)
        y += _BOX + _GAP if above else 0
        spots = self._devices(group, gateways, y)
        y = max((spot.bottom for spot in spots.values()), default=y - _GAP) + _GAP
        self._lines_up(group, above, spots)
        below = self._devices(group, switches, y)
        y = max((spot.bottom for spot in below.values()), default=y - _GAP)
        spots |= below
        self._cables(group, spots)
        hosts = [node for node in nodes if node.device is None]
        return self._segments(group, hosts, list((below or spots).values()), y)

    def _outside_boxes(self, group: ET.Element, y: float) -> list[tuple[_Outside, _Spot]]:
        boxes = _outside(self.plan, self.side)[:3]
        width = (_PANEL - 2 * _PAD - 10 * (len(boxes) - 1)) / max(len(boxes), 1)
        placed = []
        for place, box in enumerate(boxes):
            spot = _Spot(self.left + _PAD + place * (width + 10), y, width, _BOX)
            css = "cloud dashed" if box.dashed else "cloud"
            ET.SubElement(group, "rect", {"class": css, "rx": "18", **_frame(spot)})
            room = width - 24
            _text(group, spot.middle, y + 20, box.title, "name mid", room=room, size=13)
            _text(group, spot.middle, y + 37, box.lines[0], "mid", room=room)
            _text(group, spot.middle, y + 52, box.lines[1], "mono mid", room=room)
            placed.append((box, spot))
        return placed

    def _devices(self, group: ET.Element, nodes: list[Node], y: float) -> dict[str, _Spot]:
        """Chips of devices, two in a row, in the middle of the panel."""
        spots = {}
        width = 206.0
        for place, node in enumerate(nodes):
            row, column = divmod(place, 2)
            in_row = min(2, len(nodes) - 2 * row)
            left = self.left + (_PANEL - in_row * width - (in_row - 1) * 16) / 2
            spot = _Spot(left + column * (width + 16), y + row * (_CHIP + 12), width, _CHIP)
            self._chip(group, node, spot)
            spots[node.name] = spot
        return spots

    def _chip(self, group: ET.Element, node: Node, spot: _Spot) -> None:
        """A node: status by colour, shape and words."""
        status = self.worst.get(node.name)
        words = "chưa xem / not looked at"
        if status is not None:
            words = f"{labels.STATUS[status].vi} / {labels.STATUS[status].en}"
        css = f"node s-{labels.slug(status)}" if status else "node s-none"
        holder = ET.SubElement(group, "g", {"class": css})
        if self.link:
            holder = ET.SubElement(
                holder, "a", {"href": f"#node-{node.name}", "aria-label": f"{node.name}: {words}"}
            )
        ET.SubElement(holder, "title").text = f"{node.name}: {words}"
        ET.SubElement(holder, "rect", {"class": "chip", "rx": "6", **_frame(spot)})
        _path(holder, f"M{_n(spot.x + 3)} {_n(spot.y + 7)}v{_n(spot.h - 14)}", "stripe")
        if status:
            ET.SubElement(
                holder,
                "use",
                {
                    "href": f"#st-{labels.slug(status)}",
                    "x": _n(spot.x + spot.w - 28),
                    "y": _n(spot.y + 7),
                    "width": "20",
                    "height": "20",
                },
            )
        _text(holder, spot.x + 12, spot.y + 20, node.short, "name", room=spot.w - 44, size=13.5)
        port = _port(self.plan, node)
        address = f"{node.address}  ⇠ {port}" if port else str(node.address)
        _text(holder, spot.x + 12, spot.y + 36, address, "mono", room=spot.w - 22)
        _text(holder, spot.x + 12, spot.y + 52, _purpose(node), "faint", room=spot.w - 22)

    def _lines_up(
        self, group: ET.Element, above: list[tuple[_Outside, _Spot]], gateways: dict[str, _Spot]
    ) -> None:
        """Each line of its own from what lies outside to its gateway: no two share a stretch."""
        for place, (box, spot) in enumerate(above):
            gateway = gateways.get(box.node)
            if gateway is None:
                continue
            end = gateway.middle + (place - (len(above) - 1) / 2) * 44
            turn = spot.bottom + _GAP / 2 + (0 if end == spot.middle else 3)
            css = "line dashed" if box.dashed else "line"
            _path(group, f"M{_n(spot.middle)} {_n(spot.bottom)}V{_n(turn)}H{_n(end)}V{_n(gateway.y)}", css)

    def _cables(self, group: ET.Element, spots: dict[str, _Spot]) -> None:
        """Cables between devices; hosts say their port themselves."""
        for cable in self.plan.cables:
            if cable.a not in spots or cable.b not in spots:
                continue
            (top, top_port), (low, low_port) = sorted(
                ((spots[cable.a], cable.a_port), (spots[cable.b], cable.b_port)),
                key=lambda end: (end[0].y, end[0].x),
            )
            if top.y == low.y:
                y = top.y + top.h / 2
                _path(group, f"M{_n(top.x + top.w)} {_n(y)}H{_n(low.x)}", "line")
                continue
            turn = top.bottom + _GAP / 2
            d = f"M{_n(top.middle)} {_n(top.bottom)}V{_n(turn)}H{_n(low.middle)}V{_n(low.y)}"
            _path(group, d, "line trunk")
            _text(group, low.middle + 8, turn + 5, f"{top_port} ↔ {low_port} · trunk", "faint", room=150)

    def _segments(self, group: ET.Element, hosts: list[Node], feeds: list[_Spot], y: float) -> float:
        """A row a segment, hung on the switches."""
        rail = self.left + _PAD + 4
        bus = y + 14
        x = self.left + _PAD + _RAIL
        width = _PANEL - 2 * _PAD - _RAIL
        last = y
        y += 28
        for segment in sorted(self.plan.segments.values(), key=lambda segment: segment.vlan):
            if segment.side is not self.side:
                continue
            mine = [host for host in hosts if host.segment.name == segment.name]
            rows = (len(mine) + 1) // 2
            row = _Spot(x, y, width, _HEAD + (rows * (_CHIP + 8) if mine else 20))
            ET.SubElement(group, "rect", {"class": "segment", "rx": "6", **_frame(row)})
            self._segment_head(group, segment, row)
            _path(group, f"M{_n(rail)} {_n(y + 14)}H{_n(x)}", "line")
            chip = (width - 24) / 2
            for place, host in enumerate(mine):
                line, column = divmod(place, 2)
                top = y + _HEAD + line * (_CHIP + 8)
                alone = column == 0 and place == len(mine) - 1
                wide = 2 * chip + 8 if alone else chip
                self._chip(group, host, _Spot(x + 8 + column * (chip + 8), top, wide, _CHIP))
            if not mine:
                _text(group, x + 10, y + 39, _empty(segment), "faint", room=width - 20)
            last = y + 14
            y = row.bottom + 10
        if feeds and last > bus:
            _path(group, f"M{_n(feeds[0].middle)} {_n(bus)}H{_n(rail)}V{_n(last)}", "line")
            for feed in feeds:
                _path(group, f"M{_n(feed.middle)} {_n(feed.bottom)}V{_n(bus)}H{_n(feeds[0].middle)}", "line")
        return y + 4

    def _segment_head(self, group: ET.Element, segment: SegmentPlan, row: _Spot) -> None:
        zone = labels.ZONE[segment.zone]
        _text(group, row.x + 10, row.y + 19, f"VLAN {segment.vlan}", "name", size=13)
        both = zone.vi if zone.vi.endswith(zone.en) else f"{zone.vi} · {zone.en}"
        _text(group, row.x + 84, row.y + 19, both, "", room=row.w - 230, size=12)
        _text(group, row.x + row.w - 10, row.y + 19, str(segment.prefix), "mono end")


def _frame(spot: _Spot) -> dict[str, str]:
    return {"x": _n(spot.x), "y": _n(spot.y), "width": _n(spot.w), "height": _n(spot.h)}


def _purpose(node: Node) -> str:
    """What the node is for, in a few words: its role, and the services it runs."""
    services = ", ".join(sorted(node.services))
    if node.device is None:
        return services or "–"
    role = labels.ROLE[node.device.role].en
    return f"{role}: {services}" if services else f"{role}, {node.device.platform}"


def _port(plan: SitePlan, node: Node) -> str:
    """The switch port a host hangs on; empty for devices, whose cables are drawn."""
    if node.device is not None:
        return ""
    for cable in plan.cables:
        for here, far, port in ((cable.a, cable.b, cable.b_port), (cable.b, cable.a, cable.a_port)):
            if here == node.name:
                switches = [n for n in plan.nodes.values() if n.is_switch and n.side is node.side]
                return port if len(switches) < 2 else f"{far.removeprefix(plan.site.slug + '-')}:{port}"
    return ""


def _empty(segment: SegmentPlan) -> str:
    if segment.dhcp:
        first, last = (str(address).rsplit(".", 1)[1] for address in segment.dhcp_range)
        return f"máy trạm qua DHCP .{first}–.{last} · workstations by DHCP"
    if segment.zone is Zone.MANAGEMENT:
        return "thiết bị của điểm · the site's gear"
    return "chưa có máy nào · no hosts yet"


def _outside(plan: SitePlan, side: Side) -> list[_Outside]:
    """Lines first, in the order of the plan; then the tunnels of each gateway in one box."""
    boxes: dict[tuple[str, str], _Outside] = {}
    for uplink in plan.uplinks:
        node = plan.nodes[uplink.node]
        if node.side is not side:
            continue
        # Every TSLCD line of the province ends at the office.
        end = "Internet"
        if uplink.kind in WAN_LINES:
            end = "Văn phòng · Office" if uplink.peer else "Các điểm · Sites"
        if uplink.address is not None:
            far = f"{uplink.address.ip} → {uplink.peer}" if uplink.peer else str(uplink.address)
        else:
            far = "VLAN mỗi điểm · per site"
        boxes.setdefault(
            (uplink.node, uplink.name),
            _Outside(uplink.node, end, (f"{uplink.name}, {uplink.provider}", far), dashed=False),
        )
    for node in plan.nodes.values():
        if node.side is not side or not node.tunnels:
            continue
        peers = [tunnel.peer for tunnel in node.tunnels]
        names = sorted({tunnel.name for tunnel in node.tunnels})
        line = f"{names[0]} → {peers[0]}" if len(peers) == 1 else ", ".join(names)
        far = str(node.tunnels[0].address) if len(peers) == 1 else f"{len(peers)} đường hầm · tunnels"
        boxes[(node.name, "tunnels")] = _Outside(node.name, "WireGuard", (line, far), dashed=True)
    return list(boxes.values())
