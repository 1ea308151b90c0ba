"""FortiOS configuration text, as `show` prints it and as a template writes it, read as lines.

A line is a value under its headings: `("config system interface", 'edit "lt-vlan10"', "set vlanid 10")`. An
entry of a table is a line of its own, `("config system interface", 'edit "lt-vlan10"')`: it may be there
without a value, and it is what is deleted.

Secrets are shown as `ENC …`, under another salt each time, so nothing can be told from them. Such a value
reads as `<other secret>`, and it equals any intended secret in the same place: :class:`Hidden`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lienthong.errors import LienThongError
from lienthong.platforms import Line, Lines

OTHER = "<other secret>"
#: `ENC …` as it comes, and as it is when the veil has put `<other secret>` in the place of the word `ENC`.
_SHOWN_SECRET = re.compile(r"set (\S+) (?:ENC \S*|<other secret>(?: \S*)?)")
_WANTED_SECRET = re.compile(r"set (\S+) <secret [^>]+>")
_HEADING = re.compile(r"(config|edit) ")
_PLACES = ("set ", "unset ")


class Hidden(str):
    """A line whose value the device shows only encrypted: equal to every other such line of that name.

    A changed secret therefore goes unnoticed; what is noticed is one that is missing.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self.split()[1] == other.split()[1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(("secret", self.split()[1]))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Hidden, (str(self),))


class Mine(str):
    """The heading of an entry that bears the plan's mark. Equal to the same words without it."""

    __slots__ = ()


def leaves(text: str, *, printed: bool = False) -> Lines:
    """All lines of a configuration, in its order.

    Args:
        printed: a device printed it, so a message may stand between its lines, never indented.

    Raises:
        LienThongError: the text ends within a section or a value: it is not all that the device has to say.
    """
    path: list[str] = []
    found: list[Line] = []
    for raw in _logical(text):
        word = raw.strip()
        if word.startswith("#") or not word:
            continue
        if _HEADING.match(word):
            path.append(word)
            if word.startswith("edit "):
                found.append(tuple(path))
        elif word in {"next", "end"}:
            if not path or path[-1].startswith("edit ") != (word == "next"):
                raise LienThongError(f"the configuration is not well formed at {word!r}")
            path.pop()
        elif word.startswith(_PLACES):
            if not path:
                raise LienThongError("the configuration has a value outside of every section")
            found.append((*path, hidden(word)))
        elif not printed or raw[:1].isspace():
            raise LienThongError(f"the configuration says what is not understood: {word[:80]!r}")
    if path:
        raise LienThongError(f"the configuration ends within {path[-1]!r}")
    return tuple(dict.fromkeys(found))


def hidden(word: str) -> str:
    """A value that must not be seen, or cannot be, as a line that says so."""
    shown = _SHOWN_SECRET.fullmatch(word)
    if shown:
        return Hidden(f"set {shown[1]} {OTHER}")
    return Hidden(word) if _WANTED_SECRET.fullmatch(word) else word


def words(value: str) -> list[str]:
    """The words of a line; what is quoted is one word, without its quotes."""
    return [
        re.sub(r"\\(.)", r"\1", quoted) if quoted or not bare else bare
        for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value)
    ]


def key(edit: str) -> str:
    """The name of an entry: `edit "lt-vlan10"` → `lt-vlan10`."""
    return (words(edit) or ["edit", ""])[1]


def _logical(text: str) -> Iterator[str]:
    """Lines of the text; a quoted value over several is one, its breaks told as `\\n`."""
    held: list[str] = []
    for line in text.replace("\r", "").split("\n"):
        held.append(line)
        whole = "\\n".join(held)
        if not whole.lstrip().startswith(("#", *_PLACES, "edit ", "config ")) or not _open(whole):
            yield whole
            held.clear()
    if held:
        raise LienThongError("the configuration ends within a quoted value")


def _open(line: str) -> bool:
    """Whether a quote was opened and not closed."""
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 1
