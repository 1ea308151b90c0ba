"""Reads one YAML file strictly, and remembers where every value stands.

What YAML is allowed, and how it is read: :mod:`lienthong.inventory.strict`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienthong.errors import InventoryError, Problem

Path_ = tuple[str | int, ...]
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Document:
    """The values of one file, and for the path of each the line and column (from 1)."""

    name: str
    value: Any
    places: dict[Path_, tuple[int, int]]

    def where(self, path: Path_) -> str:
        """`file:line:column` of a path, or of the nearest place above it that is in this file."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"


def read(path: Path, name: str) -> Document:
    """Read a file; `name` is how messages call it.

    Raises:
        InventoryError: the file cannot be read, or is not the YAML this project allows.
    """
    return parse(read_bytes(path, name), name)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a regular file that is not too large.

    Raises:
        InventoryError: it is none, or cannot be read.
    """
    try:
        with open(path, "rb", opener=_open_now) as handle:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise InventoryError([Problem(name, "is not a file")])
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise InventoryError([Problem(name, f"cannot be read: {error.strerror}")]) from None
    if len(raw) > MAX_BYTES:
        raise InventoryError(
            [Problem(name, f"is larger than {MAX_BYTES} bytes", "one file describes one site")]
        )
    return raw


def _open_now(path: str, flags: int) -> int:
    """Without O_NONBLOCK a named pipe would wait until somebody writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def parse(raw: bytes, name: str) -> Document:
    """Read bytes strictly; `name` is how messages call them.

    Raises:
        InventoryError: they are not the YAML this project allows.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InventoryError(
            [Problem(f"{name}:{line}:1", "is not UTF-8", "save the file as UTF-8")]
        ) from None
    from lienthong.inventory.strict import document  # PyYAML: most files never need it

    return document(name, text)
