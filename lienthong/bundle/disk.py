"""Disks that fail or are full, told as errors a person can mend; folders whose renames are durable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lienthong.errors import LienThongError


@contextmanager
def told(path: Path, hint: str = "") -> Iterator[None]:
    """Within it an error of the system is an error for people."""
    try:
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) else path
        raise LienThongError(f"{named}: {error.strerror or error}", hint=hint) from None


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
