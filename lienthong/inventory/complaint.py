"""What pydantic finds wrong with a value, in words for the person who wrote it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from lienthong.model import words

#: What a pattern asks for, and how to write it.
_SHORT = "lower-case letters, digits and hyphens, beginning with a letter, at most 20"
_PATTERNS = {
    words.Slug: ("a short name", _SHORT),
    words.PortName: (
        "the name of a socket or line",
        "lower-case letters, digits and hyphens, 2 to 15, e.g. e5",
    ),
    words.RoomRef: ("a room", "building/room, both as written under buildings, e.g. main/server-room"),
    words.Code: ("a number or code", "letters, digits and . / _ - without spaces, at most 40"),
    words.Mac: ("an Ethernet address", 'lower case, with colons and quotes, e.g. "52:54:00:12:34:56"'),
    words.AbsolutePath: ("a path", "from the root, without spaces or .., e.g. /srv/documents"),
    words.Domain: ("a domain", "lower case, e.g. binhphuoc.internal"),
}
_BY_PATTERN = {
    meta.pattern: said for kind, said in _PATTERNS.items() for meta in getattr(kind, "__metadata__", ())
    if getattr(meta, "pattern", None)
}  # fmt: skip
_BY_PATTERN[r"^[0-9]{3,8}$"] = ("a number to dial", '3 to 8 digits in quotes, e.g. "1005"')
_KINDS = {
    "ip_v4_address": ("an IPv4 address", "e.g. 203.0.113.21"),
    "ip_v4_interface": ("an IPv4 address with its prefix", "e.g. 203.0.113.22/30"),
    "ip_v4_network": ("an IPv4 network", "the bits after the prefix are 0, e.g. 10.0.0.0/9"),
    "ip_v6_address": ("an IPv6 address", "e.g. 2001:db8::1"),
    "ip_v6_interface": ("an IPv6 address with its prefix", "e.g. 2001:db8::2/64"),
    "ip_v6_network": ("an IPv6 network", "the bits after the prefix are 0, e.g. fd12:3456:7800::/40"),
    "int_parsing": ("a whole number", "digits only"),
    "int_type": ("a whole number", "digits only"),
    "int_from_float": ("a whole number", "digits only"),
    "bool_parsing": ("true or false", ""),
    "bool_type": ("true or false", ""),
    "string_type": ("a text", "put it between quotes"),
    "dict_type": ("a mapping of keys to values", ""),
    "model_type": ("a mapping of keys to values", ""),
    "tuple_type": ("a list", "e.g. [one, two]"),
    "date_from_datetime_parsing": ("a date", "year-month-day, e.g. 2026-03-31"),
    "date_parsing": ("a date", "year-month-day, e.g. 2026-03-31"),
}
_RANGES = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
}
SHOWN = 40
"""Characters of a wrong value that a message repeats."""


def complaint(item: Any, model: type[BaseModel], dotted: str) -> tuple[str, str]:
    """(what, hint) of one of pydantic's errors.

    Args:
        item: one of `ValidationError.errors()`.
        model: what was validated; its fields say which keys would be known.
        dotted: how the message calls the value.
    """
    kind, ctx = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        known = keys_near(model, item["loc"])
        close = get_close_matches(str(item["loc"][-1]), known, 1)
        listed = f"known here: {', '.join(sorted(known)) or 'nothing'}"
        return f"unknown key {dotted}", f"did you mean {close[0]}?" if close else listed
    if kind == "missing":
        return f"{dotted} is missing", ""
    if kind in {"enum", "literal_error"}:
        expected = str(ctx.get("expected", "")).replace(" or ", ", ").replace("'", "")
        close = get_close_matches(str(item["input"]), expected.split(", "), 1)
        hint = f"did you mean {close[0]}?" if close else f"one of {expected}"
        return f"{dotted}: {shown(item['input'])} is not known here", hint
    if kind == "string_pattern_mismatch" and ctx.get("pattern") in _BY_PATTERN:
        noun, hint = _BY_PATTERN[ctx["pattern"]]
        return f"{dotted}: {shown(item['input'])} is not {noun}", hint
    if kind in _RANGES:
        word, key = _RANGES[kind]
        return f"{dotted}: {shown(item['input'])} is out of range", f"{word} {ctx[key]}"
    if kind == "string_too_long":
        return f"{dotted} has more than {ctx['max_length']} characters", "say it shorter"
    if kind in _KINDS:
        noun, hint = _KINDS[kind]
        return f"{dotted}: {shown(item['input'])} is not {noun}", hint
    return f"{dotted}: {item['msg'].removeprefix('Value error, ')}", ""


def shown(value: object) -> str:
    """A wrong value as a message may repeat it: short, and nothing in it that a terminal obeys."""
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = value[: SHOWN + 1] if isinstance(value, str) else str(value)[: SHOWN + 1]
    clipped = repr(text[:SHOWN]) if isinstance(value, str) else text[:SHOWN]
    return clipped + ("…" if len(text) > SHOWN else "")


def keys_near(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that would be known beside an unknown one."""
    here: Any = model
    for part in loc[:-1]:
        fields = getattr(here, "model_fields", {})
        if part in fields:
            annotation = fields[part].annotation
            models = [
                a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")
            ]
            here = models[-1] if models else annotation
    return list(getattr(here, "model_fields", {}))
