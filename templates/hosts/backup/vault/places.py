"""Where a vault keeps what, and how its root programs speak. Written by Liên Thông; standard library only.

Three accounts: `vault` fetches and writes the repository; `vault-read` may read everything and write nothing
but its own scratch; root appends to the ledger, which `vault` cannot touch.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import syslog
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONF = Path("/etc/lienthong/backup")
STORE = Path("/srv/vault")
REPOSITORY = STORE / "borg"
STATUS = Path("/var/lib/lienthong/backup/status.json")
STATE = Path("/var/lib/lienthong/vault")
LEDGER = STATE / "ledger.jsonl"
LOOK = STATE / "look.json"
DRILL = STATE / "drill.json"
COPIES = STATE / "copies.json"
SCRATCH = Path("/srv/restore")
ASIDE = STORE / "aside"
BEGAN = Path("/run/lienthong-vault-began")
MANIFEST = "SHA256SUMS"
SOURCES = "SOURCES.json"
TAG = "lienthong-vault"
LOCK_WAIT_S = 600


class Failed(Exception):
    """A step did not work; the message is for people."""


def now() -> str:
    """UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seconds(moment: str) -> float:
    """Seconds since the epoch; a time without a zone is UTC, as borg gives it here."""
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def conf() -> dict[str, Any]:
    """What the inventory says of this vault; root's file."""
    return dict(json.loads((CONF / "job.json").read_text(encoding="utf-8")))


def tell(**event: Any) -> None:
    """One event for who called: a line of JSON on standard output."""
    print(json.dumps(event, ensure_ascii=True), flush=True)


def note(text: str) -> None:
    """Progress of a step in words."""
    tell(event="note", text=text)


def log(text: str, *, alarm: bool = False) -> None:
    """One line of syslog, which the side's collector gets."""
    syslog.openlog(TAG, syslog.LOG_PID, syslog.LOG_AUTH)
    line = "".join(char if char.isprintable() else "?" for char in text)
    syslog.syslog(syslog.LOG_CRIT if alarm else syslog.LOG_NOTICE, line[:900])


def put(path: Path, data: Any, mode: int = 0o644) -> None:
    """A file in place whole, for root's own folder only."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.chmod(mode)
    fresh.replace(path)


def got(path: Path) -> dict[str, Any]:
    """A JSON document of at most 4 MB; empty where there is none. `vault` may have made it: no link is followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    with os.fdopen(handle, "rb") as file:
        try:
            found = json.loads(file.read(4 << 20))
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def quiet() -> Iterator[None]:
    """While no job writes to the repository. The lock's file is `vault`'s: only read, no link followed."""
    import time

    until = time.monotonic() + LOCK_WAIT_S
    try:
        handle = os.open(STORE / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield
        return
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > until:
                    raise Failed(f"a job has held the repository for {LOCK_WAIT_S} s") from None
                time.sleep(0.2)
        yield
    finally:
        os.close(handle)


def fail(text: str) -> int:
    """Say why a command did not work."""
    tell(event="failed", error=text)
    print(f"{TAG}: {text}", file=sys.stderr)
    return 1
