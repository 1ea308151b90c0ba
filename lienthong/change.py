"""What would be done to one device, before it is done: lines, commands, the way back, risk. Pure.

A change can be written into a file and read again: it names secrets and holds none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lienthong.guard import Predicted
from lienthong.platforms import Lines, Platform

Risk = Literal["low", "medium", "high"]

#: Beginnings of what changes how traffic flows, in any dialect.
_FLOWING = (
    "ip address", "ip route", "ipv6", "ip ospf", "router", "network", "port ", "bridge ", "switchport",
    "interface", "access-list", "ip access", "permit", "deny", "rule", "set ", "/ip", "/interface",
    "/routing", "vlan", "ospf", "acl", "traffic",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """What one dialect of the device is told."""

    dialect: str
    removed: Lines
    added: Lines
    commands: tuple[str, ...]
    rollback: tuple[str, ...]
    """What an officer would type to go back by hand."""


@dataclass(frozen=True)
class Change:
    """What one device is told, and what it would take to return."""

    node: str
    platform: str
    parts: tuple[Part, ...]
    before: str
    """Fingerprint of everything that was compared on the device, so that a later apply sees it has moved."""
    undo: str
    """The method by which the device returns by itself; empty: it cannot, the tool takes the change back."""
    window_s: int
    reboots: bool
    outage_s: int
    risk: Risk
    why: tuple[str, ...]
    """Reasons for the risk."""

    @property
    def told(self) -> tuple[str, ...]:
        """Readable lines, `- …` goes and `+ …` comes, each with its dialect and headings."""
        return tuple(
            f"{part.dialect}: {sign} {' / '.join(line)}"
            for part in self.parts
            for sign, lines in (("-", part.removed), ("+", part.added))
            for line in lines
        )

    @property
    def about(self) -> tuple[str, ...]:
        """What a person should know before it is made: risk, the device's own undo, the way back by hand."""
        if self.undo:
            outage = f", starting anew: about {self.outage_s} s without it" if self.reboots else ""
            undo = f"unconfirmed, it returns by itself within {self.window_s} s ({self.undo}{outage})"
        else:
            undo = "it cannot return by itself: the tool types back what was there"
        back = [line for part in self.parts for line in part.rollback]
        return (
            f"risk {self.risk}" + (f": {'; '.join(self.why)}" if self.why else ""),
            undo,
            f"back by hand: {' | '.join(back)}",
        )

    @property
    def likeness(self) -> str:
        """Equal for changes whose lines are the same: they are shown once."""
        return _hash([self.platform, *self.told])


#: Slow gear takes so many lines a second; the window of a large change is longer by that.
LINES_A_S = 10


def change_of(
    node: str, kind: Platform, parts: Mapping[str, Predicted], refused: Sequence[str], window_s: int
) -> Change:
    """The change that leads from what was found to what is intended.

    Args:
        refused: what the guard has against it.
    """
    undo = kind.undo
    found = tuple(
        Part(
            name,
            part.diff.removed,
            part.diff.added,
            part.dialect.commands(part.diff.removed, part.diff.added),
            part.dialect.commands(part.diff.added, part.diff.removed),
        )
        for name, part in parts.items()
        if part.diff
    )
    why = [f"the guard refuses it: {one}" for one in refused]
    if undo is None:
        why.append("the device cannot return by itself")
    elif undo.reboots:
        why.append(f"to return it starts anew, and all behind it is cut off for about {undo.outage_s} s")
    flowing = [line for part in found for line in (*part.removed, *part.added) if _flows(line)]
    lines = sum(len(part.commands) for part in found)
    risk: Risk = "high" if why else "medium" if flowing else "low"
    if flowing:
        why.append(f"{len(flowing)} lines change how traffic flows")
    return Change(
        node=node,
        platform=kind.name,
        parts=found,
        before=fingerprint({name: part.running for name, part in parts.items()}),
        undo=undo.method if undo else "",
        window_s=undo.window(window_s + lines // LINES_A_S) if undo else 0,
        reboots=undo.reboots if undo else False,
        outage_s=undo.outage_s if undo else 0,
        risk=risk,
        why=tuple(why),
    )


def fingerprint(running: Mapping[str, Lines]) -> str:
    """A hash of what a device showed, whatever the order in which it shows it."""
    return _hash([f"{name} {line}" for name in sorted(running) for line in sorted(map(repr, running[name]))])


def as_data(change: Change) -> dict[str, Any]:
    """For a file; :func:`from_data` reads it."""
    return asdict(change)


def from_data(data: Mapping[str, Any]) -> Change:
    """What :func:`as_data` wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = tuple(
            Part(
                str(part["dialect"]),
                _lines(part["removed"]),
                _lines(part["added"]),
                tuple(map(str, part["commands"])),
                tuple(map(str, part["rollback"])),
            )
            for part in data["parts"]
        )
        return Change(**{**data, "parts": parts, "why": tuple(data["why"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"no change: {error}") from None


def _lines(raw: Any) -> Lines:
    return tuple(tuple(map(str, line)) for line in raw)


def _flows(line: tuple[str, ...]) -> bool:
    last = line[-1]
    return not last.startswith(("description", "no description")) and last.startswith(_FLOWING)


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]
