"""Serves simulated devices over SSH on loopback: many in one process, each with its port and its own time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import asyncssh

from lienthong.sim.box import Box
from lienthong.sim.faults import Fault
from lienthong.sim.session import Session

HOST = "127.0.0.1"
TICK_S = 0.05
#: Lines of its history that a device keeps: a day of drills must not fill memory.
KEPT = 5000


@dataclass(frozen=True)
class Door:
    """Where a device is reached."""

    host: str = HOST
    port: int | None = None
    """None: one that is free."""
    inside: Callable[[], AbstractContextManager[object]] = nullcontext
    """Where its sockets are made: a network namespace, for instance."""

    def hold(self) -> socket.socket:
        """A port that is this device's while it is up and while it is not: no other listener and no
        connection going out gets it, and nobody is let in by this socket itself."""
        with self.inside():
            if self.port is not None:
                return _bound(self.host, self.port)
            taken = socket.socket()
            try:
                taken.bind(
                    (self.host, 0)
                )  # without sharing: one that nobody has, not one that another shares
                port = taken.getsockname()[1]
            finally:
                taken.close()
            return _bound(self.host, port)

    def open(self, port: int) -> socket.socket:
        """A socket to listen on."""
        with self.inside():
            return _bound(self.host, port)


class Served:
    """One box behind a port. Its listener is there while the box would answer the controller, and only
    then."""

    def __init__(
        self, box: Box, source: IPv4Address, scale: float = 1.0, latency_s: float = 0.0, door: Door = Door()
    ) -> None:
        """`source` is the address the controller is taken to come from; `scale`: device seconds per real
        one."""
        self.door = door
        self.box = box
        self.source = source
        self.scale = scale
        self.latency_s = latency_s
        self.host_key: Any = asyncssh.generate_private_key("ssh-ed25519")
        self._held = door.hold()
        self.port: int = self._held.getsockname()[1]
        self.faults: list[Fault] = []
        self.struck: list[Fault] = []
        self.lines = 0
        """Lines that came since the faults were set."""
        self.history: deque[str] = deque(maxlen=KEPT)
        self.broken: deque[str] = deque(maxlen=20)
        """Where the simulation itself went wrong: never a behaviour of the device."""
        self.sessions: set[Session] = set()
        self._listener: Any = None
        self._served_key: Any = None
        self._then = time.monotonic()

    @property
    def public_key(self) -> str:
        """As it stands in known_hosts."""
        found: str = self.host_key.export_public_key().decode().strip()
        return found

    def set_faults(self, *faults: Fault) -> None:
        """From now on these strike, each once."""
        self.faults, self.struck, self.lines = list(faults), [], 0
        self.box.full = any(fault.kind == "flash-full" for fault in faults)

    def take(self, kind: str, at: int | None = None) -> Fault | None:
        """The fault of a kind that is due (at a line), taken off the list."""
        for fault in self.faults:
            if fault.kind == kind and (at is None or fault.at == at):
                self.faults.remove(fault)
                self.struck.append(fault)
                return fault
        return None

    def strike(self, kind: str) -> None:
        """Write down that a fault that lasts has struck."""
        self.struck += [fault for fault in self.faults if fault.kind == kind and fault not in self.struck]

    async def tick(self) -> None:
        """Let time pass, and open or close the door."""
        now = time.monotonic()
        self.box.pass_time((now - self._then) * self.scale)
        self._then = now
        open_ = self.box.up and self.box.answers(self.source)
        key = self._key()
        if self._listener is not None and (not open_ or key is not self._served_key):
            self._listener.close()
            self._listener = None
        if self._listener is None and open_:
            self._served_key = key
            self._listener = await asyncssh.listen(
                sock=self.door.open(self.port), server_factory=lambda: _Server(self), server_host_keys=[key],
                encoding="utf-8", line_editor=False, login_timeout=30,
            )  # fmt: skip
        for session in list(self.sessions):
            if session.shell.closed and not session.silent:
                session.drop()
            elif not open_:
                session.fall_silent()

    async def stop(self) -> None:
        """Take the door away."""
        if self._listener is not None:
            self._listener.close()
        for session in list(self.sessions):
            session.drop()
        self._held.close()

    def _key(self) -> Any:
        if any(fault.kind == "host-key" for fault in self.faults):
            self._other: Any = getattr(self, "_other", None) or asyncssh.generate_private_key("ssh-ed25519")
            return self._other
        return self.host_key


class _Server(asyncssh.SSHServer):
    """One connection: who may come in is what the box's running configuration says."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._user = ""

    def connection_made(self, conn: Any) -> None:
        box = self._served.box
        box.shells = [shell for shell in box.shells if not shell.closed]
        if any(fault.kind == "host-key" for fault in self._served.faults):
            self._served.strike("host-key")
        taken = next((fault for fault in self._served.faults if fault.kind == "lines-taken"), None)
        if taken is not None:
            self._served.faults.remove(taken)
            self._served.struck.append(taken)
            if taken.at > 1:
                self._served.faults.append(Fault("lines-taken", taken.at - 1))
        if taken is not None or len(box.shells) >= box.most_logins:
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        self._user = username.split("+", 1)[0]  # RouterOS takes settings of the terminal behind the name
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: Any) -> bool:  # noqa: ARG002
        fault = self._served.take("slow-login")
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        known = self._served.box.keys_of(self._user)
        offered = key.export_public_key().decode().split()[:2]
        return any(text.split()[:2] == offered for text in known)

    def session_requested(self) -> Any:
        shell = self._served.box.log_in(self._user)
        return False if shell is None else Session(self._served, shell)


def _bound(host: str, port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((host, port))
    return found
