"""FortiOS returns by starting anew: under `cfg-save revert` nothing is kept that is not saved in time.

From `set cfg-save revert` on, changes act but are not written to the flash. Unless `execute cfg save` comes
within `cfg-revert-timeout` seconds of the last input, the unit reboots with what it had saved before
(Administration Guide 7.0, "Using configuration save mode"; Fortinet Community 191106 and 194054). Whether
the switch to `revert` is itself saved Fortinet does not say: a device that comes up with it still set is
told as somebody's unfinished work.
"""

from __future__ import annotations

import re

from lienthong.errors import LienThongError, Unreachable
from lienthong.platforms.undo import Arming, NotArmed, Rejected, Session, Undo

#: What the time-out is where nobody has set it.
USUAL_S = 600
#: Ours end in this digit, so that one that somebody else has set can be told from them.
OURS = 9
_MODE = re.compile(r"^cfg-save\s*:\s*(\w+)", re.M)
_TIMEOUT = re.compile(r"^cfg-revert-timeout\s*:\s*(\d+)", re.M)
_YES = ((r"\(y/n\)\s*$", "y"),)
_NOTHING = re.compile(r"no config to be \w+")


def pending(session: Session) -> str | None:
    """Somebody works without saving: the mode is not the one in which everything is saved at once."""
    mode = _mode(session)
    if mode == "automatic":
        return None
    return f"cfg-save is {mode}: changes may be in force that are not saved"


def arm(session: Session, arming: Arming) -> None:
    """Keep nothing from now on, and start anew when nothing is heard.

    Raises:
        NotArmed: the device did not take it; nothing was sent.
    """
    try:
        found = _TIMEOUT.search(session.show("get system global | grep cfg-revert-timeout"))
        if found is None or (int(found[1]) != USUAL_S and int(found[1]) % 10 != OURS):
            raise NotArmed(
                "the undo cannot be armed: somebody has given cfg-revert-timeout a value of his own",
                hint="`unset cfg-revert-timeout` in `config system global`, then run again",
            )
        session.configure(
            (
                "config system global",
                "set cfg-save revert",
                f"set cfg-revert-timeout {max(10 + OURS, arming.seconds // 10 * 10 - 10 + OURS)}",
                "end",
            )
        )
        mode = _mode(session)
    except Rejected as error:
        raise NotArmed(f"the undo cannot be armed: {error.what}") from None
    if mode != "revert":
        raise NotArmed(f"the undo cannot be armed: cfg-save is {mode}")


def confirm(session: Session) -> None:
    """Save what is in force, and save at once again from now on.

    Raises:
        LienThongError: the device has returned already.
    """
    if _mode(session) != "revert":
        raise LienThongError("not confirmed: the device has started anew with what it had before")
    said = session.ask("execute cfg save")
    if _NOTHING.search(said):
        raise LienThongError("not confirmed: there is nothing to save, so the device has returned")
    if "config saved" not in said:
        raise LienThongError(f"not confirmed: {said.strip()[-400:]}")
    _at_once(session)


def fire(session: Session) -> str:
    """Start anew with what is saved; the login is lost with it."""
    if _mode(session) == "automatic":
        return "it had returned already"
    try:
        said = session.ask("execute cfg reload", _YES)
    except Unreachable:
        said = ""  # it went down before it could say so
    if _NOTHING.search(said):
        _at_once(session)
        return "nothing was changed; the undo is disarmed"
    return "it starts anew with the configuration before the change"


def _at_once(session: Session) -> None:
    session.configure(("config system global", "set cfg-save automatic", "unset cfg-revert-timeout", "end"))
    session.ask("execute cfg save")  # in case the mode before still counted for its own change


def _mode(session: Session) -> str:
    said = session.show("get system global | grep cfg-save")
    found = _MODE.search(said)
    if found is None:
        raise LienThongError(f"whether changes are saved cannot be seen: {said.strip()[-200:]}")
    return found[1]


UNDO = Undo(
    method="cfg-save revert, which starts the device anew",
    dialect="fortios",
    reboots=True,
    outage_s=120,
    step_s=10,
    survives_reboot=True,
    pending=pending,
    arm=arm,
    confirm=confirm,
    fire=fire,
)
