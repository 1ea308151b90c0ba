"""Whether a bundle is taken: who made it, for whom, when, where in its chain. Changes nothing."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.bundle import envelope, keys
from lienthong.bundle.chain import Link
from lienthong.bundle.disk import told
from lienthong.bundle.envelope import ROOM, Envelope
from lienthong.bundle.header import FIRST, Header, when
from lienthong.bundle.words import BundleRefused, Reason, permitted
from lienthong.errors import LienThongError

#: Clocks of the two sides keep their own time; more than this before it was made is a wrong clock.
SKEW = timedelta(hours=1)
BLOCK = 1 << 20


@dataclass(frozen=True)
class Introduced:
    """A bundle whose header is known to be what one of the signers wrote."""

    envelope: Envelope
    signer: str

    @property
    def header(self) -> Header:
        return self.envelope.header


@contextmanager
def opened(path: Path) -> Iterator[io.FileIO]:
    """The file of a bundle. What lies on a stick may be anything: a pipe would wait for ever.

    Raises:
        LienThongError: it cannot be read.
        BundleRefused: it is no plain file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise LienThongError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BundleRefused(Reason.NO_BUNDLE, f"{path} is no plain file")
    with io.FileIO(handle) as file, told(path):
        yield file


def introduce(file: io.FileIO, root: Path) -> Introduced:
    """Read the header and find out who signed it.

    Raises:
        BundleRefused: no bundle, altered, or signed by nobody who may.
    """
    found = envelope.unpack(_exactly(file, ROOM))
    return Introduced(found, keys.verify(root, found.header.stream, found.signed, found.signature))


def judge(seen: Introduced, own: set[str] | None, listed: str, now: datetime, last: Link | None) -> None:
    """Refuse what is not for this side, not of this time, or not the next of its chain.

    Args:
        own: the public halves of this side's identities; None where it has not said.
        listed: the recipient that the stream has in the checkout.
        now: UTC.
        last: the last bundle that was taken; None before the first.

    Raises:
        BundleRefused: saying why.
    """
    header = seen.header
    permitted(header.stream, header.content)
    if header.recipient != listed or (own is not None and header.recipient not in own):
        raise BundleRefused(
            Reason.RECIPIENT,
            f"it is sealed to {header.recipient}, which is not this side's key",
            hint="the exporting side has an old or another inventory/bundle.recipients",
        )
    if now < header.made - SKEW:
        raise BundleRefused(
            Reason.CLOCK,
            f"it was made at {when(header.made)}, and this clock says {when(now)}",
            hint="set the clock that is wrong",
        )
    if now > header.valid_until:
        raise BundleRefused(
            Reason.STALE, f"it was valid until {when(header.valid_until)}", hint="export its content again"
        )
    _next(seen, last)


def _next(seen: Introduced, last: Link | None) -> None:
    header = seen.header
    number, wanted = header.sequence, last.sequence + 1 if last else 1
    if last is not None and number == last.sequence and seen.envelope.head != last.head:
        raise BundleRefused(
            Reason.FORKED,
            f"another number {number} was imported before: the exporting side has made two",
            hint="compare both sides' heads with Central's collector before anything else is imported",
        )
    if number < wanted:
        raise BundleRefused(Reason.REPLAYED, f"number {number} was imported before; the next is {wanted}")
    if number > wanted:
        missing = f"{wanted} is" if number == wanted + 1 else f"{wanted} to {number - 1} are"
        raise BundleRefused(
            Reason.ORDER,
            f"this is number {number}, and {missing} missing",
            hint="the exporting side's outbox still has it"
            if last
            else "a side that lost its memory is told where it stands: --after NUMBER:HEAD, from Central",
        )
    if header.previous != (last.head if last else FIRST):
        raise BundleRefused(
            Reason.FORKED,
            f"number {number} follows another number {number - 1} than the one that was imported",
            hint="compare both sides' heads with Central's collector before anything else is imported",
        )


class Body:
    """The ciphertext, hashed as it is read: a stick may say something else the second time."""

    def __init__(self, file: io.FileIO, header: Header) -> None:
        self._file, self._header = file, header

    def blocks(self, step: Callable[[int], None]) -> Iterator[bytes]:
        """Its bytes; the last is given out only when all of them are what the header says.

        Raises:
            BundleRefused: truncated, longer than it says, or altered.
        """
        digest, left = hashlib.sha256(), self._header.size
        length = os.fstat(self._file.fileno()).st_size - ROOM
        if length < left:
            raise BundleRefused(Reason.TRUNCATED, f"{left - length} of its bytes are missing")
        if length > left:
            raise BundleRefused(Reason.TRAILING, f"{length - left} bytes stand after its end")
        self._file.seek(ROOM)
        while left:
            block = self._file.read(min(BLOCK, left))
            if not block:
                raise BundleRefused(Reason.TRUNCATED, f"{left} of its bytes cannot be read")
            digest.update(block)
            left -= len(block)
            step(len(block))
            if not left and digest.hexdigest() != self._header.sha256:
                raise BundleRefused(Reason.BODY, "its content is not what was signed: altered or damaged")
            yield block


def _exactly(file: io.FileIO, count: int) -> bytes:
    found = b""
    while len(found) < count and (more := file.read(count - len(found))):
        found += more
    return found
