"""Applies device configuration: one device a thread, each change armed, confirmed on a new login, then saved.

A device: log in; one `show` a dialect; compare; guard; nothing to do is `unchanged`. Else: the device is
made able to undo; the lines go out, Open vSwitch before FRR; the sessions end; a new login looks whether
everything intended is in force; only then is the change confirmed, and only then saved. Whatever fails
after arming returns the device at once, and where even that fails the device returns by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lienthong import guard
from lienthong.diff import compare, future
from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.guard import Management, Predicted
from lienthong.model.intent import DeviceIntent, Node, ProvincePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import Target
from lienthong.plan.wanted import management_networks, wanted
from lienthong.platforms import Dialect, Lines, Platform, platform
from lienthong.platforms.undo import Arming
from lienthong.render import render
from lienthong.runners.result import Outcome, StepResult
from lienthong.target import Access
from lienthong.transport import Session
from lienthong.transport.veil import Veil

STEP = "gear"
DEVICES_AT_ONCE = 8
#: How long a device waits for the confirmation before it returns by itself.
WINDOW_S = 60

Progress = Callable[[str], None]


class Connect(Protocol):
    """Opens a session on a node in a dialect; :func:`lienthong.transport.ssh.connect` for real devices."""

    def __call__(self, node: Node, dialect: Dialect, veil: Veil) -> Session: ...


@dataclass(frozen=True)
class _Run:
    """What all devices of one run share."""

    access: Access
    secrets: SecretStore
    plan: ProvincePlan
    connect: Connect
    check: bool
    progress: Progress
    allow: frozenset[str]
    window_s: int


@dataclass(frozen=True)
class _Device:
    """One device and what it must be told."""

    node: Node
    platform: Platform
    intended: dict[str, Lines]
    veil: Veil


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
) -> list[StepResult]:
    """Bring devices to their intent, or with `check` only say what would change.

    Args:
        plan: the province the nodes belong to.
        nodes: devices, begun in this order; nodes that are no devices are left out.
        allow: refusals of the guard that the operator overrides, each `<rule>@<node>`.
        window_s: how long a device waits for the confirmation.

    Returns:
        One result a device, in order; a device that fails stops no other.
    """
    shared = _Run(access, secrets, plan, connect or _over_ssh(access), check, progress, allow, window_s)
    devices = [node for node in nodes if node.device is not None and node.name in plan.nodes]
    if not devices:
        return []
    with ThreadPoolExecutor(DEVICES_AT_ONCE) as pool:
        return list(pool.map(lambda node: _one(shared, node), devices))


def _over_ssh(access: Access) -> Connect:
    from lienthong.transport.ssh import connect  # Netmiko's import takes its time

    return lambda node, dialect, veil: connect(access, node, dialect, veil)


def _one(shared: _Run, node: Node) -> StepResult:
    begun = time.monotonic()
    outcome: Outcome
    changes: tuple[str, ...] = ()
    try:
        outcome, changes, detail = _bring(shared, node)
    except Unreachable as error:
        outcome, detail = "unreachable", str(error)
    except LienThongError as error:
        outcome, detail = "failed", str(error)
    if detail and outcome not in {"changed", "unchanged"}:
        shared.progress(f"{node.name}: {outcome}: {detail.splitlines()[0]}")
    elif changes:
        shared.progress(f"{node.name}: {len(changes)} lines{' would change' if shared.check else ''}")
    return StepResult(
        node.name, STEP, "netmiko", outcome, changes, round(time.monotonic() - begun, 2), detail
    )


def _bring(shared: _Run, node: Node) -> tuple[Outcome, tuple[str, ...], str]:
    device = _device(shared, node)
    with _sessions(shared, device) as sessions:
        found = _compare(device, sessions)
        told = tuple(f"{name}: {line}" for name, change in found.items() for line in change.diff.told)
        if not told:
            return "unchanged", (), ""
        for change in found.values():
            wanted = frozenset(device.intended[change.dialect.name])
            after = future(change.running, change.diff)
            assert {line for line in after if change.dialect.owns(line, wanted)} == wanted
        guard.check(node.name, found, _management(shared, node), shared.allow)
        if shared.check:
            return "changed", told, "\n".join(told)
        undo = device.platform.undo
        if undo is None:
            raise Refused(f"{node.name}: platform {device.platform.name} cannot undo a change by itself")
        speaks = sessions[undo.dialect]
        begun = undo.pending(speaks)
        if begun:
            raise Refused(f"{node.name}: somebody else's change is not ended: {begun}", hint="end that first")
        access = shared.access
        window_s = undo.window(shared.window_s)
        undo.arm(speaks, Arming(window_s, access.root / "templates", access.network_user))
        try:
            for name, change in found.items():
                lines = change.dialect.commands(change.diff.removed, change.diff.added)
                if lines:
                    sessions[name].configure(lines, change.dialect.commit(window_s))
        except LienThongError as error:
            raise _returned(shared, device, error) from None
    _confirm(shared, device)
    return "changed", told, ""


def _confirm(shared: _Run, device: _Device) -> None:
    """On new connections: is everything intended in force? Then it may stay."""
    try:
        with _sessions(shared, device) as sessions:
            left = [
                f"{name}: {line}"
                for name, change in _compare(device, sessions).items()
                for line in change.diff.told
            ]
            if left:
                raise LienThongError(
                    f"{device.node.name}: not in force after the change: " + "; ".join(left[:5])
                )
            undo = device.platform.undo
            assert undo is not None
            undo.confirm(sessions[undo.dialect])
            for session in sessions.values():
                session.save()
    except LienThongError as error:
        raise _returned(shared, device, error) from None


def _returned(shared: _Run, device: _Device, error: LienThongError) -> LienThongError:
    """Return the device at once over a login of its own; what happened becomes part of the error."""
    try:
        undo = device.platform.undo
        assert undo is not None
        spoken = next(d for d in device.platform.dialects if d.name == undo.dialect)
        session = shared.connect(device.node, spoken, device.veil)
        try:
            said = undo.fire(session)
        finally:
            session.close()
    except LienThongError as second:
        return LienThongError(
            f"{error.what}; the device could not be returned now ({second.what})",
            hint=f"it returns by itself within {shared.window_s} s of the change",
        )
    return LienThongError(f"{error.what}; {said}", hint=error.hint)


def _device(shared: _Run, node: Node) -> _Device:
    intent: DeviceIntent | None = node.device
    assert intent is not None
    kind = platform(intent.platform)
    access = shared.access
    told = wanted(shared.plan, node, access.network_user, _public_key(access.key_file))
    intended = {d.name: render(told, kind, d, access.root / "templates") for d in kind.dialects}
    veil = Veil(shared.secrets, [line for lines in intended.values() for line in lines])
    return _Device(node, kind, intended, veil)


@contextmanager
def _sessions(shared: _Run, device: _Device) -> Iterator[dict[str, Session]]:
    """A login a dialect, all at once; ended together."""
    dialects = device.platform.dialects
    opened: dict[str, Session] = {}
    try:
        with ThreadPoolExecutor(len(dialects)) as pool:
            logins = {d.name: pool.submit(shared.connect, device.node, d, device.veil) for d in dialects}
        failed: BaseException | None = None
        for name, login in logins.items():
            failed = login.exception() or failed
            if login.exception() is None:
                opened[name] = login.result()
        if failed is not None:
            raise failed
        yield opened
    finally:
        for session in opened.values():
            session.close()


def _compare(device: _Device, sessions: dict[str, Session]) -> dict[str, Predicted]:
    found = {}
    for dialect in device.platform.dialects:
        running = dialect.parse(sessions[dialect.name].show(dialect.show))
        diff = compare(dialect, device.intended[dialect.name], running)
        found[dialect.name] = Predicted(dialect, running, diff)
    return found


def _public_key(key_file: Path) -> str:
    """The public half beside a private key: accounts on gear get it. Empty where there is none."""
    try:
        return key_file.with_name(key_file.name + ".pub").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _management(shared: _Run, node: Node) -> Management:
    access = shared.access
    live = access.target is Target.LIVE
    return Management(
        frozenset(access.management_interfaces),
        node.address if live else None,
        management_networks(shared.plan, node),
        access.network_user,
    )
