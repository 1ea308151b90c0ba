"""Progress of what takes longer than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 2.0
Say = Callable[[str], None]


def meter(
    say: Say, what: str, total: int, clock: Callable[[], float] = time.monotonic
) -> Callable[[int], None]:
    """A function that is told how many more bytes are done, and speaks every two seconds."""
    done, spoke = 0, clock()

    def step(more: int) -> None:
        nonlocal done, spoke
        done += more
        if clock() - spoke >= EVERY_S:
            spoke = clock()
            part = f" of {total / 2**20:.0f}" if total else ""
            say(f"{what}: {done / 2**20:.0f}{part} MiB")

    return step
