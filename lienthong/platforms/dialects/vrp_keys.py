"""A public key as Huawei devices take and show it: PKCS#1 in hexadecimal words, or OpenSSH's own words.

RSA only: neither VRP5 nor VRP8 knows Ed25519. Whatever the grouping, a key is compared as one word.
"""

from __future__ import annotations

import base64
import binascii
import re

#: Hexadecimal digits on one line that is typed; the device breaks them into words of eight as it likes.
_WIDTH = 64
_HEX = re.compile(r"[0-9A-Fa-f]+")


def typed(key: str) -> tuple[str, ...]:
    """The lines to type between `public-key-code begin` and its end, for a key as :func:`compared`."""
    return tuple(key[start : start + _WIDTH] for start in range(0, len(key), _WIDTH))


def compared(text: str) -> str | None:
    """The one word that stands for a key: PKCS#1 in hexadecimal digits.

    Args:
        text: a line of `authorized_keys`, or the digits as the device shows them, in words and lines.

    Returns:
        None for a key of another kind than RSA.
    """
    words = text.split()
    if len(words) > 1 and words[0] == "ssh-rsa":
        return _from_openssh(words[1])
    if words and all(_HEX.fullmatch(word) for word in words):
        # A device drops a leading zero of a word: `203` is 0203.
        return "".join(word.rjust(len(word) + len(word) % 2, "0") for word in words).upper()
    return None


def _from_openssh(blob: str) -> str | None:
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return None
    parts = []
    while raw:
        length = int.from_bytes(raw[:4], "big")
        parts.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    if len(parts) != 3 or parts[0] != b"ssh-rsa" or not parts[1] or not parts[2]:
        return None
    exponent, modulus = parts[1], parts[2]
    return _der(0x30, _der(2, modulus) + _der(2, exponent)).hex().upper()


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
