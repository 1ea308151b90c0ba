"""What a bundle holds: regular files with plain paths, each with size, hash and time; then their bytes.

The plaintext is no tar: a link, a device, an owner or a mode cannot be said in it at all. It is the length of
the manifest (u64), the manifest, and the contents in its order, without anything between or after.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lienthong.bundle.words import BundleRefused, Reason
from lienthong.errors import LienThongError

BLOCK = 1 << 20
MAX_FILES = 200_000
MAX_MANIFEST = 64 << 20
MAX_BYTES = 64 << 30
MAX_DEPTH, MAX_PATH, MAX_NAME = 32, 1024, 255
LENGTH = struct.Struct(">Q")
_LINE = re.compile(rb"([0-9a-f]{64}) (0|[1-9][0-9]{0,14}) (0|[1-9][0-9]{0,9}) ([^\n]+)")
#: Controls, bidirectional and zero-width formats, surrogates, private use, unassigned, line ends.
_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True)
class Entry:
    """One file; `mtime` in whole seconds since 1970."""

    path: str
    size: int
    sha256: str
    mtime: int


def wrong_path(path: str) -> str:
    """Why a path may not stand in a bundle; empty when it may."""
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH or path.count("/") >= MAX_DEPTH:
        return "too long or too deep"
    if any(unicodedata.category(char) in _STEERING for char in path):
        return "a control character or one that steers a terminal"
    if path.startswith("/"):
        return "absolute"
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return "leads elsewhere"
        if len(part.encode()) > MAX_NAME:
            return "a name too long"
    return ""


def dump(entries: tuple[Entry, ...]) -> bytes:
    """The manifest's text: a line a file, `hash size mtime path`; no path holds a line's end."""
    lines = (f"{one.sha256} {one.size} {one.mtime} {one.path}\n" for one in entries)
    return "".join(lines).encode()


def read(text: bytes, max_bytes: int = MAX_BYTES) -> tuple[Entry, ...]:
    """The entries a manifest lists.

    Raises:
        BundleRefused: it is no manifest, names a path that leads elsewhere, or declares too much.
    """
    # Counted before anything is made of it: an exporter that was taken over signs what it likes.
    count = text.count(b"\n")
    if count > MAX_FILES:
        raise BundleRefused(Reason.TOO_LARGE, f"{count} files; at most {MAX_FILES} are taken")
    *lines, rest = text.split(b"\n")
    if rest or not lines:
        raise BundleRefused(Reason.CONTENT, "its list of files has no end, or no file")
    entries = tuple(map(_entry, lines))
    _fits(entries, max_bytes)
    _apart(entries)
    return entries


def _entry(line: bytes) -> Entry:
    found = _LINE.fullmatch(line)
    if not found:
        raise BundleRefused(Reason.CONTENT, f"a line of its list of files is wrong: {line[:80]!r}")
    try:
        path = found[4].decode("utf-8")
    except UnicodeDecodeError:
        raise BundleRefused(Reason.CONTENT, f"a path that is no UTF-8: {found[4][:80]!r}") from None
    if wrong := wrong_path(path):
        raise BundleRefused(Reason.CONTENT, f"the path {path!r}: {wrong}")
    return Entry(path, int(found[2]), found[1].decode(), int(found[3]))


def _fits(entries: tuple[Entry, ...], max_bytes: int) -> None:
    total = sum(one.size for one in entries)
    if len(entries) > MAX_FILES or total > max_bytes:
        raise BundleRefused(
            Reason.TOO_LARGE,
            f"{len(entries)} files of {total} bytes; at most {MAX_FILES} of {max_bytes} are taken",
        )


def _apart(entries: tuple[Entry, ...]) -> None:
    """In order, each once, and none is a folder of another."""
    paths = [one.path for one in entries]
    names = set(paths)
    if paths != sorted(names):
        raise BundleRefused(Reason.CONTENT, "its list of files is out of order or names one twice")
    for path in paths:
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in names:
                raise BundleRefused(Reason.CONTENT, f"{above!r} is a file and a folder at once")


def survey(
    folder: Path, step: Callable[[int], None] = lambda _: None, max_bytes: int = MAX_BYTES
) -> tuple[Entry, ...]:
    """What a folder holds, hashed. Empty folders are left out.

    Raises:
        LienThongError: it is no folder, it is empty, or it holds something else than plain files.
        BundleRefused: it is too large.
    """
    if not folder.is_dir():
        raise LienThongError(f"{folder} is no folder", hint="put what is to cross into a folder of its own")
    wrong: list[str] = []
    paths = sorted(_below(folder, "", wrong))
    wrong += [f"{path!r}: {why}" for path in paths if (why := wrong_path(path))]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise LienThongError(
            f"{folder}: not only plain files with plain names: {'; '.join(wrong[:5])}{more}",
            hint="rename them or leave them out; links and devices never cross",
        )
    if not paths:
        raise LienThongError(f"{folder} holds no file")
    entries = []
    for path in paths:
        digest, size = hashlib.sha256(), 0
        with opened(folder, path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
                step(len(block))
            mtime = int(min(max(os.fstat(file.fileno()).st_mtime, 0), 10**10 - 1))
        entries.append(Entry(path, size, digest.hexdigest(), mtime))
    found = tuple(entries)
    _fits(found, max_bytes)
    return found


def contents(
    folder: Path, entries: tuple[Entry, ...], step: Callable[[int], None] = lambda _: None
) -> Iterator[bytes]:
    """The plaintext of a bundle, in blocks.

    Raises:
        LienThongError: a file has changed since it was surveyed.
    """
    text = dump(entries)
    if len(text) > MAX_MANIFEST:
        raise BundleRefused(Reason.TOO_LARGE, "the list of files is too long")
    yield LENGTH.pack(len(text)) + text
    for one in entries:
        digest, size = hashlib.sha256(), 0
        with opened(folder, one.path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
                if size > one.size:
                    break
                step(len(block))
                yield block
        if digest.hexdigest() != one.sha256:
            raise LienThongError(
                f"{one.path!r} was changed while it was read",
                hint="export from a folder that nobody writes to",
            )


def opened(folder: Path, path: str) -> io.FileIO:
    """One regular file of a folder; not through a link at its end.

    Raises:
        LienThongError: it is another kind of thing now, or cannot be read.
    """
    try:
        handle = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise LienThongError(f"{folder / path}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise LienThongError(f"{folder / path} is no plain file any more")
    return io.FileIO(handle)


def _below(folder: Path, above: str, wrong: list[str]) -> Iterator[str]:
    with os.scandir(folder / above if above else folder) as found:
        for one in found:
            path = f"{above}/{one.name}" if above else one.name
            if one.is_symlink():
                wrong.append(f"{path!r}: a link")
            elif path.count("/") >= MAX_DEPTH:
                wrong.append(f"{path!r}: too deep")
            elif one.is_dir():
                yield from _below(folder, path, wrong)
            elif stat.S_ISREG(one.stat(follow_symlinks=False).st_mode):
                yield path
            else:
                wrong.append(f"{path!r}: neither a file nor a folder")
