"""The probe agent, as it is used: a process that is told by JSON lines what to do, on loopback."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lienthong import probe as agent
from lienthong.probe import dns_name, echo_request


class Told:
    """A running agent."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-u", str(Path(agent.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.number = 0

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        self.number += 1
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"id": self.number, "do": verb, **arguments}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.number
        return answer


@pytest.fixture
def told() -> Iterator[Told]:
    running = Told()
    yield running
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(30) == 0
    assert running.process.stdout is not None
    running.process.stdout.close()


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_it_hears_itself_and_tells_open_from_closed(told: Told) -> None:
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    closed = free_port(socket.SOCK_STREAM)
    assert told.ask("listen", ports=[["tcp", tcp], ["udp", udp]])["ok"] == []
    targets = [["tcp", "127.0.0.1", tcp], ["udp", "127.0.0.1", udp], ["tcp", "127.0.0.1", closed]]
    assert told.ask("reach", targets=targets, timeout_s=2)["ok"] == ["open", "open", "refused"]


def test_what_nobody_answers_is_silent(told: Told) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        target = ["udp", "127.0.0.1", mute.getsockname()[1]]
        assert told.ask("reach", targets=[target], timeout_s=0.3)["ok"] == ["silent"]


def test_a_port_that_is_taken_is_told(told: Told) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = told.ask("listen", ports=[["tcp", port]])["ok"]
    assert refused[0][:2] == ["tcp", port]


def test_a_mistake_is_answered_and_does_not_end_it(told: Told) -> None:
    assert "KeyError" in told.ask("no such verb")["error"]
    assert told.ask("hello")["ok"]["pid"] == told.process.pid


def test_a_name_is_asked_and_the_answer_read(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS goes to port 53, so the exchange itself is replaced; the answer is a recorded one."""

    def exchange(_server: str, query: bytes, _timeout_s: float, _tcp: bool) -> bytes:
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + socket.inet_aton("10.0.41.10")
        return head + query[12:] + record

    monkeypatch.setattr(agent, "dns_exchange", exchange)
    assert agent.dns("192.0.2.1", "srv.example") == {"code": 0, "answers": ["10.0.41.10"]}


def test_a_name_that_points_at_itself_ends() -> None:
    with pytest.raises(OSError, match="itself"):
        dns_name(b"\xc0\x00", 0)


def test_echo_requests_have_a_right_checksum() -> None:
    packet = echo_request(0x1234, 7)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


def test_following_sees_a_gap(told: Told) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        port = server.getsockname()[1]
        # A closed port refuses, which is an answer too; what is silent is nobody's address.
        answer = told.ask("follow", address="127.0.0.1", port=port, seconds=0.5, interval_s=0.1)["ok"]
    assert len(answer) >= 4
    assert all(answered for _, answered in answer)


def test_it_ends_with_its_asker() -> None:
    running = Told()
    assert running.process.stdin is not None and running.process.stdout is not None
    timer = threading.Timer(10, running.process.kill)
    timer.start()
    running.process.stdin.close()
    assert running.process.wait() == 0
    timer.cancel()
    running.process.stdout.close()


@pytest.mark.skipif(not Path("/proc/sys/net/ipv6").is_dir(), reason="this machine has no IPv6")
def test_it_does_all_of_it_by_ipv6(told: Told) -> None:
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    assert told.ask("watch")["ok"]
    assert told.ask("listen", ports=[["tcp", tcp], ["udp", udp]])["ok"] == []
    shut = free_port(socket.SOCK_STREAM)
    targets = [["tcp", "::1", tcp], ["udp", "::1", udp], ["icmp", "::1", 0], ["tcp", "::1", shut]]
    assert told.ask("reach", targets=targets)["ok"] == ["open", "open", "open", "refused"]
    heard = {(source, proto, port) for source, proto, port, _ in told.ask("heard")["ok"]}
    assert {("::1", "tcp", tcp), ("::1", "udp", udp), ("::1", "icmp", 128)} <= heard
