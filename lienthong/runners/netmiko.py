"""Applies device configuration, many devices at a time; each change armed, confirmed, then saved.

A device: log in; one `show` a dialect; compare; guard; nothing to do is `unchanged`. Else
:mod:`lienthong.runners.armed` makes the change. A device that fails stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lienthong import guard
from lienthong.change import as_data, change_of, fingerprint
from lienthong.diff import Diff
from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretStore
from lienthong.runners import armed
from lienthong.runners.back import Returned, Uncertain
from lienthong.runners.evidence import Witness
from lienthong.runners.look import (
    Connect,
    Device,
    Progress,
    Record,
    Shared,
    device_of,
    look,
    management,
    predicted_right,
    sessions,
    speaks,
)
from lienthong.runners.proof import asked_of
from lienthong.runners.result import Outcome, StepResult
from lienthong.runners.turns import Turns
from lienthong.target import Access

STEP = "gear"
#: Looked at together: that is waiting for them, most of the time.
DEVICES_AT_ONCE = 256
#: Changed together: their windows run, and this machine must keep up with all of them.
CHANGES_AT_ONCE = 32
#: How long a device waits for the confirmation before it returns by itself.
WINDOW_S = 60


#: Outcome, lines, detail, and what is kept of the change.
_Brought = tuple[Outcome, tuple[str, ...], str, dict[str, object] | None]


@dataclass(frozen=True)
class _Waits:
    """It has to be changed, and no turn was free."""

    sites: tuple[str, ...]


def run(
    access: Access,
    secrets: SecretStore,
    plan: ProvincePlan,
    nodes: Sequence[Node],
    *,
    check: bool,
    progress: Progress,
    allow: frozenset[str] = frozenset(),
    window_s: int = WINDOW_S,
    connect: Connect | None = None,
    record: Record = lambda node, stage, data: None,  # noqa: ARG005
    exact: Mapping[str, Mapping[str, Diff]] | None = None,
    expected: Mapping[str, str] | None = None,
    held: Callable[[Node], None] = lambda node: None,  # noqa: ARG005
    stopped: Callable[[], bool] = lambda: False,
    unsaved: frozenset[str] = frozenset(),
    doubted: Callable[[Node], bool] = lambda node: False,  # noqa: ARG005
    alone: bool = False,
    witness: Witness | None = None,
    at_once: int = DEVICES_AT_ONCE,
    changes_at_once: int = CHANGES_AT_ONCE,
) -> list[StepResult]:
    """Bring devices to their intent, or with `check` only say what would change.

    Args:
        plan: the province the nodes belong to.
        nodes: devices, begun in this order; nodes without a command line are left out.
        allow: refusals of the guard that the operator overrides, each `<rule>@<node>`.
        window_s: how long a device waits for the confirmation.
        record: is told every stage of every device as it is reached.
        exact: differences by node and dialect that are made instead of the way to the plan.
        expected: fingerprints that devices must still have, else nothing is sent to them.
        held: raises when a node's site may no longer be changed by this run; asked before every sending.
        unsaved: nodes with a change that an earlier run confirmed and could not save.
        doubted: whether it is not known that the last change of a device was confirmed.
        witness: asks the checks of a site before and after one of its devices is changed.
        alone: the sites are leased by this run; what a dead run of another left armed is returned first.
        stopped: when it says so, no further device is begun; those under way are ended in order.
        at_once: devices that are looked at together; memory grows with it.
        changes_at_once: of them, those that are changed together; the others wait without a login.

    Returns:
        One result a device, in order; a device that fails stops no other.
    """
    shared = Shared(
        access, secrets, plan, connect or over_ssh(access), check, progress, record, allow, window_s,
        exact or {}, expected or {}, held, stopped, unsaved, doubted, witness, alone,
    )  # fmt: skip
    devices = [node for node in nodes if speaks(node) and node.name in plan.nodes]
    if not devices:
        return []
    turns = Turns(changes_at_once)
    with ThreadPoolExecutor(min(at_once, len(devices))) as pool:
        return list(pool.map(lambda node: _one(shared, node, turns), devices))


def over_ssh(access: Access) -> Connect:
    """Real logins."""
    from lienthong.transport.login import connect  # Netmiko's import takes its time

    return lambda node, dialect, veil: connect(access, node, dialect, veil)


def _one(shared: Shared, node: Node, turns: Turns) -> StepResult:
    begun = time.monotonic()
    if shared.stopped():
        return StepResult(
            node.name, STEP, "netmiko", "skipped", detail="stopped before this device was begun"
        )
    outcome: Outcome
    changes: tuple[str, ...] = ()
    data: dict[str, object] | None = None
    try:
        try:
            outcome, changes, detail, data = _bring(shared, node, turns)
        except armed.Orphan as error:
            shared.progress(f"{node.name}: {error.what}")
            outcome, changes, detail, data = _bring(shared, node, turns)
    except Uncertain as error:
        outcome, detail = "uncertain", str(error)
    except Returned as error:
        outcome, detail = "failed", str(error)
    except Unreachable as error:
        outcome, detail = "unreachable", _why(shared, node, error)
    except LienThongError as error:
        outcome, detail = "failed", str(error)
    except Exception as error:  # noqa: BLE001 - one device that surprises us must not end the run of the others
        outcome, detail = "uncertain", f"{node.name}: unexpected {type(error).__name__}: {error}"
    if detail and outcome not in {"changed", "unchanged"}:
        shared.progress(f"{node.name}: {outcome}: {detail.splitlines()[0]}")
    elif changes:
        shared.progress(f"{node.name}: {len(changes)} lines{' would change' if shared.check else ''}")
    seconds = round(time.monotonic() - begun, 2)
    return StepResult(node.name, STEP, "netmiko", outcome, changes, seconds, detail, data)


def _why(shared: Shared, node: Node, error: Unreachable) -> str:
    """A run that slept has lost its logins too; that the site is no longer its own is what has to be told."""
    try:
        shared.held(node)
    except LienThongError as lost:
        return f"{error}; {lost.what}"
    return str(error)


def _bring(shared: Shared, node: Node, turns: Turns) -> _Brought:
    device = device_of(shared, node)
    done = _brought(shared, device, turns)
    if isinstance(done, _Waits):
        # All turns are taken. It waits without a login, which would end meanwhile, and is looked at anew.
        with turns.waited_for(done.sites):
            if shared.stopped():
                return "skipped", (), "stopped before this device was changed", None
            done = _brought(shared, device, None)
    assert not isinstance(done, _Waits)
    return done


def _brought(shared: Shared, device: Device, turns: Turns | None) -> _Brought | _Waits:
    """What became of it, or that it waits for a turn, where it has none yet."""
    node = device.node
    with sessions(shared, device) as opened:
        found = look(device, opened)
        seen = fingerprint({name: part.running for name, part in found.items()})
        if shared.expected.get(node.name, seen) != seen:
            raise Refused(f"{node.name}: the device has moved since the plan was made", hint="plan again")
        if not any(part.diff for part in found.values()):
            if not shared.check:
                armed.make_sure(shared, device, opened)
            return "unchanged", (), "", None
        for part in found.values():
            assert predicted_right(device, part), f"{node.name}: the change does not lead to the intent"
        against = guard.reasons(found, management(shared, node))
        change = change_of(node.name, device.platform, found, [why for _, why in against], shared.window_s)
        told = change.told
        guard.check(node.name, found, management(shared, node), shared.allow)
        if shared.check:
            return "changed", told, "", as_data(change)
        sites = asked_of(shared, device, found)
        if turns is not None and not turns.take(sites):
            return _Waits(sites)
        try:
            before = {name: [list(line) for line in part.running] for name, part in found.items()}
            shared.record(node.name, "looked", {"before": before, "change": as_data(change)})
            armed.bring(shared, device, change, found, opened, sites)
        finally:
            if turns is not None:
                turns.give(sites)
    return "changed", told, "", as_data(change)
