"""Words of the RouterOS console: one command as an item, and every value quoted so that it stays a value.

In double quotes the console still reads `\\`, `"` and `$` (variables, and commands as `$[…]`), and a terminal
takes `?` for a question; all else stands for itself (help.mikrotik.com/docs/display/ROS/Scripting, "String
operators", and …/ROS/Console). Anything that is no plain ASCII goes as `\\XX`, so no value can end a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

#: What a value may consist of to stand without quotes; exports quote less, the console takes both.
_BARE = re.compile(r"[A-Za-z0-9_!./:,@*+-]+")
_FREE = frozenset({"comment", "note"})
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "_": " "}
_ESCAPE = re.compile(r"\\([0-9A-F]{2}|.)", re.DOTALL)
_WORD = re.compile(r'\s*(?:(\[[^\]"]*\])|([^\s="]+)(?:=("(?:\\.|[^"\\])*"|[^\s"]*))?)', re.DOTALL)
_VERBS = ("add", "set")


@dataclass(frozen=True)
class Item:
    """One `add` or `set`, its values without quotes."""

    path: str
    """E.g. `/ip address`."""
    verb: str
    which: str = ""
    """What a `set` speaks of, e.g. `ssh` or `[ find default=yes ]`; empty where a menu has one thing only."""
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [self.path, self.verb, *([self.which] if self.which else [])]
        return " ".join([*words, *(pair(key, self.values[key]) for key in sorted(self.values))])

    def of(self, values: Mapping[str, str]) -> Item:
        """The same with other values."""
        return Item(self.path, self.verb, self.which, values)

    def get(self, key: str) -> str:
        """A value; empty where it is not said."""
        return self.values.get(key, "")


def quoted(value: str) -> str:
    """A value as the console must be told it."""
    if _BARE.fullmatch(value):
        return value
    return '"' + "".join(_escaped(char) for char in value) + '"'


def pair(key: str, value: str) -> str:
    """`key=value`; what people wrote is quoted always, so that no word of theirs looks like one of ours."""
    if key in _FREE and _BARE.fullmatch(value):
        return f'{key}="{value}"'
    return f"{key}={quoted(value)}"


def _escaped(char: str) -> str:
    if char in '\\"$':
        return f"\\{char}"
    if char.isascii() and char.isprintable() and char != "?":
        return char
    return "".join(f"\\{byte:02X}" for byte in char.encode())


def unquoted(word: str) -> str:
    """What an export says between its quotes."""
    if not word.startswith('"'):
        return word
    found = bytearray()
    rest = word[1:-1]
    at = 0
    for escape in _ESCAPE.finditer(rest):
        found += rest[at : escape.start()].encode()
        code = escape[1]
        found += bytes.fromhex(code) if len(code) == 2 else _NAMED.get(code, code).encode()
        at = escape.end()
    return (found + rest[at:].encode()).decode(errors="replace")


def pairs(text: str) -> dict[str, str]:
    """`key=value` words; a word alone (`passive`) is a yes, one with `!` before it is empty.

    Raises:
        ValueError: the text has something else.
    """
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None or word[1] is not None:
            raise ValueError(text[at:])
        at = word.end()
        if word[3] is not None:
            yield word[2], unquoted(word[3])
        elif word[2].startswith("!"):
            yield word[2][1:], ""
        else:
            yield word[2], "yes"


@lru_cache(maxsize=65536)
def item(text: str) -> Item | None:
    """One line of an export, or one of ours; None where it is something else."""
    path, verb, rest = _head(text)
    if verb is None:
        return None
    which = ""
    if verb == "set":
        word = _WORD.match(rest)
        if word is not None and word[3] is None and (word[1] or word[2]):
            which = word[1] or word[2]
            rest = rest[word.end() :]
    try:
        return Item(path, verb, which, pairs(rest))
    except ValueError:
        return None


def _head(text: str) -> tuple[str, str | None, str]:
    words = text.split(" ")
    for count, word in enumerate(words[:8]):
        if word in _VERBS and count and text.startswith("/"):
            return " ".join(words[:count]), word, " ".join(words[count + 1 :])
        if "=" in word or '"' in word:
            break
    return text, None, ""


def rendered(text: str) -> Item:
    """One line of a template, whose values in quotes are JSON: it can hold what people wrote, whatever it is.

    Raises:
        ValueError: the line is no command; a fault of the template.
    """
    values: dict[str, str] = {}
    strings: list[str] = []

    def keep(found: re.Match[str]) -> str:
        told = str(json.loads(found[0]))
        strings.append("".join(char if char.isprintable() else " " for char in told).strip())
        return f"\x00{len(strings) - 1}"

    found = item(re.sub(r'"(?:\\.|[^"\\])*"', keep, text.strip()))
    if found is None:
        raise ValueError(f"no command of RouterOS: {text.strip()}")
    for key, value in found.values.items():
        values[key] = strings[int(value[1:])] if value.startswith("\x00") else value
    which = strings[int(found.which[1:])] if found.which.startswith("\x00") else found.which
    return Item(found.path, found.verb, which, values)


def whole(text: str) -> Iterator[str]:
    """Lines of an export, each with what the device broke off: a backslash at the end goes on below."""
    joined = re.sub(r"\\\r?\n[ ]{4}", "", text)
    for line in joined.splitlines():
        if line.strip():
            yield line.rstrip()
