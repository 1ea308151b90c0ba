"""Writes the workbook: headings in Vietnamese and English, explanations, drop-downs, an example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.workbook.columns import Column, Sheet
from lienthong.workbook.sample import ROWS, Cell
from lienthong.workbook.sheets import SHEETS

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as ExcelCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

ROOM_FOR = 2_000
"""Rows below the headings that are formatted and have drop-downs."""
FIRST = 3
"""Row of the first entry: headings, explanations, entries."""
GUIDE = "Hướng dẫn - Guide"
_GUIDE = (
    ("Sổ tay nhập liệu của Liên Thông", "Liên Thông's workbook"),
    (
        "Mỗi dòng là một cơ quan, một thiết bị, một máy. Dòng 1: tên cột, dòng 2: giải thích; nhập từ dòng 3",
        "A row is a site, a device, a computer … Row 1: headings, row 2: what they mean; entries from row 3.",
    ),
    (
        "Cột có dấu * phải điền. Những gì đã có theo loại cơ quan thì không cần điền lại.",
        "Columns with a star must be filled. What the kind of a site already gives need not be filled.",
    ),
    (
        "Mã cơ quan, số hiệu, số gọi hội nghị để trống thì công cụ đề xuất.",
        "Where the slug, the number or the dial number of a site is left empty, the tool proposes one.",
    ),
    (
        "Các dòng mẫu là ví dụ: hãy xóa trước khi nhập số liệu thật.",
        "The rows that are filled are an example: delete them before you enter real data.",
    ),
    (
        "Không dùng công thức, không gộp ô, không ẩn dòng. Không ghi mật khẩu vào đây.",
        "No formulas, no merged cells, no hidden rows. Never write a password here.",
    ),
    (
        "Xem trước, chưa ghi: lienthong import xlsx FILE --dry-run",
        "To look before anything is written: lienthong import xlsx FILE --dry-run",
    ),
)


def write(path: Path, kinds: Sequence[str], platforms: Sequence[str], example: bool = True) -> None:
    """Write the workbook to a file that is not there yet.

    Raises:
        OSError: it is there, or cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook()
    guide = book.active
    assert guide is not None
    guide.title = GUIDE
    _guide(guide)
    for sheet in SHEETS:
        page = book.create_sheet(sheet.name)
        _heading(page, sheet)
        _choices(
            page, sheet, {"kind": tuple(kinds)} if sheet.name == "Sites" else {"platform": tuple(platforms)}
        )
        for number, row in enumerate(ROWS[sheet.name] if example else [], FIRST):
            for index, column in enumerate(sheet.columns, 1):
                if column.key in row:
                    put(page.cell(number, index), row[column.key])
                    page.cell(number, index).number_format = form_of(column)
    with path.open("xb") as file:
        book.save(file)


def form_of(column: Column) -> str:
    """Excel's number format of a column: text, so that 0012 stays 0012, where it is no number or day."""
    return {"day": "dd/mm/yyyy", "number": "0"}.get(column.shape, "@")


def put(cell: ExcelCell | MergedCell, value: Cell) -> None:
    """Set a value; a text stays a text whatever it begins with."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # the library takes `=…` for a formula
        if value[:1] in "=+-@\t\r":
            cell.quotePrefix = True  # and Excel would, once somebody edits the cell


def _guide(page: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font

    for row, texts in enumerate(_GUIDE, 1):
        for column, text in enumerate(texts, 1):
            cell = page.cell(row, column)
            put(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=row == 1)
    for row, sheet in enumerate(SHEETS, len(_GUIDE) + 2):
        put(page.cell(row, 1), f"{sheet.name}: {sheet.vi}")
        page.cell(row, 1).hyperlink = f"#'{sheet.name}'!A{FIRST}"
    page.column_dimensions["A"].width = page.column_dimensions["B"].width = 70


def _heading(page: Worksheet, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for index, column in enumerate(sheet.columns, 1):
        head, about = page.cell(1, index), page.cell(2, index)
        put(head, column.heading)
        put(about, column.about)
        head.font = Font(bold=True, color="FFFFFF")
        head.fill = PatternFill("solid", fgColor="9C1C1C" if column.needed else "4A5568")
        about.font = Font(italic=True, size=9, color="555555")
        about.fill = PatternFill("solid", fgColor="F2F2F2")
        head.alignment = about.alignment = Alignment(wrap_text=True, vertical="top")
        letter = get_column_letter(index)
        page.column_dimensions[letter].width = column.width
        page.column_dimensions[letter].number_format = form_of(column)
    lines = max(
        sum(-(-len(line) // int(column.width * 1.1)) for line in column.about.split("\n"))
        for column in sheet.columns
    )
    page.row_dimensions[1].height = 32
    page.row_dimensions[2].height = 13 * (lines + 1)
    keys = sum(1 for column in sheet.columns[:2] if column.needed) or 1
    page.freeze_panes = f"{get_column_letter(keys + 1)}{FIRST}"


def _choices(page: Worksheet, sheet: Sheet, more: dict[str, tuple[str, ...]]) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for index, column in enumerate(sheet.columns, 1):
        choices = more.get(column.key, column.choices)
        if choices:
            rule = DataValidation(
                type="list", formula1='"' + ",".join(choices) + '"', allow_blank=True, showErrorMessage=True
            )
            rule.errorTitle, rule.error = "Liên Thông", f"Chọn / choose: {', '.join(choices)}"[:250]
            letter = get_column_letter(index)
            rule.add(f"{letter}{FIRST}:{letter}{FIRST + ROOM_FOR - 1}")
            page.add_data_validation(rule)
