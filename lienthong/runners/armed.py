"""Changes one device: armed, sent, looked at again over a new login, confirmed, saved; or returned.

Whatever fails after arming returns the device at once, and where even that fails the device returns by
itself. A device that cannot (its platform has no undo) gets its lines taken back by the tool. What is told
at the end is what was seen: a device of which nothing is known any more is called so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.change import Change
from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.guard import Predicted
from lienthong.platforms.undo import Arming, NotArmed, Undo
from lienthong.runners import evidence, proof
from lienthong.runners.back import Uncertain, back
from lienthong.runners.look import Device, Shared, look, sessions
from lienthong.transport import Session

#: So long before the end of a window nothing is sent any more, and so long the device has to acknowledge it:
#: the least and the most, seconds, and what part of the window.
MARGIN_S = 3.0, 10.0, 1 / 6


class Orphan(LienThongError):
    """What a dead run had left armed is returned; the device has to be looked at again."""


def bring(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    opened: Mapping[str, Session],
    sites: tuple[str, ...] = (),
) -> None:
    """Make the change and keep it.

    Args:
        sites: those whose checks must pass after it as they did before.

    Raises:
        Refused: somebody else's change is not ended, or the checks take too long; nothing was sent.
        NotArmed: the device cannot be made to return; nothing was sent.
        Returned: it failed and is taken back.
        Uncertain: it failed, and what the device holds could not be seen.
    """
    node, undo = device.node, device.platform.undo
    before = evidence.health(found, opened)
    held = proof.before(shared, device, change, found, opened, sites)
    shared.held(node)
    if undo is not None:
        _arm(shared, undo, change, opened[undo.dialect], node.name)
    ends = _ends(change)
    if undo is not None:
        _within(shared, device, change, opened, ends)
    try:
        for part in change.parts:
            shared.held(node)
            if part.commands:
                dialect = found[part.dialect].dialect
                opened[part.dialect].configure(part.commands, dialect.commit(change.window_s))
        shared.record(node.name, "sent", {})
    except LienThongError as error:
        raise back(shared, device, change, found, error) from None
    for session in opened.values():
        session.close()  # what holds now must hold for somebody who comes anew
    _confirm(shared, device, change, found, _Well(before, held, ends))


@dataclass(frozen=True)
class _Well:
    """What was well before the change, and until when it must be so again."""

    facts: frozenset[str]
    proof: proof.Proof | None
    """What the checks of its site said; None where they are not asked again."""
    ends: float


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


def _margin_s(change: Change) -> float:
    least, most, part = MARGIN_S
    return max(least, min(most, change.window_s * part))


def _ends(change: Change) -> float:
    """When nothing may be sent any more to a device that is armed now, by `time.monotonic`."""
    return time.monotonic() + change.window_s - _margin_s(change)


def _within(
    shared: Shared, device: Device, change: Change, opened: Mapping[str, Session], ends: float
) -> None:
    """Send nothing after the window: the device may have returned meanwhile, and a line that comes later
    would stay, with nothing that takes it back."""
    margin_s = _margin_s(change)

    def check() -> None:
        shared.held(device.node)
        if time.monotonic() > ends:
            raise LienThongError(
                f"{device.node.name}: the {change.window_s} s of its window are over, nothing more was sent",
                hint="it answers slowly: look at the line to it, then run again",
            )

    for dialect in device.platform.dialects:
        if not dialect.commit(
            change.window_s
        ):  # where there is a candidate, its clock starts with the commit
            opened[dialect.name].watch(check, margin_s)


def _confirm(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    before: _Well,
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
                before.facts,
                lambda: evidence.health(found, opened),
                evidence.taken_away(found),
                change.window_s / 3 if undo is not None else evidence.SETTLE_S,
            )
            if before.proof is not None:
                proof.after(shared, device, before.proof, before.ends)
            shared.record(
                device.node.name, "checked", {"proved": len(before.proof.seen.holds) if before.proof else 0}
            )
            shared.held(device.node)
            if undo is not None:
                _heard(shared, device, undo, opened)
            confirmed = True
            shared.record(device.node.name, "confirmed", {})
            _saved(shared, device, opened)
    except LienThongError as error:
        if confirmed:
            raise Uncertain(
                f"{error.what}; the change is in force and confirmed, but not saved for a restart",
                hint="run apply again: it saves what is in force",
            ) from None
        raise back(shared, device, change, found, error) from None


def _heard(shared: Shared, device: Device, undo: Undo, opened: Mapping[str, Session]) -> None:
    """Confirm. Where the connection ends meanwhile the device is asked anew: it may have heard or not.

    Raises:
        LienThongError: it is not confirmed.
    """
    try:
        undo.confirm(opened[undo.dialect])
        _stayed(device, opened)
    except Unreachable:
        with sessions(shared, device) as anew:
            session = anew[undo.dialect]
            shared.held(device.node)
            if undo.pending(session) and not (undo.unsaved is not None and undo.unsaved(session)):
                undo.confirm(session)
            _stayed(device, anew)


def _stayed(device: Device, opened: Mapping[str, Session]) -> None:
    """A device whose clock jumps may return between the last look and the confirmation, and hear it all
    the same.

    Raises:
        LienThongError: it has.
    """
    if any(part.diff for part in look(device, opened).values()):
        raise LienThongError(f"{device.node.name}: it returned before it was confirmed")


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
        Orphan: it was armed, and is returned now or has just done so by itself; it has to be looked at again.
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
        if not begun and any(part.diff for part in look(device, opened).values()):
            # Its time was over between the look and the question: what was seen then is gone.
            raise Orphan(
                "a change that nobody had confirmed was there a moment ago, and has returned by itself"
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
