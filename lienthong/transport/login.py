"""Logs in over SSH by Netmiko: host keys are verified always, login is by key only.

There is no way to turn the verification off: it is not a parameter of anything here.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import paramiko
from netmiko import BaseConnection, ConnectHandler
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException, ReadException

from lienthong import jump
from lienthong.errors import Unreachable
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.target import Access
from lienthong.transport.ssh import SshSession
from lienthong.transport.veil import Veil

E = TypeVar("E", bound=BaseException)
CONNECT_S = 8.0
#: Logins under way at a time: AAA servers answer one after the other, and key exchange costs processor.
#: One ends with the authentication; the first answers of a slow device are waited for beside others.
LOGINS_AT_ONCE = 32
_LOGINS = threading.BoundedSemaphore(LOGINS_AT_ONCE)
#: Before a busy device is asked again.
PAUSES_S = (1.0, 2.0, 4.0)


class Busy(Unreachable):
    """The device has no line free at this moment."""


def connect(access: Access, node: Node, dialect: Dialect, veil: Veil) -> SshSession:
    """Log in to one device.

    A device whose lines are all taken is asked again, after a while; a refused key never is.

    Raises:
        Unreachable: no connection, the host key is unknown or not the one on record, or the key is refused.
    """
    for pause_s in (*PAUSES_S, None):
        try:
            return _connect(access, node, dialect, veil)
        except Busy as error:
            # Every VTY line is taken, or the server that is asked about logins is slow: others will be done.
            if pause_s is None:
                raise Unreachable(error.what) from None
            time.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - not two at the same moment again
    raise AssertionError


def _connect(access: Access, node: Node, dialect: Dialect, veil: Veil) -> SshSession:
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
            conn_timeout=CONNECT_S,
            auth_timeout=CONNECT_S,
            banner_timeout=CONNECT_S,
            auto_connect=False,
        )
        _take_turns(connection, lambda: jump.connect(access, address, port, CONNECT_S))
        _open(connection)
    except NetmikoAuthenticationException:
        raise Unreachable(
            f"{name}: the key {access.key_file} is refused", hint="no second attempt is made"
        ) from None
    except (NetmikoBaseException, ReadException, paramiko.SSHException, OSError, EOFError) as error:
        wrong = _cause(error, paramiko.BadHostKeyException)
        if wrong is not None:
            raise _changed_key(name, wrong) from None
        text = " ".join(str(_cause(error, OSError) or _cause(error, paramiko.SSHException) or error).split())
        if "not found in known_hosts" in text:
            raise Unreachable(
                f"{name}: no host key is on record for {address}",
                hint=f"compare it with the device's console: lienthong trust {name}",
            ) from None
        if text == "Socket is closed":  # paramiko's word for a connection that the other end has ended
            text = "the connection ended while it was logged in to"
        what = f"{name}: {text[:300] or type(error).__name__}"
        raise (Busy if _is_busy(error) else Unreachable)(what) from None
    return SshSession(name, connection, dialect, veil, access.sessions)


def _open(connection: BaseConnection) -> None:
    """What Netmiko itself does where it connects at once; a login that fails leaves nothing on its log."""
    try:
        connection._open()
    except BaseException:
        logging.getLogger("netmiko").removeFilter(connection._secrets_filter)
        raise


def _take_turns(connection: BaseConnection, sock: Callable[[], socket.socket | None]) -> None:
    """Let a login wait for its turn, from the first packet to the authentication."""
    build = connection._build_ssh_client  # where Netmiko lets its client be made otherwise

    def client() -> paramiko.SSHClient:
        made: paramiko.SSHClient = build()
        connect = made.connect

        def in_turn(*words: Any, **options: Any) -> None:
            with _LOGINS:
                connect(*words, **{**options, "sock": sock()})

        setattr(made, "connect", in_turn)  # noqa: B010
        return made

    setattr(connection, "_build_ssh_client", client)  # noqa: B010


def _is_busy(error: BaseException) -> bool:
    """Whether the device took the connection and ended it before it asked who is there."""
    text = str(_cause(error, paramiko.SSHException) or error)
    return _cause(error, ConnectionResetError) is not None or "Error reading SSH protocol banner" in text


def _cause(error: BaseException | None, kind: type[E]) -> E | None:
    """What Netmiko has wrapped: the first of that kind among an error and what led to it."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _changed_key(name: str, error: paramiko.BadHostKeyException) -> Unreachable:
    return Unreachable(
        f"{name}: THE HOST KEY HAS CHANGED: got {error.key.fingerprint}, "
        f"on record is {error.expected_key.fingerprint}; nothing was sent",
        hint=f"find out why; if the device was replaced or set anew: lienthong trust {name}",
    )
