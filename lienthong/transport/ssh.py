"""Sessions over SSH by Netmiko: host keys are verified always, login is by key only.

There is no way to turn the verification off: it is not a parameter of anything here.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address
from typing import TypeVar, cast

import paramiko
from netmiko import ConnectHandler
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException, ReadException

from lienthong.errors import Unreachable
from lienthong.platforms import Dialect
from lienthong.target import Access
from lienthong.transport import Rejected
from lienthong.transport.veil import Veil

E = TypeVar("E", bound=BaseException)
CONNECT_S = 8.0
ANSWER_S = 30.0
_STATUS = "lienthong-status="
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class SshSession:
    """One Netmiko connection; see :class:`lienthong.transport.Session`."""

    def __init__(self, name: str, connection: BaseConnection, dialect: Dialect, veil: Veil) -> None:
        self._name = name
        self._connection = connection
        self._dialect = dialect
        self._veil = veil
        self._errors = [re.compile(pattern, re.MULTILINE) for pattern in dialect.errors]
        # At the start of a line only: a description may say what it likes. Netmiko cuts long names.
        self._prompt = rf"(?:^|[\r\n]){re.escape(connection.base_prompt)}[^\s()#>]*(?:\([^)\r\n]*\))?[#>] ?$"

    def show(self, command: str) -> str:
        return self._shell(command) if self._is_shell else self._ask(command)

    def configure(self, lines: tuple[str, ...]) -> None:
        if self._is_shell:
            for line in lines:
                self._shell(line)
            return
        self._ask("configure terminal")
        try:
            for line in lines:
                self._ask(line)
        finally:
            # After a refusal vtysh stays in configuration mode, and a save from there would pass for one.
            if self._connection.is_alive():
                self._ask("end")

    def save(self) -> None:
        if self._dialect.save is None or self._dialect.saved is None:
            return
        said = self._ask(self._dialect.save)
        if self._dialect.saved not in said:
            raise Rejected(f"{self._name}: {self._dialect.save}: no {self._dialect.saved}: {said[-200:]}")

    def run(self, command: str, stdin: str = "", timeout_s: float = ANSWER_S) -> tuple[int, str]:
        client = cast(paramiko.SSHClient, self._connection.remote_conn_pre)
        try:
            into, out, _ = client.exec_command(command, timeout=timeout_s)
            out.channel.set_combine_stderr(True)
            into.write(stdin)
            into.channel.shutdown_write()
            said = out.read().decode("utf-8", "replace")
            return out.channel.recv_exit_status(), self._clean(said)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Unreachable(
                f"{self._name}: connection lost: {str(error) or type(error).__name__}"
            ) from None

    def close(self) -> None:
        try:
            if self._connection.remote_conn_pre is not None:
                self._connection.remote_conn_pre.close()  # no farewell: Netmiko's waits for one
        except (OSError, EOFError, paramiko.SSHException):
            pass

    @property
    def _is_shell(self) -> bool:
        return self._dialect.account == "automation"

    def _ask(self, line: str) -> str:
        """One line and its answer, up to the next prompt, without the echo."""
        said = self._exchange(self._veil.reveal(line), self._prompt)
        said = said.partition("\n")[2].rpartition("\n")[0]  # echo … prompt
        self._refuse(line, said)
        return said

    def _shell(self, command: str) -> str:
        """One shell command; a failing exit code is a refusal."""
        said = self._exchange(f'{self._veil.reveal(command)}; echo "{_STATUS}$?"', rf"{_STATUS}\d+")
        body, _, status = said.rpartition(_STATUS)
        body = body.partition("\n")[2]
        self._refuse(command, body)
        if status.strip().split()[0] != "0":
            raise Rejected(
                f"{self._name}: {command[:200]}: exit code {status.strip()}: {body.strip()[-400:]}"
            )
        return body

    def _exchange(self, text: str, until: str) -> str:
        try:
            self._connection.clear_buffer()
            self._connection.write_channel(text + "\n")
            return self._clean(self._connection.read_until_pattern(pattern=until, read_timeout=ANSWER_S))
        except (NetmikoBaseException, ReadException, paramiko.SSHException, OSError, EOFError) as error:
            why = self._clean(str(error)).strip().splitlines()
            raise Unreachable(
                f"{self._name}: connection lost: {why[0] if why else type(error).__name__}"
            ) from None

    def _refuse(self, line: str, said: str) -> None:
        for error in self._errors:
            found = error.search(said)
            if found:
                raise Rejected(f"{self._name}: refused {line[:200]!r}: {found[0].strip()[:400]}")

    def _clean(self, text: str) -> str:
        return self._veil.conceal(_CONTROL.sub("", text.replace("\r\n", "\n")))


def connect(access: Access, name: str, address: IPv4Address, dialect: Dialect, veil: Veil) -> SshSession:
    """Log in to one device.

    Raises:
        Unreachable: no connection, the host key is unknown or not the one on record, or the key is refused.
    """
    try:
        connection = ConnectHandler(
            device_type=dialect.device_type,
            host=str(address),
            username=access.network_user if dialect.account == "network" else access.user,
            use_keys=True,
            key_file=str(access.key_file),
            allow_agent=False,
            ssh_strict=True,
            system_host_keys=False,
            alt_host_keys=True,
            alt_key_file=str(access.known_hosts),
            sock=_socket(address),
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


def _socket(address: IPv4Address) -> socket.socket:
    found = socket.create_connection((str(address), 22), timeout=CONNECT_S)
    # Without it every line waits for the acknowledgement of the one before (Nagle).
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _changed_key(access: Access, name: str, error: paramiko.BadHostKeyException) -> Unreachable:
    return Unreachable(
        f"{name}: THE HOST KEY HAS CHANGED: got {error.key.fingerprint}, "
        f"on record is {error.expected_key.fingerprint}; nothing was sent",
        hint=f"find out why; if the device was replaced, put its new key into {access.known_hosts}",
    )
