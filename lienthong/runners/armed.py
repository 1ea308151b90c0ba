"""Changes one device: armed, sent, looked at again over a new login, confirmed, saved; or returned.

Whatever fails after arming returns the device at once, and where even that fails the device returns by
itself. A device that cannot (its platform has no undo) gets its lines taken back by the tool. What is told
at the end is what was seen: a device of which nothing is known any more is called so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from lienthong.change import Change
from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.guard import Predicted
from lienthong.platforms.undo import Arming, NotArmed, Undo
from lienthong.runners import evidence
from lienthong.runners.look import Device, Shared, look, sessions
from lienthong.transport import Session


class Returned(LienThongError):
    """The change failed and the device holds what it held before."""


class Orphan(LienThongError):
    """What a dead run had left armed is returned; the device has to be looked at again."""


class Uncertain(LienThongError):
    """The change failed and the device could not be seen since; it returns by itself if it is able to."""


def bring(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    opened: Mapping[str, Session],
) -> None:
    """Make the change and keep it.

    Raises:
        Refused: somebody else's change is not ended; nothing was sent.
        NotArmed: the device cannot be made to return; nothing was sent.
        Returned: it failed and is taken back.
        Uncertain: it failed, and what the device holds could not be seen.
    """
    node, undo = device.node, device.platform.undo
    before = evidence.health(found, opened)
    shared.held(node)
    if undo is not None:
        _arm(shared, undo, change, opened[undo.dialect], node.name)
    try:
        for part in change.parts:
            shared.held(node)
            if part.commands:
                dialect = found[part.dialect].dialect
                opened[part.dialect].configure(part.commands, dialect.commit(change.window_s))
        shared.record(node.name, "sent", {})
    except LienThongError as error:
        raise _back(shared, device, change, error) from None
    for session in opened.values():
        session.close()  # what holds now must hold for somebody who comes anew
    _confirm(shared, device, change, found, before)


def _arm(shared: Shared, undo: Undo, change: Change, session: Session, name: str) -> None:
    begun = undo.pending(session)
    if begun and undo.own and shared.alone:
        raise Orphan(f"a run that is gone had left a change unconfirmed: {undo.fire(session)}")
    if begun and _only_unsaved(shared, undo, name, session):
        session.save()
        shared.record(name, "saved", {})
    elif begun:
        raise Refused(
            f"{name}: somebody else's change is not ended: {begun}",
            hint="let it end, or end it, then run again",
        )
    access = shared.access
    shared.record(name, "arming", {"window_s": change.window_s, "method": undo.method})
    try:
        undo.arm(session, Arming(change.window_s, access.root / "templates", access.network_user))
    except NotArmed:
        shared.record(name, "not armed", {})
        raise
    shared.record(name, "armed", {"window_s": change.window_s, "method": undo.method, "at": time.time()})


def _confirm(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    before: frozenset[str],
) -> None:
    """On new connections: is everything intended in force, and all else still well? Then it may stay."""
    undo = device.platform.undo
    confirmed = False
    try:
        with sessions(shared, device) as opened:
            left = [
                f"{name}: {line}" for name, part in look(device, opened).items() for line in part.diff.told
            ]
            if left:
                raise LienThongError(
                    f"{device.node.name}: not in force after the change: " + "; ".join(left[:5])
                )
            evidence.wait_for(
                before,
                lambda: evidence.health(found, opened),
                evidence.taken_away(found),
                change.window_s / 3 if undo is not None else evidence.SETTLE_S,
            )
            shared.record(device.node.name, "checked", {})
            shared.held(device.node)
            if undo is not None:
                _heard(shared, device, undo, opened[undo.dialect])
            confirmed = True
            shared.record(device.node.name, "confirmed", {})
            _saved(shared, device, opened)
    except LienThongError as error:
        if confirmed:
            raise Uncertain(
                f"{error.what}; the change is in force and confirmed, but not saved for a restart",
                hint="run apply again: it saves what is in force",
            ) from None
        raise _back(shared, device, change, error) from None


def _heard(shared: Shared, device: Device, undo: Undo, session: Session) -> None:
    """Confirm. Where the connection ends meanwhile the device is asked anew: it may have heard or not.

    Raises:
        LienThongError: it is not confirmed.
    """
    try:
        undo.confirm(session)
    except Unreachable:
        with sessions(shared, device) as opened:
            anew = opened[undo.dialect]
            shared.held(device.node)
            if undo.pending(anew) and not (undo.unsaved is not None and undo.unsaved(anew)):
                undo.confirm(anew)
            elif any(part.diff for part in look(device, opened).values()):
                raise


def _saved(shared: Shared, device: Device, opened: Mapping[str, Session]) -> None:
    """Save, and once more over a new login where the connection ended meanwhile."""
    try:
        save(shared, device, opened)
    except Unreachable:
        with sessions(shared, device) as anew:
            save(shared, device, anew)


def make_sure(shared: Shared, device: Device, opened: Mapping[str, Session]) -> None:
    """A device that holds what is intended may yet take it back: what a dead run sent and nobody confirmed.

    Raises:
        Orphan: it was armed; it is returned, and has to be looked at again.
        Refused: somebody else armed it.
    """
    node, undo = device.node, device.platform.undo
    if undo is not None and shared.doubted(node):
        begun = undo.pending(opened[undo.dialect])
        if begun and undo.own and shared.alone:
            raise Orphan(
                f"a run that is gone had left a change unconfirmed: {undo.fire(opened[undo.dialect])}"
            )
        if begun and not _only_unsaved(shared, undo, node.name, opened[undo.dialect]):
            raise Refused(
                f"{node.name}: holds what is intended, but has not been confirmed: {begun}",
                hint="let it end, or end it, then run again",
            )
    if node.name in shared.unsaved:
        save(shared, device, opened)


def _only_unsaved(shared: Shared, undo: Undo, name: str, session: Session) -> bool:
    """A dead run of this checkout confirmed a change and could not save it; nothing else stands open."""
    return name in shared.unsaved and undo.unsaved is not None and undo.unsaved(session)


def save(shared: Shared, device: Device, opened: Mapping[str, Session]) -> None:
    """Let what is in force outlive a restart."""
    for session in opened.values():
        session.save()
    shared.record(device.node.name, "saved", {})


def _back(shared: Shared, device: Device, change: Change, error: LienThongError) -> LienThongError:
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
        session = shared.connect(device.node, spoken, device.veil)
        try:
            said = undo.fire(session)
            armed: str | None = said
            with suppress(Unreachable):  # it starts anew
                armed = undo.pending(session)
        finally:
            session.close()
        if armed is None:
            _not_intended(shared, device, said)
    except LienThongError as second:
        shared.record(name, "uncertain", {"why": error.what})
        return Uncertain(
            f"{error.what}; the device could not be returned now ({second.what})",
            hint=_by_itself(undo, change),
        )
    shared.record(name, "returned", {"why": error.what})
    return Returned(f"{error.what}; {said}", hint=error.hint)


def _not_intended(shared: Shared, device: Device, said: str) -> None:
    """Nothing is armed any more: it has returned, or the change was confirmed meanwhile after all.

    Raises:
        LienThongError: it holds what was intended.
    """
    with sessions(shared, device) as opened:
        if not any(part.diff for part in look(device, opened).values()):
            raise LienThongError(f"{said}, but it holds what was intended, and nothing returns it")


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
