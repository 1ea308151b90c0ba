"""Junos: `commit confirmed`, which the device takes back unless another commit comes in its minutes.

The commit is the dialect's; here it is looked for (`show system commit`), confirmed, or taken back with
`rollback 1`: "Commit the Configuration", CLI User Guide,
https://juniper.net/documentation/us/en/software/junos/cli/topics/topic-map/junos-configuration-commit.html.
"""

from __future__ import annotations

import re

from lienthong.errors import LienThongError
from lienthong.platforms.undo import Arming, NotArmed, Rejected, Session, Undo

_STATUS = "show system commit"
_LEAVE = ("rollback 0", "exit configuration-mode")


def pending(session: Session) -> str | None:
    """A commit that waits for its confirmation, somebody's candidate, or a lock."""
    if _waits(session):
        return "a commit waits for its confirmation"
    try:
        session.ask("configure exclusive")
    except Rejected as error:
        return f"somebody is configuring: {error.what}"
    session.ask("exit configuration-mode")
    return None


def arm(session: Session, arming: Arming) -> None:
    """Nothing to prepare: the commit itself returns; it must only be the first.

    Raises:
        NotArmed: another commit waits, or the window is no whole number of minutes.
    """
    if arming.seconds < 60 or arming.seconds % 60:
        raise NotArmed(f"a window of {arming.seconds} s: Junos counts minutes")
    if _waits(session):
        raise NotArmed("a commit waits for its confirmation already")


def confirm(session: Session) -> None:
    """Commit once more.

    Raises:
        LienThongError: none waits: the device has returned already.
    """
    if not _waits(session):
        raise LienThongError("no commit waits for its confirmation: the device has returned already")
    _configuring(session, "commit")
    if _waits(session):
        raise LienThongError("the commit could not be confirmed")


def fire(session: Session) -> str:
    """Return now."""
    if not _waits(session):
        return "it holds the configuration before the change"
    _configuring(session, "rollback 1", "commit")
    return "it has returned to the configuration before the change"


def _configuring(session: Session, *lines: str) -> None:
    session.ask("configure exclusive")
    try:
        for line in lines:
            session.ask(line)
    finally:
        for line in _LEAVE:
            session.ask(line)


def _waits(session: Session) -> bool:
    said = session.ask(_STATUS)
    newest = re.search(r"^ *0 +(?:.*\n?)(?:(?! *\d+ ).*\n?)*", said, re.MULTILINE)
    if newest is None:
        raise LienThongError(f"whether a commit waits cannot be seen: {said.strip()[-200:]}")
    # The entry says "commit confirmed, rollback in" for good; only while it waits does a line stand below it.
    return re.search(r"^\s*rollback pending\s*$", newest[0], re.MULTILINE) is not None


UNDO = Undo(
    method="commit confirmed; a restart meanwhile may keep the change",
    dialect="junos",
    reboots=False,
    outage_s=5,
    step_s=60,
    # What a restart does while a commit waits was not found in Juniper's documents: nothing is promised.
    survives_reboot=False,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
)
