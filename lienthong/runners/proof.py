"""The checks of a site as proof: asked before its gear is told anything, again before a change may stay."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.change import Change, fingerprint
from lienthong.errors import LienThongError, Refused
from lienthong.guard import FEW, Predicted
from lienthong.platforms import Lines
from lienthong.runners.evidence import CHECKS, Seen, wait_for_checks
from lienthong.runners.look import Device, Shared, look
from lienthong.transport import Session


def asked_of(shared: Shared, device: Device, found: Mapping[str, Predicted]) -> tuple[str, ...]:
    """The sites whose checks are asked when this is changed: none for what has hardly a line of the plan yet,
    is no gear, goes back to what it was, or where the operator wants none asked."""
    if shared.witness is None or shared.check or device.node.device is None or device.exact is not None:
        return ()
    if f"{CHECKS}@{device.node.name}" in shared.allow:
        return ()
    if sum(part.diff.owned for part in found.values()) <= FEW:
        return ()
    return tuple(shared.witness.sites(device.node))


@dataclass(frozen=True)
class Proof:
    """What the checks of some sites said before the change; they must say it again."""

    sites: tuple[str, ...]
    seen: Seen


def before(
    shared: Shared,
    device: Device,
    change: Change,
    found: Mapping[str, Predicted],
    opened: Mapping[str, Session],
    sites: tuple[str, ...],
) -> Proof | None:
    """What the checks of the sites say before anything is sent; None where there is nothing to ask again.

    Raises:
        Refused: they cannot be asked, or not twice within the window, or the device moved meanwhile.
    """
    name, places = device.node.name, ", ".join(sites)
    if shared.witness is None or not sites:
        return None
    shared.progress(f"{name}: what holds in {places} now is looked at first")
    without = f"to change it without them: --allow {CHECKS}@{name}"
    began = time.monotonic()
    try:
        seen = shared.witness.look(sites)
    except LienThongError as error:
        raise Refused(f"{name}: the checks of {places} cannot be asked: {error.what}", hint=without) from None
    took = time.monotonic() - began
    shared.held(device.node)  # who slept meanwhile has lost more than time
    if took > change.window_s / 2:
        raise Refused(
            f"{name}: the checks of {places} took {took:.0f} s, and it waits {change.window_s} s for the"
            " confirmation",
            hint=without,
        )
    if fingerprint(_lines(look(device, opened))) != fingerprint(_lines(found)):
        raise Refused(f"{name}: the device has moved while its site was looked at", hint="run again")
    if not seen.holds:
        shared.progress(f"{name}: none of the checks of {places} passes now, so none is asked again")
        return None
    return Proof(sites, seen)


def after(shared: Shared, device: Device, proof: Proof, ends: float) -> None:
    """Ask them again until they say what they said.

    Args:
        ends: by `time.monotonic`; after it the change may not be confirmed any more.

    Raises:
        LienThongError: naming what they do not say any more.
    """
    witness, name = shared.witness, device.node.name
    assert witness is not None
    shared.progress(
        f"{name}: changed; what held in {', '.join(proof.sites)} must hold before it is confirmed"
    )
    try:
        wait_for_checks(proof.seen, lambda: witness.look(proof.sites), ends)
    except LienThongError as error:
        hint = f"if other gear has to change with it: --allow {CHECKS}@{name}"
        raise LienThongError(error.what, hint=hint) from None


def _lines(found: Mapping[str, Predicted]) -> dict[str, Lines]:
    return {name: part.running for name, part in found.items()}
