"""Opens a workbook that anybody may have made: macros, bombs and old formats are refused unread."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.errors import LienThongError

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

MAX_BYTES = 20_000_000
MAX_UNPACKED = 80_000_000
MAX_ROWS = 40_000
MAX_MERGED = 2_000
_OLD = b"\xd0\xcf\x11\xe0"
_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["\']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})'
)
_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br\s*=\s*["\']([0-9]+)')
_ENCODING = re.compile(rb'<\?xml[^>]{0,200}encoding\s*=\s*["\']([^"\']*)')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


def opened(path: Path) -> tuple[Workbook, Workbook | None]:
    """The workbook with its values; and with its formulas, where it has any.

    Raises:
        LienThongError: it is no workbook that may be read.
    """
    formulas = _inspect(path)
    import openpyxl

    try:
        values = openpyxl.load_workbook(path, data_only=True, keep_links=False)
        raw = openpyxl.load_workbook(path, keep_links=False) if formulas else None
    except LienThongError:
        raise
    except Exception as error:  # noqa: BLE001 - the library meets a broken file with whatever it trips over
        raise LienThongError(
            f"{path.name} cannot be read as a workbook: {type(error).__name__}",
            hint="open it in Excel or LibreOffice and save it anew as .xlsx",
        ) from None
    return values, raw


def _inspect(path: Path) -> bool:
    """Refuse what must not be parsed; whether there are formulas."""
    if path.suffix.lower() in {".xlsm", ".xltm", ".xlsb", ".xlam"}:
        raise LienThongError(f"{path.name} may hold macros", hint="save it as .xlsx and import that")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LienThongError(
                f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB",
                hint="take pictures and other sheets out, or import in parts",
            )
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise LienThongError(f"{path}: cannot be read: {error.strerror}") from None
    if head == _OLD:
        raise LienThongError(
            f"{path.name} is an old .xls file, or has a password",
            hint="save it as .xlsx without a password",
        )
    try:
        with zipfile.ZipFile(path) as package:
            return _inspect_parts(path.name, package)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        raise LienThongError(
            f"{path.name} is no workbook: {error}", hint="save it as .xlsx in Excel or LibreOffice"
        ) from None


def _inspect_parts(name: str, package: zipfile.ZipFile) -> bool:
    parts = package.infolist()
    if len(parts) > 2_000 or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise LienThongError(
            f"{name} unpacks to more than {MAX_UNPACKED // 1_000_000} MB",
            hint="copy the cells that matter into the workbook of lienthong import template",
        )
    names = [part.filename for part in parts]
    if len(set(names)) != len(names):
        raise LienThongError(f"{name} is no honest workbook: two of its parts have one name")
    if any("vbaproject" in part.lower() or "macrosheet" in part.lower() for part in names):
        raise LienThongError(f"{name} holds macros", hint="save it as .xlsx and import that")
    formulas = False
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        raw = package.read(part)
        encoding = _ENCODING.match(raw)
        odd = encoding is not None and encoding[1].upper() not in {b"UTF-8", b"US-ASCII", b"ASCII"}
        if odd or b"\0" in raw[:64] or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
            raise LienThongError(
                f"{name} is no honest workbook: {part.filename} holds what Excel never writes"
            )
        if "macroEnabled" in part.filename or (
            part.filename == "[Content_Types].xml" and b"macroEnabled" in raw
        ):
            raise LienThongError(f"{name} may hold macros", hint="save it as .xlsx and import that")
        if "worksheets/" in part.filename:
            _inspect_sheet(name, raw)
            formulas = formulas or _FORMULA.search(raw) is not None
    return formulas


def _inspect_sheet(name: str, raw: bytes) -> None:
    last = max((int(row) for row in _ROW.findall(raw)), default=0)
    if last > MAX_ROWS:
        raise LienThongError(
            f"{name} has a sheet that reaches down to row {last}, at most {MAX_ROWS} are read",
            hint="delete the empty rows below the table, or import in parts",
        )
    for left, top, right, bottom in _MERGED.findall(raw):
        size = (_number(right) - _number(left) + 1) * (int(bottom) - int(top) + 1)
        if size > MAX_MERGED:
            raise LienThongError(
                f"{name} has {size} cells merged into one ({left.decode()}{int(top)})",
                hint="split the merged cells",
            )


def _number(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found
