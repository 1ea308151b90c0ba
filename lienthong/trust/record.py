"""The file of host keys that are believed: read, and changed by one host's entry at a time.

A file is a text that people edit too: comments, order and entries that nobody asked about stay as they are.
"""

from __future__ import annotations

import binascii
import fcntl
import os
import re
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paramiko.hostkeys import HostKeys

from lienthong.errors import LienThongError
from lienthong.trust.hostkey import HostKey

_ENTRY = re.compile(r"(?:(@\S+)\s+)?(\S+)\s+(\S+)\s+([A-Za-z0-9+/=]+)(.*)")
SSH_PORT = 22


@dataclass(frozen=True)
class _Entry:
    marker: str
    hosts: tuple[str, ...]
    key: HostKey
    comment: str

    def is_of(self, host: str) -> bool:
        return any(
            HostKeys.hash_host(host, one) == one if one.startswith("|1|") else one == host
            for one in self.hosts
        )


def host_name(address: str, port: int) -> str:
    """How a server is called in the file: its address, with the port where it is not 22."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def keys_of(text: str, host: str) -> tuple[HostKey, ...]:
    """The keys on record for a host."""
    return tuple(e.key for e in map(_read, text.splitlines()) if e and not e.marker and e.is_of(host))


def revoked(text: str, key: HostKey) -> bool:
    """Whether an entry marked `@revoked` names that key, for whatever host."""
    return any(e.marker == "@revoked" and e.key.blob == key.blob for e in map(_read, text.splitlines()) if e)


def with_key(text: str, host: str, key: HostKey) -> str:
    """The text with that key as the one entry of a host, in the place of the old one or where it sorts.

    An entry that names several hosts keeps the others.
    """
    new = f"{host} {key.algorithm} {key.base64}"
    lines, done = [], False
    for line in text.splitlines():
        entry = _read(line)
        if entry is None or entry.marker or not entry.is_of(host):
            lines.append(line)
            continue
        others = tuple(one for one in entry.hosts if not _Entry("", (one,), entry.key, "").is_of(host))
        if others:
            lines.append(f"{','.join(others)} {entry.key.algorithm} {entry.key.base64}{entry.comment}")
        if not done:
            lines.append(new + (entry.comment if not others else ""))
            done = True
    if not done:
        lines.insert(_place(lines, host), new)
    return "\n".join(lines) + "\n"


@contextmanager
def editing(path: Path) -> Iterator[None]:
    """Nobody else who goes through here changes the file meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def read(path: Path) -> str:
    """What the file says; nothing while there is none.

    Raises:
        LienThongError: it cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise LienThongError(f"{path}: it cannot be read: {error}") from None


def write(path: Path, text: str) -> None:
    """Replace the file in one step; whoever reads meanwhile sees the old or the new one, whole.

    Raises:
        LienThongError: the folder cannot be written.
    """
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    new = None
    try:
        descriptor, new = tempfile.mkstemp(prefix=".known_hosts-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fchmod(handle.fileno(), mode)
            os.fsync(handle.fileno())
        Path(new).replace(path)
    except OSError as error:
        if new is not None:
            Path(new).unlink(missing_ok=True)
        raise LienThongError(f"{path}: it cannot be written: {error.strerror}") from None


def _read(line: str) -> _Entry | None:
    found = _ENTRY.fullmatch(line.strip())
    if found is None or line.lstrip().startswith("#"):
        return None
    try:
        blob = b64decode(found[4], validate=True)
    except (binascii.Error, ValueError):
        return None
    return _Entry(found[1] or "", tuple(found[2].split(",")), HostKey(found[3], blob), found[5])


def _place(lines: list[str], host: str) -> int:
    """Before the first entry that sorts after the host, and before the comments that belong to it."""
    for index, line in enumerate(lines):
        entry = _read(line)
        if entry is None or entry.marker or _order(entry.hosts[0]) <= _order(host):
            continue
        while index and lines[index - 1].lstrip().startswith("#"):
            index -= 1
        return index
    return len(lines)


def _order(host: str) -> tuple[object, ...]:
    """Addresses by their numbers: 10.0.4.2 before 10.0.4.10."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d+|\D+", host)
    )
