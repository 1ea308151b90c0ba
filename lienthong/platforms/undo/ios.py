"""IOS and IOS-XE: `configure terminal revert timer`; the device keeps a copy and rolls back to it by itself.

"Configuration Rollback Confirmed Change"
(https://www.cisco.com/c/en/us/td/docs/routers/ios-xe/system-management/system-management/m_cm-config-rollback-confirmed-change.html):
needs an archive of configurations, counts whole minutes, and goes on when the login ends. The timer is lost
with the power, and then the saved configuration comes up: so what runs must be saved before a change and is
saved after the confirmation only. What is in no configuration (users of SNMP) is not rolled back.
"""

from __future__ import annotations

import re
from contextlib import suppress

from lienthong.errors import LienThongError, Unreachable
from lienthong.platforms.undo import Arming, NotArmed, Session, Undo

STEP_S = 60
MOST_MINUTES = 120
PATH = "path flash:lienthong-"
_ANSWERS = ((r"\[confirm\] ?\Z", ""), (r"\[yes/no\]: ?\Z", "yes"), (r"\? \[no\]: ?\Z", "yes"))
_TIMER = "show archive config rollback timer"
_DIFFERENCES = "show archive config differences nvram:startup-config system:running-config"
_CLOCK = re.compile(r"(?im)^ *Time left: *(\S.*)$|^ *Timer value: *(\S.*)$")


def pending(session: Session) -> str | None:
    """A timer that somebody has set, or a configuration that somebody has not saved."""
    armed = _armed(session)
    if armed:
        return f"a rollback is armed: {armed}"
    if not _saved(session):
        return "the running configuration is not saved, and a return by power would lose it"
    return None


def unsaved(session: Session) -> bool:
    """No timer runs, and what runs is not what is saved."""
    return _armed(session) is None and not _saved(session)


def arm(session: Session, arming: Arming) -> None:
    """Give the device an archive if it has none, as a step of its own, and start the timer.

    Raises:
        NotArmed: a timer runs already, it could not be started, or VLANs would not be rolled back.
    """
    armed = _armed(session)
    if armed:
        raise NotArmed(f"a rollback is armed already: {armed}", hint="end that first: configure confirm")
    minutes = -(-arming.seconds // STEP_S)
    if minutes > MOST_MINUTES:
        raise NotArmed(f"IOS waits for {MOST_MINUTES} minutes at most", hint="choose a shorter window")
    try:
        _vlans_are_shown(session)
        _archive(session)
        session.ask(f"configure terminal revert timer {minutes}", _ANSWERS)
    except (Unreachable, NotArmed):
        raise
    except LienThongError as error:
        raise NotArmed(f"the rollback cannot be armed: {error.what}") from None
    finally:
        with suppress(LienThongError):
            session.ask("end")  # the timer runs on; lines are sent in a mode of their own
    if not _armed(session):
        raise NotArmed("the device took the timer without starting it")


def confirm(session: Session) -> None:
    """The timer ends, the change stays.

    Raises:
        LienThongError: none runs: the device has returned already, or somebody has confirmed.
    """
    if not _armed(session):
        raise LienThongError("no rollback is armed any more: the device has returned already")
    said = session.ask("configure confirm", _ANSWERS)
    if "No Rollback" in said:  # its time was over between the two
        raise LienThongError("no rollback is armed any more: the device has returned already")
    if _armed(session):
        raise LienThongError("the rollback could not be confirmed")


def fire(session: Session) -> str:
    """Roll back now; not where what runs is what is saved."""
    if _armed(session):
        with suppress(Unreachable):  # the address may go with it
            session.ask("configure revert now", _ANSWERS)
        return "it rolls back to the configuration before the change"
    if _saved(session):
        return "it holds the configuration before the change"
    with suppress(Unreachable):
        session.ask("configure replace nvram:startup-config force", _ANSWERS)
    return "it rolls back to the saved configuration, which is the one before the change"


def _armed(session: Session) -> str | None:
    said = session.ask(_TIMER)
    if "No Rollback Confirmed Change" in said:
        return None
    found = _CLOCK.search(said)
    return found[0].strip() if found else None


def _saved(session: Session) -> bool:
    """Whether what runs is what it would come up with."""
    return re.search(r"(?i)no changes were found", session.ask(_DIFFERENCES)) is not None


def _archive(session: Session) -> None:
    """The archive that the timer needs; what runs is saved, so saving it with this alone loses nothing."""
    if _has_archive(session):
        return
    session.configure(("archive", PATH))
    if not _has_archive(session):
        raise NotArmed("the device took the archive's path without keeping it")
    session.save()


def _has_archive(session: Session) -> bool:
    said = session.show("show running-config")
    return re.search(r"(?m)^archive *\r?\n(?: .*\r?\n)*? +path \S", said) is not None


def _vlans_are_shown(session: Session) -> None:
    """VLANs of a VTP server are in no configuration, and a rollback would take some away for good."""
    said = session.show("show running-config")
    if not re.search(r"(?m)^ +switchport ", said) or re.search(r"(?m)^vtp mode (?:transparent|off)", said):
        return
    mode = re.search(r"(?im)^VTP Operating Mode *: *(\S+)", session.ask("show vtp status"))
    if mode is None or mode[1].lower() not in {"transparent", "off"}:
        raise NotArmed(
            f"VTP runs as {mode[1].lower() if mode else 'unknown'}: VLANs are in no configuration",
            hint="on the device: vtp mode transparent, then write memory",
        )


UNDO = Undo(
    method="configure terminal revert timer",
    dialect="ios",
    reboots=False,
    outage_s=5,
    step_s=STEP_S,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
    unsaved=unsaved,
)
