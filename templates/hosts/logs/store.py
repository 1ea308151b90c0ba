#!/usr/bin/python3
"""The collector's store. Written by Liên Thông as /usr/local/sbin/lienthong-store.

    lienthong-store take                          rsyslog's omprog gives it one event a line
    lienthong-store show [--host H] [--text T] [--day YYYY-MM-DD] [--newest DAYS] [--last EVENTS]
    lienthong-store state [--day …] [--newest …]  by host: events, repeats dropped, numbers missing; as JSON

A file a day (UTC, of arrival) in /var/log/lienthong, an SQLite database. An event, and that it was seen, are
one transaction: whatever is killed in between, it is there once or is sent again. What was seen is kept as
ranges of sequence numbers of each stream (journal) of each host, and goes over into the next day's file.
rsyslog acknowledges an event to its sender when we have said OK, and the file is brought to the disk every
second; senders repeat the last minute after a break, which covers that second. Standard library only.
"""

from __future__ import annotations

import argparse
import bisect
import fcntl
import itertools
import json
import os
import re
import select
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path("/var/log/lienthong")
DAY = "%Y-%m-%d"
SYNC_EVERY_S = 1.0
#: A stream that was silent for so long is not looked for again.
STREAM_DAYS = 90
#: A journal is read in order, so there is one range, or a few. Only a liar has more; his oldest are joined.
MOST_RANGES = 1000
#: A gap is counted up to that.
MOST_MISSING = 100_000
HEAD = re.compile(
    r"(?P<source>\S+) <\d{1,3}>1 (?P<at>\S+) (?P<host>\S+) \S+ \S+ \S+ "
    r'(?:\[lienthong@32473 boot="(?P<boot>[^" ]*)" stream="(?P<stream>[0-9a-f]+)" seq="(?P<seq>\d{1,18})"\])?'
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS events(n INTEGER PRIMARY KEY, host TEXT, source TEXT, boot TEXT, stream TEXT,
  seq INTEGER, at TEXT, line TEXT);
CREATE INDEX IF NOT EXISTS by_host ON events(host);
CREATE TABLE IF NOT EXISTS seen(host TEXT, stream TEXT, first INTEGER, last INTEGER, day TEXT,
  PRIMARY KEY(host, stream, first));
CREATE TABLE IF NOT EXISTS heard(host TEXT PRIMARY KEY, events INTEGER, repeats INTEGER, last TEXT);
"""

Key = tuple[str, str]


class Ranges:
    """Numbers that were seen, as sorted ranges `[first, last]`."""

    def __init__(self) -> None:
        self.all: list[list[int]] = []

    def add(self, number: int) -> tuple[list[int], list[int]] | None:
        """Takes a number in.

        Returns:
            The range it now is in, and the first numbers of ranges that went up in it; None: was seen before.
        """
        at = bisect.bisect_right(self.all, [number, sys.maxsize])
        before = self.all[at - 1] if at else None
        if before and before[1] >= number:
            return None
        gone = []
        if before and before[1] == number - 1:
            before[1] = number
            grown = before
        else:
            grown = [number, number]
            self.all.insert(at, grown)
            at += 1
        if at < len(self.all) and self.all[at][0] == number + 1:
            gone.append(self.all[at][0])
            grown[1] = self.all.pop(at)[1]
        while len(self.all) > MOST_RANGES:
            second = self.all.pop(1)
            self.all[0][1] = second[1]
            gone.append(second[0])
            if second is grown:
                grown = self.all[0]
        return grown, gone


def current(folder: Path) -> str:
    """The day that is written to: today, or the newest one when a clock went back over midnight.

    What was seen goes over from a day to a later one; an earlier one knows nothing of it.
    """
    now = datetime.now(UTC)
    newest = max((path.stem for path in folder.glob("*.db")), default="")
    return (
        newest if now.strftime(DAY) < newest <= (now + timedelta(days=1)).strftime(DAY) else now.strftime(DAY)
    )


class Day:
    """The file of a day, open for writing, with all that was seen before it."""

    def __init__(self, folder: Path, day: str) -> None:
        self.day = day
        path = folder / f"{day}.db"
        old = sorted(p for p in folder.glob("*.db") if p.stem < day)
        fresh = not path.exists()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";"):
            if statement.strip():
                self._db.execute(statement)
        if not self._db.execute("SELECT 1 FROM seen LIMIT 1").fetchone() and old:
            since = (datetime.now(UTC) - timedelta(days=STREAM_DAYS)).strftime(DAY)
            with closing(sqlite3.connect(f"file:{old[-1]}?mode=ro", uri=True, timeout=30)) as last:
                rows = last.execute("SELECT * FROM seen WHERE day >= ?", (since,)).fetchall()
            self._db.executemany("INSERT INTO seen VALUES (?,?,?,?,?)", rows)
        self._db.execute("COMMIT")
        if fresh:
            path.chmod(0o640)
        self._seen: dict[Key, Ranges] = {}
        for host, stream, first, last_ in self._db.execute(
            "SELECT host, stream, first, last FROM seen ORDER BY host, stream, first"
        ):
            self._seen.setdefault((host, stream), Ranges()).all.append([first, last_])
        self.dirty = True

    def take(self, line: str) -> bool:
        """One event into the store; False for a repeat, which is counted only."""
        found = HEAD.match(line)
        host = found["host"].lower()[:255] if found else "-"
        source = found["source"] if found else ""
        said = line.partition(" ")[2]
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        stream, seq = (found["stream"], int(found["seq"])) if found and found["stream"] else ("", 0)
        grown = self._seen.setdefault((host, stream), Ranges()).add(seq) if stream else None
        new = not stream or grown is not None
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            if grown:
                (first, last), gone = grown
                for other in gone:
                    db.execute(
                        "DELETE FROM seen WHERE host=? AND stream=? AND first=?", (host, stream, other)
                    )
                db.execute(
                    "INSERT OR REPLACE INTO seen VALUES (?,?,?,?,?)", (host, stream, first, last, self.day)
                )
            if new:
                boot = found["boot"] if found else None
                at = found["at"] if found else now
                db.execute(
                    "INSERT INTO events(host, source, boot, stream, seq, at, line) VALUES (?,?,?,?,?,?,?)",
                    (host, source, boot, stream, seq, at, said),
                )
            db.execute(
                "INSERT INTO heard VALUES (?,?,?,?) ON CONFLICT(host) DO UPDATE SET "
                "events=events+excluded.events, repeats=repeats+excluded.repeats, last=excluded.last",
                (host, int(new), int(not new), now),
            )
            db.execute("COMMIT")
        except sqlite3.Error:
            # What is in memory is ahead of the file: only a new start is right again.
            os._exit(1)
        self.dirty = True
        return new

    def sync(self) -> None:
        """Bring it to the disk."""
        if self.dirty:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self.dirty = False

    def close(self) -> None:
        """All of it on the disk, and no side files left."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def take(folder: Path, fd_in: int, fd_out: int) -> None:
    """What rsyslog hands over, until it hangs up; each line is answered when it is in the store."""
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        # rsyslog killed and started anew: the child of the old one may still be at its last event.
        fcntl.flock(lock, fcntl.LOCK_EX)
        day = Day(folder, current(folder))
        synced = time.monotonic()
        rest = b""
        os.write(fd_out, b"OK\n")
        while True:
            ready = select.select([fd_in], [], [], SYNC_EVERY_S)[0]
            if ready:
                more = os.read(fd_in, 1 << 16)
                if not more:
                    break
                rest += more
                while b"\n" in rest:
                    line, _, rest = rest.partition(b"\n")
                    now = datetime.now(UTC).strftime(DAY)
                    if now > day.day:
                        day.close()
                        day = Day(folder, now)
                    day.take(line.decode("utf-8", "replace"))
                    os.write(fd_out, b"OK\n")
            if time.monotonic() - synced >= SYNC_EVERY_S:
                day.sync()
                synced = time.monotonic()
        day.close()


def days(folder: Path, only: str | None, newest: int) -> list[Path]:
    """The files asked for, oldest first; of the newest so many when that is not 0."""
    found = [path for path in sorted(folder.glob("*.db")) if only is None or path.stem == only]
    return found[-newest:] if newest else found


def show(files: list[Path], host: str | None, text: str, last: int) -> None:
    """Events as they came, in the order of arrival; of the newest so many of a file when that is not 0."""
    for path in files:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
            end = db.execute("SELECT max(n) FROM events").fetchone()[0] or 0
            for (line,) in db.execute(
                "SELECT line FROM events WHERE n > ?3 AND (?1 IS NULL OR host = ?1) AND instr(line, ?2)"
                " ORDER BY n",
                (host, text, end - last if last else 0),
            ):
                print(line)


def state(files: list[Path]) -> dict[str, dict[str, object]]:
    """By host: events, repeats, the time of the last one, and numbers that are missing between seen ones."""
    told: dict[str, dict[str, object]] = {}
    for path in files:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
            for host, events, repeats, last in db.execute("SELECT * FROM heard"):
                one = told.setdefault(host, {"events": 0, "repeats": 0})
                one["events"] = int(str(one["events"])) + events
                one["repeats"] = int(str(one["repeats"])) + repeats
                one["last"] = last
            ranges: dict[str, list[tuple[str, int, int]]] = {}
            for host, *one_range in db.execute("SELECT host, stream, first, last FROM seen ORDER BY 1, 2, 3"):
                ranges.setdefault(host, []).append(tuple(one_range))
            for host, one in told.items():
                one["missing"] = missing(ranges.get(host, []))
    return told


def missing(ranges: list[tuple[str, int, int]]) -> int:
    """Numbers between seen ones of a stream that no stream of that host has.

    Journals of users, where journald keeps such, are streams that draw from the same numbers.
    """
    lost: set[int] = set()
    for (one, _, last), (other, first, _) in itertools.pairwise(ranges):
        if one == other:
            lost.update(range(last + 1, min(first, last + MOST_MISSING)))
    for _, first, last in ranges:
        lost = {number for number in lost if not first <= number <= last}
    return len(lost)


def main() -> None:
    """One of the three."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("take", "show", "state"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--host")
    parser.add_argument("--text", default="")
    parser.add_argument("--day")
    parser.add_argument("--newest", type=int, default=0)
    parser.add_argument("--last", type=int, default=0)
    asked = parser.parse_args()
    if asked.verb == "take":
        os.umask(0o027)
        take(asked.folder, 0, 1)
    elif asked.verb == "show":
        show(days(asked.folder, asked.day, asked.newest), asked.host, asked.text, asked.last)
    else:
        print(json.dumps(state(days(asked.folder, asked.day, asked.newest))))


if __name__ == "__main__":
    main()
