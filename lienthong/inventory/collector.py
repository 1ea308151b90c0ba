"""Keeps the garbage collector still where much is made and nothing is thrown away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage is collected meanwhile: a load makes a million objects and hardly any garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_freeze_count() == 0:  # all that was made is old now: it is not looked through at once
                gc.freeze()
                gc.unfreeze()
            gc.enable()
