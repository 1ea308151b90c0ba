"""The hash store: a chain of lines, each with the hash of the one before. Root appends, nobody rewrites.

Every head goes to syslog, so to the collector, and a province's archive has every line too: a line that is changed or cut
off here contradicts them.

Kinds of lines: `document` (a scan and the PDF/A made of it), `rejected` (a scan of which none could be made, and why),
`again` (a scan that was there already, under which name), `retry` and `dismissed` (what an officer decided of a rejected
one), `lost` (what an officer says is not to be looked for any more).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from places import Failed, log, now

START = "0" * 64
Entry = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """A file that must be there; `path` is below the store."""

    path: str
    sha256: str
    size: int
    seq: int
    which: str
    """`document` or `scan`"""


@dataclass
class Known:
    """What follows from the lines."""

    entries: list[Entry] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    """by path"""
    scans: dict[str, Entry] = field(default_factory=dict)
    """the `document` or `rejected` line of each scan, by the scan's SHA-256"""
    names: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """under which (scanner, name) a scan came, by its SHA-256"""
    rejected: dict[str, Entry] = field(default_factory=dict)
    """scans of which nobody has decided, by SHA-256"""

    @property
    def head(self) -> str:
        return str(self.entries[-1]["hash"]) if self.entries else START

    def add(self, entry: Entry) -> None:
        """One more line, already found to continue the chain."""
        kind, of = entry["kind"], str(entry.get("of", ""))
        if kind in {"document", "rejected"}:
            of = entry["scan"]["sha256"]
            for which in ("document", "scan"):
                if which in entry:
                    file = entry[which]
                    self.held[file["path"]] = Held(
                        file["path"], file["sha256"], file["size"], entry["seq"], which
                    )
            self.scans[of] = entry
            self.names.setdefault(of, set()).add((entry["scanner"], entry["name"]))
            if kind == "rejected":
                self.rejected[of] = entry
        elif kind == "again":
            self.names.setdefault(of, set()).add((entry["scanner"], entry["name"]))
        elif kind == "retry":
            self.held.pop(self.scans.pop(of)["scan"]["path"], None)
            self.names.pop(of, None)
            self.rejected.pop(of, None)
        elif kind == "dismissed":
            self.rejected.pop(of, None)
        elif kind == "lost":
            for path in entry["paths"]:
                self.held.pop(path, None)
        self.entries.append(entry)


def digest(entry: Entry) -> str:
    """Of a line without its own hash, as canonical JSON."""
    bare = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def extend(known: Known, text: str, proper: Callable[[Entry], bool] = lambda _: True) -> int:
    """Add whole lines that continue the chain; how many bytes of `text` they are (the last may be unfinished).

    Args:
        proper: whether a line that continues it may come in.

    Raises:
        Failed: a line does not continue it; says which. Those before it are in.
    """
    taken = 0
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        number = len(known.entries) + 1
        try:
            entry = json.loads(line)
            sound = entry["seq"] == number and entry["previous"] == known.head
            if not sound or entry["hash"] != digest(entry) or not proper(entry):
                raise ValueError
            known.add(entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Failed(f"line {number} of the ledger does not follow from the one before") from None
        taken += len(line.encode())
    return taken


class Ledger:
    """The chain in a file; who appends holds its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = Known()
        self._length = 0
        self.read()

    def read(self) -> Known:
        """What has been added since it was read last; an unfinished last line is left out.

        Raises:
            Failed: it was altered.
        """
        if not self.path.exists():
            return self.known
        with self.path.open("rb") as file:
            file.seek(self._length)
            text = file.read().decode("utf-8", "replace")
        if self.path.stat().st_size < self._length:
            raise Failed("the ledger was cut off: compare it with what the collector has")
        try:
            self._length += extend(self.known, text)
        except Failed as error:
            raise Failed(f"{error}: compare it with what the collector has") from None
        return self.known

    @contextmanager
    def locked(self) -> Iterator[Known]:
        """Nobody else appends meanwhile; who only looks needs not be able to write the lock."""
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(lock)

    def append(self, kind: str, **what: Any) -> Entry:
        """One more line, on disk and in syslog before anything else is done; who calls holds the lock."""
        entry = {"seq": len(self.known.entries) + 1, "at": now(), "kind": kind, **what}
        entry["previous"] = self.known.head
        entry["hash"] = digest(entry)
        self.write([entry])
        names = " ".join(str(what.get(key, "")) for key in ("name", "of", "reason"))
        log(f"ledger {entry['seq']} {kind} {entry['hash']} {names}")
        return entry

    def write(self, entries: list[Entry]) -> None:
        """Lines that are found to continue the chain, with a copy's own hashes kept."""
        text = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries)
        fresh = not self.path.exists()
        with self.path.open("ab") as file:
            # What a kill left of a line that was never finished.
            file.truncate(self._length)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            self.path.chmod(0o640)
        self.read()
