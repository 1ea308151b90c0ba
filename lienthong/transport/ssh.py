"""One session on a device over an SSH connection that Netmiko has made; see
:mod:`lienthong.transport.login`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import paramiko
from netmiko.base_connection import BaseConnection

from lienthong.errors import Unreachable
from lienthong.platforms import Dialect
from lienthong.transport import Rejected
from lienthong.transport.reading import ANSWER_S, Reader, plain
from lienthong.transport.recording import recording
from lienthong.transport.unheard import limit
from lienthong.transport.veil import Veil

#: Prompts that were on their way when a line was sent; more than a few are no accident.
_STALE = 5
_STATUS = "lienthong-status="
_STATUS_LINE = re.compile(rf"{_STATUS}\d+(?=\n)")


class SshSession:
    """One Netmiko connection; see :class:`lienthong.transport.Session`."""

    def __init__(
        self,
        name: str,
        connection: BaseConnection,
        dialect: Dialect,
        veil: Veil,
        folder: Path | None = None,
    ) -> None:
        """`folder`: where what is said is kept; None keeps nothing."""
        self._name = name
        self._connection = connection
        self._dialect = dialect
        self._veil = veil
        self._errors = [re.compile(pattern, re.MULTILINE) for pattern in dialect.errors]
        self._prompt = re.compile(dialect.prompt(connection.base_prompt))
        self._reader = Reader(cast(paramiko.Channel, connection.remote_conn), self._lost, name)
        if folder is not None:
            self._reader.record = recording(folder, name, dialect.name, veil.conceal)
            self._reader.record("<", f"[login, {connection.base_prompt}]")

    def show(self, command: str) -> str:
        return self._shell(command) if self._is_shell else self.ask(command)

    def configure(self, lines: tuple[str, ...], commit: tuple[str, ...] = ()) -> None:
        if self._is_shell:
            for line in (*lines, *commit):
                self._shell(line)
            return
        dialect = self._dialect
        for line in dialect.enter:
            self.ask(line)
        try:
            if dialect.batch and lines:
                self._batch(lines)
            else:
                for line in lines:
                    self.ask(line, dialect.answers)
            for line in commit:
                self.ask(line, dialect.answers)
        finally:
            # After a refusal a device stays in configuration mode, and a save from there would pass for one.
            if self._alive:
                for line in dialect.leave:
                    self.ask(line, dialect.answers)

    def save(self) -> None:
        if self._dialect.save is None or self._dialect.saved is None:
            return
        said = self.ask(self._dialect.save, self._dialect.answers)
        if self._dialect.saved not in said:
            raise Rejected(f"{self._name}: {self._dialect.save}: no {self._dialect.saved}: {said[-200:]}")

    def ask(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:
        """One line and its answer, up to the next prompt, without the echo."""
        self._write(self._veil.reveal(line))
        said = self._answer(line, answers)
        self._refuse(line, said)
        return said

    def run(self, command: str, stdin: str = "", timeout_s: float = ANSWER_S) -> tuple[int, str]:
        client = cast(paramiko.SSHClient, self._connection.remote_conn_pre)
        self._reader.check()
        self._reader.record(">", f"$ {command}\n{stdin}".rstrip())
        try:
            into, out, _ = client.exec_command(command, timeout=timeout_s)
            out.channel.set_combine_stderr(True)
            into.write(stdin)
            into.channel.shutdown_write()
            said = out.read().decode("utf-8", "replace")
            status = out.channel.recv_exit_status()
            self._reader.record("<", f"{self._clean(said)}[exit code {status}]")
            return status, self._clean(said)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None

    def close(self) -> None:
        try:
            if self._connection.remote_conn_pre is not None:
                self._connection.remote_conn_pre.close()  # no farewell: Netmiko's waits for one
        except (OSError, EOFError, paramiko.SSHException):
            pass

    @property
    def _alive(self) -> bool:
        # Netmiko asks by sending a NUL, which becomes part of the next line.
        client = cast(paramiko.SSHClient, self._connection.remote_conn_pre)
        transport = client.get_transport() if client is not None else None
        return transport is not None and transport.is_active()

    @property
    def _is_shell(self) -> bool:
        return self._dialect.account == "automation"

    def _batch(self, lines: tuple[str, ...]) -> None:
        """All lines in one write, one answer: nothing is in force before the commit."""
        assert self._dialect.batch is not None
        opening, end = self._dialect.batch
        self._write("\n".join([opening, *map(self._veil.reveal, lines), end]))
        self._refuse(opening, self._answer(opening))

    def _answer(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:
        """What stands between the echo of the line and the next prompt.

        A prompt without anything before it is no answer, since every console repeats what it is told: it was
        on its way when the line was sent. Taken for an answer, a device would seem to hold nothing.
        """
        for _ in range(_STALE):
            whole = self._read(self._prompt, answers).lstrip("\n")
            told = [one.strip() for one in whole.split("\n") if one.strip()]
            if not line or any(one != told[-1] for one in told):
                return whole.partition("\n")[2].rpartition("\n")[0]
        raise Unreachable(f"{self._name}: nothing but prompts came in answer to {line[:80]!r}")

    def _shell(self, command: str) -> str:
        """One shell command; a failing exit code is a refusal."""
        self._write(f'{self._veil.reveal(command)}; echo "{_STATUS}$?"')
        said = self._read(_STATUS_LINE, at_end=False)
        body, _, status = said.rpartition(_STATUS)
        body = body.partition("\n")[2]
        self._refuse(command, body)
        if status.strip().split()[0] != "0":
            raise Rejected(
                f"{self._name}: {command[:200]}: exit code {status.strip()}: {body.strip()[-400:]}"
            )
        return body

    def watch(self, check: Callable[[], None], unheard_s: float | None = None) -> None:
        self._reader.check = check
        if unheard_s is not None:
            limit(cast(paramiko.SSHClient, self._connection.remote_conn_pre), unheard_s)

    def _write(self, text: str) -> None:
        self._reader.drain()
        self._reader.send(text)

    def _read(
        self, until: re.Pattern[str], answers: tuple[tuple[str, str], ...] = (), at_end: bool = True
    ) -> str:
        return self._veil.conceal(self._reader.until(until, answers, at_end))

    def _lost(self, error: BaseException) -> Unreachable:
        why = self._clean(str(error)).strip().splitlines()
        self._reader.record("<", "[connection lost]")
        return Unreachable(f"{self._name}: connection lost: {why[0] if why else type(error).__name__}")

    def _refuse(self, line: str, said: str) -> None:
        for error in self._errors:
            found = error.search(said)
            if found:
                raise Rejected(f"{self._name}: refused {line[:200]!r}: {found[0].strip()[:400]}")

    def _clean(self, text: str) -> str:
        return self._veil.conceal(plain(text))
