"""The lock that counts: a lease on each site's own gateway, so that two laptops exclude each other.

It has an end, so that a laptop that dies locks nobody out; it is refreshed while the run lasts and asked
before everything that is sent. A process that slept past its lease learns that before it sends anything.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lienthong.errors import LienThongError, Unreachable
from lienthong.lease import Locked, gateway
from lienthong.model.intent import Node, ProvincePlan
from lienthong.openssh import ways
from lienthong.target import Access

LEASE_S = 30.0
#: The gateway's answer may be this late; so long before the end nothing is sent any more.
MARGIN_S = 5.0
_ANSWER_S = 20.0


class Lost(LienThongError):
    """This run no longer holds the site; it sends nothing more there."""


class Held:
    """A lease that this process holds on one gateway, over one connection."""

    def __init__(
        self, access: Access, node: Node, owner: str, instead: int | None = None, seconds: float = LEASE_S
    ) -> None:
        """Take it; `instead` is the fencing number of a run of this checkout's own that is dead.

        Raises:
            Locked: another controller holds it; by name, and for how long still.
            Unreachable: the gateway cannot be asked.
        """
        self.node = node
        self._seconds = seconds
        self._lock = threading.Lock()
        program = base64.b64encode(Path(gateway.__file__).read_bytes()).decode()
        start = f'import base64; exec(base64.b64decode("{program}"))'
        self._ways = ways(access, {node.name: access.address(node)}, shared=False, deaf=True)
        words = ("/usr/bin/python3", "-I", "-c", start)
        self._process = self._ways.start(node.name, words, stdin=subprocess.PIPE)
        try:
            asked = time.monotonic()
            said = self._ask({"do": "take", "owner": owner, "seconds": seconds, "instead": instead})
        except BaseException:
            self._end()
            raise
        if "fence" not in said:
            self._end()
            raise Locked(
                f"{node.site}: {said.get('owner', 'somebody')} is at work there",
                hint=f"their lease on {node.name} ends in {said.get('left', '?')} s unless they go on",
            )
        self.fence = int(said["fence"])
        self._until = asked + seconds

    def check(self) -> None:
        """Ask whether this run still holds the site.

        Raises:
            Lost: it does not.
        """
        if time.monotonic() > self._until - self._seconds / 3:
            self.refresh()

    def refresh(self) -> None:
        """Hold it for the whole length again.

        Raises:
            Lost: somebody else holds it, it has run out, or the gateway could not be asked.
        """
        asked = time.monotonic()
        try:
            said = self._ask({"do": "refresh", "fence": self.fence, "seconds": self._seconds})
        except Unreachable as error:
            if time.monotonic() < self._until - MARGIN_S:
                return  # it is still ours for a while; the change itself may have shaken the line
            raise Lost(f"{self.node.site}: its lease cannot be asked any more: {error.what}") from None
        if "fence" not in said:
            raise Lost(
                f"{self.node.site}: this run no longer holds the site: {said.get('lost', 'it is gone')}"
            )
        self._until = asked + self._seconds

    def release(self) -> None:
        """Give it back; what cannot be given back runs out."""
        with suppress(LienThongError):
            self._ask({"do": "release", "fence": self.fence})
        self._end()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            into, out = self._process.stdin, self._process.stdout
            assert into is not None
            assert out is not None
            timer = threading.Timer(_ANSWER_S, self._process.kill)
            timer.start()
            try:
                into.write(json.dumps(question) + "\n")
                into.flush()
                line = out.readline()
                found = json.loads(line) if line else None
            except (OSError, ValueError):
                found = None
            finally:
                timer.cancel()
        if not isinstance(found, dict):
            raise Unreachable(f"{self.node.name}: the lease cannot be asked")
        return found

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._ways.close()


class Leases:
    """All leases of a run, refreshed in the background."""

    def __init__(self, held: Iterable[Held]) -> None:
        self._held = list(held)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._thread.start()

    @property
    def fences(self) -> dict[str, int]:
        """The fencing number of every lease, by the node that keeps it."""
        return {held.node.name: held.fence for held in self._held}

    def check(self, node: Node) -> None:
        """Raise :class:`Lost` unless this run may still change that node's site."""
        for held in self._held:
            if (held.node.site, held.node.side) == (node.site, node.side):
                held.check()

    def end(self) -> None:
        """Give all back."""
        self._ended.set()
        self._thread.join(_ANSWER_S + 1)
        for held in self._held:
            held.release()

    def _keep(self) -> None:
        while not self._ended.wait(LEASE_S / 4):
            for held in self._held:
                with suppress(LienThongError):  # who is about to send asks anew, and is told
                    held.refresh()


@contextmanager
def leased(
    access: Access, plan: ProvincePlan, nodes: Iterable[Node], instead: Mapping[str, int] | None = None
) -> Iterator[Leases]:
    """Hold every site of these nodes, each side on its own gateway.

    Beside the gateway a second Debian system of that side keeps the same lease, and all that answer must
    grant it: so two controllers exclude each other also where one of them does not reach the gateway, or
    where that is gear which cannot keep a lease.

    Args:
        instead: fencing numbers by node of a run of this checkout that was cut off: nobody waits for the
        dead.

    Raises:
        Locked: another controller is at work on one of them; none is held then.
    """
    taken: list[Held] = []
    owner = f"{os.environ.get('SUDO_USER') or os.environ.get('USER') or 'root'} on {socket.gethostname()}"
    owner += f", process {os.getpid()}"
    try:
        sides = sorted({(node.site, node.side.value) for node in nodes})
        asked = [node for site, side in sides for node in keepers(access, plan, site, side)]
        with ThreadPoolExecutor(16) as pool:
            jobs = [pool.submit(Held, access, node, owner, (instead or {}).get(node.name)) for node in asked]
        failed: BaseException | None = None
        for job in jobs:
            error = job.exception()
            if error is None:
                taken.append(job.result())
            elif not isinstance(error, Unreachable):
                failed = failed or error
        if failed is not None:
            raise failed
    except BaseException:
        for held in taken:
            held.release()
        raise
    leases = Leases(taken)
    try:
        yield leases
    finally:
        leases.end()


def keepers(access: Access, plan: ProvincePlan, site: str, side: str) -> list[Node]:
    """Who keeps the lease of one side of a site: its gateway and one more, as far as they are Debian
    systems."""
    mine = [
        node
        for node in plan.sites[site].nodes.values()
        if node.side.value == side and node.debian and access.reaches(node)
    ]
    return sorted(mine, key=lambda node: (not node.is_gateway, not node.is_switch, node.name))[:2]
