"""The collector's store and what sends to it: each event once, whatever is killed in between."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lienthong.lab.keys import authority, issue

ROOT = Path(__file__).parents[2]
STORE, SEND = ROOT / "templates/hosts/logs/store.py", ROOT / "templates/hosts/logs/send.py"


def program(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def store() -> ModuleType:
    return program(STORE)


@pytest.fixture(scope="module")
def send() -> ModuleType:
    return program(SEND)


def entry(number: int, **more: Any) -> dict[str, Any]:
    """What `journalctl -o json` prints of one entry."""
    return {
        "__CURSOR": f"s=abc;i={number:x};b=b00;m=1;t=1;x=1",
        "__REALTIME_TIMESTAMP": str(1_700_000_000_000_000 + number),
        "_HOSTNAME": "loc-ninh-srv",
        "_BOOT_ID": "b00",
        "SYSLOG_IDENTIFIER": "test",
        "PRIORITY": "5",
        "MESSAGE": f"event {number}",
        **more,
    }


def events(folder: Path) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for path in sorted(folder.glob("*.db")):
        with sqlite3.connect(path) as db:
            found += db.execute("SELECT host, seq FROM events ORDER BY n").fetchall()
    return found


def test_ranges_take_each_number_once_in_any_order(store: ModuleType) -> None:
    draw = random.Random(7)
    for _ in range(50):
        ranges, kept, numbers = store.Ranges(), dict[int, int](), set[int]()
        for _ in range(300):
            number = draw.randrange(60)
            grown = ranges.add(number)
            assert (grown is None) == (number in numbers)
            numbers.add(number)
            if grown is not None:  # what the file holds is what the memory holds
                (first, last), gone = grown
                for other in gone:
                    del kept[other]
                kept[first] = last
            assert sorted(kept.items()) == [tuple(pair) for pair in ranges.all]
        covered = {n for first, last in ranges.all for n in range(first, last + 1)}
        assert covered == numbers


def test_a_liar_cannot_fill_the_memory(store: ModuleType) -> None:
    ranges, kept = store.Ranges(), dict[int, int]()
    for number in range(0, 4 * store.MOST_RANGES, 2):
        (first, last), gone = ranges.add(number)
        for other in gone:
            kept.pop(other, None)
        kept[first] = last
    assert len(ranges.all) == store.MOST_RANGES
    assert ranges.add(4 * store.MOST_RANGES) is not None


def test_an_event_of_the_journal_becomes_a_line(send: ModuleType) -> None:
    said, cursor = send.line(entry(255, MESSAGE="two\nlines \u202e", _PID="12"))
    assert cursor.startswith("s=abc;i=ff;")
    assert said == (
        "<13>1 2023-11-14T22:13:20.000255Z loc-ninh-srv test 12 - "
        '[lienthong@32473 boot="b00" stream="abc" seq="255"] two\\nlines \\u202e'
    )
    raw = send.line(entry(1, MESSAGE=[255, 104, 105]))[0]
    assert raw.endswith("\ufffdhi")
    assert len(send.line(entry(1, MESSAGE="\n" * 100_000))[0]) < 61_000


def test_the_store_knows_a_repeat_and_tells_what_is_missing(
    store: ModuleType, send: ModuleType, tmp_path: Path
) -> None:
    day = store.Day(tmp_path, "2026-01-01")
    for number in (1, 2, 2, 5, 1):
        day.take(f"10.0.0.1 {send.line(entry(number))[0]}")
    day.take("10.0.0.9 <13>1 2026-01-01T00:00:00Z gear app - - - no identity")
    day.take("10.0.0.9 <13>1 2026-01-01T00:00:00Z gear app - - - no identity")
    day.close()
    assert events(tmp_path) == [
        ("loc-ninh-srv", 1),
        ("loc-ninh-srv", 2),
        ("loc-ninh-srv", 5),
        ("gear", 0),
        ("gear", 0),
    ]
    told = store.state(store.days(tmp_path, None, 0))
    assert told["loc-ninh-srv"] | {"last": ""} == {"events": 3, "repeats": 2, "missing": 2, "last": ""}
    assert stat.S_IMODE((tmp_path / "2026-01-01.db").stat().st_mode) == 0o640


def test_a_journal_of_a_user_makes_no_gap(store: ModuleType) -> None:
    assert store.missing([("a", 1, 9), ("a", 12, 20), ("b", 10, 11)]) == 0
    assert store.missing([("a", 1, 9), ("a", 12, 20), ("b", 10, 10)]) == 1
    assert store.missing([("a", 1, 9), ("b", 12, 20)]) == 0


def test_a_repeat_after_midnight_is_a_repeat(store: ModuleType, send: ModuleType, tmp_path: Path) -> None:
    today = store.current(tmp_path)
    first = store.Day(tmp_path, "2026-01-01")
    first.day = today  # as of a stream that is alive
    first.take(f"10.0.0.1 {send.line(entry(1))[0]}")
    first.close()
    second = store.Day(tmp_path, today)
    assert second.take(f"10.0.0.1 {send.line(entry(1))[0]}") is False
    assert second.take(f"10.0.0.1 {send.line(entry(2))[0]}") is True
    second.close()
    assert events(tmp_path) == [("loc-ninh-srv", 1), ("loc-ninh-srv", 2)]


def test_a_clock_that_goes_back_over_midnight_forgets_nothing(store: ModuleType, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    days = [(now + timedelta(days=n)).strftime(store.DAY) for n in (-1, 0, 1, 2)]
    assert store.current(tmp_path) == days[1]
    (tmp_path / f"{days[0]}.db").touch()
    assert store.current(tmp_path) == days[1]
    (tmp_path / f"{days[2]}.db").touch()
    assert store.current(tmp_path) == days[2]
    (tmp_path / f"{days[3]}.db").touch()
    assert store.current(tmp_path) == days[1], "a clock that was wrong by days is not believed"


def test_nothing_is_lost_or_twice_however_often_the_store_is_killed(send: ModuleType, tmp_path: Path) -> None:
    """As rsyslog does: an event that was not confirmed is given again to the next child."""
    draw, number, killed = random.Random(5), 1, 0
    confirmed = 0
    while number <= 400:
        child = subprocess.Popen(
            [sys.executable, str(STORE), "take", "--folder", str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdin is not None and child.stdout is not None
        assert child.stdout.readline() == b"OK\n"
        until = number + draw.randrange(20, 80)
        while number <= min(until, 400):
            child.stdin.write(f"10.0.0.1 {send.line(entry(number))[0]}\n".encode())
            child.stdin.flush()
            if number == until:  # killed at any instant of the work on it
                time.sleep(draw.random() * 0.002)
                child.kill()
                killed += 1
            if child.stdout.readline() == b"OK\n":
                confirmed += 1
                number += 1
            else:
                break
        child.kill()
        child.wait()
    assert killed >= 5 and confirmed == 400
    assert events(tmp_path) == [("loc-ninh-srv", n) for n in range(1, 401)]


class Collector(threading.Thread):
    """A RELP server that takes some frames and then drops dead, session after session."""

    def __init__(self, folder: Path, dies_after: int) -> None:
        super().__init__(daemon=True)
        self.taken: list[str] = []
        self.sessions = 0
        self._dies_after = dies_after
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "logs.crt", folder / "logs.key")
        context.load_verify_locations(folder / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def run(self) -> None:
        while True:
            plain, _ = self._listening.accept()
            try:
                with self._context.wrap_socket(plain, server_side=True) as session:
                    self.sessions += 1
                    self._serve(session.makefile("rb"), session)
            except OSError:
                pass

    def _serve(self, frames: Any, session: ssl.SSLSocket) -> None:
        left = self._dies_after
        while left:
            head = b""
            while head.count(b" ") < 3:
                head += frames.read(1)
            number, command, length = head.split()
            data = frames.read(int(length) + 1)[:-1].decode()
            if command == b"syslog":
                self.taken.append(data)
                left -= 1
            if left:  # the last one is taken and not acknowledged
                session.sendall(number + b" rsp 6 200 OK\n")


def settings(folder: Path, port: int, peer: str = "logs") -> dict[str, Any]:
    return {
        "address": "127.0.0.1",
        "port": port,
        "peer": peer,
        "authority": str(folder / "ca.crt"),
        "certificate": str(folder / "node.crt"),
        "key": str(folder / "node.key"),
    }


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    by = authority("Test CA")
    by.write(tmp_path)
    for name in ("logs", "node"):
        issue(tmp_path, by, name, [])
    return tmp_path


def journalctl(folder: Path, monkeypatch: pytest.MonkeyPatch, entries: list[dict[str, Any]]) -> None:
    """A journal that knows its cursors, ahead of the real one in the path."""
    (folder / "entries.json").write_text(json.dumps(entries), encoding="utf-8")
    program = folder / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(
        f"""#!{sys.executable}
import json, sys, time
cursor = next((a.partition("=")[2] for a in sys.argv if a.startswith("--cursor=")), "")
entries = json.load(open({str(folder / "entries.json")!r}))
at = next((i for i, e in enumerate(entries) if e["__CURSOR"] == cursor), 0)
for e in entries[at:]:
    print(json.dumps(e), flush=True)
time.sleep(60)
""",
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_what_a_dying_collector_acknowledged_is_sent_again(
    send: ModuleType, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every session starts at what was acknowledged a minute ago, not at what was acknowledged last."""
    journalctl(pki, monkeypatch, [entry(n) for n in range(1, 701)])
    collector = Collector(pki, dies_after=450)
    collector.start()
    place = send.Place(pki / "cursor")
    sent = 0
    for _ in range(2):
        with pytest.raises(OSError):
            for count in send.pump(settings(pki, collector.port), place):
                sent += count
    assert collector.sessions == 2
    assert 2 * (450 - send.WINDOW) <= sent < 2 * 450, "windows that were acknowledged in full"
    first = [send.line(entry(n))[0] for n in range(1, 451)]
    assert collector.taken == first + first


def test_the_place_moves_on_when_a_minute_is_over_and_is_kept(send: ModuleType, tmp_path: Path) -> None:
    place = send.Place(tmp_path / "cursor")
    place.acknowledged("one", 100.0)
    place.acknowledged("two", 130.0)
    place.settle(150.0)
    assert (place.safe, (tmp_path / "cursor").exists()) == ("", False)
    place.settle(165.0)
    assert place.back() == "one"
    assert send.Place(tmp_path / "cursor").safe == "one"
    place.settle(999.0)
    assert place.safe == "one", "what was acknowledged before the break does not count after it"


def test_a_collector_of_another_name_gets_nothing(send: ModuleType, pki: Path) -> None:
    collector = Collector(pki, dies_after=1)
    collector.start()
    with pytest.raises(ssl.SSLCertVerificationError):
        send.Relp(settings(pki, collector.port, peer="other"))
    assert collector.taken == []


def test_the_store_is_read_in_the_order_of_arrival_over_days(
    store: ModuleType, send: ModuleType, tmp_path: Path
) -> None:
    for name, numbers in (("2026-01-01", range(1, 201)), ("2026-01-03", range(201, 205))):
        day = store.Day(tmp_path, name)
        for number in numbers:
            day.take(f"10.0.0.1 {send.line(entry(number))[0]}")
        day.close()
    source = send.Store(tmp_path, "2026-01-01:120")
    seen = []
    while more := source.some(0.0):
        seen += more
    source.close()
    assert [said.rpartition(" ")[2] for said, _ in seen] == [str(n) for n in range(121, 205)]
    assert seen[-1][1] == "2026-01-03:4"
