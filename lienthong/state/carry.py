"""The state of a target into one sealed file, and out of it into a checkout that has none.

What Git does not have: the journal with the inventory of each run, the vaults of secrets (among them the keys
of the certificate authorities and the passphrases of the document vaults), pinned host keys, the chains of
bundles. The file has no signature: its SHA-256 is told at the export, and asked for at the import.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lienthong.bundle import age, manifest
from lienthong.bundle.disk import sync_folder, told
from lienthong.bundle.unpack import unpack
from lienthong.errors import LienThongError

Say = Callable[[str], None]
JOURNAL = "journal.sqlite"
#: What is a machine's or a moment's own: locks, sockets, what can be made anew.
_NOT = {"nodes", "cache", "ansible", "testinfra"}
_NOT_ENDING = (".lock", ".sock", ".pid", ".log", ".new", "-wal", "-shm", "-journal")
#: Where each part stands in the file.
STATE, SECRETS, BUNDLES = "state", "secrets", "bundles"
KNOWN_HOSTS = "known_hosts"


@dataclass(frozen=True)
class Places:
    """Where the parts are in a checkout."""

    state: Path
    secrets: Path
    known_hosts: Path
    bundles: Path

    def parts(self) -> tuple[tuple[str, Path], ...]:
        """Each part's name in the file and its place; a place within another is not told twice."""
        both = ((SECRETS, self.secrets), (KNOWN_HOSTS, self.known_hosts), (BUNDLES, self.bundles))
        return ((STATE, self.state), *(one for one in both if self.state not in one[1].parents))


@dataclass(frozen=True)
class Sealed:
    """A sealed file."""

    path: Path
    sha256: str
    files: int
    bytes: int


def export(places: Places, out: Path, recipients: tuple[str, ...], now: datetime, say: Say) -> Sealed:
    """Seal the state to some recipients, each of whom can open all of it.

    Raises:
        LienThongError: there is nothing, or the disk fails.
    """
    if not any(place.exists() for _, place in places.parts()):
        raise LienThongError(f"there is no state in {places.state}")
    target = out / f"lienthong-state-{now:%Y%m%dT%H%M%S}.age"
    with told(out), gathered(places) as folder:
        entries = manifest.survey(folder, lambda _: None)
        say(f"sealing {len(entries)} files to {len(recipients)} officers")
        part = target.with_suffix(".part")
        digest = hashlib.sha256()
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                plain = manifest.contents(folder, entries, lambda _: None)
                for block in age.sealed(recipients[0], plain, *recipients[1:]):
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(out)
    return Sealed(target, digest.hexdigest(), len(entries), sum(one.size for one in entries))


def import_(file: Path, sha256: str, identity: Path, places: Places, replace: bool, now: datetime) -> Sealed:
    """Open a sealed state and put it in place, whole or not at all.

    Raises:
        LienThongError: another hash was said, it cannot be opened, or there is a state already.
    """
    with told(file), file.open("rb") as reading:
        found = hashlib.file_digest(reading, "sha256").hexdigest()
    if found != sha256.lower():
        raise LienThongError(
            f"{file}: its SHA-256 is {found}, not the one you say",
            hint="compare with what the export printed, or with the collector's log",
        )
    present = [place for _, place in places.parts() if place.exists() and not _empty(place)]
    if present and not replace:
        raise LienThongError(
            f"there is a state already: {', '.join(map(str, present))}",
            hint="--replace keeps it beside, with a name that says when",
        )
    places.state.parent.mkdir(parents=True, exist_ok=True)
    with (
        told(places.state),
        tempfile.TemporaryDirectory(dir=places.state.parent, prefix=".state-") as temporary,
    ):
        into = Path(temporary)
        with file.open("rb") as cipher:
            blocks = iter(lambda: cipher.read(age.BLOCK), b"")
            entries = unpack(age.opened(identity, blocks), into, manifest.MAX_BYTES)
        if not (into / STATE).is_dir():
            raise LienThongError(f"{file}: it holds no state of this tool")
        for name, place in places.parts():
            if not (into / name).exists():
                continue
            if place in present:
                place.rename(place.with_name(f"{place.name}.before-{now:%Y%m%dT%H%M%S}"))
            elif place.is_dir():
                place.rmdir()
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(into / name, place)
    return Sealed(file, found, len(entries), sum(one.size for one in entries))


@contextmanager
def gathered(places: Places) -> Iterator[Path]:
    """A copy of all parts that holds still; the journal as SQLite itself copies it."""
    with tempfile.TemporaryDirectory(prefix="lienthong-state-") as temporary:
        folder = Path(temporary)
        for name, place in places.parts():
            if place.is_file():
                shutil.copy2(place, folder / name)
            elif place.is_dir():
                shutil.copytree(place, folder / name, ignore=_ignored, symlinks=True)
        journal = places.state / JOURNAL
        if journal.exists():
            with sqlite3.connect(journal) as source, sqlite3.connect(folder / STATE / JOURNAL) as target:
                source.backup(target)
            source.close()
            target.close()
        yield folder


def _ignored(folder: str, names: list[str]) -> set[str]:
    """What is not part of the state: locks, sockets, links, nodes of a lab."""
    there = Path(folder)
    return {
        name
        for name in names
        if name in _NOT
        or name.endswith(_NOT_ENDING)
        or (there / name).is_symlink()
        or not ((there / name).is_file() or (there / name).is_dir())
    }


def _empty(place: Path) -> bool:
    """A folder without a file: a new checkout may have made it."""
    return place.is_dir() and not any(path.is_file() for path in place.rglob("*"))
