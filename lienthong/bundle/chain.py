"""What a side remembers of a stream: the last number and its head, on disk, alone, and never half.

A link is written in one step (new file, fsync, rename, fsync of the folder) and is the moment at which a
bundle counts as exported or imported. What must become visible with it is named in the link first, as
`waiting`, and is put in place after; whoever comes next finishes what a killed run left. A side that has lost
its memory is told by an officer where it stands (`--after`), from the heads that Central keeps.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from lienthong.bundle.disk import sync_folder
from lienthong.bundle.words import Stream, stream
from lienthong.errors import LienThongError, Unreachable
from lienthong.secrets.vaultfile import replace as put

STATE = "/var/lib/lienthong/bundle"
VERSION = 1
_HASH = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """Which end of a stream this is."""

    EXPORT = "export"
    IMPORT = "import"


@dataclass(frozen=True)
class Link:
    """The last bundle of a stream on this side."""

    sequence: int
    head: str
    sha256: str
    """of its ciphertext; empty where an officer said where the chain stands"""
    made: str
    place: str
    """where its file or its folder is"""
    waiting: str = ""
    """what is still to be renamed to `place`; empty when it is done"""
    logged: bool = False
    """the local syslog has taken the line that goes to Central"""


@dataclass(frozen=True)
class Chain:
    """One stream as one side remembers it; change it only within :func:`held`."""

    folder: Path
    stream: Stream
    role: Role

    @property
    def path(self) -> Path:
        return self.folder / f"{self.stream.flat}.{self.role}.json"

    def read(self) -> Link | None:
        """The last link; None before the first.

        Raises:
            LienThongError: the memory is damaged. It is never taken for an empty one.
        """
        try:
            data = json.loads(self.path.read_bytes())
            if data.pop("lienthong-bundle-state") != VERSION or data.pop("stream") != str(self.stream):
                raise ValueError("of another format or stream")
            link = Link(**data)
            kinds = (int, str, str, str, str, str, bool)
            if tuple(type(value) for value in asdict(link).values()) != kinds or not _HASH.fullmatch(
                link.head
            ):
                raise ValueError("other kinds of values")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LienThongError(f"{self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LienThongError(
                f"{self.path} is damaged ({error}): what was taken before is not known",
                hint="compare with Central's collector, move the file away, and say --after NUMBER:HEAD",
            ) from None
        return link

    def write(self, link: Link) -> None:
        """Put a link in place of the one before, durably and in one step."""
        data = {"lienthong-bundle-state": VERSION, "stream": str(self.stream), **asdict(link)}
        put(self.path, json.dumps(data, indent=1).encode())

    def settle(self) -> Link | None:
        """Finish what a killed run had decided but not put in place; the last link.

        Raises:
            LienThongError: what was decided on is gone; said once.
        """
        link = self.read()
        if link is None or not link.waiting:
            return link
        here, there = Path(link.waiting), Path(link.place)
        if here.exists():
            here.rename(there)
            sync_folder(there.parent)
        done = replace(link, waiting="")
        self.write(done)
        if not there.exists():
            raise LienThongError(
                f"number {link.sequence} of {self.stream} is on record, but {here} was removed before it was "
                "put in place",
                hint="its content has to be exported again, under a new number",
            )
        return done


@contextmanager
def held(folder: Path, way: Stream, role: Role) -> Iterator[Chain]:
    """Alone with one stream of this side.

    Raises:
        Unreachable: another run holds it.
        LienThongError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / f"{way.flat}.{role}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LienThongError(
            f"{folder}: {error.strerror}",
            hint="run it as the account that keeps the chain, or say --state FOLDER",
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unreachable(
                f"another run is at {way} just now", hint="wait for it, then try again"
            ) from None
        yield Chain(folder, way, role)
    finally:
        os.close(handle)


def chains(folder: Path) -> list[Chain]:
    """Every stream that this side remembers."""
    found = []
    for path in sorted(folder.glob("*.json")):
        name, _, role = path.stem.rpartition(".")
        if role in set(Role):
            found.append(Chain(folder, stream(f"{name[:-8]}/{name[-7:]}"), Role(role)))
    return found


def after(text: str) -> Link:
    """Where an officer says that a chain stands, as `NUMBER:HEAD`.

    Raises:
        LienThongError: it is none.
    """
    number, _, head = text.partition(":")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", number) or not _HASH.fullmatch(head):
        raise LienThongError(
            f"{text!r} is no place in a chain", hint="NUMBER:HEAD, as lienthong bundle heads prints them"
        )
    return Link(int(number), head, "", "", "", logged=True)
