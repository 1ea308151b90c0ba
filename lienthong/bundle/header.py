"""The header of a bundle: what it is, in one canonical JSON text whose hash is its place in the chain.

Canonical: keys sorted, no spaces, ASCII, whole numbers. A text that does not read back to the very same bytes
is refused, so that one meaning has one hash. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lienthong.bundle.words import BundleRefused, Content, Reason, Stream, stream
from lienthong.errors import LienThongError

FIRST = "0" * 64
"""What stands for the bundle before the first."""
MAX_SEQUENCE = 10**9
_HASH = re.compile(r"[0-9a-f]{64}")
RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_WHEN = "%Y-%m-%dT%H:%M:%SZ"
_FIELDS = {"stream", "content", "sequence", "made", "valid_until", "previous", "sha256", "size", "recipient"}


@dataclass(frozen=True)
class Header:
    """What the signature covers. Times are UTC with whole seconds; hashes are SHA-256 in hex."""

    stream: Stream
    content: Content
    sequence: int
    """from 1, without a gap"""
    made: datetime
    valid_until: datetime
    previous: str
    """the head of the bundle before this one; `FIRST` for number 1"""
    sha256: str
    """of the ciphertext"""
    size: int
    """of the ciphertext, in bytes"""
    recipient: str
    """the age recipient (X25519) that can open it"""

    def text(self) -> bytes:
        """The canonical JSON."""
        data = {
            "stream": str(self.stream),
            "content": str(self.content),
            "sequence": self.sequence,
            "made": when(self.made),
            "valid_until": when(self.valid_until),
            "previous": self.previous,
            "sha256": self.sha256,
            "size": self.size,
            "recipient": self.recipient,
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode("ascii")


def when(moment: datetime) -> str:
    """A moment as headers and states write it."""
    return moment.astimezone(UTC).strftime(_WHEN)


def read(text: bytes) -> Header:
    """The header that a text says.

    Raises:
        BundleRefused: it is no header, or not in its canonical form.
    """
    try:
        data = json.loads(text.decode("ascii"))
        if not isinstance(data, dict) or data.keys() != _FIELDS:
            raise ValueError("other fields than those of a header")
        found = Header(
            stream(_text(data["stream"])),
            Content(data["content"]),
            _whole(data["sequence"], 1, MAX_SEQUENCE),
            _moment(data["made"]),
            _moment(data["valid_until"]),
            _hash(data["previous"]),
            _hash(data["sha256"]),
            _whole(data["size"], 1, 2**50),
            _text(data["recipient"]),
        )
        if not RECIPIENT.fullmatch(found.recipient):
            raise ValueError("no age recipient")
        if found.text() != text:
            raise ValueError("not in canonical form")
    except (ValueError, RecursionError, LienThongError) as error:
        raise BundleRefused(Reason.HEADER, f"its header cannot be read ({error})") from None
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value


def _hash(value: object) -> str:
    if not _HASH.fullmatch(_text(value)):
        raise ValueError("a SHA-256 is expected")
    return str(value)


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError("a whole number in its bounds is expected")
    return value


def _moment(value: object) -> datetime:
    return datetime.strptime(_text(value), _WHEN).replace(tzinfo=UTC)
