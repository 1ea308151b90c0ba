"""What must still be well after a change: what the device itself says, who else answered before it, and
what the checks of its site say.

A change may stay only when nothing that was well before is missing after it, apart from what the change
itself takes away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lienthong.errors import LienThongError
from lienthong.guard import Predicted
from lienthong.model.intent import Node
from lienthong.transport import Session

#: Neighbours need some seconds to find each other again after a line was touched.
SETTLE_S = 20.0
_PAUSE_S = 0.5
#: The name of the operator's word that a change is confirmed without the checks: `checks@DEVICE`.
CHECKS = "checks"


@dataclass(frozen=True)
class Seen:
    """What the checks of some sites found at a time."""

    holds: frozenset[str]
    """what passed, in words that are the same each time it does"""
    why: Mapping[str, str]
    """of what did not pass, why; hostile text"""


class Witness(Protocol):
    """Asks the checks that say of a site what a change of its gear must leave as it was."""

    def sites(self, node: Node) -> Sequence[str]:
        """Which sites a change of that device could touch."""

    def look(self, sites: Sequence[str]) -> Seen:
        """Ask. Raises LienThongError where nothing could be asked."""


def health(changes: Mapping[str, Predicted], opened: Mapping[str, Session]) -> frozenset[str]:
    """What is well now: facts such as `ospf 172.16.0.10 full`, each beginning with what it is about."""
    return frozenset(
        fact
        for name, change in changes.items()
        if change.dialect.health is not None
        for fact in change.dialect.health(opened[name].ask)
    )


def wait_for(
    before: frozenset[str],
    look: Callable[[], frozenset[str]],
    excused: Callable[[str], bool],
    within_s: float = SETTLE_S,
) -> None:
    """Wait until everything that was well is well again.

    Args:
        excused: whether the change itself takes away what a fact is about.

    Raises:
        LienThongError: naming what is missing when the time is up.
    """
    due = {fact for fact in before if not excused(fact)}
    ends = time.monotonic() + within_s
    while True:
        missing = due - look()
        if not missing:
            return
        if time.monotonic() >= ends:
            raise LienThongError("no longer well after the change: " + "; ".join(sorted(missing)[:5]))
        time.sleep(_PAUSE_S)


def taken_away(changes: Mapping[str, Predicted]) -> Callable[[str], bool]:
    """Whether a fact speaks of an interface of which the change takes the last line away."""
    gone = {
        name
        for change in changes.values()
        for line in change.diff.removed
        for name in change.dialect.interfaces(line)
    }
    stays = {
        name
        for change in changes.values()
        for line in change.after
        for name in change.dialect.interfaces(line)
    }

    def excused(fact: str) -> bool:
        return bool((gone - stays).intersection(fact.split()))

    return excused


def answering(names: Iterable[str], answers: Callable[[str], bool]) -> frozenset[str]:
    """Those that answer now, as facts."""
    return frozenset(f"{name} answers" for name in names if answers(name))


def wait_for_checks(before: Seen, look: Callable[[], Seen], ends: float) -> None:
    """Ask the checks until all that held before holds again.

    Args:
        ends: by `time.monotonic`; after it nothing may be confirmed any more.

    Raises:
        LienThongError: naming what does not hold when the time is up, or that the answer came too late.
    """
    while True:
        began = time.monotonic()
        seen = look()
        now = time.monotonic()
        missing = sorted(before.holds - seen.holds)
        if not missing and now < ends:
            return
        if now + (now - began) >= ends:  # no time to ask once more
            if missing:
                told = [f"{fact} ({seen.why[fact]})" if seen.why.get(fact) else fact for fact in missing[:5]]
                raise LienThongError(
                    f"{len(missing)} passed before the change and do not now: " + "; ".join(told)
                )
            raise LienThongError(f"the checks took {now - began:.0f} s: too late to confirm")
        time.sleep(_PAUSE_S)
