"""Values as YAML text, laid out as the files of this project are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from lienthong.errors import LienThongError

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"

WIDEST = 100
"""Characters of a line up to which a small mapping is written in one."""
_LETTER = "A-Za-zÀ-ɏḀ-ỿ"
#: What stands without quotes: words that begin with a letter, IPv4 addresses, paths. Anything else, numbers
#: and dates above all, is quoted: a reader must not have to know which words YAML takes for something else.
_PLAIN = re.compile(f"[{_LETTER}](?:[{_LETTER}0-9 ./()@+=_-]*[{_LETTER}0-9./()@+=_-])?")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_TAKEN = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def scalar(value: object) -> str:
    """One value that is no collection.

    Raises:
        LienThongError: no YAML can hold it.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = f"{value:f}".rstrip("0")
        return text + "0" if text.endswith(".") else text
    text = str(value)
    if _ADDRESS.fullmatch(text) or (_PLAIN.fullmatch(text) and text.lower() not in _TAKEN):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char == " " or char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise LienThongError("the text is not UTF-8", hint="type it anew")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow(value: Value) -> str:
    """A value in one line: `{side: wan, zone: users}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def entry(key: str, value: Value, column: int, depth: int) -> str:
    """`key: value` for a block mapping at that column (from 0) and depth (1 is the top level of a file).

    The first line is not indented, the last has no line end.
    """
    line = f"{scalar(key)}: {flow(value)}"
    if not isinstance(value, Mapping | Sequence) or isinstance(value, str) or not value:
        return line
    if isinstance(value, Mapping):
        flat = not any(isinstance(item, Mapping) and item for item in value.values())
        if depth > 1 and flat and column + len(line) <= WIDEST:
            return line
        below = [entry(name, item, column + 2, depth + 1) for name, item in value.items()]
    else:
        if not any(isinstance(item, Mapping) for item in value) and column + len(line) <= WIDEST:
            return line
        below = [f"- {flow(item)}" for item in value]
    return "\n".join([f"{scalar(key)}:", *(" " * (column + 2) + item for item in below)])


def new_file(value: Mapping[str, Value], schema: str = "../schema/site.json") -> str:
    """A whole file, with the line that tells editors its schema."""
    lines = [f"# yaml-language-server: $schema={schema}"]
    lines += [entry(key, item, 0, 1) for key, item in value.items()]
    return "\n".join(lines) + "\n"
