"""Whose turn it is to be changed: not too many devices at a time, and where the checks of a site are asked,
one device of that site at a time, so that what they say is said of that device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition

#: Runs of checks at a time: each is a process, and has to end within the window of its device.
ASKED_AT_ONCE = 3


class Turns:
    """Turns of one run. A device waits for its turn without a login."""

    def __init__(self, changes: int, asked: int = ASKED_AT_ONCE) -> None:
        self._free = Condition()
        self._changes = changes
        self._asked = asked
        self._busy: Counter[str] = Counter()

    def take(self, sites: Sequence[str]) -> bool:
        """Take a turn if there is one.

        Args:
            sites: those whose checks are asked; none for a device that is changed without them.
        """
        with self._free:
            if not self._may(sites):
                return False
            self._begin(sites)
            return True

    def give(self, sites: Sequence[str]) -> None:
        """The device is done."""
        with self._free:
            self._changes += 1
            self._asked += bool(sites)
            self._busy.subtract(sites)
            self._free.notify_all()

    @contextmanager
    def waited_for(self, sites: Sequence[str]) -> Iterator[None]:
        """A turn, whenever there is one."""
        with self._free:
            self._free.wait_for(lambda: self._may(sites))
            self._begin(sites)
        try:
            yield
        finally:
            self.give(sites)

    def _may(self, sites: Sequence[str]) -> bool:
        free = self._changes > 0 and not any(self._busy[site] for site in sites)
        return free and (self._asked > 0 or not sites)

    def _begin(self, sites: Sequence[str]) -> None:
        self._changes -= 1
        self._asked -= bool(sites)
        self._busy.update(sites)
