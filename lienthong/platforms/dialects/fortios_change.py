"""What is typed into a FortiGate so that lines come and go.

There is no mode for configuration: every section is opened and ended, and each entry acts with its `next`.
What is new and what changes comes first, section by section in the order of the intent, so that what a
policy names is there before it; what goes is deleted after that, the other way round, so that nothing is
deleted that something still names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network

from lienthong.platforms import Line
from lienthong.platforms.dialects.fortios_scope import BEHIND, LAST, LOCAL_IN, MISPLACED, POLICY
from lienthong.platforms.dialects.fortios_text import key

INTERFACES = "config system interface"
#: Deleted in this order; what is not here is deleted before.
_NAMED_BY_OTHERS = (
    POLICY,
    LOCAL_IN,
    "config firewall vip",
    "config firewall address",
    "config firewall service custom",
    "config system admin",
    "config user group",
    "config user tacacs+",
    "config user radius",
    "config system dhcp server",
    "config router static",
    "config router static6",
    "config router ospf",
    INTERFACES,
)


@dataclass
class _Part:
    """A section or an entry with what changes in it."""

    gone: list[str] = field(default_factory=list)
    come: list[str] = field(default_factory=list)
    parts: dict[str, _Part] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def at(self, path: Line) -> _Part:
        part = self
        for heading in path:
            part = part.parts.setdefault(heading, _Part())
        return part


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """(to remove, to add) → what to type, in order."""
    deleted = {line for line in removed if line[-1].startswith("edit ")}
    top = _Part()
    for line in added:
        if line[-1].startswith("edit "):
            top.at(line)
        elif not _is_place(line[-1]):
            top.at(line[:-1]).come.append(line[-1])
    for line in removed:
        if line not in deleted and not _within(line, deleted):
            top.at(line[:-1]).gone.append(line[-1])
        if len(line) > 2 and line in deleted and not _within(line, deleted):
            top.at(line[:-1]).deleted.append(line[-1])
    typed = [*_freed(removed, added)]
    for heading, part in top.parts.items():
        typed += _section(heading, part, fresh={line for line in added if line[-1].startswith("edit ")})
    for heading in sorted({line[0] for line in deleted if len(line) == 2}, key=_late):
        names = [
            line[1].removeprefix("edit ")
            for line in reversed(removed)  # what drops the rest goes before what lets in
            if line in deleted and line[0] == heading and len(line) == 2
        ]
        typed += [heading, *(f"delete {name}" for name in names), "end"]
    return tuple(typed)


def _within(line: Line, deleted: set[Line]) -> bool:
    return any(line[:depth] in deleted for depth in range(1, len(line)))


def _is_place(word: str) -> bool:
    """Whether it says where an entry stands, and nothing of what it is."""
    return word == MISPLACED or word.startswith(BEHIND)


def _freed(removed: Sequence[Line], added: Sequence[Line]) -> Iterator[str]:
    """Addresses that another interface gets in the same change: FortiOS lets none be on two."""
    coming = [(line[1], _network(line[2])) for line in added if _is_address(line)]
    for line in removed:
        if _is_address(line) and any(
            name != line[1] and net.overlaps(_network(line[2])) for name, net in coming
        ):
            yield from (INTERFACES, line[1], "unset ip", "next", "end")


def _is_address(line: Line) -> bool:
    return line[0] == INTERFACES and len(line) == 3 and line[2].startswith("set ip ")


def _network(word: str) -> IPv4Network:
    """The network of `set ip …`; of what is no address the one that nothing else is in."""
    try:
        return IPv4Interface("/".join(word.split()[2:4])).network
    except ValueError:
        return IPv4Network("255.255.255.255/32")


def _section(heading: str, part: _Part, fresh: set[Line]) -> Iterator[str]:
    lines = [*_inner(part), *_moves(heading, part, fresh)]
    if lines:
        yield from (heading, *lines, "end")


def _moves(heading: str, part: _Part, fresh: set[Line]) -> Iterator[str]:
    """A new entry comes to stand at the end: behind what drops the rest, and behind what is not ours."""
    if heading not in {POLICY, LOCAL_IN}:
        return
    behind = next((line.removeprefix(BEHIND) for line in part.gone if line.startswith(BEHIND)), None)
    if behind is None and (heading, f"edit {LAST}") in fresh:
        return
    names = [
        key(name)
        for name, entry in part.parts.items()
        if name[5:].isdecimal() and (MISPLACED in entry.gone or (heading, name) in fresh)
    ]
    for name in names:
        if int(name) < LAST:
            yield f"move {name} before {behind or LAST}"
    if behind is not None:
        yield f"move {LAST} before {behind}"
    for name in names:
        if int(name) > LAST:
            yield f"move {name} after {LAST}"


def _inner(part: _Part) -> Iterator[str]:
    """Values first, then what lies deeper."""
    replaced = {_name(line) for line in part.come if line.startswith("set ")}
    for line in part.gone:
        if line.startswith("append "):
            yield "unselect " + line.removeprefix("append ")
        elif not _is_place(line) and _name(line) not in replaced:
            yield f"unset {_name(line)}"
    yield from part.come
    for name in part.deleted:
        yield "delete " + name.removeprefix("edit ")
    for heading, inner in part.parts.items():
        lines = list(_inner(inner))
        if heading.startswith("edit "):
            if lines or not inner.gone:
                yield from (heading, *lines, "next")
        elif lines:
            yield from (heading, *lines, "end")


def _name(line: str) -> str:
    return line.split()[1]


def _late(heading: str) -> int:
    return _NAMED_BY_OTHERS.index(heading) if heading in _NAMED_BY_OTHERS else -1
