"""`findings.csv` and `findings.xlsx`: one line a finding, for officers who sort and filter in a spreadsheet.

What comes from a device stays a text in both, whatever it begins with. In a workbook a cell has a type; a CSV
file has none, so there an apostrophe stands before what a spreadsheet would take for a formula (OWASP, "CSV
Injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from lienthong.model.finding import AuditRun, Control, Finding
from lienthong.model.site import Bilingual
from lienthong.model.words import Target
from lienthong.report import labels
from lienthong.report.hostile import visible

#: Heading in both languages, and how wide the column is, in characters.
COLUMNS = (
    ("Biện pháp / control", 12),
    ("Tên / title", 40),
    ("Mức / severity", 14),
    ("Nơi / place", 22),
    ("Kết quả / status", 22),
    ("Đã kiểm tra gì / what was looked at", 48),
    ("Lý do / detail", 60),
    ("Đã thấy gì / evidence", 60),
    ("Điều khoản (chưa được thẩm định) / clauses (not reviewed)", 40),
    ("Phép thử / check", 40),
)
LAB = "Kết quả trong phòng thí nghiệm, không phải bằng chứng về đơn vị / lab result: no evidence about a site"
#: What a spreadsheet may take for the beginning of a formula; the wide forms are read as the others by some.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: So many characters fit into a cell of Excel.
_MOST = 32_767


def rows(findings: Sequence[Finding], controls: Mapping[str, Control]) -> Iterator[tuple[str, ...]]:
    """The cells of each finding, as text; steering characters stand as their numbers."""
    for one in findings:
        control = controls.get(one.control)
        cells = (
            one.control,
            f"{control.title.vi} / {control.title.en}" if control else "",
            _both(labels.SEVERITY[control.severity]) if control else "",
            one.node or one.site,
            _both(labels.STATUS[one.status]),
            one.description,
            one.detail,
            "\n".join(one.evidence),
            "\n".join(f"{c.framework} {c.edition} {c.clause}" for c in control.mappings) if control else "",
            one.check,
        )
        yield tuple(_short(visible(cell, lines=True)) for cell in cells)


def as_csv(run: AuditRun, findings: Sequence[Finding], controls: Mapping[str, Control]) -> str:
    """For any program: UTF-8 with the mark by which Excel knows it, every cell in quotes (RFC 4180)."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if run.target is Target.LAB:
        writer.writerow([LAB])
    writer.writerow([heading for heading, _ in COLUMNS])
    for cells in rows(findings, controls):
        writer.writerow([f"'{cell}" if cell.startswith(_ACTIVE) else cell for cell in cells])
    return "\ufeff" + file.getvalue()


def as_xlsx(run: AuditRun, findings: Sequence[Finding], controls: Mapping[str, Control]) -> bytes:
    """A workbook with a filter on every column; every cell is a text."""
    import openpyxl  # half a second, and few look at a spreadsheet
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    from lienthong.workbook.template import put

    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "findings"
    first = 1
    if run.target is Target.LAB:
        put(page.cell(1, 1), LAB)
        page.cell(1, 1).font = Font(bold=True, color="B00020")
        first = 2
    for column, (heading, width) in enumerate(COLUMNS, 1):
        put(page.cell(first, column), heading)
        page.cell(first, column).font = Font(bold=True)
        page.cell(first, column).alignment = Alignment(wrap_text=True, vertical="top")
        page.column_dimensions[get_column_letter(column)].width = width
    for row, cells in enumerate(rows(findings, controls), first + 1):
        for column, text in enumerate(cells, 1):
            put(page.cell(row, column), text)
            page.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
    last = get_column_letter(len(COLUMNS))
    page.freeze_panes = f"B{first + 1}"
    page.auto_filter.ref = f"A{first}:{last}{max(first + 1, page.max_row)}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_title_rows = f"1:{first}"
    book.properties.creator = "Liên Thông"
    book.properties.created = book.properties.modified = run.ended.replace(tzinfo=None)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _both(label: Bilingual) -> str:
    return f"{label.vi} / {label.en}"


def _short(cell: str) -> str:
    return cell if len(cell) <= _MOST - 1 else cell[: _MOST - 2] + "…"
