#!/usr/bin/python3
"""Sends events by RELP over mutual TLS and forgets none. Written by Liên Thông as /usr/local/sbin/lienthong-logs.

    lienthong-logs CONFIGURATION.json

From the journal of this system to the side's collector, or from the collector's store onward. What is sent is
kept on disk already, by journald or in the store, so that there is no queue of our own to lose: a cursor moves
on when the other end has acknowledged. An end that is killed, or a machine that loses its power, can have
acknowledged what it had not yet brought to its disk; so after every break the last `AGAIN_S` seconds of
acknowledged events are sent once more. Each carries host, boot, stream and sequence, by which a store drops them.

RELP: https://github.com/rsyslog/librelp/blob/master/doc/relp.html; events: RFC 5424. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: Frames that may be on their way at once; rsyslog's own window.
WINDOW = 128
AGAIN_S = 60.0
SAVE_EVERY_S = 5.0
ANSWER_WITHIN_S = 60.0
PAUSE_S = 2.0
#: Longer ones are cut: collectors take 64 KiB at most, and escapes may double a text.
LONGEST = 30_000
FIELDS = (
    "MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,_COMM,_PID,_HOSTNAME,_BOOT_ID,_TRANSPORT"
)
#: The number is the one RFC 5612 gives to examples.
IDENTITY = "lienthong@32473"
CURSOR = re.compile(r"s=([0-9a-f]+);i=([0-9a-f]+);")
KERNEL, USER, NOTICE = 0, 1, 5

#: An event and the cursor behind it.
Event = tuple[str, str]


def text(value: Any) -> str:
    """A field of the journal: a string, or the numbers of its bytes when it is no UTF-8."""
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return str(value[0])
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None else str(value)


def word(value: str, longest: int) -> str:
    """A field of an RFC 5424 header: printable ASCII without spaces, `-` for nothing."""
    return re.sub(r"[^!-~]", "_", value)[:longest] or "-"


def line(entry: dict[str, Any]) -> Event:
    """One entry of `journalctl -o json` as an RFC 5424 message."""
    cursor = text(entry["__CURSOR"])
    found = CURSOR.match(cursor)
    stream, sequence = (found[1], int(found[2], 16)) if found else ("", 0)
    kernel = entry.get("_TRANSPORT") == "kernel"
    facility = text(entry.get("SYSLOG_FACILITY")) or str(KERNEL if kernel else USER)
    severity = text(entry.get("PRIORITY")) or str(NOTICE)
    number = int(facility) * 8 + int(severity) if (facility + severity).isdecimal() else USER * 8 + NOTICE
    at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    tag = text(entry.get("SYSLOG_IDENTIFIER")) or text(entry.get("_COMM"))
    pid = text(entry.get("SYSLOG_PID")) or text(entry.get("_PID"))
    said = text(entry.get("MESSAGE"))[:LONGEST]
    said = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)
    host = word(text(entry.get("_HOSTNAME")), 255)
    boot = word(text(entry.get("_BOOT_ID")), 32)
    return (
        f"<{min(number, 191)}>1 {at.isoformat(timespec='microseconds').replace('+00:00', 'Z')} {host} "
        f"{word(tag, 48)} {word(pid, 128)} - "
        f'[{IDENTITY} boot="{boot}" stream="{stream}" seq="{sequence}"] {said}',
        cursor,
    )


class Journal:
    """This system's journal from a cursor on, oldest first; waits for more.

    `--follow` means this boot only, whatever else is said, unless journals are merged (systemd 252). And
    `--after-cursor` leaves out the first entry it finds also when that is another one than the cursor's.
    """

    def __init__(self, cursor: str) -> None:
        argv = ["journalctl", "--follow", "--merge", "--lines=all", "--all", "--quiet", "--output=json"]
        argv += [f"--output-fields={FIELDS}", *([f"--cursor={cursor}"] if cursor else [])]
        self._child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        self._out = self._child.stdout.fileno()
        self._rest = b""

    def some(self, wait_s: float) -> list[Event]:
        """What there is, a window at most; waits so long for a first one."""
        found: list[Event] = []
        while len(found) < WINDOW:
            first, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                found.append(line(json.loads(first)))
                continue
            if not select.select([self._out], [], [], 0 if found else wait_s)[0]:
                break
            more = os.read(self._out, 1 << 16)
            if not more:
                raise OSError(f"journalctl ended with {self._child.wait()}")
            self._rest += more
        return found

    def close(self) -> None:
        """No child is left behind."""
        self._child.kill()
        self._child.wait()


class Store:
    """The collector's store after a cursor `DAY:NUMBER`, in the order of arrival; waits for more."""

    def __init__(self, folder: Path, cursor: str) -> None:
        self._folder = folder
        day, _, number = cursor.partition(":")
        self._day, self._number = day, int(number or 0)
        self._open: tuple[str, sqlite3.Connection] | None = None

    def some(self, wait_s: float) -> list[Event]:
        """As of a journal."""
        until = time.monotonic() + wait_s
        while True:
            # Listed before it is read: once there is a later day, nothing is added to this one any more.
            later = sorted(path.stem for path in self._folder.glob("*.db") if path.stem > self._day)
            found = self._after() if self._day else []
            if found:
                return found
            if later:
                self._day, self._number = later[0], 0
            elif time.monotonic() > until:
                return []
            else:
                time.sleep(0.5)

    def _after(self) -> list[Event]:
        path = self._folder / f"{self._day}.db"
        if self._open is None or self._open[0] != self._day:
            self.close()
            if not path.exists():  # its time was over
                return []
            self._open = (self._day, sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10))
        rows = self._open[1].execute(
            "SELECT n, line FROM events WHERE n > ? ORDER BY n LIMIT ?", (self._number, WINDOW)
        )
        found = [(str(said), f"{self._day}:{number}") for number, said in rows]
        if found:
            self._number = int(found[-1][1].partition(":")[2])
        return found

    def close(self) -> None:
        """The day's file is let go."""
        if self._open:
            self._open[1].close()
            self._open = None


class Relp:
    """A session: a window of frames is sent, and every one of them acknowledged."""

    def __init__(self, conf: dict[str, Any]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(conf["authority"])
        context.load_cert_chain(conf["certificate"], conf["key"])
        plain = socket.create_connection((conf["address"], conf["port"]), timeout=10)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            plain.settimeout(ANSWER_WITHIN_S)
            self._socket = context.wrap_socket(plain, server_hostname=conf["peer"])
        except BaseException:
            plain.close()
            raise
        self._answers = self._socket.makefile("rb")
        self._number = 0
        self.send(["relp_version=0\nrelp_software=lienthong\ncommands=syslog"], "open")

    def send(self, what: list[str], command: str = "syslog") -> None:
        """All of it, acknowledged.

        Raises:
            OSError: the other end is gone, silent, or refused one.
        """
        awaited = set()
        frames = []
        for said in what:
            self._number = self._number % 999_999_999 + 1
            awaited.add(self._number)
            data = said.encode()
            frames.append(b"%d %s %d %s\n" % (self._number, command.encode(), len(data), data))
        self._socket.sendall(b"".join(frames))
        while awaited:
            number, code = self._answer()
            if code != 200:
                raise OSError(f"the collector answers {code}")
            awaited.discard(number)

    def _answer(self) -> tuple[int, int]:
        head = b""
        while head.count(b" ") < 3 and not head.endswith(b"\n"):
            byte = self._answers.read(1)
            if not byte or len(head) > 64:
                raise OSError("the collector hung up")
            head += byte
        number, command, length = head.split()[:3]
        if command != b"rsp":
            raise OSError("the collector closes the session")
        data = self._answers.read(int(length) + 1)
        code = data.split(b" ")[0].split(b"\n")[0]
        return int(number), int(code) if code.isdigit() else 500

    def close(self) -> None:
        """Without ceremony: everything sent is acknowledged or will be sent again."""
        self._socket.close()


class Place:
    """How far everything is safe: acknowledged, and for so long that it lies on the other end's disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recent: deque[tuple[float, str]] = deque()
        self._saved = 0.0
        self.safe = path.read_text(encoding="utf-8").strip() if path.exists() else ""

    def acknowledged(self, cursor: str, now: float) -> None:
        """Up to there the other end has said that it has it."""
        self._recent.append((now, cursor))

    def settle(self, now: float) -> None:
        """Moves what is safe on, and keeps it."""
        before = self.safe
        while self._recent and self._recent[0][0] <= now - AGAIN_S:
            self.safe = self._recent.popleft()[1]
        if self.safe != before and now - self._saved >= SAVE_EVERY_S:
            self._saved = now
            new = self._path.with_suffix(".new")
            with open(new, "w", encoding="utf-8") as out:
                out.write(self.safe + "\n")
                out.flush()
                os.fsync(out.fileno())
            new.rename(self._path)

    def back(self) -> str:
        """After a break: from here again."""
        self._recent.clear()
        return self.safe


def pump(conf: dict[str, Any], place: Place) -> Iterator[int]:
    """One session, from what is safe on; yields how many it has sent, and ends by an error only."""
    session = Relp(conf)
    try:
        cursor = place.back()
        source = Store(Path(conf["store"]), cursor) if conf.get("store") else Journal(cursor)
        try:
            while True:
                events = source.some(SAVE_EVERY_S)
                if events:
                    session.send([said for said, _ in events])
                    place.acknowledged(events[-1][1], time.monotonic())
                place.settle(time.monotonic())
                yield len(events)
        finally:
            source.close()
    finally:
        session.close()


def main() -> None:
    """For ever. What keeps it from sending is told once, not each time it is tried."""
    conf = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    place = Place(Path(conf["state"]))
    told = ""
    while True:
        try:
            for _ in pump(conf, place):
                if told:
                    print(f"sends to {conf['peer']} again", file=sys.stderr, flush=True)
                    told = ""
        except (OSError, ssl.SSLError, sqlite3.Error, ValueError) as error:
            if str(error) != told:
                told = str(error)
                print(f"cannot send to {conf['peer']}: {told}", file=sys.stderr, flush=True)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
