"""VRP5: the saved configuration is the one before; a start at an hour that is set leads back to it.

VRP5 has no candidate and no rollback, so to return it starts anew, and everything behind it is cut off for
minutes. Its clock counts minutes, so a delay of one may be over in seconds: two are the least ("Device
Management Configuration Commands", `schedule reboot`: http://a10.tagan.ru/huawei/dc/schedule_reboot.html).
What runs must be saved before a change; that is somebody's decision, and where it is not so nothing is
changed.
"""

from __future__ import annotations

import re
from contextlib import suppress

from lienthong.errors import LienThongError, Unreachable
from lienthong.platforms.undo import Arming, NotArmed, Session, Undo

MINUTE_S = 60
STEP_S = 2 * MINUTE_S
#: It may ask first whether to save what runs, which is the one thing that must not be.
_ANSWERS = (
    (r"(?i)sav(?:e|ed)\b[^\n]*\n?[^\n]*\[Y/N\] ?:? ?\Z", "n"),
    (r"(?i)\[Y/N\] ?:? ?\Z", "y"),
)
_ARMED = re.compile(r"(?im)^.*reboot (?:system )?(?:at|for)\b.*$|^.*system will reboot at.*$")


def pending(session: Session) -> str | None:
    """A start that somebody has set, or a configuration that somebody has not saved."""
    armed = _armed(session)
    if armed:
        return f"a reboot is scheduled: {armed}"
    if not _saved(session):
        return "the running configuration is not saved, and a reboot would lose it"
    return None


def unsaved(session: Session) -> bool:
    """No start is set, and what runs is not what is saved."""
    return _armed(session) is None and not _saved(session)


def arm(session: Session, arming: Arming) -> None:
    """Set the start.

    Raises:
        NotArmed: one is set already, or it could not be set.
    """
    armed = _armed(session)
    if armed:
        raise NotArmed(f"a reboot is scheduled already: {armed}", hint="end that first")
    if not _saved(session):
        raise NotArmed("the running configuration is not saved", hint="save it, or take it back, first")
    minutes = -(-arming.seconds // MINUTE_S)
    try:
        session.ask(f"schedule reboot delay {minutes}", _ANSWERS)
    except Unreachable:
        raise
    except LienThongError as error:
        raise NotArmed(f"the reboot cannot be scheduled: {error.what}") from None
    if not _armed(session):
        raise NotArmed("the device took the scheduled reboot without setting it")


def confirm(session: Session) -> None:
    """No start any more.

    Raises:
        LienThongError: none is set: the device has returned already, or somebody has ended it.
    """
    if not _armed(session):
        raise LienThongError("no reboot is scheduled any more: the device has returned already")
    session.ask("undo schedule reboot", _ANSWERS)
    if _armed(session):
        raise LienThongError("the scheduled reboot could not be ended")


def fire(session: Session) -> str:
    """Start anew now, without saving; not where what runs is what is saved."""
    armed = _armed(session)
    if _saved(session):
        if armed:
            session.ask("undo schedule reboot", _ANSWERS)
        return "it holds the configuration before the change"
    with suppress(Unreachable):  # it goes to start anew
        session.ask("reboot fast", _ANSWERS)
    return "it starts anew with the configuration before the change"


def _armed(session: Session) -> str | None:
    found = _ARMED.search(session.ask("display schedule reboot"))
    return found[0].strip() if found else None


def _saved(session: Session) -> bool:
    """Whether what runs is what it would come up with."""
    said = session.ask("compare configuration")
    return re.search(r"(?i)\b(?:is|are) the same\b", said) is not None


UNDO = Undo(
    method="scheduled reboot to the saved configuration",
    dialect="vrp",
    reboots=True,
    outage_s=240,
    step_s=STEP_S,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
    unsaved=unsaved,
)
