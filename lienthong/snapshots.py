"""The inventory as it was when a run began, kept beside the journal: what an undo of hosts goes back to."""

from __future__ import annotations

import tarfile
from pathlib import Path

from lienthong.errors import LienThongError

KEPT = 50
"""Runs whose inventory is kept; older ones are taken away."""


def keep(state: Path, run: int, root: Path) -> None:
    """Keep the inventory of a checkout with a run. Vaults are kept as they are, encrypted."""
    folder = state / "runs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tarfile.open(_file(state, run), "w:gz", compresslevel=3) as archive:
        archive.add(root / "inventory", "inventory", filter=_wanted)
    for old in sorted(folder.glob("*.tar.gz"))[:-KEPT]:
        old.unlink()


def unpack(state: Path, run: int, into: Path) -> None:
    """Put the inventory of a run below a folder.

    Raises:
        LienThongError: it was not kept, or not any more.
    """
    try:
        with tarfile.open(_file(state, run)) as archive:
            archive.extractall(into, filter="data")
    except (OSError, tarfile.TarError):
        raise LienThongError(f"the inventory of run {run} is not kept any more") from None


def _file(state: Path, run: int) -> Path:
    return state / "runs" / f"{run:06}.tar.gz"


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in entry.name else entry
