"""The undo of RouterOS: a backup, and two schedules that load it, after the window and at the next start.

Not Safe Mode: it belongs to one login, so no second login could confirm it; it keeps no more than a hundred
actions and leaves in silence when there are more; and after a lost connection it waits up to nine minutes
(help.mikrotik.com/docs/display/ROS/Configuration+Management, "Safe Mode").

The backup is saved before the schedules are made, so what is restored has neither, and no start repeats it.
To load a backup without a question takes `password=""`, and it starts the device anew. A schedule without a
start time is due first when its interval has passed. One that begins with `startup` runs at the start only
where it has no interval, and one that has both counts from the start and would come too early
(help.mikrotik.com/docs/display/ROS/Scheduler): hence two. They follow the clock: a device whose clock is put
right by years while it is armed returns at once, so day 0 sets it.

Certificates are in no backup and stay as they are. On a device with a folder `flash` all else lies in memory
and is gone after a start. The backup is not encrypted, since its password would stand in the schedule beside
it; it is removed with the confirmation.
"""

from __future__ import annotations

from contextlib import suppress

from lienthong.errors import LienThongError, Unreachable
from lienthong.platforms.undo import Arming, NotArmed, Rejected, Session, Undo

NAME = "lienthong-undo"
AT_START = f"{NAME}-start"
_SAVED = "Configuration backup saved"
_BOTH = f'where name~"^{NAME}"'
_HELD = "/system history print count-only where floating-undo"
_POLICY = "ftp,reboot,read,write,policy,test,password,sniff,sensitive"
_YES = ((r"reboot\? \[y/N\]", "y"),)


def pending(session: Session) -> str | None:
    """An undo of ours that is armed; what somebody holds in Safe Mode is met by :func:`arm`."""
    armed = _count(session, f"/system scheduler print count-only {_BOTH}")
    return f"an undo is armed (schedule {NAME})" if armed else None


def arm(session: Session, arming: Arming) -> None:
    """Save a backup, then make the schedules that load it.

    Raises:
        NotArmed: no room, no right to it, schedules are not allowed on the device, or Safe Mode of another
            login would hold what is changed from now on and take it back when that login breaks off.
    """
    held = _count(session, _HELD)
    if held:
        raise NotArmed(
            f"another login holds {held} changes in Safe Mode", hint="end that with Ctrl-X, then run again"
        )
    try:
        flash = _count(session, "/file print count-only where name=flash")
        file = f"flash/{NAME}" if flash else NAME
        said = session.ask(f"/system backup save name={file} dont-encrypt=yes")
        if _SAVED not in said:
            raise NotArmed(f"the backup was not saved: {said.strip()[-200:]}")
        load = rf'"/system backup load name={file} password=\"\""'
        # The one with a time first: a run that dies between the two leaves none that waits for ever.
        for name, when in ((NAME, f"interval={arming.seconds}s"), (AT_START, "start-time=startup")):
            session.ask(f"/system scheduler add name={name} {when} policy={_POLICY} on-event={load}")
        if _count(session, f"/system scheduler print count-only {_BOTH}") != 2 or not _files(session):
            raise NotArmed("the device does not hold what was armed")
    except (Rejected, NotArmed) as error:
        _forget(session)
        raise NotArmed(
            f"the undo cannot be armed: {error.what}",
            hint="look at /file print and /system device-mode print: schedules may be forbidden there",
        ) from None


def confirm(session: Session) -> None:
    """The change is good: no schedule, no backup.

    Raises:
        LienThongError: the device has returned already, or somebody's Safe Mode holds the change.
    """
    if not _count(session, f"/system scheduler print count-only {_BOTH}"):
        raise LienThongError("not confirmed: nothing is armed, the device has returned already")
    if _count(session, _HELD):
        raise LienThongError(
            "not confirmed: another login holds Safe Mode, and the change with it",
            hint="end that login with Ctrl-X, then run again",
        )
    _forget(session)


def fire(session: Session) -> str:
    """Load the backup now."""
    if not _count(session, f"/system scheduler print count-only {_BOTH}"):
        return "it had returned already"
    file = f"flash/{NAME}" if _count(session, "/file print count-only where name=flash") else NAME
    with suppress(Unreachable):  # it starts anew
        session.ask(f'/system backup load name={file} password=""', _YES)
    return "the device loads its backup and starts anew"


def _forget(session: Session) -> None:
    # Schedules first: between the two the device must not find one without its backup.
    session.ask(f'/system scheduler remove [find name~"^{NAME}"]')
    session.ask(f'/file remove [find name~"{NAME}.backup"]')


def _files(session: Session) -> int:
    return _count(session, f'/file print count-only where name~"{NAME}.backup"')


def _count(session: Session, command: str) -> int:
    words = session.ask(command).split()
    if not words or not words[-1].isdigit():
        raise LienThongError(f"what the device holds cannot be seen: {command}: {' '.join(words)[-200:]}")
    return int(words[-1])


UNDO = Undo(
    method="backup, loaded by the scheduler",
    dialect="routeros",
    reboots=True,
    outage_s=90,
    step_s=1,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
    own=True,
)
