"""Looks at one device: one login a dialect, one `show`, twice compared. Changes nothing on it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lienthong.diff import compare
from lienthong.drift.author import NOBODY, UNKNOWN, Author, author, lasting
from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.report.hostile import one_line, visible
from lienthong.runners.look import Device, Shared, device_of, sessions
from lienthong.transport import Session
from lienthong.transport.mask import masked

AT_ONCE = 32
#: Where the configuration does not say who changed it, another question does; asked only after a change.
_ASKED = {"juniper_junos": "show system commit"}
#: Beyond this many lines a comparison line by line takes longer than it is worth.
_MOST_COMPARED = 20_000


@dataclass(frozen=True)
class Looked:
    """What was found on one device."""

    node: str
    why: str = ""
    """Why it was not seen; nothing else is known then."""
    drift: tuple[str, ...] = ()
    """What stands between it and its intent, `+` and `-` as a plan says it."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By dialect: what it holds, without secrets and without what changes by itself."""
    before: bool = False
    """It was fetched before."""
    changed: tuple[str, ...] = ()
    """Lines that came and went since it was fetched last."""
    by: Author = NOBODY

    @property
    def seen(self) -> bool:
        return not self.why


def look(shared: Shared, nodes: Sequence[Node], last: Callable[[str, str], str | None]) -> list[Looked]:
    """All devices, many at a time; one that cannot be reached is `not seen`, and stops no other.

    Args:
        last: (node, dialect) → what was fetched last.
    """
    if not nodes:
        return []
    with ThreadPoolExecutor(min(AT_ONCE, len(nodes))) as pool:
        return list(pool.map(lambda node: _one(shared, node, last), nodes))


def _one(shared: Shared, node: Node, last: Callable[[str, str], str | None]) -> Looked:
    try:
        device = device_of(shared, node)
        with sessions(shared, device) as opened:
            found = _look(device, opened, last)
    except LienThongError as error:
        why = one_line(error.what.splitlines()[0] if error.what else type(error).__name__, 300)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        # A device that answers with something else than a configuration is no reason to stop the others.
        why = f"{node.name}: what it answers cannot be read ({type(error).__name__})"
    else:
        shared.progress(
            f"{node.name}: {len(found.drift)} lines of drift, {len(found.changed)} since last time"
        )
        return found
    shared.progress(f"{node.name}: not seen: {why}")
    return Looked(node.name, why=why)


def _look(device: Device, opened: Mapping[str, Session], last: Callable[[str, str], str | None]) -> Looked:
    drift: list[str] = []
    changed: list[str] = []
    texts: dict[str, str] = {}
    by, before = NOBODY, False
    name = device.node.name
    for dialect in device.platform.dialects:
        raw = opened[dialect.name].show(dialect.show)
        drift += compare(dialect, device.intended[dialect.name], dialect.parse(raw)).told
        texts[dialect.name] = kept(dialect, raw)
        old = last(name, dialect.name)
        before = before or old is not None
        if old is None or old == texts[dialect.name]:
            continue
        changed += lines_changed(old, texts[dialect.name])
        told = author(raw)
        if told.who == UNKNOWN and dialect.device_type in _ASKED:
            told = author(opened[dialect.name].ask(_ASKED[dialect.device_type]))
        by = told if told.who != UNKNOWN else by
    return Looked(name, "", tuple(drift), texts, before, tuple(changed), by)


def kept(dialect: Dialect, raw: str) -> str:
    """What is kept of an answer: as the device says it, harmless, without secrets and noise.

    What a shell command answered is kept as the lines that were read out of it: its own order and
    identifiers mean nothing.
    """
    if dialect.account == "automation":
        raw = "\n".join(" / ".join(line) for line in sorted(dialect.parse(raw)))
    text = masked(lasting(raw)).strip("\n")
    return "\n".join(visible(line, lines=True).rstrip() for line in text.split("\n")) + "\n"


def lines_changed(old: str, new: str) -> list[str]:
    """Lines that went (`-`) and came (`+`)."""
    left, right = old.splitlines(), new.splitlines()
    if len(left) + len(right) > _MOST_COMPARED:
        gone, come = set(left) - set(right), set(right) - set(left)
        return [*(f"- {x}" for x in left if x in gone), *(f"+ {x}" for x in right if x in come)]
    found = list(difflib.unified_diff(left, right, lineterm="", n=0))[2:]  # without its two headings
    return [f"{line[0]} {line[1:].strip()}" for line in found if line[0] in "+-"]
