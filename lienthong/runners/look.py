"""Looks at one device: logins, one `show` a dialect, what it should be, and what differs. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lienthong.diff import Diff, compare
from lienthong.guard import Management, Predicted
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import Target
from lienthong.plan.endpoint import endpoint_wanted
from lienthong.plan.wanted import management_networks, wanted
from lienthong.platforms import Dialect, Line, Lines, Platform, platform
from lienthong.render import render, render_endpoint
from lienthong.runners.evidence import Witness
from lienthong.target import Access
from lienthong.transport import Session
from lienthong.transport.veil import Veil

Progress = Callable[[str], None]
#: (node, stage, what belongs to it): what a journal keeps of a device on its way.
Record = Callable[[str, str, dict[str, object]], None]


class Connect(Protocol):
    """Opens a session on a node in a dialect; :func:`lienthong.transport.login.connect` for real devices."""

    def __call__(self, node: Node, dialect: Dialect, veil: Veil) -> Session: ...


@dataclass(frozen=True)
class Shared:
    """What all devices of one run share."""

    access: Access
    secrets: SecretStore
    plan: ProvincePlan
    connect: Connect
    check: bool
    progress: Progress
    record: Record
    allow: frozenset[str]
    window_s: int
    exact: Mapping[str, Mapping[str, Diff]]
    """Differences by node and dialect that are made instead of the way to the plan: what an undo takes
    back."""
    expected: Mapping[str, str]
    """Fingerprint by node that the device must still have: what a plan that was kept saw."""
    held: Callable[[Node], None]
    """Raises when this run may no longer change that node's site."""
    stopped: Callable[[], bool]
    """The operator has asked to stop: nothing new is begun."""
    unsaved: frozenset[str] = frozenset()
    """Nodes that hold a change which an earlier run confirmed and could not save."""
    doubted: Callable[[Node], bool] = lambda node: False  # noqa: ARG005
    """Whether it is not known that the last change of a device was confirmed: then it is asked."""
    witness: Witness | None = None
    """Asks the checks of a site before and after a device of it is changed; None where nobody can."""
    alone: bool = False
    """This run holds the lease of every site: what a dead run left armed may be returned."""


@dataclass(frozen=True)
class Device:
    """One device and what it must be told."""

    node: Node
    platform: Platform
    intended: Mapping[str, Lines]
    veil: Veil
    exact: Mapping[str, Diff] | None = None
    """By dialect: exactly this is to be done, whatever is intended."""


def kind_of(node: Node) -> Platform | None:
    """What kind of gear or endpoint a node is; None for a host that is a Debian system."""
    name = node.device.platform if node.device is not None else node.platform
    return platform(name) if name is not None else None


def speaks(node: Node) -> bool:
    """Whether a node has a command line of its own that the plan writes to."""
    kind = kind_of(node)
    return kind is not None and bool(kind.dialects)


def device_of(shared: Shared, node: Node) -> Device:
    """What a node must be told, with the secrets that it needs."""
    kind = kind_of(node)
    assert kind is not None
    access, templates = shared.access, shared.access.root / "templates"
    if node.device is None:
        endpoint = endpoint_wanted(shared.plan, node)
        intended = {d.name: render_endpoint(endpoint, kind, d, templates) for d in kind.dialects}
    else:
        told = wanted(shared.plan, node, access.network_user, _public_key(access.key_file))
        intended = {d.name: render(told, kind, d, templates) for d in kind.dialects}
    exact = shared.exact.get(node.name)
    named = [line for lines in intended.values() for line in lines]
    named += [line for diff in (exact or {}).values() for line in (*diff.added, *diff.removed)]
    return Device(node, kind, intended, Veil(shared.secrets, named), exact)


@contextmanager
def sessions(shared: Shared, device: Device) -> Iterator[dict[str, Session]]:
    """A login a dialect, all at once; ended together."""
    dialects = device.platform.dialects
    opened: dict[str, Session] = {}
    try:
        if len(dialects) == 1:
            opened[dialects[0].name] = shared.connect(device.node, dialects[0], device.veil)
            _watched(shared, device, opened)
            yield opened
            return
        with ThreadPoolExecutor(len(dialects)) as pool:
            logins = {d.name: pool.submit(shared.connect, device.node, d, device.veil) for d in dialects}
        failed: BaseException | None = None
        for name, login in logins.items():
            failed = login.exception() or failed
            if login.exception() is None:
                opened[name] = login.result()
        if failed is not None:
            raise failed
        _watched(shared, device, opened)
        yield opened
    finally:
        for session in opened.values():
            session.close()


def _watched(shared: Shared, device: Device, opened: Mapping[str, Session]) -> None:
    """A run that changes something sends nothing to a site that it no longer holds."""
    if not shared.check:
        for session in opened.values():
            session.watch(lambda: shared.held(device.node))


def look(device: Device, opened: Mapping[str, Session]) -> dict[str, Predicted]:
    """By dialect: what the device holds, and what stands between it and its intent."""
    found = {}
    for dialect in device.platform.dialects:
        running = dialect.parse(opened[dialect.name].show(dialect.show))
        if device.exact is None:
            diff = compare(dialect, device.intended[dialect.name], running)
        else:
            diff = _what_is_left(device.exact.get(dialect.name), running)
        found[dialect.name] = Predicted(dialect, running, diff)
    return found


def _what_is_left(exact: Diff | None, running: Lines) -> Diff:
    """As much of a difference as has not been made yet."""
    if exact is None:
        return Diff((), (), len(running))
    # By their text: a dialect may have lines of its own kind for what a device encrypts, a journal has not.
    held = {_text(line): line for line in running}
    return Diff(
        tuple(held[_text(line)] for line in exact.removed if _text(line) in held),
        tuple(line for line in exact.added if _text(line) not in held),
        len(running),
    )


def _text(line: Line) -> Line:
    return tuple(str(part) for part in line)


def predicted_right(device: Device, part: Predicted) -> bool:
    """Whether the change, as predicted, leads exactly to what is wanted, and touches nothing else."""
    if device.exact is not None:
        after = frozenset(part.after)
        return after >= frozenset(part.diff.added) and not after & frozenset(part.diff.removed)
    wanted = frozenset(device.intended[part.dialect.name])
    return {line for line in part.after if part.dialect.owns(line, wanted)} == wanted


def management(shared: Shared, node: Node) -> Management:
    """How the node is reached while it is changed."""
    access = shared.access
    by_plan = access.target is Target.LIVE or access.simulated or node.name in access.acted
    return Management(
        frozenset(access.management_interfaces),
        node.address if by_plan else None,
        management_networks(shared.plan, node),
        access.network_user,
    )


def _public_key(key_file: Path) -> str:
    """The public half beside a private key: accounts on gear get it. Empty where there is none."""
    try:
        return key_file.with_name(key_file.name + ".pub").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
