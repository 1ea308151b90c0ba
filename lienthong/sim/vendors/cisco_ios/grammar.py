"""The grammar of an IOS command line: forms of commands, and what is said to a line that fits none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, IPv6Network

#: "Using the Cisco IOS Command-Line Interface", error messages.
INVALID = "% Invalid input detected at '^' marker.\n"
INCOMPLETE = "% Incomplete command.\n"


@dataclass(frozen=True)
class Form:
    """One command of a mode.

    `words` are literals, `{a|b}`, `<int:1-4094>`, `<ip>`, `<mask>`, `<wild>`, `<ip6>`, `<if6>`, `<net6>`,
    `<word:32>`, `<text:80>` (all that is left), `<vlans>`, `<port>` (an interface's name).
    """

    mode: str
    words: tuple[str, ...]
    key: int = 0
    """So many words name the place whose value this is; 0: a member of a list."""
    opens: str = ""
    """The mode that it leads to."""


@dataclass(frozen=True)
class Miss:
    """Why a line fits no form."""

    at: int
    """Word at which it went wrong."""
    text: str


def fit(words: list[str], pattern: tuple[str, ...]) -> Miss | None:
    """None where the words are of that form."""
    for index, kind in enumerate(pattern):
        if index >= len(words):
            return Miss(index, INCOMPLETE)
        if kind.startswith("<text:"):
            return None if len(" ".join(words[index:])) <= int(kind[6:-1]) else Miss(index, INVALID)
        if not is_of(words[index], kind):
            return Miss(index, INVALID)
    return Miss(len(pattern), INVALID) if len(words) > len(pattern) else None


def best(words: list[str], forms: list[Form]) -> tuple[Form | None, Miss]:
    """The form that fits, or none and the failure that came furthest."""
    furthest = Miss(0, INVALID)
    for form in forms:
        miss = fit(words, form.words)
        if miss is None:
            return form, furthest
        if miss.at > furthest.at:
            furthest = miss
    return None, furthest


def complaint(prompt: str, line: str, miss: Miss) -> str:
    """What is printed: a mark under the word, and the error."""
    if miss.text == INCOMPLETE:
        return INCOMPLETE + "\n"
    starts = [found.start() for found in re.finditer(r"\S+", line)]
    column = len(prompt) + (starts[miss.at] if miss.at < len(starts) else len(line))
    return f"{' ' * column}^\n{miss.text}\n"


@lru_cache(maxsize=65536)
def is_of(word: str, token: str) -> bool:
    """Whether one word is of a kind."""
    if token.startswith("{"):
        return word.lower() in token[1:-1].lower().split("|")
    if not token.startswith("<"):
        return word.lower() == token.lower()
    kind, _, bound = token[1:-1].partition(":")
    if kind == "int":
        low, high = map(int, bound.split("-"))
        return word.isdigit() and low <= int(word) <= high
    if kind == "word":
        return len(word) <= int(bound) and "?" not in word
    if kind == "vlans":
        return _vlans(word)
    if kind == "port":
        return re.fullmatch(r"[A-Za-z-]+\d+(?:/\d+)*(?:\.\d+)?", word) is not None
    return _address(kind, word)


def _address(kind: str, word: str) -> bool:
    try:
        if kind in {"ip", "wild"}:
            return str(IPv4Address(word)) == word
        if kind == "mask":
            inverse = int(IPv4Address(word)) ^ 0xFFFFFFFF
            return inverse & (inverse + 1) == 0
        if kind == "ip6":
            return bool(IPv6Address(word)) or True
        if kind == "if6":
            return "/" in word and bool(IPv6Interface(word))
        if kind == "net6":
            return "/" in word and (bool(IPv6Network(word)) or True)
    except ValueError:
        return False
    raise AssertionError(kind)


def _vlans(text: str) -> bool:
    parts = [part.split("-") for part in text.split(",")]
    return all(
        1 <= len(part) <= 2 and all(one.isdigit() and 1 <= int(one) <= 4094 for one in part) for part in parts
    )


def entry(line: str) -> bool:
    """Whether a line is an entry of an extended list ("Security Command Reference", `permit (IP)`)."""
    from lienthong.platforms.dialects.ios_words import numbers

    if line.startswith("remark "):
        return len(line) <= 107
    end = r"(?:any|host \d+\.\d+\.\d+\.\d+|\d+\.\d+\.\d+\.\d+ \d+\.\d+\.\d+\.\d+)"
    port = r"(?: (?:eq|gt|lt|neq) \d+| range \d+ \d+)?"
    word = numbers(line)
    forms = (
        rf"(?:permit|deny) (?:tcp|udp) {end}{port} {end}{port}(?: established)?(?: log)?",
        rf"(?:permit|deny) icmp {end} {end}(?: (?:echo|echo-reply|unreachable|ttl-exceeded))?(?: log)?",
        rf"(?:permit|deny) (?:ip|ospf|gre|esp|ahp|igmp|eigrp|pim) {end} {end}(?: log)?",
    )
    if not any(re.fullmatch(form, word) for form in forms) or (" udp " in word and " established" in word):
        return False
    addresses = re.findall(r"\d+\.\d+\.\d+\.\d+", word)
    ports = [int(one) for found in re.findall(r"(?:eq|gt|lt|neq|range) (\d+)(?: (\d+))?", word)
             for one in found if one]  # fmt: skip
    return all(is_of(one, "<ip>") for one in addresses) and all(one <= 65535 for one in ports)
