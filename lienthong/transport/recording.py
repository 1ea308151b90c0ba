"""What was said to a device and what it said, kept by day and device, without any secret.

A file a device and day, in the folder of the target: `out/<target>/sessions/2026-11-23/loc-ninh-gw-wan.log`.
Each entry is written at once, so that a run that dies leaves what it had sent; entries of runs at the same
time carry their process.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from lienthong.transport.mask import masked

#: So long a day is kept.
DAYS = 90
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
Record = Callable[[str, str], None]
"""Takes the direction, `>` to the device or `<` from it, and the text."""


def recording(folder: Path, name: str, dialect: str, conceal: Callable[[str], str]) -> Record:
    """Where a session on a device is kept.

    Args:
        folder: of all sessions of the target; made when something is kept.
        conceal: puts the names of known secrets in their places; unknown ones are masked after it.
    """

    def keep(direction: str, text: str) -> None:
        try:
            _write(direction, text)
        except OSError as error:
            _told(f"what is said to gear is not kept: {error}")

    def _write(direction: str, text: str) -> None:
        now = datetime.now().astimezone()
        day = _day(folder, now.date())
        head = f"{now.isoformat(timespec='milliseconds')} {os.getpid()} {dialect} {direction} "
        lines = masked(conceal(text)).split("\n")
        entry = "".join(f"{head if number == 0 else '  '}{line}\n" for number, line in enumerate(lines))
        file = os.open(day / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, entry.encode("utf-8", "replace"))
        finally:
            os.close(file)

    return keep


@cache
def _told(what: str) -> None:
    """Once: a change must not be broken off because there is no room for its record."""
    print(what, file=sys.stderr)


def nowhere(direction: str, text: str) -> None:
    """Keeps nothing."""


@cache
def _day(folder: Path, today: date) -> Path:
    """The folder of a day; with the first of a day, days that are too old go."""
    found = folder / today.isoformat()
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    oldest = (today - timedelta(days=DAYS)).isoformat()
    for other in folder.iterdir():
        if _DAY.fullmatch(other.name) and other.name < oldest:
            shutil.rmtree(other, ignore_errors=True)
    return found
