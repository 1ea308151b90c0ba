"""Serves simulated devices over SSH on loopback: many in one process, each with its port and its own time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from ipaddress import IPv4Address
from typing import Any

import asyncssh

from lienthong.sim.box import Box, Shell
from lienthong.sim.faults import Fault

HOST = "127.0.0.1"
TICK_S = 0.05


class Served:
    """One box behind a port. Its listener is there while the box would answer the controller, and only
    then."""

    def __init__(self, box: Box, source: IPv4Address, scale: float = 1.0, latency_s: float = 0.0) -> None:
        """`source` is the address the controller is taken to come from; `scale`: device seconds per real
        one."""
        self.box = box
        self.source = source
        self.scale = scale
        self.latency_s = latency_s
        self.host_key: Any = asyncssh.generate_private_key("ssh-ed25519")
        self.port = _free_port()
        self.faults: list[Fault] = []
        self.struck: list[Fault] = []
        self.lines = 0
        """Lines that came since the faults were set."""
        self.history: list[str] = []
        self.sessions: set[_Session] = set()
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
                HOST, self.port, server_factory=lambda: _Server(self), server_host_keys=[key],
                reuse_address=True, encoding="utf-8", line_editor=False, login_timeout=30,
            )  # fmt: skip
        for session in list(self.sessions):
            if not open_ or session.shell.closed:
                session.drop()

    async def stop(self) -> None:
        """Take the door away."""
        if self._listener is not None:
            self._listener.close()
        for session in list(self.sessions):
            session.drop()

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
        return False if shell is None else _Session(self._served, shell)


class _Session(asyncssh.SSHServerSession[str]):
    """One login: echoes, gives whole lines to the box's shell, prints what it says a page at a time."""

    def __init__(self, served: Served, shell: Shell) -> None:
        self._served = served
        self.shell = shell
        self._typed = ""
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._silent = False
        self._paged: list[str] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._last = ""

    def connection_made(self, chan: Any) -> None:
        self._channel = chan

    def pty_requested(self, *_: Any) -> bool:
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._served.sessions.add(self)
        self._write(f"\r\n{self.shell.prompt()}")
        self._worker = asyncio.get_running_loop().create_task(self._work())

    def data_received(self, data: str, datatype: Any) -> None:  # noqa: ARG002
        for char in data:
            if self._paged is not None:
                self._turn(char)
            elif char in "\r\n":
                if char == "\n" and self._last == "\r":
                    self._last = char
                    continue
                self._queue.put_nowait(self._typed)
                self._typed = ""
            elif char == "\x15":
                self._typed = ""
            elif char in "\x03\x04\x18":
                self._queue.put_nowait(char if not self._typed else self._typed + char)
                self._typed = ""
            elif char in "\x7f\b":
                self._typed = self._typed[:-1]
            elif char.isprintable():
                self._typed += char
            self._last = char

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002
        self._end()

    def drop(self) -> None:
        """The device has ended this login, or cannot be reached any more."""
        self._end()
        with contextlib.suppress(Exception):
            self._channel.abort()
            self._channel.get_extra_info("connection").abort()

    def _end(self) -> None:
        self._served.sessions.discard(self)
        if not self.shell.closed:
            self.shell.interrupted()
            self.shell.closed = True
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        while True:
            line = await self._queue.get()
            await self._one(line)

    async def _one(self, line: str) -> None:
        served, box = self._served, self._served.box
        if self._silent:
            return
        served.lines += 1
        at = served.lines
        if self._struck_before(at):
            return
        slow = next((fault for fault in served.faults if fault.kind == "slow"), None)
        await asyncio.sleep(served.latency_s + (slow.seconds if slow else 0))
        self._write(f"{line}\r\n")
        if served.take("reject", at):
            said = self.shell.line("lienthong-knows-no-such-word")
        else:
            said = self.shell.line(line)
            served.history.append(line)
        if served.take("cut-after", at):
            self.drop()
            return
        if self.shell.closed or not box.up or not box.answers(served.source):
            if said and self.shell.closed:
                self._write(said.replace("\n", "\r\n"))
            await asyncio.sleep(0.05)
            self.drop()
            return
        if served.take("log-line", at):
            head, cut, tail = said.partition("\n")
            said = f"{head}{cut}*Nov 23 07:00:00: %SYS-5-NOTICE: something happened\n{tail}"
        self._print(said)
        if served.take("log-prompt", at):
            self._write("\r\n*Nov 23 07:00:00: %SYS-5-NOTICE: something happened\r\n")

    def _struck_before(self, at: int) -> bool:
        served = self._served
        if served.take("cut-before", at):
            self.drop()
            return True
        if served.take("reboot", at):
            served.box.reboot()
            self.drop()
            return True
        if served.take("freeze", at):
            self._silent = True
            return True
        jump = served.take("clock", at)
        if jump is not None:
            served.box.pass_time(jump.seconds)
            if self.shell.closed or not served.box.up:
                self.drop()
                return True
        return False

    def _print(self, said: str) -> None:
        lines = said.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        page = self.shell.page
        if page and len(lines) >= page:
            self._paged = lines
            self._more()
            return
        self._write("".join(f"{line}\r\n" for line in lines) + self.shell.prompt())

    def _more(self) -> None:
        assert self._paged is not None
        count = max(self.shell.page - 1, 1)
        now, self._paged = self._paged[:count], self._paged[count:]
        self._write("".join(f"{line}\r\n" for line in now))
        if self._paged:
            self._write(self.shell.more)
        else:
            self._paged = None
            self._write(self.shell.prompt())

    def _turn(self, char: str) -> None:
        self._write("\r" + " " * len(self.shell.more) + "\r")
        if char in "qQ\x03":
            self._paged = None
            self._write(self.shell.prompt())
        else:
            self._more()

    def _write(self, text: str) -> None:
        for fault in self._served.faults:
            if fault.kind == "cut-byte" and fault.at <= len(text):
                with contextlib.suppress(Exception):
                    self._channel.write(text[: fault.at])
                self._served.take("cut-byte")
                self.drop()
                return
        with contextlib.suppress(Exception):
            self._channel.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        found: int = probe.getsockname()[1]
        return found
