"""Looks at one device: logins, one `show` a dialect, what it should be, and what differs. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lienthong.diff import compare
from lienthong.guard import Management, Predicted
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretStore
from lienthong.model.words import Target
from lienthong.plan.wanted import management_networks, wanted
from lienthong.platforms import Dialect, Lines, Platform, platform
from lienthong.render import render
from lienthong.target import Access
from lienthong.transport import Session
from lienthong.transport.veil import Veil

Progress = Callable[[str], None]
#: (node, stage, what belongs to it): what a journal keeps of a device on its way.
Record = Callable[[str, str, dict[str, object]], None]


class Connect(Protocol):
    """Opens a session on a node in a dialect; :func:`lienthong.transport.ssh.connect` for real devices."""

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
    intended: Mapping[str, Mapping[str, Lines]]
    """Lines by node and dialect that take the place of the plan's: what an undo returns to."""
    expected: Mapping[str, str]
    """Fingerprint by node that the device must still have: what a plan that was kept saw."""
    held: Callable[[Node], None]
    """Raises when this run may no longer change that node's site."""
    stopped: Callable[[], bool]
    """The operator has asked to stop: nothing new is begun."""


@dataclass(frozen=True)
class Device:
    """One device and what it must be told."""

    node: Node
    platform: Platform
    intended: Mapping[str, Lines]
    veil: Veil


def device_of(shared: Shared, node: Node) -> Device:
    """What a node must be told, with the secrets that it needs."""
    assert node.device is not None
    kind = platform(node.device.platform)
    if node.name in shared.intended:
        intended = shared.intended[node.name]
    else:
        access = shared.access
        told = wanted(shared.plan, node, access.network_user, _public_key(access.key_file))
        intended = {d.name: render(told, kind, d, access.root / "templates") for d in kind.dialects}
    veil = Veil(shared.secrets, [line for lines in intended.values() for line in lines])
    return Device(node, kind, intended, veil)


@contextmanager
def sessions(shared: Shared, device: Device) -> Iterator[dict[str, Session]]:
    """A login a dialect, all at once; ended together."""
    dialects = device.platform.dialects
    opened: dict[str, Session] = {}
    try:
        if len(dialects) == 1:
            opened[dialects[0].name] = shared.connect(device.node, dialects[0], device.veil)
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
        yield opened
    finally:
        for session in opened.values():
            session.close()


def look(device: Device, opened: Mapping[str, Session]) -> dict[str, Predicted]:
    """By dialect: what the device holds, and what stands between it and its intent."""
    found = {}
    for dialect in device.platform.dialects:
        running = dialect.parse(opened[dialect.name].show(dialect.show))
        found[dialect.name] = Predicted(
            dialect, running, compare(dialect, device.intended[dialect.name], running)
        )
    return found


def management(shared: Shared, node: Node) -> Management:
    """How the node is reached while it is changed."""
    access = shared.access
    by_plan = access.target is Target.LIVE or access.simulated
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
