"""The report's files: complete, escaped, read by other programs, the same for the same findings."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.model.finding import AuditRun, Clause, Control, Finding, Kind, Severity, Status
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Bilingual
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.report import html, labels, terminal, write
from lienthong.report.hostile import one_line, visible

ROOT = Path(__file__).parents[2]
MARKUP = "<img src=x onerror=alert(1)></pre></details><script>alert(2)</script> & \"'"
FORMULA = '=HYPERLINK("http://198.51.100.1","x")'
STEERING = "\x1b[2J\x07\x00\x85\ufffe\ud800 \u202eesrever\u2066 \u200bzero"
HOSTILE = f"{MARKUP} {FORMULA} {STEERING} ]]> {{{{ 7*7 }}}}"


@cache
def province() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


def control(name: str, severity: Severity = Severity.HIGH, *clauses: str) -> Control:
    mappings = tuple(Clause(framework="TCVN 14423", edition="2026", clause=clause) for clause in clauses)
    return Control(
        id=name,
        title=Bilingual(vi=f"Kiểm soát {name}", en=f"Control {name}"),
        severity=severity,
        kind=Kind.READ,
        mappings=mappings,
    )


def finding(
    status: Status, name: str = "NET-02", node: str | None = "loc-ninh-srv", **more: object
) -> Finding:
    values: dict[str, object] = {
        "control": name,
        "check": "test_firewall.py::test_live_rules_equal_plan",
        "description": "Live rules equal the plan.",
        "site": "loc-ninh",
        "node": node,
        "status": status,
        "kind": Kind.READ,
        "detail": "" if status is Status.PASS else f"because of {status.value}",
        "seconds": 0.25,
    }
    return Finding.model_validate(values | more)


def audit(
    *findings: Finding, target: Target = Target.LAB, sites: tuple[str, ...] = ("loc-ninh",)
) -> AuditRun:
    return AuditRun(
        target=target,
        sites=sites,
        drill=False,
        started=datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC),
        ended=datetime(2026, 11, 22, 20, 0, 12, tzinfo=UTC),
        commit="0123abc",
        version="0.1.0",
        findings=findings,
    )


CONTROLS = {name: control(name, Severity.HIGH, "5.1.2") for name in ("NET-02", "HOST-01")}
ALL = tuple(finding(status, node=f"loc-ninh-{i}") for i, status in enumerate(Status))


class Page(HTMLParser):
    """What a browser would make of the page: its tags, and its text without style and script."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._raw = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._raw = self._raw and tag not in {"script", "style"}

    def handle_data(self, data: str) -> None:
        self.words += "" if self._raw else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def written(tmp_path: Path, run: AuditRun, controls: dict[str, Control] | None = None) -> dict[str, str]:
    """The text files of Lộc Ninh by name."""
    write(run, province(), CONTROLS if controls is None else controls, tmp_path / run.target.value)
    folder = tmp_path / run.target.value / "loc-ninh"
    return {
        path.name: path.read_text(encoding="utf-8-sig") for path in folder.iterdir() if path.suffix != ".xlsx"
    }


def test_the_files_of_a_site(tmp_path: Path) -> None:
    page = write(audit(*ALL), province(), CONTROLS, tmp_path / "lab")
    assert page == tmp_path / "lab" / "loc-ninh" / "report.html"
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "findings.csv",
        "findings.json",
        "findings.xlsx",
        "junit.xml",
        "report.html",
    ]


def test_several_sites_and_a_finding_about_one_that_was_not_asked_for(tmp_path: Path) -> None:
    run = audit(*ALL, finding(Status.FAIL, node=None, site="tinh-uy"), sites=("loc-ninh", "bu-dop"))
    assert write(run, province(), CONTROLS, tmp_path / "lab") == tmp_path / "lab"
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == ["bu-dop", "loc-ninh", "tinh-uy"]
    assert "no check was run" in (tmp_path / "lab" / "bu-dop" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("site", ["../etc", "/tmp", "", "a/b", ".", "A"])
def test_a_site_that_is_no_folder_name_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(LienThongError, match="no site"):
        write(audit(finding(Status.PASS, site=site)), province(), CONTROLS, tmp_path / "lab")


def test_lab_results_never_go_among_live_ones(tmp_path: Path) -> None:
    with pytest.raises(LienThongError, match="do not go there"):
        write(audit(*ALL), province(), CONTROLS, tmp_path / "live")
    assert not (tmp_path / "live").exists()


def test_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    text = written(tmp_path, audit(*ALL))["report.html"]
    page = Page(text)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert body is not None
        digest = base64.b64encode(hashlib.sha256(body.group(1).encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    for tag, attrs in page.tags:
        assert "style" not in attrs, "the policy would ignore a style attribute"
        assert not [name for name in attrs if name.startswith("on")]
        assert "src" not in attrs
        target = attrs.get("href") or ""
        assert target.startswith("#") or target in {
            "",
            "junit.xml",
            "findings.json",
            "findings.xlsx",
            "findings.csv",
        }, (tag, target)
    assert "url(" not in text
    assert "@import" not in text


def test_page_shows_every_finding_with_status_words_in_both_languages(tmp_path: Path) -> None:
    page = Page(written(tmp_path, audit(*ALL))["report.html"])
    rows = [li for li in page.all("li") if "finding" in (li.get("class") or "").split()]
    assert [row["data-status"] for row in rows] == [labels.slug(status) for status in labels.STATUS]
    for vi, en in (
        ("Đạt", "pass"),
        ("Chưa đạt", "fail"),
        ("Không áp dụng", "not applicable"),
        ("Chưa đánh giá", "not assessed"),
        ("Lỗi", "error"),
    ):
        assert vi in page.words
        assert en in page.words
    assert "because of fail" in page.words
    assert "TCVN 14423:2026 5.1.2" in page.words
    assert page.words.count("draft mapping, to be reviewed") == 2, "over the findings, and at the control"
    assert "0123abc" in page.words
    assert "23/11/2026 03:00:00 (UTC+7)" in page.words


def test_lab_is_never_taken_for_live(tmp_path: Path) -> None:
    lab = Page(written(tmp_path, audit(*ALL))["report.html"]).words
    live = Page(written(tmp_path, audit(*ALL, target=Target.LIVE))["report.html"]).words
    assert "PHÒNG THÍ NGHIỆM" in lab
    assert "It is no evidence about a site" in lab
    assert "MẠNG THẬT" in live
    assert "no evidence" not in live
    assert "PHÒNG THÍ NGHIỆM" not in live


def test_hostile_text_is_only_ever_text(tmp_path: Path) -> None:
    evil = finding(
        Status.FAIL,
        name=HOSTILE,
        node=HOSTILE,
        check=HOSTILE,
        description=HOSTILE,
        detail=HOSTILE,
        evidence=(HOSTILE, "second\nline"),
    )
    run = audit(evil, *ALL).model_copy(update={"commit": HOSTILE, "version": HOSTILE})
    clean, dirty = written(tmp_path / "a", audit(*ALL)), written(tmp_path / "b", run)
    page = Page(dirty["report.html"])
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in Page(clean["report.html"]).tags} | {"pre"}
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert "<img src=x" in page.words
    assert "{{ 7*7 }}" in page.words
    for name, text in dirty.items():
        steering = [c for c in text if c not in "\n" and visible(c) != c]
        assert not steering, (name, [hex(ord(c)) for c in steering])
    assert json.loads(dirty["findings.json"])["findings"][0]["detail"] == HOSTILE
    ET.fromstring(dirty["junit.xml"])


def test_junit_counts_reasons_and_properties(tmp_path: Path) -> None:
    root = ET.fromstring(written(tmp_path, audit(*ALL))["junit.xml"])
    suite = root[0]
    for element in (root, suite):
        assert [element.get(key) for key in ("tests", "failures", "errors", "skipped")] == [
            "5",
            "1",
            "1",
            "2",
        ]
        assert element.get("time") == "1.250"
    properties = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert properties["target"] == "lab"
    assert properties["commit"] == "0123abc"
    outcome = {}
    for case in suite.findall("testcase"):
        result = [child for child in case if child.tag in {"failure", "error", "skipped"}]
        status = next(p.get("value") for p in case.iter("property") if p.get("name") == "status")
        outcome[status] = [(child.tag, child.get("message")) for child in result]
    assert outcome == {
        "pass": [],
        "fail": [("failure", "because of fail")],
        "error": [("error", "because of error")],
        "not applicable": [("skipped", "not applicable: because of not applicable")],
        "not assessed": [("skipped", "not assessed: because of not assessed")],
    }


def test_json_is_the_whole_record(tmp_path: Path) -> None:
    data = json.loads(written(tmp_path, audit(*ALL))["findings.json"])
    assert data["format"] == "lienthong-findings/1"
    assert data["target"] == "lab"
    assert data["evidence_about_a_site"] is False
    assert data["mappings_reviewed"] is False
    assert set(data["counts"].values()) == {1}
    assert [Finding.model_validate(f) for f in data["findings"]] == list(ALL)
    assert set(data["controls"]) == {"NET-02"}


def test_the_order_in_which_checks_ran_changes_nothing(tmp_path: Path) -> None:
    assert written(tmp_path / "a", audit(*ALL)) == written(tmp_path / "b", audit(*reversed(ALL)))


def test_a_control_that_is_not_in_the_catalogue_is_still_shown(tmp_path: Path) -> None:
    files = written(tmp_path, audit(finding(Status.FAIL, name="NEW-99")), {})
    assert "not in the catalogue" in Page(files["report.html"]).words
    assert 'value="unknown"' in files["junit.xml"]


def test_a_site_that_left_the_inventory_still_has_a_report(tmp_path: Path) -> None:
    write(audit(finding(Status.PASS, site="gone"), sites=("gone",)), province(), CONTROLS, tmp_path / "lab")
    text = (tmp_path / "lab" / "gone" / "report.html").read_text(encoding="utf-8")
    assert "so there is no drawing" in text


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Status.NOT_ASSESSED),
        ([Status.NOT_APPLICABLE], Status.NOT_ASSESSED),
        ([Status.PASS], Status.PASS),
        ([Status.PASS, Status.NOT_APPLICABLE], Status.PASS),
        ([Status.PASS, Status.NOT_ASSESSED], Status.NOT_ASSESSED),
        ([Status.PASS, Status.NOT_ASSESSED, Status.ERROR], Status.ERROR),
        ([Status.PASS, Status.ERROR, Status.FAIL], Status.FAIL),
    ],
)
def test_a_site_is_called_good_only_when_everything_was_seen(
    statuses: list[Status], expected: Status
) -> None:
    assert html.verdict([finding(status) for status in statuses])[0] is expected


def test_groups_begin_with_what_needs_attention() -> None:
    found = [
        finding(Status.PASS, name="A-1"),
        finding(Status.FAIL, name="C-3"),
        finding(Status.FAIL, name="B-2"),
        finding(Status.PASS, name="B-2"),
        finding(Status.NOT_APPLICABLE, name="D-4"),
    ]
    catalogue = {"B-2": control("B-2", Severity.LOW), "C-3": control("C-3", Severity.HIGH)}
    groups = html.grouped(found, catalogue)
    assert [group.id for group in groups] == ["C-3", "B-2", "A-1", "D-4"]
    assert groups[1].findings[0].status is Status.FAIL


def test_one_cause_at_many_places_is_read_once_and_failures_come_first() -> None:
    found = [
        finding(Status.ERROR, name="A-1"),
        finding(Status.FAIL, name="A-1", node="n1", detail="same"),
        finding(Status.FAIL, name="A-1", node="n2", detail="same"),
        finding(Status.FAIL, name="B-2", node=None, detail="same"),
        finding(Status.NOT_ASSESSED, name="C-3"),
    ]
    lines = [(t.status.value, t.group.id, t.where) for t in html.troubles(html.grouped(found, {}))]
    assert lines == [
        ("fail", "A-1", ("n1", "n2")),
        ("fail", "B-2", ("loc-ninh",)),
        ("error", "A-1", ("loc-ninh-srv",)),
    ]


def test_the_worst_finding_decides_what_a_node_is_drawn_as() -> None:
    order = [Status.NOT_APPLICABLE, Status.PASS, Status.NOT_ASSESSED, Status.ERROR, Status.FAIL]
    for upto, status in enumerate(order, 1):
        assert labels.worst(finding(known) for known in order[:upto]) is status
    assert labels.worst([]) is None


def test_terminal_table_counts_and_gives_place_and_reason() -> None:
    extra = finding(Status.NOT_APPLICABLE, node="loc-ninh-9", detail="kernel")
    same = [
        finding(Status.FAIL, name="SRV-17", node=node, detail="follows no server") for node in ("n1", "n2")
    ]
    assert "  SRV-17\n      n1, n2: follows no server\n" in terminal.render(audit(*same), {})
    text = terminal.render(audit(*ALL, extra), CONTROLS)
    head, row = text.splitlines()[:2]
    assert head.split("  ")[-1].strip() == "Không áp dụng / not applicable"
    assert row.split() == ["loc-ninh", "1", "1", "1", "1", "2"]
    assert "NET-02 (high)  Kiểm soát NET-02 / Control NET-02\n      loc-ninh-1: because of fail\n" in text
    assert "because of error" in text
    assert "because of not assessed" in text
    assert "kernel ×1" in text


def test_terminal_table_cannot_be_steered() -> None:
    evil = finding(Status.FAIL, name=HOSTILE, node=HOSTILE, detail=HOSTILE + "\nLỗi / error: 0\r" + "y" * 900)
    text = terminal.render(audit(evil), {})
    assert not [c for c in text if c != "\n" and visible(c) != c]
    assert len(text.splitlines()) == 6
    assert "\\x1b[2J" in text


def test_visible_keeps_honest_text_and_names_the_rest() -> None:
    assert visible("Lộc Ninh – điểm cầu №1 (đạt) 100 %") == "Lộc Ninh – điểm cầu №1 (đạt) 100 %"
    assert visible("a\u202eb\x1bc\U000e0041") == "a\\u202eb\\x1bc\\U000e0041"
    assert visible("a\nb\t", lines=True) == "a\nb\t"
    assert visible("a\nb") == "a\\x0ab"
    assert one_line("a\r\n\tb", 0) == "a b"
    assert one_line("abcdef", 4) == "abc…"


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    full = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("sheet", ["report.css", "drawing.css"])
def test_text_has_enough_contrast_in_light_and_dark(sheet: str) -> None:
    """WCAG 2.1 AA, 1.4.3: 4.5 to 1."""
    css = (ROOT / "lienthong" / "report" / sheet).read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", block)) for block in css.split("@media", 2)[:2]
    )
    pairs = [("ink", "paper"), ("soft", "paper")]
    pairs += [(tone, f"{tone}-bg") for tone in ("ok", "bad", "err", "ask", "na")]
    if sheet == "report.css":
        pairs += [("ink", f"{tone}-bg") for tone in ("ok", "bad", "err", "ask", "na")]
        pairs += [
            ("soft", "sheet"),
            ("link", "paper"),
            ("lab", "lab-bg"),
            ("live", "live-bg"),
            ("bad", "paper"),
        ]
        pairs += [("link", f"{tone}-bg") for tone in ("bad", "err")]
    else:
        pairs += [("soft", f"{tone}-bg") for tone in ("ok", "bad", "err", "ask", "na")]
        pairs += [("soft", "wan"), ("soft", "net"), ("ink", "card"), ("wall", "paper")]
    for theme in (light, light | dark):
        for front, back in pairs:
            bright, dim = sorted((_luminance(theme[front]), _luminance(theme[back])), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (front, back, theme[front], theme[back])
