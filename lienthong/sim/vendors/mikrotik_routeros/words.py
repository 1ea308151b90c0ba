"""The console's reading of a line: words, strings with their escapes, variables, commands within commands.

Written from help.mikrotik.com/docs/display/ROS/Scripting ("Operators", "Constant escape sequences") and
…/ROS/Console; not shared with the tool, so that a value which breaks out of its quotes does so here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_NAMED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "_": " "}
_SELF = '"\\$?'
_HEX = "0123456789ABCDEF"
#: What a bare word may not hold: each of them begins or ends something.
_BREAKS = '"[](){};$\\'


class Refused(Exception):
    """What the console says instead of doing a line."""


def syntax(column: int) -> Refused:
    """The console counts columns from one."""
    return Refused(f"syntax error (line 1 column {column + 1})")


@dataclass(frozen=True)
class Word:
    """One word of a command."""

    text: str
    """The word, or the key before `=` or `~`."""
    column: int
    sign: str = ""
    """`=`, `~` or nothing."""
    value: str = ""
    found: tuple[int, ...] | None = None
    """What a `[find …]` in the place of the value, or of the word, came to."""


#: A command in brackets → the items that it found, or the text that it came to.
Evaluate = Callable[[str], "tuple[int, ...] | str"]


def commands(line: str) -> Iterator[tuple[str, int]]:
    """Commands of a line with their columns, parted by `;` outside strings and brackets."""
    begun, depth, quoted, at = 0, 0, False, 0
    while at < len(line):
        char = line[at]
        if quoted:
            at += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "[({":
            depth += 1
        elif char in "])}":
            depth -= 1
        elif char == ";" and depth <= 0:
            yield line[begun:at], begun
            begun = at + 1
        at += 1
    if quoted or depth > 0:
        raise syntax(len(line))
    yield line[begun:], begun


def words(text: str, evaluate: Evaluate) -> list[Word]:
    """The words of one command."""
    found: list[Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        begun = at
        if text[at] in '"[$':
            value, ids, at = _value(text, at, evaluate)
            found.append(Word(value, begun, found=ids))
            continue
        while at < len(text) and not text[at].isspace() and text[at] not in '="~' + _BREAKS:
            at += 1
        key = text[begun:at]
        if at < len(text) and text[at] in "=~" and key:
            sign = text[at]
            value, ids, at = _value(text, at + 1, evaluate)
            found.append(Word(key, begun, sign, value, ids))
        elif at < len(text) and not text[at].isspace():
            raise syntax(at)
        else:
            found.append(Word(key, begun))
    return found


def _value(text: str, at: int, evaluate: Evaluate) -> tuple[str, tuple[int, ...] | None, int]:
    if at < len(text) and text[at] == '"':
        value, at = string(text, at, evaluate)
        if at < len(text) and not text[at].isspace():
            raise syntax(at)
        return value, None, at
    if at < len(text) and text[at] == "[":
        end = _closing(text, at)
        result = evaluate(text[at + 1 : end])
        return (result, None, end + 1) if isinstance(result, str) else ("", result, end + 1)
    begun = at
    while at < len(text) and not text[at].isspace():
        if text[at] == "$":
            name = at + 1
            while name < len(text) and (text[name].isalnum() or text[name] == "-"):
                name += 1
            return "", None, name  # a variable that nobody has set is nothing
        if text[at] in _BREAKS:
            raise syntax(at)
        at += 1
    return text[begun:at], None, at


def string(text: str, at: int, evaluate: Evaluate) -> tuple[str, int]:
    """A string from its first quote on: its value, and where it ends."""
    found = bytearray()
    at += 1
    while at < len(text):
        char = text[at]
        if char == '"':
            return found.decode(errors="replace"), at + 1
        if char == "\\":
            code = text[at + 1 : at + 3]
            if len(code) == 2 and set(code) <= set(_HEX):
                found.append(int(code, 16))
                at += 3
            elif code[:1] in _NAMED or (code and code[0] in _SELF):
                found += _NAMED.get(code[0], code[0]).encode()
                at += 2
            else:
                raise syntax(at)
        elif char == "$":
            if text[at + 1 : at + 2] in ("[", "("):
                end = _closing(text, at + 1)
                result = evaluate(text[at + 2 : end])
                found += (result if isinstance(result, str) else "").encode()
                at = end + 1
            else:
                at += 1
                while at < len(text) and (text[at].isalnum() or text[at] == "-"):
                    at += 1
        else:
            found += char.encode()
            at += 1
    raise syntax(len(text))


def _closing(text: str, at: int) -> int:
    depth, quoted = 0, False
    begun = at
    while at < len(text):
        char = text[at]
        if quoted:
            at += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise syntax(begun)


def exported(value: str) -> str:
    """A value as an export prints it: quoted when the console could not read it back otherwise."""
    if value and all(c.isascii() and c.isprintable() and c not in " \"\\$?;[](){}=#`'" for c in value):
        return value
    found = ""
    for char in value:
        if char in _SELF:
            found += "\\" + char
        elif char in "\n\r\t":
            found += {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
        elif char.isascii() and char.isprintable():
            found += char
        else:
            found += "".join(f"\\{byte:02X}" for byte in char.encode())
    return f'"{found}"'
