"""The workbook: what it is written like, what it becomes, and what is refused, each with its cell."""

from __future__ import annotations

import io
import shutil
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.edit import Draft, Put
from lienthong.errors import InventoryError, LienThongError
from lienthong.inventory import load
from lienthong.inventory.yamlfile import read
from lienthong.plan.build import build
from lienthong.workbook.cells import value_of
from lienthong.workbook.reading import rows_of
from lienthong.workbook.sheets import SHEETS
from lienthong.workbook.template import FIRST, GUIDE, put, write

ROOT = Path(__file__).resolve().parents[2]
KINDS = ["board", "district", "provincial-office"]
Change = Callable[[Any], None]


def command(*words: str) -> str:
    result = CliRunner().invoke(app, ["import", *words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def sample(tmp_path_factory: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("workbook") / "sample.xlsx"
    write(path, KINDS, ["linux-gw", "linux-sw"])
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the layers of this one and no site."""
    shutil.copytree(ROOT / "inventory" / "layers", tmp_path / "co" / "inventory" / "layers")
    (tmp_path / "co" / "inventory" / "sites").mkdir()
    return tmp_path / "co"


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "inventory" / "sites").iterdir()}


def cell(book: Any, sheet: str, key: str, row: int = FIRST) -> Any:
    index = [column.key for one in SHEETS if one.name == sheet for column in one.columns].index(key)
    return book[sheet].cell(row, index + 1)


@pytest.fixture
def changed(sample: Path, tmp_path: Path) -> Callable[..., Path]:
    """The sample workbook with a change."""

    def make(change: Change) -> Path:
        book = openpyxl.load_workbook(sample)
        change(book)
        path = tmp_path / "changed.xlsx"
        book.save(path)
        return path

    return make


def setting(sheet: str, key: str, value: Any, row: int = FIRST) -> Change:
    def change(book: Any) -> None:
        cell(book, sheet, key, row).value = value

    return change


def undated(book: Any) -> None:
    one = cell(book, "Devices", "purchased")
    one.value, one.number_format = 45366, "General"


def problems(path: Path, root: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        command("xlsx", str(path), "--root", str(root))
    return [str(problem) for problem in caught.value.problems]


# --- from the sample to a plan ---------------------------------------------------------------------------


def test_the_sample_becomes_an_inventory_that_validates_and_plans(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "province.xlsx"
    command("template", str(path), "--root", str(root))
    output = command("xlsx", str(path), "--root", str(root))
    assert sorted(contents(root)) == ["ban-to-chuc.yaml", "loc-ninh.yaml", "tinh-uy.yaml"]
    done = CliRunner().invoke(app, ["validate", "--root", str(root)])
    assert done.exit_code == 0 and done.output.startswith("3 sites"), done.output
    plan = build(load(root / "inventory"))
    assert str(plan.nodes["loc-ninh-records"].address) == "10.0.41.11"
    site = plan.sites["loc-ninh"].site
    assert site.hosts["srv"].asset is not None and site.hosts["srv"].asset.purchased == date(2024, 6, 1)
    assert site.devices["sw-wan"].ports["e5"].host == "records"
    assert site.devices["sw-wan"].serial == "0012345678"
    assert site.uplinks["inet0"].contract is not None
    assert plan.sites["ban-to-chuc"].site.number == 1
    assert any(flow.origin == "system-records" for flow in plan.sites["loc-ninh"].flows)
    assert "+number: 5" in output


def test_a_second_import_changes_nothing(root: Path, sample: Path) -> None:
    command("xlsx", str(sample), "--root", str(root))
    before = contents(root)
    assert "already says all of it" in command("xlsx", str(sample), "--root", str(root))
    assert contents(root) == before


def test_what_a_layer_gives_is_not_written_again(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        said = {"site": "tinh-uy", "line": "inet0", "kind": "internet", "device": "gw-net"}
        for key, value in {**said, "provider": "Internet provider"}.items():
            setting("Uplinks", key, value, FIRST + 1)(book)

    command("xlsx", str(changed(change)), "--root", str(root))
    own = read(root / "inventory" / "sites" / "tinh-uy.yaml", "x").value
    assert list(own) == ["number", "kind", "name", "uplinks"]
    assert list(own["uplinks"]["inet0"]) == ["address", "gateway"]


def test_a_known_site_is_edited_and_keeps_its_comments(
    root: Path, sample: Path, changed: Callable[..., Path]
) -> None:
    command("xlsx", str(sample), "--root", str(root))
    file = root / "inventory" / "sites" / "loc-ninh.yaml"
    file.write_text(file.read_text().replace("hosts:", "# những máy chủ\nhosts:"))
    before = file.read_text()
    path = changed(setting("Hosts", "serial", "NEW-1"))
    output = command("xlsx", str(path), "--root", str(root), "--dry-run")
    assert '-    serial: "7XKQ2R3"' in output and "+    serial: NEW-1" in output
    assert file.read_text() == before
    command("xlsx", str(path), "--root", str(root))
    assert file.read_text() == before.replace('"7XKQ2R3"', "NEW-1")


def test_a_port_that_is_given_another_use_loses_the_old_one(root: Path, changed: Callable[..., Path]) -> None:
    command("xlsx", str(changed(setting("Hosts", "port", "e24", FIRST + 1))), "--root", str(root))
    port = load(root / "inventory").sites["loc-ninh"].devices["sw-wan"].ports["e24"]
    assert port.host == "records" and not port.unused


def test_another_inventory_folder_is_written_into(root: Path, sample: Path, tmp_path: Path) -> None:
    with pytest.raises(LienThongError, match="no sites/"):
        command("xlsx", str(sample), "--into", str(tmp_path), "--root", str(root))
    shutil.copytree(root, tmp_path / "other")
    command("xlsx", str(sample), "--into", str(tmp_path / "other" / "inventory"), "--root", str(root))
    assert not contents(root) and contents(tmp_path / "other")


# --- how it looks ------------------------------------------------------------------------------------------


def test_every_sheet_has_headings_explanations_and_formats(sample: Path) -> None:
    book = openpyxl.load_workbook(sample)
    assert book.sheetnames == [GUIDE, *(sheet.name for sheet in SHEETS)]
    for sheet in SHEETS:
        page = book[sheet.name]
        assert page.freeze_panes == ("B3" if sheet.name == "Sites" else "C3"), sheet.name
        for index, column in enumerate(sheet.columns, 1):
            head, about = page.cell(1, index), page.cell(2, index)
            assert head.value == column.heading and "\n" in column.heading
            assert about.value == column.about and len(column.about) > 10, column.key
            assert head.alignment.wrap_text and about.alignment.wrap_text
            width = page.column_dimensions[head.column_letter].width
            assert width >= 8
            longest = max(len(word) for word in column.heading.split())
            assert longest <= width, column.heading
            lines = sum(-(-len(line) // column.width) for line in column.about.split("\n"))
            assert page.row_dimensions[2].height >= 11 * lines * 0.8, column.about
            form = page.column_dimensions[head.column_letter].number_format
            assert form == {"day": "dd/mm/yyyy", "number": "0"}.get(column.shape, "@")


def test_closed_vocabularies_are_drop_downs(sample: Path) -> None:
    book = openpyxl.load_workbook(sample)
    rules = {
        (sheet.name, str(rule.sqref).rstrip("0123456789").split(":")[0]): rule.formula1
        for sheet in SHEETS
        for rule in book[sheet.name].data_validations.dataValidation
    }
    assert rules["Sites", "C3"] == '"board,district,provincial-office"'
    assert rules["Uplinks", "C3"] == '"tslcd,leased,internet"'
    assert sum(1 for (sheet, _) in rules if sheet == "Devices") == 5
    assert all(len(formula) <= 257 for formula in rules.values())  # Excel's limit is 255 between the quotes


def test_an_empty_one_has_no_example(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "x.xlsx"
    command("template", str(path), "--empty", "--root", str(root))
    assert rows_of(path) == ([], [])
    with pytest.raises(LienThongError, match="already there"):
        command("template", str(path), "--root", str(root))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(["=", "+", "-", "@", ""]), st.text(st.characters(codec="utf-8", exclude_categories=["C"]))
)
def test_no_text_becomes_a_formula(first: str, rest: str) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    put(page["A1"], first + rest)
    file = io.BytesIO()
    book.save(file)
    back = openpyxl.load_workbook(file)["Sheet"]["A1"]
    assert back.data_type in {"s", "n", "inlineStr"} and (back.value or "") == first + rest
    assert back.quotePrefix == bool(first) or (first + rest)[:1] not in "=+-@" or not first + rest


# --- dirt that is wiped off --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "key", "raw", "value"),
    [
        ("Hosts", "serial", 1005.0, "1005"),
        ("Hosts", "serial", "  SN-1\u00a0", "SN-1"),
        ("Sites", "number", 5.0, 5),
        ("Sites", "number", "5", 5),
        ("Sites", "name_vi", "Huye\u0323\u0302n  u\u0309y\nLo\u0323\u0302c Ninh ", "Huyện ủy Lộc Ninh"),
        ("Sites", "dial_number", 1005, "1005"),
        ("Devices", "purchased", datetime(2024, 3, 15), "2024-03-15"),
        ("Devices", "purchased", "15/3/2024", "2024-03-15"),
        ("Devices", "purchased", "2024-03-15", "2024-03-15"),
        ("Devices", "state", "In-Use ", "in-use"),
        ("Uplinks", "spare", "Có", True),
        ("Uplinks", "spare", "không", False),
        ("Uplinks", "spare", 1, True),
        ("Clients", "mac", "52-54-00-12-34-AB", "52:54:00:12:34:ab"),
        ("Systems", "ports", "443; 8443,", [443, 8443]),
        ("Systems", "ports", 443, [443]),
        ("Ports", "carries", "users, management", ["users", "management"]),
    ],
)
def test_dirt_is_wiped_off(sheet: str, key: str, raw: Any, value: Any) -> None:
    from lienthong.workbook.cells import clean

    (column,) = [one.column(key) for one in SHEETS if one.name == sheet]
    assert value_of(column, clean(raw)) == value


def test_empty_rows_notes_and_a_deleted_explanation_do_no_harm(
    root: Path, changed: Callable[..., Path]
) -> None:
    def change(book: Any) -> None:
        page = book["Hosts"]
        page.delete_rows(2)
        page.insert_rows(3)
        page.cell(1, 30).value = "Ghi chú"
        page.cell(2, 30).value = "=của riêng tôi"
        page.cell(2, 30).data_type = "s"
        page.cell(900, 3).value = "   "

    command("xlsx", str(changed(change)), "--root", str(root))
    assert set(load(root / "inventory").sites["loc-ninh"].hosts) == {"srv", "vc", "records"}


def test_one_name_merged_beside_several_rows_counts_for_all(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        cell(book, "Devices", "site", FIRST + 1).value = None
        book["Devices"].merge_cells(f"A{FIRST}:A{FIRST + 1}")

    command("xlsx", str(changed(change)), "--root", str(root))
    assert load(root / "inventory").sites["loc-ninh"].devices["sw-wan"].serial == "0012345678"


def test_a_formulas_last_value_is_taken(root: Path, changed: Callable[..., Path], tmp_path: Path) -> None:
    path = changed(setting("Sites", "number", "=2+3", FIRST + 1))
    found = problems(path, root)
    assert found[0].startswith("Sites!B4: is a formula without a value")
    book = tmp_path / "calculated.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(book, "w") as new:
        for part in old.infolist():
            raw = old.read(part).replace(b"<f>2+3</f><v></v>", b"<f>2+3</f><v>5</v>")
            new.writestr(
                part,
                raw.replace(b"<f>2+3</f><v/>", b"<f>2+3</f><v>5</v>").replace(
                    b"<f>2+3</f><v />", b"<f>2+3</f><v>5</v>"
                ),
            )
    command("xlsx", str(book), "--root", str(root))
    assert load(root / "inventory").sites["loc-ninh"].number == 5


# --- errors, each with its cell ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (setting("Sites", "kind", "nowhere"), "Sites!C3: there is no kind 'nowhere'\nhint: kinds: "),
        (setting("Sites", "kind", None), "Sites!C3: kind (Loại cơ quan) is empty"),
        (setting("Sites", "number", 12.5), "Sites!B3: number: 12.5 is no whole number"),
        (setting("Sites", "number", 5), "number 5 is already"),
        (setting("Sites", "number", 99999), "Sites!B3: number: '99999': Input should be less than or equal"),
        (setting("Sites", "slug", "Lộc Ninh"), "Sites!A3: slug: 'Lộc Ninh': String should match"),
        (setting("Sites", "slug", "loc-ninh"), "Sites!A4: site loc-ninh stands here twice"),
        (setting("Sites", "name_vi", "a$(reboot)"), "Sites!D3: name_vi: 'a$(reboot)': character '$' is not"),
        (
            setting("Sites", "name_en", "{{ x }}"),
            "Sites!E3: name_en: '{{ x }}': character '{' is not allowed",
        ),
        (setting("Sites", "inet_address", 203.0113), "Sites!H3: inet_address: 203.0113 is no whole number"),
        (setting("Sites", "name_vi", "???", FIRST + 2), "Sites!D5: "),
        (setting("Devices", "serial", 1234567890123456), "Excel has rounded this number"),
        (setting("Devices", "serial", "SN 1"), "Devices!E3: serial: 'SN 1': String should match"),
        (setting("Devices", "serial", datetime(2024, 1, 2)), "Excel has made a date of it"),
        (undated, "Devices!L3: purchased: 45366 is a number"),
        (setting("Devices", "purchased", "31/02/2024"), "'31/02/2024' is no date: write day/month/year"),
        (setting("Devices", "state", "broken"), "state: 'broken': Input should be 'in-use'"),
        (setting("Devices", "site", "Huyện ủy Nào"), "Devices!A3: there is no site 'Huyện ủy Nào'"),
        (setting("Devices", "device", None), "Devices!B3: device (Tên thiết bị) is empty"),
        (setting("Uplinks", "spare", "maybe"), "spare: 'maybe' is neither có (yes) nor không (no)"),
        (setting("Hosts", "switch", None, FIRST + 1), "port is said, and switch is not"),
        (setting("Systems", "ports", "https"), "ports: ports are numbers"),
        (setting("Hosts", "serial", "#REF!"), "Hosts!E3: Excel says #REF! here"),
        (setting("Clients", "serial", "7XKQ2R4"), "(inventory/sites/loc-ninh.yaml:"),
        (setting("Devices", "room", "main/nowhere"), "Devices!I3 (inventory/sites/loc-ninh.yaml:"),
        (setting("Hosts", "segment", "nowhere", FIRST + 1), "Hosts!N4 (inventory/sites/loc-ninh.yaml:"),
    ],
)
def test_an_error_names_its_cell(
    root: Path, changed: Callable[..., Path], change: Change, error: str
) -> None:
    found = problems(changed(change), root)
    assert any(error in problem for problem in found), found
    assert not contents(root)


def test_all_errors_are_collected(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        setting("Sites", "number", "x")(book)
        setting("Devices", "purchased", "x")(book)
        setting("Clients", "mac", "x")(book)

    found = problems(changed(change), root)
    assert {problem.split("!")[0] for problem in found} >= {"Sites", "Devices", "Clients"}


def table(change: Callable[[Any], None]) -> Change:
    return lambda book: change(book["Devices"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (table(lambda page: page.merge_cells("E3:E4")), "Devices!E3: cells are merged here"),
        (table(lambda page: setattr(page.row_dimensions[4], "hidden", True)), "Devices!4: the row is hidden"),
        (table(lambda page: setattr(page["D1"], "value", "Số sê-ri")), "heading serial stands here twice"),
        (table(lambda page: setattr(page["D1"], "value", "Số sê-rỉ")), "unknown heading 'số sê-rỉ'"),
        (table(lambda page: page.delete_cols(2)), "column device (Tên thiết bị) is missing"),
        (table(lambda page: page.delete_rows(1, 2)), "Devices!1: has no row of headings"),
    ],
)
def test_a_table_out_of_shape_is_told(
    root: Path, changed: Callable[..., Path], change: Change, error: str
) -> None:
    found = problems(changed(change), root)
    assert any(error in problem for problem in found), found


def test_an_error_value_of_excel_is_told(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        one = cell(book, "Devices", "serial")
        one.value, one.data_type = "#N/A", "e"

    assert "Devices!E3: Excel says #N/A here" in "\n".join(problems(changed(change), root))


def test_two_rows_that_disagree_are_told_with_both_cells(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        setting("Devices", "device", "gw-wan", FIRST + 1)(book)

    found = "\n".join(problems(changed(change), root))
    assert "Devices!E4: serial is '0012345678' here and 'E261234A0012' in Devices!E3" in found


def test_a_slug_that_is_another_sites_is_not_taken(root: Path, changed: Callable[..., Path]) -> None:
    def change(book: Any) -> None:
        setting("Sites", "name_vi", "Thị ủy Lộc Ninh", FIRST + 2)(book)

    assert "the slug loc-ninh is another site's" in "\n".join(problems(changed(change), root))


# --- files that nobody should open -------------------------------------------------------------------------


def packed(path: Path, parts: dict[str, bytes], compress: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compress) as file:
        for name, raw in parts.items():
            file.writestr(name, raw)
    return path


def repacked(sample: Path, path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(sample) as old:
        parts = {part.filename: old.read(part) for part in old.infolist()}
    assert change(parts[name]) != parts[name]
    return packed(path, {**parts, name: change(parts[name])})


def after(mark: bytes, more: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(mark, more + mark)


def hostile(sample: Path, folder: Path) -> dict[str, tuple[Path, str]]:
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"a" * 100 + b'">]>'
    merged = b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    row = b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
    never = "holds what Excel never writes"
    plain: dict[str, tuple[bytes, str]] = {
        "old.xlsx": (b"\xd0\xcf\x11\xe0" + bytes(1000), "old .xls file, or has a password"),
        "text.xlsx": (b"slug;number\n", "is no workbook"),
        "empty.xlsx": (b"", "is no workbook"),
        "half.xlsx": (sample.read_bytes()[:5000], "is no workbook"),
        "macro.xlsm": (sample.read_bytes(), "may hold macros"),
    }
    found = {}
    for name, (raw, error) in plain.items():
        (folder / name).write_bytes(raw)
        found[name] = (folder / name, error)
    sheet = "xl/worksheets/sheet2.xml"
    kinds = "[Content_Types].xml"
    inside: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
        "kind.xlsx": (
            kinds,
            lambda r: r.replace(b"sheet.main", b"sheet.macroEnabled.main"),
            "may hold macros",
        ),
        "entity.xlsx": (sheet, lambda r: entity + r, never),
        "utf16.xlsx": (sheet, lambda r: r.decode().encode("utf-16"), never),
        "ebcdic.xlsx": (sheet, lambda r: b'<?xml version="1.0" encoding="cp037"?>' + r, never),
        "merged.xlsx": (sheet, after(b"</worksheet>", merged), "cells merged into one (A1)"),
        "long.xlsx": (sheet, after(b"</sheetData>", row), "reaches down to row 1048576"),
        "broken.xlsx": (sheet, lambda r: r[:500], "cannot be read as a workbook"),
    }
    for name, (part, change, error) in inside.items():
        found[name] = (repacked(sample, folder / name, part, change), error)
    with zipfile.ZipFile(sample) as book:
        parts = {part.filename: book.read(part) for part in book.infolist()}
    for name, more, error in (
        ("vba.xlsx", {"xl/vbaProject.bin": b"x"}, "holds macros"),
        ("bomb.xlsx", {"xl/media/x.bin": bytes(200_000_000)}, "unpacks to more than"),
    ):
        found[name] = (packed(folder / name, {**parts, **more}), error)
    with (folder / "big.xlsx").open("wb") as file:
        file.truncate(100_000_000)
    found["big.xlsx"] = (folder / "big.xlsx", "larger than 20 MB")
    found["nothing.xlsx"] = (packed(folder / "nothing.xlsx", {"x": b""}), "cannot be read as a workbook")
    found["missing.xlsx"] = (folder / "missing.xlsx", "cannot be read: No such file")
    return found


def test_what_nobody_should_open_is_refused_within_a_second(sample: Path, tmp_path: Path, root: Path) -> None:
    for name, (path, error) in hostile(sample, tmp_path).items():
        began = time.process_time()
        with pytest.raises(LienThongError) as caught:
            command("xlsx", str(path), "--root", str(root))
        assert error in str(caught.value), (name, str(caught.value))
        assert time.process_time() - began < 1, name
    assert not contents(root)


def test_a_workbook_of_somebody_else_is_told_what_is_missing(tmp_path: Path, root: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page["A1"] = "Tên máy"
    page["A1"].comment = Comment("x", "y")
    book.save(tmp_path / "x.xlsx")
    assert "has none of the sheets Sites" in problems(tmp_path / "x.xlsx", root)[0]


def test_hostile_names_of_a_known_site_do_not_pass(
    root: Path, sample: Path, changed: Callable[..., Path]
) -> None:
    command("xlsx", str(sample), "--root", str(root))
    draft = Draft(root / "inventory")
    draft.edit("sites/loc-ninh.yaml", Put(("name", "vi"), "Huyện ủy Lộc Ninh (mới)"))
    draft.commit()
    before = contents(root)
    found = problems(changed(setting("Hosts", "keeper", "x\u202ey")), root)
    assert "bidirectional" in found[0] or "U+202E" in found[0]
    assert contents(root) == before
