"""A login has its turn from the first packet to the authentication, and no longer."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

import pytest

from lienthong.transport import login


class Client:
    """Remembers what it was asked to connect with, and whether a turn was free then."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, object]] = []
        self.fails: Exception | None = None

    def connect(self, hostname: str, **options: Any) -> None:
        free = login._LOGINS.acquire(blocking=False)
        if free:
            login._LOGINS.release()
        self.asked.append((free, options["sock"]))
        if self.fails is not None:
            raise self.fails


class Connection:
    """What Netmiko's own connection has of it."""

    def __init__(self, client: Client) -> None:
        self._build_ssh_client = lambda: client


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(login, "_LOGINS", threading.BoundedSemaphore(1))
    return Client()


def connected(client: Client, sock: socket.socket) -> None:
    connection: Any = Connection(client)
    login._take_turns(connection, lambda: sock)
    connection._build_ssh_client().connect(hostname="192.0.2.1", sock=None)


def test_the_turn_is_taken_while_it_logs_in_and_free_after(client: Client) -> None:
    with socket.socket() as sock:
        connected(client, sock)
        assert client.asked == [(False, sock)]
        assert login._LOGINS.acquire(blocking=False), "a session that is prepared must not hold its turn"


def test_a_login_that_fails_leaves_nothing_on_the_log_of_netmiko() -> None:
    log = logging.getLogger("netmiko")
    before = list(log.filters)
    connection: Any = Connection(Client())
    connection._secrets_filter = logging.Filter("x")
    log.addFilter(connection._secrets_filter)

    def fails() -> None:
        raise OSError("no route")

    connection._open = fails
    with pytest.raises(OSError, match="no route"):
        login._open(connection)
    assert log.filters == before


def test_a_login_that_fails_gives_its_turn_back(client: Client) -> None:
    client.fails = OSError("no route")
    with socket.socket() as sock, pytest.raises(OSError, match="no route"):
        connected(client, sock)
    assert login._LOGINS.acquire(blocking=False)
