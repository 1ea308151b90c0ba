"""Tells what goes on, on stderr, with the seconds since the command began."""

from __future__ import annotations

import sys
import time

_began = time.monotonic()


def say(text: str) -> None:
    """One plain line: `[  3.2 s] text`."""
    print(f"[{time.monotonic() - _began:6.1f} s] {text}", file=sys.stderr, flush=True)
