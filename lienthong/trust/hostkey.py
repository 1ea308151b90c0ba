"""A host key in the ways in which people compare it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass

_VOWELS = "aeiouy"
_CONSONANTS = "bcdfghklmnprstvzx"


@dataclass(frozen=True)
class HostKey:
    """One public key that a device proves to have, or that is on record for it."""

    algorithm: str
    """As in `known_hosts`, e.g. `ssh-ed25519`."""
    blob: bytes
    bits: int = 0
    """Its length, where it is known."""

    @property
    def base64(self) -> str:
        """The key itself, as in `known_hosts` and as some gear prints it."""
        return b64encode(self.blob).decode()

    @property
    def sha256(self) -> str:
        """`SHA256:…`, as OpenSSH and newer gear print it."""
        return "SHA256:" + b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def md5(self) -> str:
        """`MD5:aa:bb:…`, as older gear prints it. It is shown and never taken for an answer."""
        digest = hashlib.md5(self.blob, usedforsecurity=False).hexdigest()
        return "MD5:" + ":".join(digest[at : at + 2] for at in range(0, 32, 2))

    @property
    def words(self) -> str:
        """The same in syllables, to be read out over a telephone: what `ssh-keygen -B` prints."""
        return bubblebabble(hashlib.sha1(self.blob, usedforsecurity=False).digest())

    def is_meant_by(self, typed: str) -> bool:
        """Whether somebody has typed or pasted the whole fingerprint, or the whole key, of this key."""
        said = typed.strip()
        if said.startswith("SHA256:"):
            said = said.rstrip("=")
        return said in {self.sha256, self.base64, f"{self.algorithm} {self.base64}"}


def bubblebabble(digest: bytes) -> str:
    """Bytes as words that can be spoken (Antti Huima, The Bubble Babble Binary Data Encoding, 2000)."""
    check, out, rounds = 1, "x", len(digest) // 2 + 1
    for turn in range(rounds):
        if turn + 1 < rounds or len(digest) % 2:
            one = digest[2 * turn]
            out += _VOWELS[((one >> 6) + check) % 6]
            out += _CONSONANTS[(one >> 2) & 15]
            out += _VOWELS[((one & 3) + check // 6) % 6]
            if turn + 1 < rounds:
                two = digest[2 * turn + 1]
                out += f"{_CONSONANTS[two >> 4]}-{_CONSONANTS[two & 15]}"
                check = (check * 5 + one * 7 + two) % 36
        else:
            out += _VOWELS[check % 6] + _CONSONANTS[16] + _VOWELS[check // 6]
    return out + "x"
