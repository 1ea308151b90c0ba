"""Every file against its hash: changed, missing and extra ones by their names. Reads everything, changes nothing.

What was added while it looked is looked at once more at the end, so a scan that comes meanwhile is no finding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ledger import Held, Ledger
from places import Gone, hashed, plain

#: So many findings are named; all are counted.
NAMED = 50


def files(store: Path) -> set[str]:
    """Whatever lies below a store that is no folder, by path."""
    found = set()
    for folder, folders, names in os.walk(store):
        below = Path(folder).relative_to(store)
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        found |= {str(below / name) for name in (*names, *links)}
    return found


def wrong(store: Path, held: Held) -> str:
    """What is wrong with one file; empty when nothing is."""
    path = store / held.path
    if any(folder.is_symlink() for folder in path.parents if store in folder.parents):
        return "missing"
    try:
        digest, size = hashed(path)
    except Gone:
        return "missing"
    return "" if (digest, size) == (held.sha256, held.size) else "changed"


def verify(store: Path, ledger: Ledger) -> tuple[list[str], int]:
    """Findings, a line each, and how many files were compared.

    Raises:
        Failed: the ledger itself was altered.
    """
    suspect = {}
    count = 0
    for held in list(ledger.read().held.values()):
        count += 1
        if what := wrong(store, held):
            suspect[held.path] = what
    strange = files(store) - set(ledger.known.held)
    if not suspect and not strange:
        return [], count
    with ledger.locked() as known:
        there = files(store)
        again = {path: wrong(store, known.held[path]) for path in suspect if path in known.held}
        extra = (strange & there) - set(known.held)
    return told(
        [*((what, path) for path, what in again.items() if what), *(("extra", path) for path in extra)]
    ), count


def told(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """In words that stay the same while it is so."""
    return [f"{what}: {plain(path)}" for what, path in sorted(pairs)]
