"""The week: what turned, what nobody looked at, and that nothing unknown is ever told as good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong import nights
from lienthong.cli import app
from lienthong.errors import LienThongError
from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.model.site import Bilingual
from lienthong.model.words import Target
from lienthong.nights import Found, Night, System
from lienthong.summary import page, told
from lienthong.summary.week import Applied, SiteWeek, Turn, Week, week

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)  # 07:00 of a Monday
SITES = ("loc-ninh", "bu-dop")
HOSTILE = "<script>alert(1)</script> \x1b[2J \u202eevil {{7*7}} &\"'"
P, F, E, N, X = Status.PASS, Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.NOT_APPLICABLE


def found(status: Status, control: str = "NET-02", node: str = "loc-ninh-srv", why: str = "") -> Found:
    return Found(site="loc-ninh", control=control, node=node, status=status, why=why)


def audit(days_ago: float, *findings: Found, sites: Sequence[str] = SITES, **other: object) -> Night:
    """01:00 of that day in Vietnam."""
    started = NOW - timedelta(days=days_ago, hours=6)
    other_sites = [
        Found(site=slug, control="NET-01", node="", status=P) for slug in sites if slug != "loc-ninh"
    ]
    values = {
        "kind": "audit",
        "started": started,
        "ended": started + timedelta(minutes=3),
        "sites": tuple(sites),
        "findings": (*findings, *other_sites),
    }
    return Night.model_validate(values | other)


def coverage(days_ago: float, *systems: System, sites: Sequence[str] = SITES) -> Night:
    started = NOW - timedelta(days=days_ago, hours=6)
    there = systems or tuple(System(site=slug, node=f"{slug}-srv") for slug in sites)
    return Night(kind="coverage", started=started, ended=started, sites=tuple(sites), systems=there)


def calm(*last: Found) -> list[Night]:
    """Eight nights on which all was well, the last one as said."""
    looks = [audit(ago, found(P)) for ago in range(8, 0, -1)] + [audit(0, *(last or (found(P),)))]
    return [*looks, *(coverage(ago) for ago in range(8, -1, -1))]


def summed(
    kept: Sequence[Night], applied: Sequence[Applied] = (), broken: Sequence[str] = (), days: int = 7
) -> Week:
    return week("live", SITES, sorted(kept, key=lambda one: one.started), broken, applied, NOW, days)


def of(one: Week, slug: str = "loc-ninh") -> SiteWeek:
    return next(site for site in one.sites if site.slug == slug)


def turns(old: Sequence[Found], new: Sequence[Found]) -> list[tuple[Turn, str, tuple[str, ...]]]:
    site = of(summed([audit(7, *old), audit(0, *new)]))
    return [(one.turn, one.control, one.places) for one in site.changes]


def test_a_week_without_any_fault_is_calm() -> None:
    one = summed(calm())
    assert one.calm
    assert [site.verdict for site in one.sites] == [P, P]
    assert [site.looked for site in one.sites] == [7, 7]
    then = of(one).then
    assert then is not None
    assert then.started == NOW - timedelta(days=7, hours=6)


@pytest.mark.parametrize(
    ("was", "now", "turn"),
    [
        (P, F, Turn.NEW),
        (X, F, Turn.NEW),
        (N, F, Turn.UNCOMPARED),
        (E, F, Turn.UNCOMPARED),
        (None, F, Turn.UNCOMPARED),
        (F, P, Turn.MENDED),
        (F, E, Turn.LOST),
        (F, N, Turn.LOST),
        (F, None, Turn.LOST),
        (P, E, Turn.LOST),
        (P, None, Turn.LOST),
        (F, F, None),
        (P, P, None),
        (F, X, None),
        (N, P, None),
        (E, P, None),
    ],
)
def test_what_turned(was: Status | None, now: Status | None, turn: Turn | None) -> None:
    stays = found(P, "HOST-01")
    old = [stays, *([found(was)] if was else [])]
    new = [stays, *([found(now)] if now else [])]
    assert turns(old, new) == ([(turn, "NET-02", ("loc-ninh-srv",))] if turn else [])


def test_places_of_one_reason_are_one_line() -> None:
    new = [found(F, node=f"loc-ninh-{i}", why="the same") for i in range(3)]
    old = [found(P, node=f"loc-ninh-{i}") for i in range(3)]
    assert turns(old, new) == [(Turn.NEW, "NET-02", ("loc-ninh-0", "loc-ninh-1", "loc-ninh-2"))]


def test_a_drill_saw_more_and_that_is_no_loss() -> None:
    one = summed([audit(7, found(P), found(P, "WAN-09"), drill=True), audit(0, found(P))])
    assert of(one).changes == ()


@pytest.mark.parametrize(("status", "verdict"), [(F, F), (E, E), (N, N), (X, N)])
def test_a_site_is_good_only_if_all_was_seen(status: Status, verdict: Status) -> None:
    findings = [found(status)] if status is X else [found(status), found(P, "HOST-01")]
    one = summed(calm(*findings))
    assert of(one).verdict is verdict
    assert not one.calm


def test_what_was_looked_at_too_long_ago_is_not_known() -> None:
    one = summed([audit(9, found(P))])
    assert of(one).now is None
    assert of(one).verdict is N
    assert not one.calm
    assert "no recent audit: bu-dop, loc-ninh\n" in told.text(one, {}, {})
    assert [site["now"] for site in told.as_data(one)["sites"]] == [None, None]  # type: ignore[attr-defined]


def test_without_anything_kept_everything_is_unknown() -> None:
    one = summed([])
    assert not one.calm
    text = told.text(one, {}, {})
    assert "Đạt" not in text
    assert (
        "CHƯA BIẾT / NOT KNOWN · không có lần kiểm tra nào gần đây / no recent audit: bu-dop, loc-ninh"
        in text
    )
    assert text.count("CHƯA BIẾT / NOT KNOWN") == 2
    # Nights that lack the same are one line.
    assert len(told.gaps(one.missing)) == 2
    assert len(one.missing) == 14
    markup = page.render(one, {}, {})
    assert 's-pass">' not in markup


def test_a_night_that_is_missing_is_named() -> None:
    kept = [night for night in calm() if night.started != NOW - timedelta(days=3, hours=6)]
    one = summed(kept)
    assert told.gaps(one.missing) == [
        "27/11: không có kiểm tra / no audit",
        "27/11: không có phép thử nhật ký / no coverage",
    ]
    assert of(one).looked == 6
    assert not one.calm


def test_a_night_on_which_only_some_sites_were_looked_at_names_the_others() -> None:
    kept = [night for night in calm() if night.started != NOW - timedelta(days=3, hours=6)]
    one = summed([*kept, audit(3, found(P), sites=["loc-ninh"]), coverage(3)])
    assert told.gaps(one.missing) == ["27/11: không có kiểm tra / no audit: bu-dop"]


@pytest.mark.parametrize("end", [{"ended": None}, {"error": "Unreachable: no login"}])
def test_a_run_without_a_result_is_no_look(end: dict[str, object]) -> None:
    kept = [night for night in calm() if night.started != NOW - timedelta(days=3, hours=6)]
    one = summed([*kept, audit(3, found(P)).model_copy(update=end), coverage(3)])
    assert [gap.kind for gap in one.missing] == ["audit"]
    assert len(one.failed) == 1
    said = "no login" if "error" in end else "cut off, or still at work"
    assert said in told.text(one, {}, {})
    assert said in page.render(one, {}, {})


def test_tonight_is_not_over_and_so_not_missing() -> None:
    one = summed([night for night in calm() if night.started < NOW - timedelta(days=1)])
    assert one.tonight == {"audit": False, "coverage": False}
    assert one.missing == ()
    assert "hôm nay / today: chưa có kiểm tra / no audit yet" in told.text(one, {}, {})


def test_who_was_not_heard_of_each_site_at_its_newest_proof() -> None:
    deaf = System(site="loc-ninh", node="loc-ninh-gw-wan", missing=("collector",), why="no sender of events")
    one = summed([*calm(), coverage(-0.1, deaf, sites=["loc-ninh"])])
    assert [system.node for system in one.unheard] == ["loc-ninh-gw-wan"]
    assert one.unasked == ()
    assert "loc-ninh-gw-wan (collector): no sender of events" in told.text(one, {}, {})
    partly = summed(
        [night for night in calm() if night.kind == "audit"] + [coverage(0, deaf, sites=["loc-ninh"])]
    )
    assert partly.unasked == ("bu-dop",)
    assert "  CHƯA BIẾT / NOT KNOWN: bu-dop\n" in told.text(partly, {}, {})


@pytest.mark.parametrize(
    ("outcome", "open_", "well"), [("done", (), True), ("", (), False), ("done", ("x",), False)]
)
def test_changes_are_told_and_one_that_is_open_asks_for_an_officer(
    outcome: str, open_: tuple[str, ...], well: bool
) -> None:
    run = Applied(4, "apply", NOW - timedelta(days=1), outcome, ("loc-ninh",), 3, open_)
    old = Applied(3, "apply", NOW - timedelta(days=8), "failed", ("bu-dop",), 1)
    one = summed(calm(), [old, run])
    assert one.applied == (run,)
    assert one.calm is well
    assert "4 apply loc-ninh: " in told.text(one, {}, {})


def test_a_file_that_cannot_be_read_is_told() -> None:
    one = summed(calm(), broken=["20261129T000000-audit.json"])
    assert not one.calm
    assert "20261129T000000-audit.json" in told.text(one, {}, {})


def test_what_devices_say_acts_nowhere() -> None:
    bad = found(F, HOSTILE, HOSTILE, HOSTILE)
    run = Applied(1, HOSTILE, NOW - timedelta(days=1), HOSTILE, (HOSTILE,), 1, (HOSTILE,))
    deaf = System(site="bu-dop", node=HOSTILE, missing=(HOSTILE,), why=HOSTILE)
    kept = [audit(7, found(P)), audit(1, error=HOSTILE), audit(0, bad), coverage(0, deaf)]
    one = summed(kept, [run], [HOSTILE])
    # What the inventory would refuse is escaped all the same.
    names = {"loc-ninh": Bilingual.model_construct(vi="<b>Lộc Ninh</b>", en="Lộc Ninh & co")}
    markup, text = page.render(one, {}, names), told.text(one, {}, names)
    assert "<script" not in markup
    assert "<b>Lộc" not in markup
    assert markup.count("&lt;script&gt;") >= 10
    assert "{{7*7}}" in markup
    for said in (markup, text):
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert "\\x1b" in said
    assert "default-src 'none'" in markup
    assert "http://" not in markup
    json.dumps(told.as_data(one))


def test_a_run_is_kept_whole_the_worst_of_each_place(tmp_path: Path) -> None:
    def finding(status: Status, detail: str = "") -> Finding:
        return Finding(
            control="NET-02", check="c", description="d", site="loc-ninh", node=None, status=status,
            kind=Kind.READ, detail=detail,
        )  # fmt: skip

    run = AuditRun(
        target=Target.LAB, sites=("loc-ninh",), drill=False, started=NOW, ended=NOW, commit="c", version="v",
        findings=(finding(P), finding(F, "x" * 300 + "\ud800"), finding(N)),
    )  # fmt: skip
    with nights.kept(tmp_path, "audit", ["loc-ninh"]) as night:
        began, _ = nights.read(tmp_path)
        assert [one.whole for one in began] == [False]
        night.audited(run)
    ended, broken = nights.read(tmp_path)
    assert (len(ended), broken) == (1, [])
    assert ended[0].whole
    assert [(one.control, one.node, one.status) for one in ended[0].findings] == [("NET-02", "", F)]
    assert len(ended[0].findings[0].why) == 200


@pytest.mark.parametrize("wrong", [KeyboardInterrupt(), RuntimeError("no \ud800 way")])
def test_a_run_that_failed_is_kept_with_its_reason(tmp_path: Path, wrong: BaseException) -> None:
    with pytest.raises(type(wrong)), nights.kept(tmp_path, "audit", ["loc-ninh"]):
        raise wrong
    (night,), _ = nights.read(tmp_path)
    assert not night.whole
    assert night.error.startswith(type(wrong).__name__)


def test_the_history_is_bounded_and_each_kind_by_itself(tmp_path: Path) -> None:
    for number in range(nights.KEPT + 3):
        (tmp_path / f"20260101T{number:06d}.000000-audit.json").write_text("{}")
    with nights.kept(tmp_path, "coverage", []) as night:
        night.heard([])
    assert len(list(tmp_path.glob("*-audit.json"))) == nights.KEPT + 3
    with nights.kept(tmp_path, "audit", []) as night:
        night.heard([])
    left = sorted(path.name for path in tmp_path.glob("*-audit.json"))
    assert len(left) == nights.KEPT
    assert left[0] == "20260101T000004.000000-audit.json"
    assert len(list(tmp_path.glob("*-coverage.json"))) == 1
    whole, broken = nights.read(tmp_path)
    assert (len(whole), len(broken)) == (2, nights.KEPT - 1)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("inventory", "checks"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def test_the_verb_writes_page_text_and_data(checkout: Path) -> None:
    words = ["summary", "--target", "live", "--root", str(checkout)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 1, said.output
    assert "CHƯA BIẾT / NOT KNOWN" in said.output
    out = checkout / "out" / "live"
    assert sorted(path.name for path in out.iterdir()) == ["summary.html", "summary.json", "summary.txt"]
    data = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert {"loc-ninh", "tinh-uy"} <= {site["site"] for site in data["sites"]}
    assert not (checkout / "run" / "live" / "journal.sqlite").exists()


def test_an_audit_is_kept_and_so_is_one_that_fails(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> AuditRun:
        return AuditRun(
            target=Target.LIVE, sites=("loc-ninh",), drill=False, started=NOW, ended=NOW, commit="c",
            version="v", findings=(),
        )  # fmt: skip

    def fails(*_: object, **__: object) -> AuditRun:
        raise LienThongError("no check was run")

    words = ["audit", "loc-ninh", "--target", "live", "--root", str(checkout)]
    for how, code in ((run, 0), (fails, 1)):
        monkeypatch.setattr("lienthong.audit.run", how)
        assert CliRunner().invoke(app, words).exit_code == code
    kept, _ = nights.read(checkout / "run" / "live" / nights.FOLDER)
    assert [(one.kind, one.sites, one.whole, one.error) for one in kept] == [
        ("audit", ("loc-ninh",), True, ""),
        ("audit", ("loc-ninh",), False, "LienThongError: no check was run"),
    ]
