"""Documents out of an archive into a new folder under /srv/restore, each compared with the hash of its fetch.

What a source sent may be hostile: only plain files and folders with plain names are written, never through a
link. Hashes are of what is read back from the disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import ledger
import reader
from places import MANIFEST, SCRATCH, SOURCES, Failed, tell

TELL_EVERY_S = 1.0
NAMES_AT_MOST = 5


@dataclass
class Compared:
    """How what came back compares with what was fetched; names are few, for people."""

    files: int = 0
    bytes: int = 0
    matched: int = 0
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.different or self.missing or self.extra)

    def data(self) -> dict[str, Any]:
        counts = {key: len(getattr(self, key)) for key in ("different", "missing", "extra")}
        names = [*self.different, *self.missing, *self.extra][:NAMES_AT_MOST]
        return {"files": self.files, "bytes": self.bytes, "matched": self.matched, **counts, "names": names}


class Progress:
    """An event a second while something takes long."""

    def __init__(self, step: str, of: int) -> None:
        self._step, self._of, self._told, self.files, self.bytes = step, of, time.monotonic(), 0, 0

    def one(self, size: int) -> None:
        self.files += 1
        self.bytes += size
        if time.monotonic() - self._told >= TELL_EVERY_S:
            self._told = time.monotonic()
            tell(event="progress", step=self._step, files=self.files, of=self._of, bytes=self.bytes)


def folder(label: str) -> Path:
    """A new folder for one restore; only root sees into it."""
    SCRATCH.mkdir(mode=0o700, exist_ok=True)
    into = SCRATCH / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{label}"
    into.mkdir(mode=0o700)
    return into


def newest(wanted: str = "") -> dict[str, Any]:
    """The archive of that name, else the newest that the ledger knows.

    Raises:
        Failed: there is none, or the ledger does not know it.
    """
    found = sorted(ledger.read().expected.values(), key=lambda one: str(one["start"]))
    if wanted:
        found = [one for one in found if one["name"] == wanted]
    if not found:
        raise Failed(f"no archive {wanted!r} in the ledger" if wanted else "no archive yet")
    return found[-1]


def hashes(archive: dict[str, Any]) -> dict[str, str]:
    """What the archive's manifest says.

    Raises:
        Failed: it is not the manifest that the ledger knows.
    """
    found, own = reader.manifest(archive["name"])
    if own != archive["manifest"]:
        raise Failed(f"the manifest of {archive['name']} is not the one that the ledger knows")
    return found


def restore(archive: dict[str, Any], paths: list[str], into: Path) -> Compared:
    """Some paths (or all) of an archive, written and compared.

    Raises:
        Failed: a path is not in there, a name leads out, the disk is too small.
    """
    under = [path.rstrip("/") for path in paths]
    wanted = {
        path: digest
        for path, digest in hashes(archive).items()
        if not under or any(path == one or path.startswith(f"{one}/") for one in under)
    }
    if under and not wanted:
        raise Failed(f"nothing under {under[0]!r} in {archive['name']}")
    with reader.exported(archive["name"], *under) as stream:
        write(stream, into, len(wanted))
    return compare(into, wanted)


def write(stream: IO[bytes], into: Path, of: int) -> None:
    """A tar stream as plain files and folders below `into`."""
    progress = Progress("restore", of)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or "\0" in member.name:
                    raise Failed(f"refused a path that leads out: {member.name!r}")
                target = into / path
                if member.isdir():
                    target.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif member.isreg() and member.name not in {MANIFEST, SOURCES}:
                    if member.size > shutil.disk_usage(into).free:
                        raise Failed(f"no room under {SCRATCH} for {member.size} bytes more")
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                    content = archive.extractfile(member)
                    assert content is not None
                    with os.fdopen(handle, "wb") as out:
                        shutil.copyfileobj(content, out, 1 << 20)
                    os.utime(target, (member.mtime, member.mtime))
                    progress.one(member.size)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Failed(f"the archive does not come out: {error}") from error


def compare(into: Path, wanted: dict[str, str]) -> Compared:
    """Every file below `into` read back, against the hashes of its fetch."""
    found = Compared()
    progress = Progress("compare", len(wanted))
    left = dict(wanted)
    for path in sorted(into.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = str(path.relative_to(into))
        digest, size = hashed(path)
        found.files += 1
        found.bytes += size
        progress.one(size)
        expected = left.pop(name, None)
        if expected is None:
            found.extra.append(name)
        elif expected == digest:
            found.matched += 1
        else:
            found.different.append(name)
    found.missing = sorted(left)
    return found


def hashed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
