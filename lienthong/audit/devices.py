"""Asks gear by its command line, for checks: one login a device, one `show` a dialect. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from lienthong.facts.gear import GearFacts
from lienthong.guard import reach
from lienthong.model.intent import Node
from lienthong.plan.wanted import sockets
from lienthong.runners.look import Connect, Shared, device_of, look, sessions
from lienthong.workspace import Workspace

AT_ONCE = 32


class Devices:
    """The devices of one run of checks; each is asked once, when first wanted or when told to start early."""

    def __init__(self, ws: Workspace, connect: Connect | None = None) -> None:
        """`connect` is how a device is reached; by SSH where it is None."""
        self._ws = ws
        self._connect = connect
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gear")
        self._jobs: dict[str, Future[GearFacts]] = {}
        self._lock = Lock()

    def start(self, nodes: Iterable[Node]) -> None:
        """Begin to ask these; does not wait."""
        for node in nodes:
            self._job(node)

    def of(self, node: Node) -> GearFacts:
        """What a device says of itself.

        Raises:
            Unreachable: no login.
            LienThongError: what it answered is no configuration.
        """
        return self._job(node).result()

    def close(self) -> None:
        """Let no thread start another login."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _job(self, node: Node) -> Future[GearFacts]:
        with self._lock:
            if node.name not in self._jobs:
                self._jobs[node.name] = self._pool.submit(
                    facts, self._ws, node, self._connect or _over_ssh(self._ws)
                )
            return self._jobs[node.name]


def facts(ws: Workspace, node: Node, connect: Connect) -> GearFacts:
    """One device, over a login of its own."""
    shared = _looking(ws, connect)
    device = device_of(shared, node)
    assert node.device is not None
    with sessions(shared, device) as opened:
        found = look(device, opened)
    named = ws.plan.sites[node.site].site.devices[node.short].sockets
    running = {name: part.running for name, part in found.items()}
    return GearFacts(
        node.name, running, reach(running, found), sockets(named, device.platform.hardware(node.device.model))
    )


def _looking(ws: Workspace, connect: Connect) -> Shared:
    return Shared(
        access=ws.access, secrets=ws.secrets, plan=ws.plan, connect=connect,
        check=True,  # it only looks
        progress=lambda _: None, record=lambda *_: None, allow=frozenset(), window_s=0, exact={}, expected={},
        held=lambda _: None, stopped=lambda: False,
    )  # fmt: skip


def _over_ssh(ws: Workspace) -> Connect:
    from lienthong.transport.login import connect  # Netmiko's import takes its time

    return lambda node, dialect, veil: connect(ws.access, node, dialect, veil)
