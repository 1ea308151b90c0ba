"""A VRP configuration as a tree of lines, in the order and the groups in which the device prints it.

Lines that nobody here knows stand where they were loaded and are printed as they came.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

#: Printed around what is stored.
_FRAME = frozenset({"return", "#", "public-key-code begin", "public-key-code end", "peer-public-key end"})
Rank = Callable[[str], int | None]


@dataclass
class Node:
    """One line with the lines of its view. `group` is printed between two `#`."""

    text: str
    group: int = 0
    lines: list[Node] = field(default_factory=list)
    raw: str | None = None
    """What a loaded line looked like; None for one that was typed."""


@lru_cache(maxsize=8192)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `0/0/2` before `0/0/10`, and a rule before its description."""
    text = re.sub(r"^(rule \d+) description", r"\1 ~", text)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text))


class Config:
    """The running or saved configuration of one box."""

    def __init__(self, header: str, rank: Rank, within: Callable[[str, str], int | None]) -> None:
        """`rank` orders lines of the system view, `within(head, line)` those of a view."""
        self.header = header
        self._rank = rank
        self._within = within
        self.nodes: list[Node] = []
        self._groups = 0

    def copy(self) -> Config:
        """Another that is changed without this one."""
        found = Config(self.header, self._rank, self._within)
        found.nodes, found._groups = copy.deepcopy(self.nodes), self._groups
        return found

    def load(self, text: str) -> None:
        """Take a printed configuration in the place of everything."""
        self.nodes = []
        self._groups += 1
        path: list[tuple[int, Node]] = []
        for raw in text.splitlines():
            word = raw.strip()
            if raw.startswith("#"):
                self._groups += 1
                path.clear()
            elif word and word not in _FRAME and not raw.startswith("!"):
                indent = len(raw) - len(raw.lstrip(" "))
                while path and path[-1][0] >= indent:
                    path.pop()
                node = Node(word, self._groups, raw=raw)
                (path[-1][1].lines if path else self.nodes).append(node)
                path.append((indent, node))

    def text(self) -> str:
        """As `display current-configuration` prints it."""
        out = [self.header]
        last: int | None = None
        for node in self.nodes:
            if not node.lines and re.fullmatch(r"vlan \d+", node.text):
                continue  # without a line of its own it is only in `vlan batch`
            if node.group != last:
                out.append("#")
            last = node.group
            out += _printed(node, 0)
        return "\n".join([*out, "#", "return"]) + "\n"

    def view(self, path: tuple[str, ...]) -> Node | None:
        """The node of a view."""
        lines, found = self.nodes, None
        for part in path:
            found = next((node for node in lines if node.text == part), None)
            if found is None:
                return None
            lines = found.lines
        return found

    def lines(self, path: tuple[str, ...] = ()) -> list[str]:
        """The lines of a view, or of the system view."""
        if not path:
            return [node.text for node in self.nodes]
        found = self.view(path)
        return [node.text for node in found.lines] if found else []

    def sections(self, start: str) -> Iterator[tuple[str, list[str]]]:
        """Views whose heading begins so, with their lines."""
        for node in self.nodes:
            if node.text.startswith(start):
                yield node.text, [line.text for line in node.lines]

    def put(self, path: tuple[str, ...], text: str, replaces: Callable[[str], bool] | None = None) -> None:
        """Add a line to a view at its place, or over the one it replaces."""
        where = self._where(path)
        for node in where:
            if node.text == text:
                return
            if replaces is not None and replaces(node.text):
                node.text, node.raw = text, None
                return
        if path:
            self._insert(where, Node(text), lambda line: self._within(path[-1], line))
        else:
            self._place(text)

    def drop(self, path: tuple[str, ...], gone: Callable[[str], bool]) -> bool:
        """Take lines with their views away; says whether there were any."""
        where = self._where(path)
        left = [node for node in where if not gone(node.text)]
        found = len(left) < len(where)
        where[:] = left
        return found

    def _where(self, path: tuple[str, ...]) -> list[Node]:
        if not path:
            return self.nodes
        found = self.view(path)
        if found is None:
            raise KeyError(path)
        return found.lines

    def _place(self, text: str) -> None:
        at = self._insert(self.nodes, Node(text), self._rank)
        node, mine = self.nodes[at], self._rank(text)
        if not _opens(text):
            for near in (at - 1, at + 1):
                if 0 <= near < len(self.nodes) and _family(self._rank(self.nodes[near].text)) == _family(
                    mine
                ):
                    node.group = self.nodes[near].group
                    return
        self._groups += 1
        node.group = self._groups

    @staticmethod
    def _insert(where: list[Node], node: Node, rank: Rank) -> int:
        mine = rank(node.text) or 0
        at, before = len(where), 0
        known = [rank(other.text) for other in where]
        for index, other in enumerate(where):
            theirs = known[index]
            if theirs is None:
                continue
            if theirs > mine or (theirs == mine and natural(other.text) > natural(node.text)):
                at = index
                break
            before = index + 1
        else:
            at = before if any(one is not None for one in known) else len(where)
        where.insert(min(at, len(where)), node)
        return min(at, len(where) - 1)


def _family(rank: int | None) -> int:
    """Lines of one family of commands stand together."""
    return -1 if rank is None else rank // 1000


def _opens(text: str) -> bool:
    """A view prints a group of its own, but VLANs and keys stand together."""
    return re.match(
        r"interface |aaa$|acl |ospf |ip pool |user-interface con|\S+[- ]server template ", text
    ) is not None  # fmt: skip


def _printed(node: Node, depth: int) -> list[str]:
    mine = node.raw if node.raw is not None else " " * depth + node.text
    found = [mine]
    for line in node.lines:
        found += _printed(line, depth + 1)
    if re.match(r"(?:rsa|dsa|ecc) peer-public-key \S", node.text) and depth == 0:
        found = [mine, "  public-key-code begin", *(f"   {one.text}" for one in node.lines),
                 "  public-key-code end", "peer-public-key end"]  # fmt: skip
    return found
