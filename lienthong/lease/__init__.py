"""Two runs of this checkout never change the same target at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lienthong.errors import Exit, LienThongError


class Locked(LienThongError):
    """Another run is at work."""

    exit_code = Exit.UNREACHABLE


@contextmanager
def hold(folder: Path, sites: Sequence[str]) -> Iterator[None]:
    """Hold the target's lock while changing sites; it goes with the process, however that ends.

    Raises:
        Locked: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "apply.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            raise Locked(f"another run is at work here: {owner}", hint="wait until it has ended") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()} on {' '.join(sites)}".encode(), 0)
        yield
    finally:
        os.close(descriptor)
