"""The content of an opened bundle, into a new folder or nowhere: hashes checked, nothing executable."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from lienthong.bundle import manifest
from lienthong.bundle.disk import sync_folder
from lienthong.bundle.manifest import Entry
from lienthong.bundle.words import BundleRefused, Reason


class _Plain:
    """Blocks, read by counts."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._held = blocks, b""

    def take(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes in pieces."""
        while count:
            if not self._held:
                self._held = next(self._blocks, b"")
                if not self._held:
                    raise BundleRefused(Reason.CONTENT, "it holds less than its own list says")
            piece, self._held = self._held[:count], self._held[count:]
            count -= len(piece)
            yield piece

    def end(self) -> None:
        """Refuse anything that follows; also lets the opener finish, and say whether all was well."""
        if self._held or any(self._blocks):
            raise BundleRefused(Reason.CONTENT, "it holds more than its own list says")


def unpack(blocks: Iterator[bytes], into: Path | None, max_bytes: int) -> tuple[Entry, ...]:
    """Read a plaintext to its end.

    Args:
        into: a folder that is new and empty, and nobody else's; None to check only.
        max_bytes: the most that all files together may have.

    Returns:
        What it holds. Every file and folder under `into` is on disk then.

    Raises:
        BundleRefused: it is not what its list says, or its list is refused.
        OSError: the disk is full, or fails.
    """
    plain = _Plain(blocks)
    (length,) = manifest.LENGTH.unpack(b"".join(plain.take(manifest.LENGTH.size)))
    if length > manifest.MAX_MANIFEST:
        raise BundleRefused(Reason.TOO_LARGE, f"its list of files has {length} bytes")
    entries = manifest.read(b"".join(plain.take(length)), max_bytes)
    folders = {into} if into else set()
    for one in entries:
        if into is None:
            digest = hashlib.sha256()
            for piece in plain.take(one.size):
                digest.update(piece)
            _same(one, digest.hexdigest())
            continue
        path = into / one.path
        for above in reversed(path.relative_to(into).parents[:-1]):
            if into / above not in folders:
                (into / above).mkdir(mode=0o700)
                folders.add(into / above)
        _write(path, one, plain)
    plain.end()
    for folder in folders:
        sync_folder(folder)
    return entries


def _write(path: Path, one: Entry, plain: _Plain) -> None:
    digest = hashlib.sha256()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in plain.take(one.size):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.utime(file.fileno(), (one.mtime, one.mtime))
        os.fsync(file.fileno())
    _same(one, digest.hexdigest())


def _same(one: Entry, found: str) -> None:
    if found != one.sha256:
        raise BundleRefused(Reason.CONTENT, f"{one.path!r} is not what the bundle's own list says")
