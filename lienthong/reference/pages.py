"""The reference page of the inventory: every key, what it may be, its default and its meaning."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lienthong.model import words
from lienthong.model.site import Province, Site
from lienthong.services import discover

HEAD = """# The inventory, key by key

Written by `lienthong schema` from the models; do not edit. A site is `inventory/sites/<slug>.yaml`. What it
does not say comes from `inventory/layers/`: the site's kind first, then the province, then the country;
`lienthong explain SITE PATH` tells which. A key that is needed
may come from a layer too. `null` takes away what a lower layer says. Rules across values are
checked by `lienthong validate`.
"""
#: The string types of the inventory as a reader calls them.
_WORDS: tuple[tuple[Any, str], ...] = (
    (words.Text, "text, one line of at most 120 characters"),
    (words.Slug, "name: a-z, 0-9, -; at most 20"),
    (words.PortName, "interface name, at most 15"),
    (words.RoomRef, "building/room"),
    (words.Code, "code without spaces, at most 40"),
    (words.Mac, "Ethernet address, aa:bb:cc:dd:ee:ff"),
    (words.AbsolutePath, "absolute path"),
    (words.Domain, "DNS domain, lower case"),
)


def page() -> str:
    """The whole page, Markdown."""
    parts = [HEAD]
    seen: set[type[BaseModel]] = set()
    for model, title in ((Site, "Site"), (Province, "Province")):
        parts += [_table(found, title if found is model else None) for found in models(model, seen)]
    parts.append("## Services\n\nUnder `runs:` of a device or host, by name.\n")
    for name, service in discover().items():
        about = (service.params.__doc__ or "").splitlines()[0]
        parts.append(_table(service.params, f"runs: {name}", about))
        parts += [
            _table(found, None) for found in models(service.params, seen) if found is not service.params
        ]
    return "\n".join(parts).rstrip() + "\n"


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The model and every model below it, each once, in reading order."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for below in _inside(field.annotation):
            yield from models(below, seen)


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _inside(argument)


def _table(model: type[BaseModel], title: str | None, about: str | None = None) -> str:
    about = about or (model.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    if not model.model_fields:
        return f"### {title or model.__name__}\n\n{about}\n"
    hints = typing.get_type_hints(model, include_extras=True)
    rows = [
        " | ".join(
            (f"| `{field.alias or name}`", _type(hints[name], field), default_of(field), _about(field))
        )
        for name, field in model.model_fields.items()
    ]
    head = ["| key | what it may be | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"### {title or model.__name__}", "", about, "", *head, *rows, ""])


def _about(field: FieldInfo) -> str:
    return f"{field.description or ''} |"


def default_of(field: FieldInfo) -> str:
    """The default of a field as the page says it."""
    if field.is_required():
        return "needed"
    value = field.default
    if value is None or value is PydanticUndefined or value in ((), {}) or isinstance(value, BaseModel):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(hint: Any, field: FieldInfo) -> str:
    limits = [m for m in field.metadata if isinstance(m, Ge | Le)]
    text = _name(hint)
    span = _span(limits)
    return text if not span or span in text else f"{text}, {span}"


def type_name(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """What one field may be, in words."""
    hints = typing.get_type_hints(model, include_extras=True)
    return re.sub(r"\[(\w+)\]\(#\w+\)", r"\1", _type(hints[name], field)).replace("`", "")


def _span(limits: list[Any]) -> str:
    low = next((m.ge for m in limits if isinstance(m, Ge)), None)
    high = next((m.le for m in limits if isinstance(m, Le)), None)
    return f"{low} to {high}" if low is not None and high is not None else ""


def _name(hint: Any) -> str:
    """How a reader calls a type."""
    known = next((text for word, text in _WORDS if word == hint), None)
    if known:
        return known
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (Union, types.UnionType):
        return " or ".join(_name(a) for a in arguments if a is not type(None))
    if origin is dict:
        return f"{_name(arguments[1])}, each by its {_name(arguments[0])}"
    if origin in (tuple, list):
        return f"list of {_name(arguments[0])}"
    if origin is typing.Literal:
        return ", ".join(f"`{a}`" for a in arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(f"`{member.value}`" for member in hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return _PLAIN.get(hint, str(getattr(hint, "__name__", hint)))


_PLAIN = {bool: "`true` or `false`", int: "whole number", str: "text", Any: "anything"}


def _annotated(base: Any, extras: tuple[Any, ...]) -> str:
    flat = [m for extra in extras for m in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
    patterns = [m.pattern for m in flat if isinstance(m, StringConstraints) and m.pattern]
    text = _name(base)
    if text == "date":
        return "date, 2026-03-31"
    if patterns:
        return f"text like `{patterns[0]}`".replace("|", "\\|")
    span = _span([m for m in flat if isinstance(m, Ge | Le)])
    if any(isinstance(m, MinLen | MaxLen) for m in flat) and text.startswith("list"):
        return f"{text}, at least one"
    return f"{text}, {span}" if span else text
