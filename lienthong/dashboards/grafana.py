"""The panels as a dashboard that an officer imports into Grafana; the source and the site are asked there.

Grafana's documentation, "Dashboard JSON model".
"""

from __future__ import annotations

import json

from lienthong.dashboards.panels import FIRING, PANELS, Panel, Unit
from lienthong.model.site import Bilingual

SCHEMA = 38
"""Grafana 10; a newer one takes it over by itself"""
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_UNITS = {
    Unit.UP: "bool_on_off",
    Unit.SHARE: "percentunit",
    Unit.SECONDS: "s",
    Unit.DAYS: "d",
    Unit.BITS: "bps",
    Unit.PACKETS: "pps",
    Unit.STATUS: "none",
}
_WIDTH, _HEIGHT, _ACROSS = 12, 8, 24


def dashboard() -> str:
    """The JSON; the same every time, so that an import can be compared."""
    panels = [_alerts(), *(_panel(number, panel) for number, panel in enumerate(PANELS, 1))]
    document = {
        "uid": "lienthong",
        "title": "Liên Thông",
        "tags": ["lienthong"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "Asia/Ho_Chi_Minh",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "label": "Prometheus", "query": "prometheus"},
                {
                    "name": "site",
                    "type": "query",
                    "label": "Điểm mạng / Site",
                    "datasource": _SOURCE,
                    "query": {"query": "label_values(up, site)", "refId": "sites"},
                    "refresh": 2,
                    "sort": 1,
                    "includeAll": True,
                    "allValue": ".+",
                    "multi": True,
                    "current": {"selected": True, "text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": panels,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def questions(text: str) -> list[str]:
    """Every expression of a dashboard."""
    return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]


def _title(title: Bilingual) -> str:
    return f"{title.vi} / {title.en}"


def _place(number: int) -> dict[str, int]:
    row, column = divmod(number, _ACROSS // _WIDTH)
    return {"h": _HEIGHT, "w": _WIDTH, "x": column * _WIDTH, "y": row * _HEIGHT}


def _alerts() -> dict[str, object]:
    return {
        "id": 1,
        "type": "table",
        "title": "Cảnh báo / Alerts",
        "datasource": _SOURCE,
        "gridPos": _place(0),
        "targets": [
            {"refId": "A", "datasource": _SOURCE, "expr": FIRING, "format": "table", "instant": True}
        ],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {},
    }


def _panel(number: int, panel: Panel) -> dict[str, object]:
    legend = " ".join(f"{{{{{label}}}}}" for label in ("node", *panel.labels))
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": _title(panel.title),
        "datasource": _SOURCE,
        "gridPos": _place(number),
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": panel.expr, "legendFormat": legend}],
        "fieldConfig": {
            "defaults": {
                "unit": _UNITS[panel.unit],
                "custom": {"thresholdsStyle": {"mode": "line" if panel.sign else "off"}},
                "thresholds": {"mode": "absolute", "steps": _steps(panel)},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
    }


def _steps(panel: Panel) -> list[dict[str, object]]:
    """Colours from the lowest value up; the first has no lower end."""
    if not panel.sign:
        return [{"color": "blue", "value": None}]
    if panel.sign == ">":
        return [{"color": "green", "value": None}, {"color": "red", "value": panel.limit}]
    good = 1 if panel.sign == "==" else panel.limit
    return [{"color": "red", "value": None}, {"color": "green", "value": good}]
