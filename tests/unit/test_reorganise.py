"""Reorganisations: places keep their numbers, names follow units, and the result always validates."""

from __future__ import annotations

import json
import shutil
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.cli import app
from lienthong.edit import Draft as Folder
from lienthong.errors import InventoryError
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.plan.build import build
from lienthong.reorganise.carry import carry_out
from lienthong.reorganise.data import data
from lienthong.reorganise.delta import stage
from lienthong.reorganise.draft import Draft
from lienthong.reorganise.fate import Fate, View, fate
from lienthong.reorganise.outcome import Outcome, prepare
from lienthong.reorganise.planfile import Reorganisation, read_plan
from lienthong.reorganise.retention import add_months
from lienthong.reorganise.text import text

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/reorganise-2025-07-01.yaml"
HEAD = 'date: "2025-07-01"\ndecision: a decision\nchanges:\n'


@cache
def province() -> tuple[Draft, ProvincePlan]:
    return Draft.read(ROOT / "inventory"), build(load(ROOT / "inventory"))


@pytest.fixture(scope="module")
def old() -> ProvincePlan:
    return province()[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventory", tmp_path / "inventory")
    shutil.copytree(ROOT / "checks", tmp_path / "checks")
    return tmp_path


@pytest.fixture(scope="module")
def example() -> Outcome:
    return prepare(ROOT, EXAMPLE)[0]


def planned(root: Path, changes: str) -> tuple[Outcome, Any]:
    path = root / "plan.yaml"
    path.write_text(HEAD + changes, encoding="utf-8")
    return prepare(root, path)


def problems(root: Path, changes: str) -> str:
    with pytest.raises(InventoryError) as caught:
        planned(root, changes)
    return str(caught.value)


def of(outcome: Outcome, after: str) -> Fate:
    return next(one for one in outcome.fates if one.after == after)


# --- 1 July 2025 --------------------------------------------------------------------------------------


def test_the_example_ends_seven_units_and_every_one_has_an_heir(example: Outcome) -> None:
    assert set(example.ended) == {
        "tinh-uy", "ban-tuyen-giao", "ban-dan-van", "loc-ninh", "bu-dop", "binh-long", "hon-quan",
    }  # fmt: skip
    assert set(example.closed) == {"ban-dan-van", "hon-quan"}
    assert example.ended["loc-ninh"] == ("xa-loc-ninh", "xa-loc-tan")


def test_a_renamed_place_keeps_every_address(example: Outcome) -> None:
    office = of(example, "van-phong")
    changed = {one.group for one in office.changed}
    assert changed == {"slug", "name", "node name", "dns name", "secret", "vault file"}
    assert {"number", "prefix", "prefix6", "vlan", "address", "line", "dial number"} <= {
        one.group for one in office.kept
    }


def test_a_commune_keeps_the_addresses_of_what_stays(example: Outcome) -> None:
    commune = of(example, "xa-loc-ninh")
    moved = [one for one in commune.changed if one.group in {"number", "prefix", "address", "dial number"}]
    assert [(one.of, one.after) for one in moved] == [
        ("srv", None), ("net-wifi", None), ("scan", None), ("servers", None),
    ]  # fmt: skip
    assert example.follows["xa-loc-ninh"].lost == ("APP-01",)


def test_nobody_else_moves(example: Outcome) -> None:
    same = {one.after for one in example.fates if one.fate == "same"}
    assert len(same) == 14
    assert "dong-xoai" in same


def test_an_ended_unit_is_written_where_its_records_are(example: Outcome) -> None:
    board = example.after.sites["tuyen-giao-dan-van"].site
    assert set(board.units) == {"ban-tuyen-giao", "ban-dan-van"}
    assert all(unit.valid.until == date(2025, 6, 30) for unit in board.units.values())
    assert board.succeeds == ("ban-tuyen-giao", "ban-dan-van")
    assert board.valid.since == date(2025, 7, 1)


def test_what_must_be_kept_says_until_when_and_by_whom(example: Outcome) -> None:
    found = {(one.unit, one.what): one for one in example.kept}
    logs = found["hon-quan", "logs wan"]
    assert (logs.by, logs.until, logs.at) == ("phuong-binh-long", date(2026, 6, 30), ("van-phong-svc-wan",))
    assert not found["hon-quan", "documents meeting"].stays
    assert found["tinh-uy", "documents portal-web"].stays
    assert all(one.enough for one in example.kept)


def test_a_system_of_a_unit_without_a_site_is_kept_too(checkout: Path) -> None:
    path = checkout / "inventory/sites/loc-ninh.yaml"
    more = (
        "units:\n  hoi-cuu: {kind: board, name: {vi: Hội, en: Board}}\nsystems: {meeting: {owner: hoi-cuu}}\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    outcome, _ = planned(checkout, "  - end: {unit: hoi-cuu, records: loc-ninh}\n")
    assert [(one.unit, one.what, one.by, one.stays) for one in outcome.kept] == [
        ("hoi-cuu", "documents meeting", "loc-ninh", True)
    ]
    assert outcome.after.sites["loc-ninh"].site.systems["meeting"].owner == "loc-ninh"


def test_a_vault_that_keeps_too_little_is_said(checkout: Path) -> None:
    kind = checkout / "inventory/layers/kinds/provincial-office.yaml"
    kind.write_text(
        kind.read_text(encoding="utf-8").replace("{sources: app}", "{sources: app, keep_monthly: 3}"),
        encoding="utf-8",
    )
    outcome, _ = planned(checkout, "  - rename: {unit: loc-ninh, to: loc-ninh-moi}\n")
    kept = [one for one in outcome.kept if one.what == "documents meeting"]
    assert [one.enough for one in kept] == [False]
    assert "not enough" in text(outcome)


def test_what_pointed_at_the_office_follows_it(example: Outcome) -> None:
    site = example.after.sites["dong-xoai"].site
    assert site.devices["gw-wan"].runs["dns"]["forward_node"] == "van-phong-svc-wan"
    office = example.after.sites["van-phong"].site
    assert office.devices["gw-wan"].asset is not None
    assert office.devices["gw-wan"].asset.owner == "van-phong"


def test_the_report_says_both_languages_and_nothing_hidden(example: Outcome) -> None:
    said = text(example)
    assert "Đơn vị kết thúc ngày 2025-06-30 / Units that end on 2025-06-30" in said
    assert "borg/tinh-uy-vault-wan → borg/van-phong-vault-wan" in said
    assert "www.tinh-uy.net.binhphuoc.internal → www.van-phong.net.binhphuoc.internal" in said
    assert json.loads(json.dumps(data(example, ())))["retention"][0]["until"] == "2026-06-30"


# --- writing --------------------------------------------------------------------------------------------


def test_written_once_refused_twice(checkout: Path) -> None:
    (checkout / "inventory/sites/loc-ninh.yaml").open("a", encoding="utf-8").write("# a note of an officer\n")
    _, folder = prepare(checkout, EXAMPLE)
    folder.commit()
    after = load(checkout / "inventory")
    assert build(after).sites["xa-loc-tan"].site.number == 51
    said = (checkout / "inventory/sites/xa-loc-ninh.yaml").read_text(encoding="utf-8")
    assert "# a note of an officer" in said
    assert not (checkout / "inventory/sites/loc-ninh.yaml").exists()
    with pytest.raises(InventoryError, match=r"tinh-uy ended on 2025-06-30\nhint: has this plan been"):
        prepare(checkout, EXAMPLE)


def test_the_same_names_again_change_nothing(checkout: Path) -> None:
    change = "  - rename: {unit: loc-ninh, name: {vi: Một tên, en: A name}}\n"
    planned(checkout, change)[1].commit()
    outcome, folder = planned(checkout, change)
    assert not outcome.changes
    assert folder.changed == ()
    assert "Nothing changes" in text(outcome)


def test_only_write_writes(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inventory = checkout / "inventory"
    whole = {path: path.read_bytes() for path in inventory.rglob("*.yaml")}
    options = ["--dry-run", "--write", "--json"]
    app(["reorganise", str(EXAMPLE), "--root", str(checkout), *options], standalone_mode=False)
    assert {path: path.read_bytes() for path in inventory.rglob("*.yaml")} == whole
    assert json.loads(capsys.readouterr().out)["written"] is False
    app(["reorganise", str(EXAMPLE), "--root", str(checkout), "--write"], standalone_mode=False)
    assert {path: path.read_bytes() for path in inventory.rglob("*.yaml")} != whole


def test_a_result_that_does_not_validate_is_not_written(checkout: Path) -> None:
    """The office cannot close: every line ends there."""
    change = "  - end: {unit: tinh-uy, records: loc-ninh, place: {close: true}}\n"
    assert "no site is the office (hub: true)" in problems(checkout, change)


def test_what_was_only_refined_goes_with_its_kind(checkout: Path) -> None:
    """A board has no conference endpoint, so the dial number in the site's file means nothing there."""
    change = "  - rename: {unit: loc-ninh, kind: board}\n  - rename: {unit: ban-to-chuc, kind: commune}\n"
    outcome, _ = planned(checkout, change)
    assert outcome.gone == ("loc-ninh hosts.vc",)
    endpoint = outcome.after.sites["ban-to-chuc"].node("vc")
    assert endpoint.services["videoconf"].params.number == "1021"  # type: ignore[attr-defined]


# --- errors ---------------------------------------------------------------------------------------------

WRONG = {
    "no such unit": (
        "  - move: {unit: loc-nin, parent: tinh-uy}\n",
        "plan.yaml:4:12: no unit 'loc-nin'\nhint: units: ",
    ),
    "two changes in one": (
        "  - move: {unit: loc-ninh, parent: tinh-uy}\n    rename: {unit: loc-ninh, to: x}\n",
        "plan.yaml:4:5: changes.0: a change says exactly one of rename, merge, split, convert, move, end",
    ),
    "unknown key": (
        "  - move: {unit: loc-ninh, parnet: tinh-uy}\n",
        "plan.yaml:4:28: unknown key changes.0.move.parnet",
    ),
    "slug of the past": (
        "  - rename: {unit: loc-ninh, to: loc-moi}\n  - rename: {unit: bu-dop, to: loc-ninh}\n",
        "plan.yaml:5:28: loc-ninh is a unit already\nhint: a slug names one unit for ever; choose another",
    ),
    "place not said": (
        "  - end: {unit: loc-ninh, records: bu-dop}\n",
        "plan.yaml:4:5: what becomes of the place loc-ninh?\nhint: say close: true, or the slug",
    ),
    "place of nobody": (
        "  - merge: {units: [loc-ninh, bu-dop], into: moi, name: {vi: Mới, en: New}, kind: district, "
        "seat: loc-ninh, places: {bu-dop: {close: true}, bu-dang: {close: true}}}\n",
        "bu-dang is no place that becomes free\nhint: places that become free: bu-dop",
    ),
    "places not said": (
        "  - merge: {units: [loc-ninh, bu-dop], into: moi, name: {vi: Mới, en: New}, kind: district, "
        "seat: loc-ninh}\n",
        "plan.yaml:4:5: what becomes of the place bu-dop?",
    ),
    "seat nowhere": (
        "  - merge: {units: [loc-ninh, bu-dop], into: moi, name: {vi: Mới, en: New}, kind: district, "
        "seat: loc-nin, places: {}}\n",
        "no site 'loc-nin'\nhint: sites: ",
    ),
    "new site without a number": (
        "  - convert: {unit: loc-ninh, kind: commune, into: [{slug: a, name: {vi: A, en: A}, seat: loc-ninh},"
        " {slug: b, name: {vi: B, en: B}, new: {uplinks: {}}}]}\n",
        "b has no number\nhint: 12 is free",
    ),
    "records with nobody": (
        "  - end: {unit: loc-ninh, records: loc-ninh, place: {close: true}}\n",
        "loc-ninh ends; it cannot keep records",
    ),
    "a new site that collides": (
        "  - convert: {unit: loc-ninh, kind: commune, into: [{slug: a, name: {vi: A, en: A}, seat: loc-ninh},"
        " {slug: b, name: {vi: B, en: B}, new: {number: 8, uplinks: {inet0: {address: 203.0.113.206/30,"
        " gateway: 203.0.113.205}}}}]}\n",
        "number 8 is already b's",
    ),
    "a kind nobody knows": (
        "  - rename: {unit: loc-ninh, kind: hamlet}\n",
        "there is no kind 'hamlet'",
    ),
    "no inventory there": (
        "  - join: {inventory: nowhere, into: this, prefix: dn, office: {kind: district}}\n",
        "plan.yaml:4:12: no inventory in ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_plan_is_told_its_place(checkout: Path, case: str) -> None:
    changes, expected = WRONG[case]
    assert expected in problems(checkout, changes)


def test_a_date_is_a_date(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("date: 1 July\ndecision: x\nchanges:\n  - move: {unit: a, parent: b}\n", encoding="utf-8")
    with pytest.raises(InventoryError, match=r"plan.yaml:1:1: date: a date is written year-month-day"):
        read_plan(path)


def test_months_end_where_the_month_ends() -> None:
    assert add_months(date(2025, 8, 31), 6) == date(2026, 2, 28)
    assert add_months(date(2025, 6, 30), 12) == date(2026, 6, 30)


# --- a second province ----------------------------------------------------------------------------------

SECOND = {"tinh-uy": 0, "bien-hoa": 1, "long-khanh": 2, "loc-ninh": 40, "nhon-trach": 41}


def second_province(folder: Path) -> None:
    """A province whose numbers, slugs, dial numbers and outside systems collide with the first one's."""
    (folder / "sites").mkdir(parents=True)
    shutil.copytree(ROOT / "inventory/layers", folder / "layers")
    path = folder / "layers/province.yaml"
    said = path.read_text(encoding="utf-8").replace("binh-phuoc", "dong-nai").replace("binhphuoc", "dongnai")
    said = said.replace("172.30.0.10", "172.30.0.11").replace("10.0.0.0/9", "10.0.0.0/10")
    said = said.replace(
        "    updates:", "    tokens: {side: net, address: 198.51.100.90, name: x}\n    updates:"
    )
    path.write_text(said, encoding="utf-8")
    for index, (slug, number) in enumerate(SECOND.items()):
        hub = number == 0
        lines = [
            f"number: {number}",
            f"kind: {'provincial-office' if hub else 'district'}",
            f"name: {{vi: Điểm {slug}, en: Site {slug}}}",
            "# the line of the province before",
            "uplinks:",
            f"  inet0: {{address: 192.0.2.{4 * index + 2}/30, gateway: 192.0.2.{4 * index + 1}}}",
        ]
        if hub:
            lines += ["hub: true", "valid: {from: 2020-01-01}"]
        else:
            lines += ["parent: tinh-uy", "devices: {gw-wan: {asset: {owner: loc-ninh}}}"]
            lines += ["hosts:", f'  vc: {{runs: {{videoconf: {{number: "{1000 + number}"}}}}}}']
        (folder / "sites" / f"{slug}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def joining(checkout: Path, into: str, more: str = "") -> tuple[Outcome, Any]:
    if not (checkout / "second").exists():
        second_province(checkout / "second")
    prefix = "dn" if into == "this" else "bp"
    change = (
        f"  - join: {{inventory: second, into: {into}, prefix: {prefix}, office: {{kind: district}}{more}}}\n"
    )
    return planned(checkout, change)


def test_a_province_joins_this_one(checkout: Path, old: ProvincePlan) -> None:
    outcome, folder = joining(checkout, "this")
    assert len(outcome.after.sites) == 26
    assert all(of(outcome, slug).fate == "same" for slug in old.sites), "nobody here moves"
    numbers = {slug: outcome.after.sites[slug].site.number for slug in outcome.after.sites}
    assert (numbers["bien-hoa"], numbers["dn-loc-ninh"], numbers["nhon-trach"]) == (100, 40, 41)
    assert numbers["dn-tinh-uy"] >= 100
    office = outcome.after.sites["dn-tinh-uy"].site
    assert (office.hub, office.kind, office.level) == (False, "district", 2)
    assert outcome.after.outside["tokens"] and str(outcome.after.outside["central-wan"]) == "172.30.0.10"
    assert any("central-wan" in en for _, en in outcome.notes)
    coast = outcome.after.sites["nhon-trach"].site
    assert coast.parent == "dn-tinh-uy"
    assert coast.devices["gw-wan"].asset is not None
    assert coast.devices["gw-wan"].asset.owner == "dn-loc-ninh"
    moved = {one.group for one in of(outcome, "nhon-trach").changed}
    assert moved == {"dns name"}, "a number that is free keeps every address"
    lines = [one for one in of(outcome, "bien-hoa").kept if one.group == "line"]
    assert [one.of for one in lines] == ["inet0"], "what the provider gave stays"
    hosts = {one.what for one in outcome.kept}
    assert {"host svc-wan", "host svc-net", "host vault-wan", "host vault-net"} <= hosts
    folder.commit()
    said = (checkout / "inventory/sites/bien-hoa.yaml").read_text(encoding="utf-8")
    assert "# the line of the province before" in said and 'number: "1100"' in said
    with pytest.raises(InventoryError, match="A plan is applied once"):
        joining(checkout, "this")


def test_this_province_joins_another(checkout: Path, old: ProvincePlan) -> None:
    outcome, folder = joining(checkout, "other")
    assert outcome.after.name == "dong-nai"
    assert of(outcome, "bien-hoa").fate == "joined"
    renamed = of(outcome, "bp-loc-ninh")
    assert (renamed.before, renamed.province) == ("loc-ninh", "binh-phuoc")
    assert {one.group for one in renamed.changed} == {"slug", "node name", "dns name", "secret", "vault file"}
    assert outcome.after.sites["dong-xoai"].site.number >= 100
    assert not outcome.after.sites["bp-tinh-uy"].site.hub
    folder.commit()
    after = load(checkout / "inventory")
    assert after.province.domain == "dongnai.internal"
    assert len(after.sites) == len(old.sites) + len(SECOND)


def test_who_gives_way_is_chosen(checkout: Path) -> None:
    outcome, _ = joining(checkout, "this", ", renumbers: this, numbers: {dong-xoai: 500}")
    assert outcome.after.sites["bien-hoa"].site.number == 1
    assert outcome.after.sites["dong-xoai"].site.number == 500
    assert outcome.after.sites["binh-long"].site.number == 100
    moved = {one.of: (one.before, one.after) for one in of(outcome, "dong-xoai").of("prefix")}
    assert moved["users"] == ("10.0.8.0/24", "10.15.160.0/24")
    endpoint = outcome.after.sites["dong-xoai"].node("vc")
    assert endpoint.services["videoconf"].params.number == "1500"  # type: ignore[attr-defined]


def test_numbers_by_hand_are_looked_at(checkout: Path) -> None:
    with pytest.raises(InventoryError, match="number 8 is taken"):
        joining(checkout, "this", ", numbers: {bien-hoa: 8}")
    with pytest.raises(InventoryError, match="bu-dang is no site of the side that renumbers"):
        joining(checkout, "this", ", numbers: {bu-dang: 200}")


# --- random plans ---------------------------------------------------------------------------------------

_SLUGS = [path.stem for path in sorted((ROOT / "inventory/sites").glob("*.yaml"))]
_NAME = {"vi": "Đơn vị mới", "en": "A new unit"}


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[dict[str, Any]], set[str]]:
    """Changes that concern each site at most once, and the sites they name."""
    order = draw(st.permutations([slug for slug in _SLUGS if slug != "tinh-uy"]))
    waiting, named = list(order), set[str]()
    changes: list[dict[str, Any]] = []
    for index in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["rename", "merge", "convert", "move", "end"]))
        unit, other = waiting.pop(), waiting.pop()
        place: dict[str, Any] = draw(
            st.sampled_from([{"close": True}, {"slug": f"cu-{index}", "name": _NAME}])
        )
        new: dict[str, Any] = {"slug": f"moi-{index}", "name": _NAME}
        named |= {unit, other}
        if kind == "rename":
            to = draw(st.sampled_from([f"moi-{index}", None]))
            changes.append(
                {kind: {"unit": unit, "to": to, "kind": draw(st.sampled_from(["commune", "board"]))}}
            )
        elif kind == "move":
            changes.append({kind: {"unit": unit, "parent": "tinh-uy"}})
        elif kind == "end":
            changes.append({kind: {"unit": unit, "records": other, "place": place}})
        elif kind == "convert":
            seat = draw(st.sampled_from([unit, other]))
            parts = [{**new, "seat": seat}, {"slug": f"hai-{index}", "name": _NAME, "seat": other}]
            change: dict[str, Any] = {"unit": unit, "kind": "commune", "into": parts}
            changes.append({kind: change if seat == unit else {**change, "place": place}})
        else:
            change = {"units": [unit, other], "into": f"moi-{index}", "name": _NAME, "kind": "district"}
            changes.append({kind: {**change, "seat": unit, "places": {other: place}}})
    return changes, named


@settings(max_examples=8, deadline=None, derandomize=True)
@given(plans())
def test_any_plan_leaves_a_province_that_is_whole(case: tuple[list[dict[str, Any]], set[str]]) -> None:
    before, old = province()
    changes, named = case
    plan = Reorganisation.model_validate({"date": date(2025, 7, 1), "decision": "x", "changes": changes})
    kept_copy = before.copy()
    draft, ledger = carry_out(before, plan, str, lambda _: Draft({}))
    assert before.files == kept_copy.files, "what was handed in is not changed"
    folder = Folder(ROOT / "inventory")
    stage(folder, before, None, draft)  # refuses a text that does not say what the draft says
    assert bool(folder.changed) is (before.files != draft.files)
    inventory = draft.inventory()
    after = build(inventory)
    was_view, now_view = View(old), View(after)
    for slug in set(old.sites) - named - {"tinh-uy"}:
        assert fate((was_view, slug), (now_view, slug)).fate == "same", slug
    for now in after.sites:  # a place keeps its number, and what it still has keeps its address
        was = ledger.before(now)
        if was in old.sites:
            found = fate((was_view, was), (now_view, now))
            for one in found.changed:
                if one.group in {"number", "prefix", "prefix6", "vlan", "address", "line", "router id"}:
                    assert one.before is None or one.after is None, (now, one)
    prefixes = [s.prefix for site in after.sites.values() for s in site.segments.values()]
    assert not [(a, b) for a, b in combinations(sorted(prefixes), 2) if a.overlaps(b)]
    units = inventory.units()
    for slug in old.sites:
        unit = units[slug][1]
        assert unit.valid.until is None or ledger.ended[slug], f"{slug} has no heir"
        for heir in ledger.ended.get(slug, ()):
            assert heir in units
            assert slug in units[heir][1].succeeds or any("end" in change for change in changes)
