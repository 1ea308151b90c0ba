"""What a file is by its first and last bytes, and what it may be called. Pure; looks at bytes, understands no format.

What understands formats is the worker's account, which has nothing but this one file.
"""

from __future__ import annotations

import re
import unicodedata

#: So much of both ends is looked at.
ENDS = 2048
_PNG_END = b"IEND\xaeB\x60\x82"


class Refused(Exception):
    """No document can be made of it; the message is the reason."""


def kind_of(head: bytes, tail: bytes) -> str:
    """`pdf`, `tif`, `jpg` or `png`, if it is whole as far as its ends show.

    Raises:
        Refused: it is something else, or its end is missing.
    """
    if not head:
        raise Refused("it is empty")
    if b"%PDF-" in head[:1024]:
        return _whole("pdf", b"%%EOF" in tail)
    if head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "tif"
    if head.startswith(b"\xff\xd8\xff"):
        return _whole("jpg", tail.rstrip(b"\0").endswith(b"\xff\xd9"))
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _whole("png", _PNG_END in tail)
    raise Refused("it is no PDF, TIFF, JPEG or PNG")


def _whole(kind: str, whole: bool) -> str:
    if not whole:
        raise Refused("its end is missing: was it sent whole?")
    return kind


def clean(name: str) -> str:
    """A name for the store: Latin letters with their marks, digits, `. _ -`; at most 80 bytes, no extension."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name)
    stem = unicodedata.normalize("NFC", stem.encode("utf-8", "replace").decode())
    stem = re.sub(r"[^0-9A-Za-zÀ-ɏḀ-ỿ._-]+", "_", stem).strip("._-")
    return stem.encode()[:80].decode(errors="ignore") or "scan"
