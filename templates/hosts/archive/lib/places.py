"""Where an archive keeps what, and how its programs speak. Written by Liên Thông; standard library only.

Each scanner's account may only drop; `lienthong-ocr` turns one scan into a document and sees nothing else;
`lienthong-archive` reads what is archived, and fetches it for a province; root alone appends to the ledger.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import stat
import sys
import syslog
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONF = Path("/etc/lienthong/archive/archive.json")
DROP = Path("/srv/scans")
#: Where a scanner's own folder is within its root.
INTO = "new"
BASE = Path("/srv/archive")
STATE = Path("/var/lib/lienthong/archive")
#: Who may read what is archived.
READERS = "lienthong-archive"
WORKER = "lienthong-ocr"
TAG = "lienthong-archive"
BLOCK = 1 << 20
#: The longest line of a log, and of a reason in the ledger.
LINE = 400


class Failed(Exception):
    """A step did not work; the message is for people."""


class Gone(Failed):
    """A file is not there, or is no plain file."""


def now() -> str:
    """UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def conf() -> dict[str, Any]:
    """What the inventory says of this archive; root's file."""
    return dict(json.loads(CONF.read_text(encoding="utf-8")))


def plain(text: str) -> str:
    """One line for people, without steering characters; a name that is no UTF-8 shows its bytes."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in shown)[:LINE]


def log(text: str, *, alarm: bool = False) -> None:
    """One line of syslog, which the side's collector gets."""
    syslog.openlog(TAG, syslog.LOG_PID, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_CRIT if alarm else syslog.LOG_NOTICE, plain(("ALARM " if alarm else "") + text))


def tell(**event: Any) -> None:
    """The answer to who called: a line of JSON on standard output."""
    print(json.dumps(event, ensure_ascii=True), flush=True)


def fail(text: str) -> int:
    """Say why a command did not work."""
    tell(error=plain(text))
    print(f"{TAG}: {plain(text)}", file=sys.stderr)
    return 1


def readers() -> int:
    """The group that may read what is archived."""
    return grp.getgrnam(READERS).gr_gid


def workers() -> int:
    """The group of the account that reads a scan."""
    return grp.getgrnam(WORKER).gr_gid


def settle(path: Path) -> None:
    """What is in a file, or which names are in a folder, reaches the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(path: Path, data: Any) -> None:
    """A JSON document in place whole, in a folder of root's own."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.chmod(0o644)
    settle(fresh)
    fresh.replace(path)
    settle(path.parent)


def got(path: Path, limit: int = 64 << 20) -> dict[str, Any]:
    """A JSON document; empty where there is none. Another account may have made it: no link is followed."""
    try:
        handle, _ = opened(path)
    except Failed:
        return {}
    with os.fdopen(handle, "rb") as file:
        try:
            found = json.loads(file.read(limit))
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


def opened(path: Path) -> tuple[int, os.stat_result]:
    """A plain file of one name, opened to be read; whoever owns the folder, no link is followed.

    Raises:
        Gone: there is none.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Gone(f"{path.name}: {error.strerror}") from None
    seen = os.fstat(handle)
    if not stat.S_ISREG(seen.st_mode):
        os.close(handle)
        raise Gone(f"{path.name} is no plain file")
    return handle, seen


def copy(source: Path, target: Path, limit: int) -> tuple[str, int]:
    """A copy of root's own, on the disk; SHA-256 and size of what was written.

    Raises:
        Failed: the source is no plain file, is larger than `limit` bytes, or changed meanwhile.
    """
    handle, before = opened(source)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "rb") as file, target.open("xb") as out:
        while block := file.read(BLOCK):
            size += len(block)
            if size > limit:
                raise Failed(f"{source.name} is larger than {limit} bytes")
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise Failed(f"{source.name} changed while it was read")
    return digest.hexdigest(), size


def hashed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file.

    Raises:
        Gone: it is no plain file.
    """
    handle, _ = opened(path)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
