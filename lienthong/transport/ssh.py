"""Sessions over SSH by Netmiko: host keys are verified always, login is by key only.

There is no way to turn the verification off: it is not a parameter of anything here.
"""

from __future__ import annotations

import codecs
import re
import socket
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import TypeVar, cast

import paramiko
from netmiko import ConnectHandler
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException, ReadException

from lienthong.errors import Unreachable
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.target import Access
from lienthong.transport import Rejected
from lienthong.transport.veil import Veil

E = TypeVar("E", bound=BaseException)
CONNECT_S = 8.0
ANSWER_S = 30.0
_STATUS = "lienthong-status="
_STATUS_LINE = re.compile(rf"{_STATUS}\d+(?=\n)")
_CHUNK = 65536
#: Characters of one answer: the largest configurations met are some 2 MB.
_MOST = 16_000_000
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class SshSession:
    """One Netmiko connection; see :class:`lienthong.transport.Session`."""

    def __init__(self, name: str, connection: BaseConnection, dialect: Dialect, veil: Veil) -> None:
        self._name = name
        self._connection = connection
        self._dialect = dialect
        self._veil = veil
        self._errors = [re.compile(pattern, re.MULTILINE) for pattern in dialect.errors]
        self._prompt = re.compile(dialect.prompt(connection.base_prompt))
        self._check: Callable[[], None] = lambda: None

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
            if self._connection.is_alive():
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
        whole = self._read(self._prompt, answers)
        said = whole.partition("\n")[2].rpartition("\n")[0]  # echo … prompt
        self._refuse(line, said)
        return said

    def run(self, command: str, stdin: str = "", timeout_s: float = ANSWER_S) -> tuple[int, str]:
        client = cast(paramiko.SSHClient, self._connection.remote_conn_pre)
        self._check()
        try:
            into, out, _ = client.exec_command(command, timeout=timeout_s)
            out.channel.set_combine_stderr(True)
            into.write(stdin)
            into.channel.shutdown_write()
            said = out.read().decode("utf-8", "replace")
            return out.channel.recv_exit_status(), self._clean(said)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None

    def close(self) -> None:
        try:
            if self._connection.remote_conn_pre is not None:
                self._connection.remote_conn_pre.close()  # no farewell: Netmiko's waits for one
        except (OSError, EOFError, paramiko.SSHException):
            pass

    @property
    def _is_shell(self) -> bool:
        return self._dialect.account == "automation"

    def _batch(self, lines: tuple[str, ...]) -> None:
        """All lines in one write, one answer: nothing is in force before the commit."""
        assert self._dialect.batch is not None
        opening, end = self._dialect.batch
        self._write("\n".join([opening, *map(self._veil.reveal, lines), end]))
        self._refuse(opening, self._read(self._prompt))

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

    @property
    def _channel(self) -> paramiko.Channel:
        return cast(paramiko.Channel, self._connection.remote_conn)

    def watch(self, check: Callable[[], None]) -> None:
        self._check = check

    def _write(self, text: str) -> None:
        self._check()
        try:
            channel = self._channel
            while channel.recv_ready():
                channel.recv(_CHUNK)  # what came unasked, such as a log line
            channel.settimeout(ANSWER_S)
            channel.sendall((text + "\n").encode())
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None

    def _read(
        self, until: re.Pattern[str], answers: tuple[tuple[str, str], ...] = (), at_end: bool = True
    ) -> str:
        """What comes until a pattern is there; woken by what arrives, never by a clock.

        Args:
            at_end: the pattern must be the last that came, as a prompt is.
        """
        found, ends = "", time.monotonic() + ANSWER_S
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        asked = 0
        while True:
            text = _plain(found)
            hit = until.search(text)
            if hit is not None and (hit.end() == len(text) or not at_end):
                return self._veil.conceal(text[: hit.end()])
            for pattern, answer in answers:
                question = re.search(pattern, text[asked:])
                if question is not None:
                    asked = len(text)
                    self._channel.sendall((answer + "\n").encode())
            if len(found) > _MOST:
                raise Unreachable(f"{self._name}: answers without end")
            left = ends - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{self._name}: no answer within {ANSWER_S:.0f} s")
            found += self._receive(left, decoder)

    def _receive(self, left_s: float, decoder: codecs.IncrementalDecoder) -> str:
        try:
            self._channel.settimeout(left_s)
            data = self._channel.recv(_CHUNK)
        except TimeoutError:
            return ""
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None
        if not data:
            raise self._lost(EOFError("closed by the device"))
        return decoder.decode(data)

    def _lost(self, error: BaseException) -> Unreachable:
        why = self._clean(str(error)).strip().splitlines()
        return Unreachable(f"{self._name}: connection lost: {why[0] if why else type(error).__name__}")

    def _refuse(self, line: str, said: str) -> None:
        for error in self._errors:
            found = error.search(said)
            if found:
                raise Rejected(f"{self._name}: refused {line[:200]!r}: {found[0].strip()[:400]}")

    def _clean(self, text: str) -> str:
        return self._veil.conceal(_plain(text))


def _plain(text: str) -> str:
    """Without what would act on a terminal; a lone carriage return only goes back over the line."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def connect(access: Access, node: Node, dialect: Dialect, veil: Veil) -> SshSession:
    """Log in to one device.

    Raises:
        Unreachable: no connection, the host key is unknown or not the one on record, or the key is refused.
    """
    name, address, port = node.name, access.address(node), access.port(node)
    try:
        connection = ConnectHandler(
            device_type=dialect.device_type,
            host=str(address),
            port=port,
            username=access.network_user if dialect.account == "network" else access.user,
            use_keys=True,
            key_file=str(access.key_file),
            allow_agent=False,
            ssh_strict=True,
            system_host_keys=False,
            alt_host_keys=True,
            alt_key_file=str(access.known_hosts),
            sock=_socket(address, port),
            conn_timeout=CONNECT_S,
            auth_timeout=CONNECT_S,
            banner_timeout=CONNECT_S,
            auto_connect=True,
        )
    except NetmikoAuthenticationException:
        raise Unreachable(
            f"{name}: the key {access.key_file} is refused", hint="no second attempt is made"
        ) from None
    except (NetmikoBaseException, ReadException, paramiko.SSHException, OSError, EOFError) as error:
        wrong = _cause(error, paramiko.BadHostKeyException)
        if wrong is not None:
            raise _changed_key(access, name, wrong) from None
        text = " ".join(str(_cause(error, paramiko.SSHException) or error).split())
        if "not found in known_hosts" in text:
            raise Unreachable(
                f"{name}: no host key is on record for {address}",
                hint=f"compare its fingerprint by another way, then add it to {access.known_hosts}",
            ) from None
        raise Unreachable(f"{name}: {text[:300] or type(error).__name__}") from None
    return SshSession(name, connection, dialect, veil)


def _cause(error: BaseException | None, kind: type[E]) -> E | None:
    """What Netmiko has wrapped: the first of that kind among an error and what led to it."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _socket(address: IPv4Address, port: int) -> socket.socket:
    found = socket.create_connection((str(address), port), timeout=CONNECT_S)
    # Without it every line waits for the acknowledgement of the one before (Nagle).
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _changed_key(access: Access, name: str, error: paramiko.BadHostKeyException) -> Unreachable:
    return Unreachable(
        f"{name}: THE HOST KEY HAS CHANGED: got {error.key.fingerprint}, "
        f"on record is {error.expected_key.fingerprint}; nothing was sent",
        hint=f"find out why; if the device was replaced, put its new key into {access.known_hosts}",
    )
