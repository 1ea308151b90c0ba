"""One login on a simulated device, as its wire sees it: echo, whole lines, pages, what goes wrong there."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from typing import TYPE_CHECKING, Any

import asyncssh

from lienthong.sim.box import Shell

if TYPE_CHECKING:  # it serves logins; a login asks it for what is due
    from lienthong.sim.server import Served

#: Characters of one line; more is dropped.
LONGEST = 65536


class Session(asyncssh.SSHServerSession[str]):
    """One login: echoes, gives whole lines to the box's shell, prints what it says a page at a time."""

    def __init__(self, served: Served, shell: Shell) -> None:
        self._served = served
        self.shell = shell
        self._typed = ""
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self.silent = False
        """The connection stands and nothing comes any more."""
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
        for char in "" if self.silent else data:
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
            elif char.isprintable() and len(self._typed) < LONGEST:
                self._typed += char
            self._last = char

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002
        self._served.sessions.discard(self)
        self._end()

    def drop(self) -> None:
        """The device has ended this login, or has lost its power."""
        self._served.sessions.discard(self)
        self._end()
        with contextlib.suppress(Exception):
            self._channel.abort()
            self._channel.get_extra_info("connection").abort()

    def fall_silent(self) -> None:
        """What the device says does not arrive any more: the connection stands, nobody ends it."""
        self.silent = True
        self._end()

    def _end(self) -> None:
        if not self.shell.closed:
            self.shell.interrupted()
            self.shell.closed = True
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        while True:
            line = await self._queue.get()
            try:
                await self._one(line)
            except Exception:  # noqa: BLE001 - a mistake of a vendor's file ends one login, not the lab
                self._served.broken.append(f"{line!r}: {traceback.format_exc(limit=-3)}")
                self.drop()

    async def _one(self, line: str) -> None:
        served, box = self._served, self._served.box
        if self.silent:
            return
        served.lines += 1
        at = served.lines
        if self._struck_before(at):
            return
        served.strike("slow")
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
        if self.shell.closed or not box.up:
            if said and self.shell.closed:
                self._write(said.replace("\n", "\r\n"))
            await asyncio.sleep(0.05)
            self.drop()
            return
        if not box.answers(served.source):
            self.fall_silent()
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
            self.silent = True
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
