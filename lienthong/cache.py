"""Keeps what was found out about a file, for as long as nothing it depends on has changed.

An entry is one JSON file that names its key, a hash of everything the answer depends on. A file that is
missing, cut short, changed, of another version or not ours to read is no entry: the answer is made anew.
Only the standard library is imported here: `inventory/hosts.py` asks before it knows of our packages.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

_ENGINE = Path(__file__).resolve().parent
_HEAD = b"lienthong cache 1 "


class Cache:
    """A folder of entries; without a folder nothing is ever found or kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, name: str, key: str) -> bytes | None:
        """What was kept under that name, if it was kept for that key and is whole."""
        if self._folder is None:
            return None
        try:
            raw = (self._folder / name).read_bytes()
        except OSError:
            return None
        head, _, body = raw.partition(b"\n")
        return body if head == _head(key, body) else None

    def keep(self, name: str, key: str, body: bytes) -> None:
        """Keep an answer. It appears whole or not at all; where nothing can be written, nothing is kept."""
        if self._folder is None:
            return
        import tempfile

        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self._folder)  # only its owner reads it
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_head(key, body) + b"\n" + body)
                Path(temporary).replace(self._folder / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)

    def forget_all_but(self, names: Iterable[str]) -> None:
        """Take away entries of files that are no more."""
        if self._folder is None:
            return
        known = set(names)
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in known and not path.name.startswith(".new-"):
                    path.unlink(missing_ok=True)


def _head(key: str, body: bytes) -> bytes:
    return _HEAD + f"{key} {hashlib.sha256(body).hexdigest()}".encode()


def key_of(*parts: bytes | str) -> str:
    """A hash of all parts; where one ends and the next begins counts too."""
    found = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        found.update(b"%d:" % len(raw))
        found.update(raw)
    return found.hexdigest()


@cache
def engine(*rooms: str) -> str:
    """A hash of the engine's source, of these rooms or of all of it, and of the Python that runs it."""
    files = [path for room in rooms or (".",) for path in _sources(_ENGINE / room)]
    return key_of(sys.version, files_key(_ENGINE, files))


def files_key(root: Path, files: Iterable[Path]) -> str:
    """A hash of the names below `root` and the bytes of files; one that cannot be read counts as absent."""
    parts: list[bytes | str] = []
    for path in files:
        try:
            parts += [str(path.relative_to(root)), path.read_bytes()]
        except OSError:
            parts += [str(path), "absent"]
    return key_of(*parts)


def _sources(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))
