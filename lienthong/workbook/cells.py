"""From what a cell holds to what a file of the inventory says; Excel's usual dirt is wiped off or named."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from lienthong.edit.write import Value
from lienthong.workbook.columns import Column

_YES = {"có", "có/yes", "yes", "true", "x", "1", "đúng"}
_NO = {"không", "không/no", "no", "false", "0", "sai"}
_DMY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
MOST_EXACT = 999_999_999_999_999
"""Excel keeps 15 digits of a number; a longer serial number has been rounded."""


def clean(raw: object) -> object:
    """Without spaces at the ends or doubled within, line ends as spaces, Vietnamese in one form (NFC)."""
    if not isinstance(raw, str):
        return raw
    text = unicodedata.normalize("NFC", raw.replace("\u200b", "").replace("\ufeff", ""))
    return re.sub(r"\s+", " ", text).strip() or None


def value_of(column: Column, raw: object) -> Value:
    """The value for a file, checked as the model checks it.

    Raises:
        ValueError: with what is wrong, for a person.
    """
    value = _shaped(column, raw)
    try:
        column.check(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{_shown(raw)}: {message}") from None
    return value


def _shown(raw: object) -> str:
    text = "".join(char if char.isprintable() else "·" for char in str(raw))
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _shaped(column: Column, raw: object) -> Value:
    if isinstance(raw, bool):
        if column.shape != "yes":
            raise ValueError("is yes or no, and something else is asked here")
        return raw
    if column.shape == "yes":
        word = str(int(raw) if isinstance(raw, float) and raw.is_integer() else raw).lower()
        if word not in _YES | _NO:
            raise ValueError(f"{_shown(raw)} is neither có (yes) nor không (no)")
        return word in _YES
    if column.shape == "day":
        return _day(raw)
    if isinstance(raw, datetime | date):
        raise ValueError("Excel has made a date of it: format the cell as text and type it anew")
    if isinstance(raw, int | float):
        return _number(column, raw)
    text = str(raw)
    if column.shape == "list":
        return _items(column, [part.strip() for part in re.split(r"[,;]", text) if part.strip()])
    if column.shape == "number":
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise ValueError(f"{_shown(raw)} is no whole number")
        return int(text)
    if column.choices:
        return text.lower()
    if column.key == "mac":
        return text.lower().replace("-", ":")
    return text


def _number(column: Column, raw: float) -> Value:
    if isinstance(raw, float) and not raw.is_integer():
        raise ValueError(f"{raw} is no whole number")
    if abs(raw) > MOST_EXACT:
        raise ValueError("Excel has rounded this number: format the cell as text and type it anew")
    if column.shape == "list":
        return _items(column, [str(int(raw))])
    return int(raw) if column.shape == "number" else str(int(raw))


def _items(column: Column, parts: list[str]) -> Value:
    numbers = column.key == "ports"
    if numbers and not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        raise ValueError("ports are numbers with commas between them")
    return [int(part) for part in parts] if numbers else list(parts)


def _day(raw: object) -> str:
    if isinstance(raw, datetime | date):
        return raw.strftime("%Y-%m-%d")
    if isinstance(raw, int | float):
        raise ValueError(f"{raw} is a number: format the cell as a date")
    text = str(raw)
    match = _DMY.fullmatch(text)
    if match:
        text = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"{_shown(raw)} is no date: write day/month/year, 31/03/2026") from None


def heading_of(text: Any) -> str:
    """A heading as it is compared: no case, stars or line ends."""
    found = clean(text)
    return str(found).replace("*", "").replace("_", " ").casefold().strip() if found is not None else ""
