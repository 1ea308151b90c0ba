"""A FortiGate's configuration as a tree, read from its text and told as text, foreign parts byte for byte.

An item is `set ip` with its value, `config ipv6` with what lies in it, or `edit "wan1"` with the same; they
stand in the order in which `show` prints them, four blanks a depth, as in recorded sessions of FortiOS
7.0.3, where `config ip-range` stands among the values of a DHCP server.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


class Kept(str):
    """The value of a secret. It is shown as `ENC …`, anew each time."""

    __slots__ = ()


@dataclass
class Tree:
    """A section or an entry."""

    items: dict[str, str | Tree] = field(default_factory=dict)

    def copy(self) -> Tree:
        return Tree(
            {name: item.copy() if isinstance(item, Tree) else item for name, item in self.items.items()}
        )

    def part(self, name: str) -> Tree | None:
        found = self.items.get(name)
        return found if isinstance(found, Tree) else None

    def value(self, attribute: str) -> str | None:
        found = self.items.get(f"set {attribute}")
        return found if isinstance(found, str) else None

    def words(self, attribute: str) -> list[str]:
        """The words of a value, without quotes."""
        return split(self.value(attribute) or "")

    def net(self, attribute: str) -> str:
        """An address with its mask, `10.0.0.0/255.0.0.0`; what is not set is everything."""
        return "/".join(self.words(attribute)) or "0.0.0.0/0"

    def entries(self, table: str) -> dict[str, Tree]:
        """Entries of a table right below, by their names: `entries("system interface")["wan1"]`."""
        section = self.part(f"config {table}") or Tree()
        return {
            named(name): item
            for name, item in section.items.items()
            if isinstance(item, Tree) and name.startswith("edit ")
        }

    def put(self, name: str, item: str | Tree, order: Sequence[str] = ()) -> None:
        """Set an item where it is, or where `order` has it, or at the end."""
        if name in self.items or name not in order:
            self.items[name] = item
            return
        later = set(order[order.index(name) + 1 :])
        place = next((at for at, other in enumerate(self.items) if other in later), len(self.items))
        pairs = list(self.items.items())
        pairs.insert(place, (name, item))
        self.items = dict(pairs)

    def lines(self, salt: int, depth: int = 0) -> Iterator[str]:
        """What `show` prints of it."""
        blank = "    " * depth
        for name, item in self.items.items():
            if isinstance(item, Tree):
                yield f"{blank}{name}"
                yield from item.lines(salt, depth + 1)
                yield f"{blank}{'next' if name.startswith('edit ') else 'end'}"
            else:
                yield f"{blank}{name} {_shown(name, item, salt)}".rstrip(" ")


def read(text: str) -> Tree:
    """The tree of a configuration text.

    Raises:
        ValueError: it is not well formed.
    """
    path = [Tree()]
    for line in _logical(text):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if word.startswith(("config ", "edit ")):
            below = path[-1].part(word) or Tree()
            path[-1].items[word] = below
            path.append(below)
        elif word in {"next", "end"}:
            path.pop()
            if not path:
                raise ValueError(f"{word!r} without a section")
        else:
            parts = word.split(" ", 2)
            path[-1].items[" ".join(parts[:2])] = parts[2] if len(parts) > 2 else ""
    if len(path) != 1:
        raise ValueError("a section is not ended")
    return path[0]


def split(text: str) -> list[str]:
    """Words as the command line reads them: what is quoted is one, `\\"` is a quote in it.

    Raises:
        ValueError: a quote is not closed.
    """
    found: list[str] = []
    for match in re.finditer(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+)|(.))', text.strip(), re.S):
        quoted, bare, wrong = match.groups()
        if wrong is not None:
            raise ValueError("a quote is not closed")
        found.append(bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S))
    return found


def named(edit: str) -> str:
    """The name of an entry, of `edit "wan1"`."""
    name = edit.removeprefix("edit ")
    return name if not name.startswith('"') else name[1:-1] if "\\" not in name else split(name)[0]


def quoted(text: str) -> str:
    """A text as `show` prints it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _logical(text: str) -> Iterator[str]:
    held = ""
    for line in text.split("\n"):
        held = f"{held}\n{line}" if held else line
        if len(re.findall(r'(?<!\\)"', held)) % 2 == 0:
            yield held
            held = ""
    if held:
        raise ValueError("a quote is not closed")


def _shown(name: str, value: str, salt: int) -> str:
    if not isinstance(value, Kept):
        return value
    digest = hashlib.sha256(f"{salt} {value}".encode()).digest()
    # A password of an administrator begins with SH2, other secrets do not, as in published configurations.
    # What they are made of is not modelled: nothing can be told from how one looks.
    return "ENC " + ("SH2" if name == "set password" else "") + base64.b64encode(digest).decode()
