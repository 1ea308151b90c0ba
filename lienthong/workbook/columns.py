"""A column of the workbook: what it is called, what it may hold, and where it stands in a site."""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, EnumMeta
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter

from lienthong.model import words
from lienthong.reference.pages import type_name

ITEM = "+"
"""In a path: a new item of the list there, one for each row."""


@dataclass(frozen=True)
class Column:
    """One column. `path` is where its value goes in a site's file; `{x}` in it is the row's own column x."""

    key: str
    vi: str
    meaning: str
    hint: Any
    path: tuple[str, ...] = ()
    needed: bool = False
    says: str | None = None
    """The value that goes to `path` is that of this other column."""
    width: int = 16

    @cached_property
    def heading(self) -> str:
        """What the heading's cell says; a star stands on what every row needs."""
        return f"{self.vi}{' *' if self.needed else ''}\n{self.key.replace('_', ' ')}"

    @cached_property
    def about(self) -> str:
        """The explanation: how to fill it in, in Vietnamese; its meaning and range, in English."""
        return f"{_filled(self)}\n{self.meaning}"

    @cached_property
    def shape(self) -> str:
        """How a cell is read: text, number, yes, day or list."""
        inner = _inner(self.hint)
        if get_origin(inner) in {tuple, list}:
            return "list"
        return {bool: "yes", int: "number", date: "day"}.get(inner, "text")

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The closed vocabulary, where there is one."""
        inner = _inner(self.hint)
        if get_origin(inner) is Literal:
            return tuple(get_args(inner))
        if isinstance(inner, type) and issubclass(inner, Enum):
            return tuple(str(one.value) for one in inner)
        return ("có/yes", "không/no") if self.shape == "yes" else ()

    @cached_property
    def check(self) -> Callable[[Any], Any]:
        """Validates a value as the model does."""
        adapter: TypeAdapter[Any] = TypeAdapter(self.hint)
        return adapter.validate_python


@dataclass(frozen=True)
class Sheet:
    """One sheet of the workbook."""

    name: str
    vi: str
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column:
        """The column of that key."""
        return next(column for column in self.columns if column.key == key)


def _filled(column: Column) -> str:
    """How to fill a column, in Vietnamese."""
    if column.choices:
        return f"Chọn: {', '.join(column.choices)}."
    inner, hint = _inner(column.hint), str(column.hint)
    if inner is int:
        low, high = (re.search(rf"{bound}=(-?[0-9]+)", hint) for bound in ("[Gg]e", "[Ll]e"))
        return f"Số nguyên từ {low[1]} đến {high[1]}." if low and high else "Số nguyên."
    if inner is str:
        known = next((text for word, text in _WORDS if _same(word, column.hint)), None)
        return known or "Chữ, một dòng."
    return _SHAPES.get(inner, "Nhiều mục thì cách nhau bằng dấu phẩy.")


def _same(word: Any, hint: Any) -> bool:
    """Whether a hint, or what it wraps, has the constraints of a word."""
    return set(map(repr, get_args(word)[1:])) <= {repr(one) for one in _extras(hint)}


def _extras(hint: Any) -> list[Any]:
    found: list[Any] = []
    for one in get_args(hint) if get_origin(hint) in {Annotated, Union, types.UnionType} else ():
        found += [*_extras(one), *getattr(one, "metadata", ()), one]
    return found


_WORDS = (
    (words.Slug, "Chữ a-z, số, gạch nối; không dấu, tối đa 20."),
    (words.PortName, "Tên cổng, ví dụ e5; tối đa 15."),
    (words.RoomRef, "Mã nhà/mã phòng, ví dụ main/comms."),
    (words.Code, "Mã viết liền, không dấu cách, tối đa 40."),
    (words.Mac, "Ví dụ 52:54:00:12:34:56."),
    (words.AbsolutePath, "Đường dẫn, ví dụ /srv/documents."),
)
_SHAPES: dict[Any, str] = {
    date: "Ngày/tháng/năm, ví dụ 31/03/2026.",
    IPv4Address: "Địa chỉ, ví dụ 203.0.113.21.",
    IPv4Interface: "Địa chỉ/độ dài, ví dụ 203.0.113.22/30.",
}


def _inner(hint: Any) -> Any:
    """The type within `Annotated` and `| None`."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif get_origin(hint) in {Union, types.UnionType}:
            hint = next(one for one in get_args(hint) if one is not type(None))
        else:
            return hint


def of(model: type[BaseModel], name: str, vi: str, path: tuple[str, ...], **more: Any) -> Column:
    """A column that holds one field of a model, with its description, type and range."""
    field = model.model_fields[name]
    hint = get_type_hints(model, include_extras=True)[name]
    if field.metadata:
        hint = Annotated[hint, field]
    said = {"IPv4Interface": "address/prefix", "IPv4Address": "address"}.get(
        found := type_name(model, name, field), found
    )
    closed = get_origin(_inner(hint)) is Literal or isinstance(_inner(hint), EnumMeta) or _inner(hint) is bool
    meaning = field.description or ""
    if not closed:
        meaning += f" ({said})"
    return Column(more.pop("key", name), vi, meaning, hint, (*path, field.alias or name), **more)
