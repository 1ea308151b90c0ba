"""Reads the sheets of a workbook to rows of checked values; every error names sheet, row and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lienthong.edit.write import Value
from lienthong.errors import InventoryError, Problem
from lienthong.workbook.cells import clean, heading_of, value_of
from lienthong.workbook.columns import Column, Sheet
from lienthong.workbook.package import opened
from lienthong.workbook.sheets import SHEETS

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

#: Columns that an officer may add for himself.
NOTES = {"ghi chú", "note", "notes", "stt", "tt", "no.", "#"}
HEADING_WITHIN = 10
MAX_COLUMNS = 60


@dataclass(frozen=True)
class Row:
    """One filled row: values by column, and the name of each value's cell."""

    sheet: Sheet
    number: int
    values: dict[str, Value]
    cells: dict[str, str]

    def cell(self, key: str) -> str:
        """`Sites!C5` of a column; the row's first cell where that column is empty."""
        return self.cells.get(key, f"{self.sheet.name}!{self.number}")


def rows_of(path: Path) -> tuple[list[Row], list[Problem]]:
    """Every row of every sheet that this tool knows, and everything wrong with them.

    Raises:
        LienThongError: the file is no workbook that may be read.
        InventoryError: it has none of the sheets.
    """
    values, formulas = opened(path)
    known = {name.casefold(): sheet for sheet in SHEETS for name in (sheet.name, sheet.vi)}
    rows: list[Row] = []
    problems: list[Problem] = []
    found = 0
    for page in values.worksheets:
        sheet = known.get(page.title.strip().casefold())
        if sheet is not None:
            found += 1
            reader = _Reader(sheet, page, formulas[page.title] if formulas else None)
            rows += reader.rows()
            problems += reader.problems
    if not found:
        what = f"has none of the sheets {', '.join(sheet.name for sheet in SHEETS)}"
        raise InventoryError([Problem(path.name, what, "lienthong import template FILE.xlsx writes them")])
    return rows, problems


def _explains(cells: Sequence[Any]) -> bool:
    """Whether a row is the one of explanations, this version's or another's: two languages, two lines."""
    filled = [cell.value for cell in cells if isinstance(cell.value, str)]
    return len(filled) > 1 and 2 * sum("\n" in text for text in filled) > len(filled)


class _Reader:
    def __init__(self, sheet: Sheet, page: Worksheet, formulas: Worksheet | None) -> None:
        self.sheet = sheet
        self.page = page
        self.formulas = formulas
        self.problems: list[Problem] = []
        self.merged: dict[tuple[int, int], tuple[int, int]] = {
            (row, column): (area.min_row, area.min_col)
            for area in page.merged_cells.ranges
            for row in range(area.min_row, area.max_row + 1)
            for column in range(area.min_col, area.max_col + 1)
        }

    def rows(self) -> list[Row]:
        last = min(self.page.max_column or 0, MAX_COLUMNS)
        grid = list(self.page.iter_rows(max_col=last)) if last else []
        head = next(
            (index for index in range(min(len(grid), HEADING_WITHIN)) if self._is_head(grid[index])), None
        )
        if head is None:
            self._problem(
                "1", "has no row of headings", "copy it from the workbook of lienthong import template"
            )
            return []
        columns = self._columns(grid[head])
        below = grid[head + 1 :]
        if below and _explains(below[0]):
            below = below[1:]
        return [row for cells in below for row in self._row(cells, columns)]

    def _names(self) -> dict[str, Column]:
        found: dict[str, Column] = {}
        for column in self.sheet.columns:
            for name in (column.key, column.vi, column.heading):
                found.setdefault(heading_of(name), column)
        return found

    def _is_head(self, cells: Sequence[Any]) -> bool:
        filled = [heading_of(cell.value) for cell in cells if clean(cell.value) is not None]
        names = self._names()
        return len(filled) > 1 and 2 * sum(name in names for name in filled) >= len(filled)

    def _columns(self, cells: Sequence[Any]) -> dict[int, Column]:
        names, found = self._names(), dict[int, Column]()
        for index, cell in enumerate(cells):
            text = heading_of(cell.value)
            column = names.get(text)
            if not text or text in NOTES:
                continue
            if column is None:
                close = get_close_matches(text, names, 1)
                hint = (
                    f"did you mean {names[close[0]].key}?"
                    if close
                    else "a column of one's own is headed Ghi chú"
                )
                self._problem(cell.coordinate, f"unknown heading {text[:40]!r}", hint)
            elif column in found.values():
                self._problem(cell.coordinate, f"heading {column.key} stands here twice", "keep one of them")
            else:
                found[index] = column
        for column in self.sheet.columns:
            if column.needed and column not in found.values():
                self._problem(f"{cells[0].row}", f"column {column.key} ({column.vi}) is missing", "")
        return found

    def _row(self, cells: Sequence[Any], columns: dict[int, Column]) -> Iterator[Row]:
        number = int(cells[0].row)
        filled = {index: self._content(cells[index], column) for index, column in columns.items()}
        filled = {index: raw for index, raw in filled.items() if raw is not None}
        if not filled:
            return
        if self.page.row_dimensions[number].hidden:
            self._problem(f"{number}", "the row is hidden", "clear the filter or show it; or delete it")
        row = Row(self.sheet, number, {}, {})
        for index, raw in filled.items():
            column, place = columns[index], str(cells[index].coordinate)
            row.cells[column.key] = f"{self.sheet.name}!{place}"
            try:
                row.values[column.key] = value_of(column, raw)
            except ValueError as error:
                self._problem(place, f"{column.key}: {error}", "")
        for column in columns.values():
            if column.needed and column.key not in row.cells:
                index = next(i for i, one in columns.items() if one is column)
                self._problem(
                    cells[index].coordinate, f"{column.key} ({column.vi}) is empty", "every row needs it"
                )
        if all(column.key in row.values for column in columns.values() if column.needed):
            yield row

    def _content(self, cell: Any, column: Column) -> object:
        """What a cell holds; None for nothing, or for what is said to be wrong with it."""
        here = (cell.row, cell.column)
        place = str(cell.coordinate)
        top = self.merged.get(here)
        if top is not None and column.key != "site":
            if top == here:
                self._problem(place, "cells are merged here", "split them and write the value into each")
            return None
        if top is not None:  # one office's name beside all its rows
            cell = self.page.cell(*top)
        raw = clean(cell.value)
        formula = self.formulas.cell(cell.row, cell.column) if self.formulas is not None else cell
        if formula.data_type == "f" and raw is None:
            self._problem(place, "is a formula without a value", "copy the column and paste it as values")
        if cell.data_type == "e":
            self._problem(place, f"Excel says {raw} here", "mend the formula or type the value")
            return None
        return raw

    def _problem(self, place: str, what: str, hint: str) -> None:
        self.problems.append(Problem(f"{self.sheet.name}!{place}", what, hint))
