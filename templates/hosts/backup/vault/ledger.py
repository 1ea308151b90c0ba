"""The chain of what was in the repository: one line an event, each with the hash of the one before.

It lies outside the repository, only root appends, and every new head goes to syslog and so to the collector:
who takes over the account `vault` can delete archives but cannot make them never have been.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from places import LEDGER, Failed, log, now

START = "0" * 64


@dataclass
class Known:
    """What the chain says: archives that must be there by id, and where the last look without a finding stood."""

    entries: list[dict[str, Any]]
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    transaction: int = -1
    segments: str = ""
    good: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`expected` as of the last look without a finding"""
    good_at: str = ""
    findings: tuple[str, ...] = ()
    looked: str = ""

    @property
    def head(self) -> str:
        return str(self.entries[-1]["hash"]) if self.entries else START


def digest(entry: dict[str, Any]) -> str:
    """Of an entry without its own hash, as canonical JSON."""
    bare = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse(text: str) -> list[dict[str, Any]]:
    """The entries of a chain.

    Raises:
        Failed: it was altered; says at which line.
    """
    entries: list[dict[str, Any]] = []
    previous = START
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            sound = (
                entry["previous"] == previous and entry["seq"] == number and entry["hash"] == digest(entry)
            )
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise Failed(f"the ledger was altered at line {number}: compare it with what the collector has")
        entries.append(entry)
        previous = entry["hash"]
    return entries


def known(entries: list[dict[str, Any]]) -> Known:
    """What follows from the entries, in order."""
    found = Known(entries)
    for entry in entries:
        for archive in entry.get("archives", ()):
            found.expected[archive["id"]] = archive
        for gone in (*entry.get("gone", ()), *entry.get("lost", ())):
            found.expected.pop(gone, None)
        if entry["kind"] in {"look", "undelete", "accept"}:
            found.looked = entry["at"]
            found.findings = tuple(entry.get("findings", ()))
            if not found.findings:
                found.transaction, found.segments = entry["transaction"], entry["segments"]
                found.good, found.good_at = dict(found.expected), entry["at"]
    return found


def read() -> Known:
    """The chain on disk."""
    return known(parse(LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""))


def append(before: Known, kind: str, **what: Any) -> Known:
    """One more entry, on disk and in syslog before anything else is done."""
    entry = {"seq": len(before.entries) + 1, "at": now(), "kind": kind, **what, "previous": before.head}
    entry["hash"] = digest(entry)
    with LEDGER.open("a", encoding="utf-8") as file:
        LEDGER.chmod(0o644)
        file.write(json.dumps(entry, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    names = ",".join(archive["name"] for archive in entry.get("archives", ()))
    log(f"ledger {entry['seq']} {kind} {entry['hash']} {names}".rstrip())
    return known([*before.entries, entry])
