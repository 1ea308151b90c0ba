"""The panels as Prometheus' own page and as Grafana's JSON: the same questions, none left out."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.dashboards import panels
from lienthong.dashboards.consoles import asked
from lienthong.dashboards.grafana import dashboard, questions
from lienthong.hosts.deploying import render
from lienthong.services.monitoring import NODE_EXPORTER

ROOT = Path(__file__).resolve().parents[2]
METRIC = re.compile(r"\b(up|probe_[a-z_]+|node_[a-z_]+|if[A-Z]\w+)\b(?=[{)\s]|$)")


def console() -> str:
    return render(
        "monitoring/lienthong.html.j2",
        panels=panels.PANELS,
        columns=panels.COLUMNS,
        sites=panels.SITES,
        firing=panels.FIRING,
        asked=asked,
    )


def metrics(text: str) -> set[str]:
    return set(METRIC.findall(text))


def test_what_an_alert_watches_can_be_seen() -> None:
    rules = render("monitoring/lienthong-rules.yml.j2", down_s=20, watched=[("portal", 60)])
    alerts = metrics("\n".join(re.findall(r"expr: (.*)", rules)))
    assert {"up", "probe_success", "node_timex_offset_seconds"} <= alerts
    assert alerts <= metrics("\n".join(panel.expr for panel in panels.PANELS))


@pytest.mark.parametrize("key", ["certificates", "disk", "clock"])
def test_a_limit_is_that_of_its_alert(key: str) -> None:
    rules = render("monitoring/lienthong-rules.yml.j2", down_s=20, watched=[])
    panel = next(panel for panel in panels.PANELS if panel.key == key)
    name = METRIC.findall(panel.expr)[0]
    line = next(line for line in re.findall(r"expr: (.*)", rules) if name in line)
    limit = line.replace(" * 86400", "").split()
    assert [limit[-2], float(limit[-1])] == [panel.sign, panel.limit]


def test_every_panel_is_for_the_sites_that_are_asked_for() -> None:
    keys = [panel.key for panel in panels.PANELS]
    assert len(keys) == len(set(keys))
    for question in [panel.expr for panel in panels.PANELS] + [q for _, *two in panels.COLUMNS for q in two]:
        assert panels.SITE in question
    assert not any("$" in question for question in panels.expressions())


def test_no_site_or_system_is_written_into_a_page() -> None:
    for text in (console(), dashboard()):
        assert not re.search(r"loc-ninh|tinh-uy|10\.\d+\.", text)


def test_a_site_is_put_in_by_go_quoted() -> None:
    assert asked('up{job="node",site=~"$site"}') == '(printf "up{job=\\"node\\",site=~%q}" $site)'
    assert asked("group by (site) (up)") == '"group by (site) (up)"'
    assert asked(f"a{{{panels.SITE}}} / b{{{panels.SITE}}}").endswith(" $site $site)")


def test_the_console_asks_every_question_and_is_whole() -> None:
    text = console()
    for panel in panels.PANELS:
        assert asked(panel.expr) in text
        assert asked(panel.bad) in text
    actions = re.findall(r"{{-?\s*(if|range|with|end)\b", text)
    assert actions.count("end") == len(actions) - actions.count("end")
    assert "{%" not in text
    assert "<script" not in text
    assert "http://" not in text
    # The parameter of the page goes nowhere but through this.
    assert text.count("Params") == 1
    assert 'reReplaceAll "[^a-z0-9-]" "" .Params.site' in text
    HTMLParser().feed(text)


def test_grafana_gets_every_panel_once_at_a_place_of_its_own() -> None:
    document = json.loads(dashboard())
    found = document["panels"]
    assert [panel["id"] for panel in found] == list(range(1, len(panels.PANELS) + 2))
    assert questions(dashboard()) == [panels.FIRING, *(panel.expr for panel in panels.PANELS)]
    cells = {
        (x, y)
        for panel in found
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    assert len(cells) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in found)
    assert all(0 <= x < 24 for x, _ in cells)
    variables = {one["name"]: one for one in document["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", dashboard())) - {"__all"} == set(variables)
    assert variables["site"]["allValue"] == ".+"
    for panel in found:
        assert panel["title"].count(" / ") >= 1
        assert all(set(target) >= {"refId", "expr", "datasource"} for target in panel["targets"])
        for steps in [panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])]:
            values = [step["value"] for step in steps[1:]]
            assert values == sorted(values)
            assert all(step["value"] is None for step in steps[:1])
    assert "id" not in document, "an id of another Grafana would replace what is there"


def test_the_verb_prints_or_writes_the_dashboard(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["export", "grafana"]).output == dashboard()
    file = tmp_path / "lienthong.json"
    assert CliRunner().invoke(app, ["export", "grafana", "--out", str(file)]).exit_code == 0
    assert file.read_text(encoding="utf-8") == dashboard()


def test_drops_of_queues_are_measured() -> None:
    text = render("monitoring/node-exporter.default.j2", port=NODE_EXPORTER, web_config="/x")
    assert "--collector.qdisc" in text
