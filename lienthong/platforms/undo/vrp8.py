"""VRP8: a commit on trial, which the device takes back by itself at the end of its time.

`commit trial … persist …` is the dialect's commit; here it is looked at, confirmed (`commit persist …`) or
ended (`abort trial persist …`): "CfgTrial", "Commit", NetEngine 8000 command reference,
http://a10.tagan.ru/huawei/netengine8000f1a/command/8090/CfgTrial(CFGOM).html. The trial is not in the saved
configuration, so a device that loses power meanwhile comes up without it.
"""

from __future__ import annotations

import re

from lienthong.errors import LienThongError
from lienthong.platforms.dialects.vrp8 import PERSIST, SHORTEST_S
from lienthong.platforms.undo import Arming, NotArmed, Session, Undo

_YES = ((r"(?i)\[Y/N\] ?:? ?\Z", "y"),)
_STATUS = "display configuration trial status"


def pending(session: Session) -> str | None:
    """A trial that somebody has begun, or a lock."""
    active, persist = _trial(session)
    if active:
        return f"a configuration is on trial{f' ({persist})' if persist else ''}"
    return None


def arm(session: Session, arming: Arming) -> None:
    """Nothing to prepare: the commit itself is on trial; it must only be the first.

    Raises:
        NotArmed: a trial is on already, or the window is none that the device takes.
    """
    if arming.seconds < SHORTEST_S:
        raise NotArmed(f"a trial of {arming.seconds} s is too short: {SHORTEST_S} s is the least")
    active, persist = _trial(session)
    if active:
        raise NotArmed(f"a configuration is on trial already: {persist or 'by somebody else'}")


def confirm(session: Session) -> None:
    """The trial becomes the configuration.

    Raises:
        LienThongError: none of ours is on: the device has returned already.
    """
    active, persist = _trial(session)
    if not active or persist != PERSIST:
        raise LienThongError("no trial of ours is on any more: the device has returned already")
    _in_system_view(session, f"commit persist {PERSIST}")
    if _trial(session)[0]:
        raise LienThongError("the trial could not be confirmed")


def fire(session: Session) -> str:
    """End our trial now."""
    active, persist = _trial(session)
    if not active or persist != PERSIST:
        return "it holds the configuration before the change"
    _in_system_view(session, f"abort trial persist {PERSIST}")
    return "it has returned to the configuration before the change"


def _in_system_view(session: Session, line: str) -> None:
    session.ask("system-view")
    try:
        session.ask(line, _YES)
    finally:
        session.ask("return")


def _trial(session: Session) -> tuple[bool, str]:
    """(whether a trial is on, by what it is known)"""
    said = session.ask(_STATUS)
    status = re.search(r"(?i)trial status: *(\w+)", said)
    if status is None:
        raise LienThongError(f"whether a configuration is on trial cannot be seen: {said.strip()[-200:]}")
    persist = re.search(r"(?i)persist id: *(\S+)", said)
    return status[1].upper() != "INACTIVE", persist[1] if persist else ""


UNDO = Undo(
    method="commit on trial",
    dialect="vrp8",
    reboots=False,
    outage_s=5,
    step_s=SHORTEST_S,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
)
