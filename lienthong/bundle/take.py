"""Import and verify: a bundle becomes a new folder, whole, or nothing at all.

It is read twice: once to know that every byte is what was signed, before anything is opened, and once to open
it, hashed again on its way. The files go to a hidden folder beside their place; then the chain is moved on,
which is the moment it counts; then the folder gets its name.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lienthong.bundle import age, keys
from lienthong.bundle.chain import Chain, Link, Role, held
from lienthong.bundle.disk import sync_folder, told
from lienthong.bundle.header import when
from lienthong.bundle.judge import Body, Introduced, introduce, judge, opened
from lienthong.bundle.logged import log
from lienthong.bundle.manifest import MAX_BYTES, Entry
from lienthong.bundle.meter import Say, meter
from lienthong.bundle.seal import start
from lienthong.bundle.unpack import unpack
from lienthong.bundle.words import BundleRefused, Reason, Stream, own_side
from lienthong.errors import LienThongError


@dataclass(frozen=True)
class Side:
    """The importing side: its checkout, its memory, its identities, its clock."""

    root: Path
    state: Path
    identity: Path | None
    """the file of age identities; `verify` looks at no content without it"""
    own: str | None
    """`LIENTHONG_SIDE`"""
    now: datetime
    say: Say
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class Looked:
    """A bundle that would be taken. `entries` is None where its content was not opened."""

    seen: Introduced
    entries: tuple[Entry, ...] | None


@dataclass(frozen=True)
class Imported:
    """A bundle that was taken."""

    seen: Introduced
    entries: tuple[Entry, ...]
    path: Path
    logged: bool


def verify(file: io.FileIO, seen: Introduced, side: Side, only: Stream | None = None) -> Looked:
    """Whether an import would take it; changes nothing.

    Raises:
        BundleRefused: it would not.
    """
    chain = Chain(side.state, seen.header.stream, Role.IMPORT)
    _for_us(seen, side, only, chain.read())
    entries = _read(file, seen, side, None)
    return Looked(seen, entries)


def take(
    path: Path, into: Path, side: Side, only: Stream | None = None, after: Link | None = None
) -> Imported:
    """Import a bundle as a new folder in `into`.

    Args:
        only: the stream that is expected; None takes any that is this side's.
        after: where the chain stands, if this side has lost its memory.

    Raises:
        BundleRefused: it is not taken; nothing is imported and the chain stands where it stood.
        LienThongError: something else is wrong; likewise.
    """
    if side.identity is None:
        raise LienThongError("no identity is named", hint="--identity FILE, or LIENTHONG_BUNDLE_IDENTITY")
    if not into.is_dir():
        raise LienThongError(f"{into} is no folder", hint="make it first: a bundle becomes a folder in it")
    into = into.resolve()
    with opened(path) as file:
        seen = introduce(file, side.root)
        header = seen.header
        with held(side.state, header.stream, Role.IMPORT) as chain:
            _for_us(seen, side, only, start(chain, after, side.now))
            place = into / header.stream.name(header.sequence)
            part = into / f".{place.name}.part"
            if place.exists() or place.is_symlink():
                raise LienThongError(f"{place} is there already", hint="name another folder with --into")
            with told(into), _staging(part, chain):
                if shutil.disk_usage(into).free < header.size:
                    raise LienThongError(f"{into} has no room for {header.size} bytes")
                entries = _read(file, seen, side, part)
                assert entries is not None
                sync_folder(into)
                chain.write(
                    Link(
                        header.sequence,
                        seen.envelope.head,
                        header.sha256,
                        when(header.made),
                        str(place),
                        str(part),
                    )
                )
            with told(into, "it counts as imported; the next run puts it in place"):
                chain.settle()
            return Imported(seen, entries, place, log(chain, side.now))


def _for_us(seen: Introduced, side: Side, only: Stream | None, last: Link | None) -> None:
    way = seen.header.stream
    if only is not None and way != only:
        raise BundleRefused(Reason.STREAM, f"it is of {way}, not of {only}")
    own_side(way.end, "import", side.own)
    own = None
    if side.identity is not None:
        own = keys.own_recipients(keys.private(side.identity, side.root, "the identity"))
    judge(seen, own, keys.recipient(side.root, way), side.now, last)


def _read(file: io.FileIO, seen: Introduced, side: Side, into: Path | None) -> tuple[Entry, ...] | None:
    header, body = seen.header, Body(file, seen.header)
    for _ in body.blocks(meter(side.say, "checking", header.size)):
        pass
    if side.identity is None:
        return None
    step = meter(side.say, "opening", header.size)
    with closing(age.opened(side.identity, body.blocks(step))) as plain:
        return unpack(plain, into, side.max_bytes)


@contextmanager
def _staging(part: Path, chain: Chain) -> Iterator[None]:
    """A new, empty folder that goes again if anything fails; a killed run's is removed first.

    What the chain already waits for stays, whatever failed after that: it counts as imported.
    """
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(mode=0o700)
    try:
        yield
    except BaseException:
        link = chain.read()
        if link is None or link.waiting != str(part):
            shutil.rmtree(part, ignore_errors=True)
        raise
