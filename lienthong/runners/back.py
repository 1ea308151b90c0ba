"""Returns a device after a change that failed, and tells what was seen of it then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from lienthong.change import Change
from lienthong.errors import LienThongError, Unreachable
from lienthong.guard import Predicted
from lienthong.platforms import Dialect
from lienthong.platforms.undo import Undo
from lienthong.runners.look import Device, Shared, look, sessions
from lienthong.transport import Session
from lienthong.transport.reading import ANSWER_S

#: Between two attempts to reach a device that is cut off.
PAUSE_S = 1.0


class Returned(LienThongError):
    """The change failed and the device holds what it held before."""


class _Stays(LienThongError):
    """It holds what was intended, and nothing takes that back."""


class Uncertain(LienThongError):
    """The change failed and the device could not be seen since; it returns by itself if it is able to."""


def back(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    error: LienThongError,
) -> LienThongError:
    """Return the device at once over a login of its own; what happened becomes part of the error."""
    undo = device.platform.undo
    name = device.node.name
    try:
        shared.held(device.node)
    except LienThongError as lost:
        # Somebody else may be at work there: not even a return is sent. The device does that by itself.
        shared.record(name, "uncertain", {"why": f"{error.what}; {lost.what}"})
        return Uncertain(f"{error.what}; {lost.what}", hint=_by_itself(undo, change))
    if undo is None:
        return _compensated(shared, device, change, error)
    try:
        spoken = next(d for d in device.platform.dialects if d.name == undo.dialect)
        session = _reached(shared, device, spoken, change.window_s + undo.outage_s)
        try:
            said = undo.fire(session)
            armed: str | None = said
            with suppress(Unreachable):  # it starts anew
                armed = undo.pending(session)
        finally:
            session.close()
        if armed is None:
            _as_before(shared, device, found, said)
    except _Stays:
        shared.record(name, "uncertain", {"why": error.what})
        return Uncertain(
            f"{error.what}; the change is in force to stay, but may not be saved for a restart",
            hint="run apply again: it looks anew, and saves what is in force",
        )
    except LienThongError as second:
        shared.record(name, "uncertain", {"why": error.what})
        return Uncertain(
            f"{error.what}; the device could not be returned now ({second.what})",
            hint=_by_itself(undo, change),
        )
    shared.record(name, "returned", {"why": error.what})
    return Returned(f"{error.what}; {said}", hint=error.hint)


def _reached(shared: Shared, device: Device, dialect: Dialect, within_s: float) -> Session:
    """A login, for which a device that is cut off may first have to return by itself.

    Raises:
        Unreachable: not within that time, nor within what any answer is waited for.
        LienThongError: the site is no longer held.
    """
    ends = time.monotonic() + min(ANSWER_S, within_s)
    while True:
        try:
            return shared.connect(device.node, dialect, device.veil)
        except Unreachable:
            if time.monotonic() > ends:
                raise
        time.sleep(PAUSE_S)
        shared.held(device.node)


def _as_before(shared: Shared, device: Device, found: Mapping[str, Predicted], said: str) -> None:
    """Nothing is armed any more: it has returned, or the change was confirmed meanwhile after all.

    Raises:
        _Stays: it was confirmed.
        LienThongError: it does not hold what it held before.
    """
    with sessions(shared, device) as opened:
        now = look(device, opened)
    if not any(part.diff for part in now.values()):
        raise _Stays(f"{device.node.name} holds what was intended")
    other = {
        " / ".join(line)
        for name, part in now.items()
        for line in frozenset(part.running) ^ frozenset(found[name].running)
    }
    if other:
        raise LienThongError(
            f"{said}, but {len(other)} lines are not as before: " + "; ".join(sorted(other)[:5])
        )


def _by_itself(undo: Undo | None, change: Change) -> str:
    if undo is None:
        return "the device has no undo of its own: look at it, then run apply again"
    after = f", with an outage of about {undo.outage_s} s" if undo.reboots else ""
    return f"it returns by itself within {change.window_s} s of the change{after}"


def _compensated(shared: Shared, device: Device, change: Change, error: LienThongError) -> LienThongError:
    """Take the lines back one by one: as good as it gets where a device has no undo."""
    name = device.node.name
    try:
        with sessions(shared, device) as opened:
            for part in reversed(change.parts):
                if part.rollback:
                    opened[part.dialect].configure(part.rollback)
            now = look(device, opened)
            for part in change.parts:
                held = frozenset(now[part.dialect].running)
                if held & frozenset(part.added) or not held >= frozenset(part.removed):
                    raise LienThongError("what it holds is not what it held before")
            for session in opened.values():
                session.save()
    except (LienThongError, Unreachable) as second:
        shared.record(name, "uncertain", {"why": error.what})
        return Uncertain(
            f"{error.what}; the lines could not be taken back ({second.what})",
            hint=_by_itself(None, change),
        )
    shared.record(name, "returned", {"why": error.what})
    return Returned(f"{error.what}; its lines were taken back", hint=error.hint)
