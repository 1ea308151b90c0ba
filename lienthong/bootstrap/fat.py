"""A small FAT12 file system in a file, as on a floppy disk of 1.44 MB: what every computer can read.

No program of Debian is needed for it (mtools would be one). Names are of eight and three characters, as
small letters; there are no folders. Microsoft, FAT: General Overview of On-Disk Format, 2000.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from lienthong.errors import LienThongError

SECTOR = 512
_SECTORS = 2880
_FAT_SECTORS = 9
_ROOT_ENTRIES = 224
_RESERVED = 1
_FIRST = _RESERVED + 2 * _FAT_SECTORS + _ROOT_ENTRIES * 32 // SECTOR
_CLUSTERS = _SECTORS - _FIRST
_END = 0xFFF
_NAME = re.compile(r"[a-z0-9]{1,8}(?:\.[a-z0-9]{1,3})?")
#: Both parts of the name are shown in small letters, without a second, long name.
_SMALL = 0x18
#: The first of January 1980: an image of the same files is the same image.
_DATE = 0x0021


def image(label: str, files: Mapping[str, bytes]) -> bytes:
    """An image that holds the files.

    Raises:
        LienThongError: a name does not fit, or there is no room.
    """
    table = [0xFF0, _END]
    data, entries = b"", [_entry(label.upper().ljust(11)[:11], 0x08, 0, 0, 0)]
    for name, content in files.items():
        if not _NAME.fullmatch(name):
            raise LienThongError(f"{name!r} is no name of eight and three characters")
        count = -(-len(content) // SECTOR)
        start = len(table) if count else 0
        table += [*range(start + 1, start + count), _END] if count else []
        data += content.ljust(count * SECTOR, b"\0")
        stem, _, ending = name.upper().partition(".")
        entries.append(_entry(stem.ljust(8) + ending.ljust(3), 0x20, _SMALL, start, len(content)))
    if len(table) - 2 > _CLUSTERS or len(entries) > _ROOT_ENTRIES:
        raise LienThongError("the files do not fit into 1.44 MB")
    fat = _packed(table).ljust(_FAT_SECTORS * SECTOR, b"\0")
    root = b"".join(entries).ljust(_ROOT_ENTRIES * 32, b"\0")
    return (_boot(label) + fat + fat + root + data).ljust(_SECTORS * SECTOR, b"\0")


def _boot(label: str) -> bytes:
    head = b"\xeb\x3c\x90" + b"LIENTHNG"
    head += struct.pack(
        "<HBHBHHBHHHII", SECTOR, 1, _RESERVED, 2, _ROOT_ENTRIES, _SECTORS, 0xF0, _FAT_SECTORS, 18, 2, 0, 0
    )
    head += struct.pack("<BBBI", 0, 0, 0x29, 0x1E47) + label.upper().ljust(11)[:11].encode() + b"FAT12   "
    return head.ljust(510, b"\0") + b"\x55\xaa"


def _entry(name: str, attributes: int, small: int, start: int, size: int) -> bytes:
    dates = struct.pack("<BHHHHHH", 0, 0, _DATE, _DATE, 0, 0, _DATE)
    return (
        name.encode("ascii") + struct.pack("<BB", attributes, small) + dates + struct.pack("<HI", start, size)
    )


def _packed(table: list[int]) -> bytes:
    """Twelve bits a cluster, two in three bytes."""
    pairs = table + [0] * (len(table) % 2)
    return b"".join(
        bytes([a & 0xFF, a >> 8 | (b & 0xF) << 4, b >> 4])
        for a, b in zip(pairs[::2], pairs[1::2], strict=True)
    )
