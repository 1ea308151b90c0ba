#!/usr/bin/python3 -IB
"""Has a fetch begin soon after a document appears. Written by Liên Thông as /usr/local/sbin/lienthong-watch.

Runs as the account `vault`. At each source it waits over SSH, with the key that fetches and the one word `watch`;
what comes back is a line without a name in it (see `lienthong-appeared`). It fetches nothing itself and starts
nothing: it makes the file `wanted`, for which lienthong-soon.path starts the same unit that the timer starts, so there
is never a second fetch beside the first. Between the end of one fetch and a next one that it asks for lie
`gap_min` minutes, more while fetches fail. A source may be hostile: few words are understood, few a second.
Standard library only.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

CONF = Path("/etc/lienthong/backup")
LOCK = Path("/srv/vault/lock")
STATE = Path("/var/lib/lienthong/backup")
STATUS, WATCH, WANTED, LOGINS = (
    STATE / name for name in ("status.json", "watch.json", "wanted", "logins-watch")
)
#: As job.py has it.
REMEMBER_S = 40 * 86400
LOGINS_BYTES = 1 << 18
#: A source that says nothing for so long is gone; it says something every 20 s.
SILENT_S = 65.0
#: The first and the longest wait before a source is tried again.
AGAIN_S = (2.0, 30.0)
#: The state is written when something has changed, and so often, by which one sees that somebody still waits.
WRITE_S = 10.0
WRITES = threading.Lock()
#: Not more lines than one in so long are read of a source.
SLOWLY_S = 0.2
LINE_BYTES = 200
#: A fetch carries all documents anew: where that takes long, it rests so many times as long.
REST = 3.0
#: Of doublings of the gap while fetches fail.
PATIENCE = 6
SAID = re.compile(r"(?:(waiting)|changed ([0-9]{1,5}[.][0-9])) ([0-9]{1,12}-[0-9]{1,24})")


class Lost(Exception):
    """A source is not heard any more; the message is for people."""


@dataclass
class Source:
    """What is known of one source. Times are seconds since the epoch, by this system's clock."""

    waiting: bool = False
    since: float = 0.0
    """when it began to wait, or was lost"""
    heard: float = 0.0
    error: str = "not asked yet"
    kept: str = ""
    """the mark of what a fetch has brought"""
    mark: str = ""
    changed: float | None = None
    """when something appeared that no fetch has brought"""


@dataclass
class Desk:
    """What is asked for, and when it may be. Pure: the clock and what the job says come in."""

    gap_s: float
    sources: dict[str, Source]
    asked: float = 0.0
    failures: int = 0
    _seen: str = field(default="", repr=False)

    def hear(self, name: str, line: str, now: float) -> None:
        """A line of a source.

        Raises:
            Lost: it is none that a source may say.
        """
        source = self.sources[name]
        found = SAID.fullmatch(line)
        if not found and line != ".":
            raise Lost("it said what no source says")
        source.heard = now
        if found:
            source.mark = found[3]
            if not found[1]:
                source.changed = now - float(found[2])
            elif source.mark != source.kept:
                source.changed = now
            if found[1]:
                source.waiting, source.since, source.error = True, now, ""

    def lose(self, name: str, why: str, now: float) -> None:
        """A source is not heard any more."""
        source = self.sources[name]
        if source.waiting:
            source.since = now
        source.waiting, source.error = False, why

    def settle(self, status: dict[str, Any]) -> None:
        """Take from the job's status what it has brought: what appeared before a good fetch began is there."""
        bad = False
        for name, source in self.sources.items():
            said = status.get("sources", {}).get(name, {})
            if source.changed is None or not said:
                continue
            good = said.get("ok") and seconds(status.get("archived")) >= seconds(status.get("started"))
            if good and seconds(said.get("began")) >= source.changed:
                source.kept, source.changed = source.mark, None
            bad = bad or not good
        if status.get("ended") != self._seen:
            self._seen = str(status.get("ended"))
            self.failures = min(self.failures + 1, PATIENCE) if bad else 0

    def due(self, now: float, status: dict[str, Any], busy: bool) -> list[str]:
        """For which sources a fetch is to be asked for now; while one is under way, for none.

        What appears during a fetch stays wanted, so one more follows; what appears while the gap lasts waits.
        """
        if busy:
            return []
        for source in self.sources.values():
            # A clock that was put back must neither keep a fetch away nor ask for one again and again.
            source.changed = min(source.changed, now) if source.changed is not None else None
        self.settle(status)
        wanted = [name for name, source in self.sources.items() if source.changed is not None]
        last = max(at for at in (0.0, self.asked, seconds(status.get("ended"))) if at <= now)
        rest_s = max(self.gap_s, REST * float(status.get("seconds") or 0.0))
        if not wanted or now - last < rest_s * 2**self.failures:
            return []
        self.asked = now
        return wanted


def seconds(moment: object) -> float:
    """Since the epoch, of a moment as the job writes it; 0 for none."""
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return 0.0


def lines(stream: int, silent_s: float = SILENT_S) -> Iterator[str]:
    """What a source says, line by line, slowly.

    Raises:
        Lost: it ended, is silent, or says too much at once.
    """
    rest = b""
    while True:
        ready, _, _ = select.select([stream], [], [], silent_s)
        if not ready:
            raise Lost(f"silent for {silent_s:g} s")
        block = os.read(stream, LINE_BYTES)
        if not block:
            raise Lost("")
        *whole, rest = (rest + block).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise Lost("it said what no source says")
        for line in whole:
            yield line.decode("ascii", "replace")
            time.sleep(SLOWLY_S)


def remember(source: str) -> None:
    """Write down, before it begins, that we log in at a source (BAK-04 looks for logins that nobody wrote down)."""
    with WRITES:
        _remember(source)


def _remember(source: str) -> None:
    if LOGINS.exists() and LOGINS.stat().st_size > LOGINS_BYTES:
        old = LOGINS.read_text(encoding="utf-8").splitlines(keepends=True)
        fresh = LOGINS.with_suffix(".new")
        fresh.write_text("".join(line for line in old if float(line.split()[0]) > time.time() - REMEMBER_S))
        fresh.chmod(0o600)
        fresh.replace(LOGINS)
    with LOGINS.open("a", encoding="utf-8") as file:
        file.write(f"{time.time():.3f} {source}\n")


def command(conf: dict[str, Any], source: dict[str, str]) -> list[str]:
    """As the job logs in, with the one word more."""
    return [
        "ssh", "-F", "none", "-T", "-i", str(CONF / "fetch_ed25519"),
        "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=5",
        "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "-o", "StrictHostKeyChecking=yes",
        "-o", "LogLevel=ERROR", "-o", f"UserKnownHostsFile={CONF / 'known_hosts'}", "-o", "GlobalKnownHostsFile=/dev/null",
        f"{conf['account']}@{source['address']}", "watch",
    ]  # fmt: skip


class Watch:
    """Threads that listen, one a source, and what they have heard."""

    def __init__(self, conf: dict[str, Any]) -> None:
        self.conf = conf
        self.news = threading.Condition()
        known = got(WATCH).get("sources", {})
        sources = {
            one["name"]: Source(kept=str(known.get(one["name"], {}).get("kept", "")))
            for one in conf["sources"]
        }
        self.desk = Desk(conf["gap_min"] * 60.0, sources)

    def listen(self, source: dict[str, str]) -> None:
        """Wait at one source, again and again."""
        name, pause = source["name"], AGAIN_S[0]
        while True:
            try:
                remember(name)
                why = self.once(source)
            except OSError as error:
                why = str(error)
            with self.news:
                mine = self.desk.sources[name]
                pause = AGAIN_S[0] if mine.waiting else min(pause * 2, AGAIN_S[1])
                if mine.waiting or mine.error != why:
                    print(f"{name}: not waiting: {why}", flush=True)
                self.desk.lose(name, why, time.time())
                self.news.notify()
            time.sleep(pause)

    def once(self, source: dict[str, str]) -> str:
        """One session; why it ended."""
        pipe = subprocess.PIPE
        argv = command(self.conf, source)
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as ssh:
            assert ssh.stdout is not None and ssh.stderr is not None
            try:
                for line in lines(ssh.stdout.fileno()):
                    with self.news:
                        before = self.desk.sources[source["name"]].waiting
                        self.desk.hear(source["name"], line, time.time())
                        if not before and self.desk.sources[source["name"]].waiting:
                            print(f"{source['name']}: waiting", flush=True)
                        self.news.notify()
            except Lost as error:
                why = str(error)
            if why:
                ssh.kill()
            said = ssh.stderr.read(2000).decode(errors="replace").strip().splitlines()
        plain = "".join(char if char.isprintable() else "?" for char in said[-1][:200]) if said else ""
        return why or plain or f"ssh ended with {ssh.returncode}"

    def run(self) -> None:
        """Listen at all; ask for a fetch when one is due."""
        for source in self.conf["sources"]:
            threading.Thread(target=self.listen, args=(source,), daemon=True).start()
        written: object = None
        at, told = 0.0, ""
        while True:
            with self.news:
                self.news.wait(1.0)
                now = time.time()
                wanted = self.desk.due(now, got(STATUS), busy())
                found = {name: dict(vars(one)) for name, one in self.desk.sources.items()}
            if wanted:
                WANTED.touch(mode=0o644)
                print(f"fetch: something appeared at {', '.join(wanted)}", flush=True)
            state = [(one["waiting"], one["error"], one["kept"], one["changed"]) for one in found.values()]
            if state != written or abs(now - at) >= WRITE_S:
                put(json.dumps({"at": round(now, 1), "sources": found}, indent=1, sort_keys=True) + "\n")
                written, at = state, now
            waiting = sum(one["waiting"] for one in found.values())
            if (said := f"waits at {waiting} of {len(found)} sources") != told:
                notify(f"STATUS={said}")
                told = said


def busy() -> bool:
    """Whether a fetch is under way (it holds the lock) or was asked for already."""
    if WANTED.exists():
        return True
    try:
        with LOCK.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def got(path: Path) -> dict[str, Any]:
    """A JSON document; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def put(state: str) -> None:
    """The state in place whole; anybody may read it, it names no document."""
    fresh = WATCH.with_suffix(".new")
    fresh.write_text(state, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(WATCH)


def notify(text: str) -> None:
    """To systemd (sd_notify(3))."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), "\0" + where[1:] if where.startswith("@") else where)


def main() -> int:
    os.umask(0o077)
    conf = json.loads((CONF / "job.json").read_text(encoding="utf-8"))
    notify("READY=1")
    Watch(conf).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
