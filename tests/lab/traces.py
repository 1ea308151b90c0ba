"""Finds a secret in bytes, however it was written down: plain, encoded, escaped, packed. Pure.

`forms` says how one value may look; `find` looks for all of them, and in everything that a file packs: gzip,
bzip2, xz, zip (also xlsx and jar), tar, the compressed streams of a PDF, and the rows of SQLite beside its
raw pages.
"""

from __future__ import annotations

import base64
import bz2
import html
import io
import json
import lzma
import os
import re
import sqlite3
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

#: Shorter than this, a form would be found by chance.
MIN_BYTES = 7
MAX_UNPACKED = 200 * 2**20
DEPTH = 5


@dataclass(frozen=True, order=True)
class Trace:
    """Where a secret was found, and as what. Holds its name only."""

    where: str
    name: str
    form: str


def forms(value: str) -> dict[str, bytes]:
    """How a value may look, by the name of the form. Forms that are the same bytes stand there once."""
    raw = value.encode()
    found: dict[str, bytes] = {"plain": raw}
    found |= _of_bytes(raw, "")
    with suppress(ValueError):  # a key that is itself base64: its bytes are the secret
        inner = base64.b64decode(value, validate=True)
        if len(inner) >= 16:
            found |= {"its bytes": inner, **_of_bytes(inner, " of its bytes")}
    found["url"] = quote(value, safe="").encode()
    found["url, small digits"] = re.sub("%..", lambda m: m[0].lower(), quote(value, safe="")).encode()
    found["url, path"] = quote(value).encode()
    found["url, form"] = quote_plus(value).encode()
    found["url, every character"] = "".join(f"%{byte:02X}" for byte in raw).encode()
    found["url, every character, small"] = "".join(f"%{byte:02x}" for byte in raw).encode()
    found["url, twice"] = quote(quote(value, safe=""), safe="").encode()
    found["json"] = json.dumps(value)[1:-1].encode()
    found["json, any script"] = json.dumps(value, ensure_ascii=False)[1:-1].encode()
    found["json, slashes"] = json.dumps(value)[1:-1].replace("/", "\\/").encode()
    found["json, twice"] = json.dumps(json.dumps(value))[1:-1].encode()
    found["json, every character"] = "".join(f"\\u{ord(char):04x}" for char in value).encode()
    found["html"] = html.escape(value).encode()
    found["xml"] = html.escape(value, quote=False).encode()
    found["python"] = repr(value)[1:-1].encode()
    found["\\x"] = "".join(f"\\x{byte:02x}" for byte in raw).encode()
    found["utf-16"] = value.encode("utf-16-le")
    found["utf-16, big"] = value.encode("utf-16-be")
    found["backwards"] = raw[::-1]
    for number, line in enumerate(value.splitlines()):
        if "\n" in value and len(line) >= 24 and "-----" not in line:
            found[f"line {number + 1}"] = line.encode()
    kept: dict[str, bytes] = {}
    for form, needle in found.items():
        if len(needle) >= MIN_BYTES and needle not in kept.values():
            kept[form] = needle
    return kept


def _of_bytes(raw: bytes, of: str) -> dict[str, bytes]:
    """Base64 wherever it may begin in a longer text, with either alphabet, and hexadecimal."""
    found: dict[str, bytes] = {}
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + raw)
        # The first characters hold bits of what stands before, the last ones of what follows.
        whole = text[(offset * 8 + 5) // 6 : (offset + len(raw)) * 8 // 6]
        found[f"base64 at {offset}{of}"] = whole
        found[f"base64 at {offset}, url{of}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    digits = raw.hex()
    found[f"hex{of}"] = digits.encode()
    found[f"HEX{of}"] = digits.upper().encode()
    found[f"hex with colons{of}"] = raw.hex(":").encode()
    found[f"HEX with colons{of}"] = raw.hex(":").upper().encode()
    found[f"hex with spaces{of}"] = raw.hex(" ").encode()
    found[f"base32{of}"] = base64.b32encode(raw)[: len(raw) * 8 // 5]
    return found


Needles = Mapping[str, Mapping[str, bytes]]
#: What grep takes longer to start for than Python to look through.
SMALL = 4096


class Sieve:
    """Says quickly that large bytes hold none of many needles: grep looks for all of them at once.

    The needles go to grep through memory, never through a file or an argument.
    """

    def __init__(self, needles: Needles) -> None:
        every = {needle for shapes in needles.values() for needle in shapes.values()}
        self.slow = {needle for needle in every if b"\n" in needle}  # for grep these would be several
        self._memory = os.memfd_create("needles")
        os.write(self._memory, b"".join(needle + b"\n" for needle in sorted(every - self.slow)))

    def passes(self, view: bytes) -> bool:
        """Whether something may be there."""
        if len(view) <= SMALL or any(needle in view for needle in self.slow):
            return True
        command = ["grep", "-aqFf", f"/dev/fd/{self._memory}"]
        done = subprocess.run(command, input=view, pass_fds=[self._memory], env={**os.environ, "LC_ALL": "C"})
        assert done.returncode in {0, 1}
        return done.returncode == 0


def find(where: str, content: bytes, needles: Needles, sieve: Sieve | None = None) -> list[Trace]:
    """Every secret (name → its forms) that a file of that name and content holds."""
    found: set[Trace] = set()
    for place, view in _views(where, content):
        if sieve is not None and not sieve.passes(view):
            continue
        for name, shapes in needles.items():
            form = next((form for form, needle in shapes.items() if needle in view), None)
            if form is not None:
                found.add(Trace(place, name, form))
    return sorted(found)


def _views(where: str, content: bytes, depth: int = DEPTH) -> Iterator[tuple[str, bytes]]:
    """The content, the content without its line breaks, and everything that is packed in it."""
    yield where, content
    if b"\n" in content or b"\\n" in content:
        # base64 and hex are wrapped at 64 or 76 characters
        yield f"{where} unwrapped", re.sub(rb"[ \t\r\n]+|\\r|\\n", b"", content)
    if depth:
        for inner, packed in _members(content):
            yield from _views(f"{where}!{inner}", packed[:MAX_UNPACKED], depth - 1)


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What a file packs. A broken one yields what can be had of it."""
    for name, magic, opener in _STREAMS:
        at = content.find(magic)
        while at >= 0:
            plain = _stream(content[at:], opener)
            if plain:
                yield f"{name}@{at}", plain
            at = content.find(magic, at + 1)
    if content[:2] == b"PK" or b"PK\x05\x06" in content[-65558:]:
        yield from _zip(content)
    if content[257:262] == b"ustar":
        yield from _tar(content)
    if content.startswith(b"SQLite format 3\0"):
        yield from _sqlite(content)
    if content.startswith(b"%PDF"):
        for number, start in enumerate(re.finditer(rb"stream\r?\n", content)):
            plain = _stream(content[start.end() :], zlib.decompressobj)
            if plain:
                yield f"stream{number}", plain


_STREAMS = (
    ("gzip", b"\x1f\x8b\x08", lambda: zlib.decompressobj(31)),
    ("bzip2", b"BZh", bz2.BZ2Decompressor),
    ("xz", b"\xfd7zXZ\0", lzma.LZMADecompressor),
)


def _stream(content: bytes, opener: object) -> bytes:
    """As much as can be unpacked of a stream that may be cut off or followed by something else."""
    unpack = opener()  # type: ignore[operator]
    plain = io.BytesIO()
    with suppress(zlib.error, OSError, lzma.LZMAError, EOFError):
        for at in range(0, len(content), 65536):
            plain.write(unpack.decompress(content[at : at + 65536]))
            if unpack.eof or plain.tell() > MAX_UNPACKED:
                break
    return plain.getvalue()


def _zip(content: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            broken = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
            with suppress(*broken), archive.open(info) as member:
                yield info.filename, member.read(MAX_UNPACKED)
            yield f"{info.filename} (name)", info.filename.encode()


def _tar(content: bytes) -> Iterator[tuple[str, bytes]]:
    with suppress(tarfile.TarError, OSError), tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for info in archive:
            member = archive.extractfile(info) if info.isfile() else None
            if member is not None:
                yield info.name, member.read(MAX_UNPACKED)


def _sqlite(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every cell of every table: a long one lies in several pages, so the raw pages may not show it whole."""
    base = sqlite3.connect(":memory:")
    try:
        # A database in write-ahead mode (2, 2) cannot be opened from memory; its main file is the same.
        base.deserialize(content[:18] + b"\x01\x01" + content[20:])
        base.text_factory = bytes
        tables = [
            row[0].decode() for row in base.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            quoted = table.replace('"', '""')
            for row in base.execute(f'SELECT * FROM "{quoted}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        yield f"{table}", cell
    except sqlite3.Error:
        return  # not whole; its raw pages have been looked at
    finally:
        base.close()
