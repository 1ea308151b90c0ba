"""The grammar of a VRP command line: forms of commands, and what the device says to a line that fits none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Interface

#: "CLI Overview", error messages (http://a10.tagan.ru/huawei/dc/ and captures of an AR730 V300R024).
UNRECOGNIZED = "Error: Unrecognized command found at '^' position."
WRONG = "Error: Wrong parameter found at '^' position."
INCOMPLETE = "Error:Incomplete command found at '^' position."
TOO_MANY = "Error:Too many parameters found at '^' position."


@dataclass(frozen=True)
class Form:
    """One command of some views.

    `words` are literals, `{a|b}`, `<int:1-4094>`, `<ip>`, `<mask>`, `<wild>`, `<ip6>`, `<net6>`, `<word:32>`,
    `<text:80>` (all that is left), `<vlans>`, `<port>` (an interface's name).
    """

    views: frozenset[str]
    words: tuple[str, ...]
    key: int = 0
    """So many words name the place whose value this is; 0: a member of a list."""
    undo: tuple[tuple[str, ...], ...] = ()
    """What `undo` takes; empty: the place, or the whole line."""
    do: str = ""
    """A rule or an effect of its own; the name of a method of the box."""


def form(views: str, words: str, key: int = 0, undo: str | None = None, do: str = "") -> Form:
    """A form from its plain spelling; several forms of `undo` stand between `;`."""
    parts = tuple(words.split())
    if undo is None:
        undone: tuple[tuple[str, ...], ...] = (parts[:key] if key else parts,)
        if key and key < len(parts):
            undone += (parts,)
    else:
        undone = tuple(tuple(one.split()) for one in undo.split(";")) if undo else ()
    return Form(frozenset(views.split()), parts, key, undone, do)


@dataclass(frozen=True)
class Miss:
    """Why a line fits no form."""

    at: int
    """Word at which it went wrong."""
    text: str


def split(line: str) -> list[str]:
    """The words of a line; what stands in quotation marks is one."""
    return re.findall(r'"[^"]*"|\S+', line)


def fit(words: list[str], pattern: tuple[str, ...]) -> Miss | None:
    """None where the words are of that form."""
    for index, kind in enumerate(pattern):
        if index >= len(words):
            return Miss(index, INCOMPLETE)
        if kind.startswith("<text:"):
            most = int(kind[6:-1])
            return None if len(" ".join(words[index:])) <= most else Miss(index, WRONG)
        if kind == "<vlans>":
            return None if _vlans(words[index:]) else Miss(index, WRONG)
        if not _is(words[index], kind):
            return Miss(index, WRONG if kind.startswith("<") else UNRECOGNIZED)
    if len(words) > len(pattern):
        return Miss(len(pattern), TOO_MANY)
    return None


def best(words: list[str], patterns: Iterable[tuple[str, ...]]) -> tuple[int, Miss | None]:
    """(number of the form that fits, None), or (-1, the failure that came furthest)."""
    furthest = Miss(0, UNRECOGNIZED)
    for number, pattern in enumerate(patterns):
        if not words or pattern[0] != words[0].lower():
            continue  # every command begins with a word of its own
        miss = fit(words, pattern)
        if miss is None:
            return number, None
        if miss.at > furthest.at:
            furthest = miss
    return -1, furthest


def complaint(prompt: str, line: str, miss: Miss) -> str:
    """What is printed: a mark under the word, and the error."""
    words = split(line)
    before = " ".join(words[: miss.at])
    column = len(prompt) + len(before) + (1 if before else 0)
    return f"{' ' * column}^\n{miss.text}\n"


@lru_cache(maxsize=65536)
def _is(word: str, token: str) -> bool:
    if token.startswith("{"):
        return word.lower() in token[1:-1].split("|")
    if not token.startswith("<"):
        return word.lower() == token
    kind, _, bound = token[1:-1].partition(":")
    if kind == "int":
        low, high = map(int, bound.split("-"))
        return word.isdigit() and low <= int(word) <= high
    if kind in {"word", "name"}:
        return len(word) <= int(bound) and word != "?"
    if kind == "port":
        return re.fullmatch(r"[A-Za-z0-9-]+\d(?:[\d/]*\d)?(?:\.\d+)?", word) is not None
    return _address(kind, word)


def _address(kind: str, word: str) -> bool:
    try:
        if kind == "ip":
            return bool(IPv4Address(word)) or True
        if kind == "mask":
            return (word.isdigit() and int(word) <= 32) or _contiguous(int(IPv4Address(word)))
        if kind == "wild":
            return word == "0" or bool(IPv4Address(word)) or True
        if kind == "ip6":
            return bool(IPv6Address(word)) or True
        if kind == "net6":
            return "/" in word and bool(IPv6Interface(word))
    except ValueError:
        return False
    raise AssertionError(kind)


def _contiguous(mask: int) -> bool:
    inverse = mask ^ 0xFFFFFFFF
    return inverse & (inverse + 1) == 0


def _vlans(words: list[str]) -> bool:
    numbers = [word for word in words if word != "to"]
    return (
        bool(numbers)
        and all(word.isdigit() and 1 <= int(word) <= 4094 for word in numbers)
        and words[0] != "to"
        and words[-1] != "to"
    )
