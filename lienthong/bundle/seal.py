"""Export: a folder becomes the next bundle of its stream.

The bundle is written whole under a hidden name, then the chain is moved on, then it gets its name: a run that
is killed leaves the chain before it or with it. A copy stays in the outbox until it is no longer valid, so a
lost stick costs a copy and not a gap; it is sealed to the other side, this one cannot open it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.bundle import age, envelope, keys, manifest
from lienthong.bundle.chain import Chain, Link, Role, held
from lienthong.bundle.disk import sync_folder, told
from lienthong.bundle.envelope import ROOM, Envelope
from lienthong.bundle.header import FIRST, Header, when
from lienthong.bundle.logged import log
from lienthong.bundle.meter import Say, meter
from lienthong.bundle.words import BundleRefused, Content, Stream, permitted
from lienthong.errors import LienThongError

SUFFIX = ".ltb"


@dataclass(frozen=True)
class Exported:
    """What was made."""

    envelope: Envelope
    files: int
    bytes: int
    path: Path
    """in the outbox"""
    logged: bool


def export(
    folder: Path,
    way: Stream,
    content: Content,
    *,
    root: Path,
    key: Path,
    state: Path,
    now: datetime,
    valid: timedelta,
    say: Say,
    after: Link | None = None,
) -> Exported:
    """Make the next bundle of a stream from a folder.

    Args:
        folder: what is to cross; nothing else may write to it meanwhile.
        root: the checkout, for signers and recipients.
        key: the file of the signing key.
        state: where this side keeps its chains.
        now: UTC.
        after: where the chain stands, if this side has lost its memory.

    Raises:
        BundleRefused: it may not go that way, or this key may not sign for the stream.
        LienThongError: something else is wrong; the chain stands where it stood.
    """
    permitted(way, content)
    to = keys.recipient(root, way)
    keys.private(key, root, "the signing key")
    with held(state, way, Role.EXPORT) as chain, told(state):
        last = start(chain, after, now)
        outbox = state / "outbox"
        outbox.mkdir(mode=0o700, exist_ok=True)
        _tidy(outbox, way, last, now)
        entries = manifest.survey(folder, meter(say, "hashing", 0))
        total = sum(one.size for one in entries)
        number = last.sequence + 1 if last else 1
        part = outbox / f".{way.name(number)}.part"
        made = now.replace(microsecond=0)
        with part.open("xb") as file:
            digest, size = hashlib.sha256(), 0
            file.seek(ROOM)
            step = meter(say, "sealing", total)
            for block in age.sealed(to, manifest.contents(folder, entries, step)):
                digest.update(block)
                size += len(block)
                file.write(block)
            header = Header(
                way,
                content,
                number,
                made,
                made + valid,
                last.head if last else FIRST,
                digest.hexdigest(),
                size,
                to,
            )
            done = Envelope(header, keys.sign(key, envelope.signed(header)))
            # A bundle that the other side would refuse must not take a number.
            keys.verify(root, way, done.signed, done.signature)
            file.seek(0)
            file.write(envelope.pack(done))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(outbox)
        path = outbox / f"{way.name(number)}{SUFFIX}"
        chain.write(Link(number, done.head, header.sha256, when(made), str(path), str(part)))
        chain.settle()
        return Exported(done, len(entries), total, path, log(chain, now))


def start(chain: Chain, after: Link | None, now: datetime) -> Link | None:
    """Where the chain stands: by this side's memory, or by an officer's word where it has none.

    Raises:
        LienThongError: an officer's word, and a memory.
    """
    last = chain.settle()
    log(chain, now)  # what the run before could not send
    if after is None:
        return last
    if last is not None:
        raise LienThongError(
            f"this side knows where {chain.stream} stands: {last.sequence}:{last.head}",
            hint="--after is for a side that has lost its memory",
        )
    return after


def carry(path: Path, out: Path) -> Path:
    """Copy a bundle onto the stick, durably; a name there is a whole bundle.

    Raises:
        LienThongError: it does not go there; the bundle stays in the outbox.
    """
    there, part = out / path.name, out / f".{path.name}.part"
    try:
        part.unlink(missing_ok=True)
        with path.open("rb") as source, part.open("xb") as target:
            shutil.copyfileobj(source, target, manifest.BLOCK)
            target.flush()
            os.fsync(target.fileno())
        part.rename(there)
        sync_folder(out)
    except OSError as error:
        raise LienThongError(
            f"{out}: {error.strerror}; the bundle is made and lies in {path}",
            hint=f"copy it: cp {path} STICK",
        ) from None
    return there


def _tidy(outbox: Path, way: Stream, last: Link | None, now: datetime) -> None:
    """Remove what killed runs left, and bundles that are no longer valid; the last one stays."""
    for path in outbox.glob(f".{way.flat}-*.part"):
        path.unlink()
    for path in outbox.glob(f"{way.flat}-*{SUFFIX}"):
        try:
            with path.open("rb") as file:
                header = envelope.unpack(file.read(ROOM)).header
        except (BundleRefused, OSError):
            continue
        if (
            header.stream == way
            and header.valid_until < now
            and (not last or header.sequence < last.sequence)
        ):
            path.unlink()
