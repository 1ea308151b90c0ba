"""The first 4096 bytes of a bundle: mark, version, header, signature, zeros. The ciphertext follows them.

    "lienthong-bundle\\n"  version  header length  signature length  head   header  signature  zeros
          17 bytes           u32         u32             u32          32       …        …        …

The signature (an SSHSIG blob, without its armour, whose base64 could be written in several ways) covers mark,
version and header; the head is the SHA-256 of the same bytes. It stands there so that damage to the header is
told from damage to the signature; it proves nothing. The room is fixed, so that a bundle is written in one
pass while the size of its ciphertext is not yet known. Pure.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from lienthong.bundle import header as headers
from lienthong.bundle.header import Header
from lienthong.bundle.words import BundleRefused, Reason

MARK = b"lienthong-bundle\n"
VERSION = 1
ROOM = 4096
MAX_HEADER, MAX_SIGNATURE = 1536, 2048
_NUMBERS = struct.Struct(">III32s")
_BEGINS = len(MARK) + _NUMBERS.size


@dataclass(frozen=True)
class Envelope:
    """What stands before the ciphertext; only its signature, once verified, makes it true."""

    header: Header
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that the signature covers."""
        return signed(self.header)

    @property
    def head(self) -> str:
        """The head of the chain with this bundle: what the next one calls its previous."""
        return hashlib.sha256(self.signed).hexdigest()


def signed(header: Header) -> bytes:
    """The bytes that a signature covers."""
    return MARK + struct.pack(">I", VERSION) + header.text()


def pack(envelope: Envelope) -> bytes:
    """The first `ROOM` bytes of a bundle."""
    text = envelope.header.text()
    if len(text) > MAX_HEADER or not 0 < len(envelope.signature) <= MAX_SIGNATURE:
        raise BundleRefused(Reason.SIGNATURE, "header or signature is too long: use an ed25519 key")
    numbers = _NUMBERS.pack(VERSION, len(text), len(envelope.signature), bytes.fromhex(envelope.head))
    return (MARK + numbers + text + envelope.signature).ljust(ROOM, b"\0")


def unpack(room: bytes) -> Envelope:
    """Read the first `ROOM` bytes of a file (fewer, if it has no more).

    Raises:
        BundleRefused: no bundle, one of a later format, truncated or altered.
    """
    if not room.startswith(MARK[: len(room)]) or not room:
        raise BundleRefused(Reason.NO_BUNDLE, "this is no bundle of this tool, or its first bytes are gone")
    if len(room) < ROOM:
        raise BundleRefused(Reason.TRUNCATED, f"it ends after {len(room)} bytes, within its header")
    version, header_length, signature_length, head = _NUMBERS.unpack_from(room, len(MARK))
    if version != VERSION:
        reason = Reason.FUTURE_FORMAT if version > VERSION else Reason.NO_BUNDLE
        raise BundleRefused(
            reason, f"it has format {version}, this tool reads {VERSION}", hint="update this side's tool"
        )
    if not 0 < header_length <= MAX_HEADER or not 0 < signature_length <= MAX_SIGNATURE:
        raise BundleRefused(Reason.HEADER, "the lengths in its header are impossible")
    ends = _BEGINS + header_length
    text, signature = room[_BEGINS:ends], room[ends : ends + signature_length]
    if hashlib.sha256(room[: len(MARK) + 4] + text).digest() != head:
        raise BundleRefused(Reason.HEADER, "its header does not fit its own hash: altered or damaged")
    if any(room[ends + signature_length :]):
        raise BundleRefused(Reason.HEADER, "something stands after the signature, where only zeros may")
    return Envelope(headers.read(text), signature)
