"""A connection that a command carries for pyinfra: its end costs nobody else, what is sent arrives whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from lienthong.jump import through

#: In a process of its own, because it patches sockets for gevent.
CLOSED = """
import os
from lienthong.runners import pyinfra_main
import gevent, paramiko
from pyinfra.connectors.sshuserclient import client

ticks = []

def closed_by_the_jump_host():
    gone = paramiko.Transport(client.ProxyCommand("sh -c 'echo SSH-2.0-gone; sleep 0.5'"))
    try:
        gone.start_client(timeout=2)
    except Exception as error:
        print(type(error).__name__)

def others():
    for _ in range(20):
        gevent.sleep(0.1)
        ticks.append(1)

before = sum(os.times()[:2])
gevent.joinall([gevent.spawn(closed_by_the_jump_host), gevent.spawn(others)], timeout=8)
print("idle" if sum(os.times()[:2]) - before < 0.6 else "busy")
print("others went on" if len(ticks) == 20 else f"others stood still after {len(ticks)}")
"""


def test_one_connection_that_is_closed_costs_the_others_nothing() -> None:
    words = [sys.executable, "-c", CLOSED]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert told[-2:] == ["idle", "others went on"]


def test_a_node_that_falls_silent_is_named_and_where_it_stood() -> None:
    code = """
from lienthong.runners import pyinfra_main as main
import gevent
from contextlib import nullcontext
from types import SimpleNamespace

main.LOOK_S = 0.2
main.node_state = lambda: gevent.sleep(9)
main._on = lambda state, host: nullcontext()
parts = {}
main._prepare(None, SimpleNamespace(name="loc-ninh-srv"), {"dns": None, "ntp": None}, parts)
for part in parts["loc-ninh-srv"]:
    print(part.step, part.failure)
"""
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert [line.split()[0] for line in told] == ["dns", "ntp"]
    assert all("nothing more was heard for 0.2 s; it stood in pyinfra_main.py:" in line for line in told), (
        told
    )


@pytest.fixture
def slow() -> Iterator[list[str]]:
    yield ["sh", "-c", "echo ready; sleep 0.5; wc -c"]


def test_what_is_sent_arrives_whole_however_slow_the_command_reads(slow: list[str]) -> None:
    sock = through(slow, 5)
    try:
        assert sock.recv(100) == b"ready\n"
        sock.sendall(b"x" * 1_000_000)
        sock.shutdown(1)
        assert sock.recv(100).strip() == b"1000000"
    finally:
        sock.close()


def test_it_says_what_the_command_complained_of() -> None:
    with pytest.raises(ConnectionError, match=r"^no way there$"):
        through(["sh", "-c", "echo no way there >&2; exit 1"], 5)
    with pytest.raises(ConnectionError, match=r"^no answer$"):
        through(["true"], 5)
