"""The further copy: the repository onto a medium that is attached for it and taken away, only ever added to.

A file that is on the medium is never written again: it is compared, and a difference is an alarm, whoever of the
two was altered. So the vault, even with root against us, does not spoil what an earlier medium holds, provided the
medium is not attached while it does not copy. Everything is read back from the medium before it counts.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import Any

import ledger
import reader
from places import COPIES, LEDGER, REPOSITORY, Failed, got, log, now, put, quiet, tell

MEDIA = Path("/media/lienthong")
BLOCK = 1 << 20
TELL_EVERY_S = 1.0


def copies(conf: dict[str, Any], only: str = "", *, if_there: bool = False) -> int:
    """Every medium that is attached and lacks something; 1 when one failed.

    Args:
        if_there: nothing attached is nothing wrong: the timer asks often.
    """
    names = [name for name in conf["copies"] if only in {"", name}]
    there = [name for name in names if os.path.ismount(MEDIA / name)]
    if not there and not if_there:
        raise Failed(
            f"no medium is attached: {', '.join(str(MEDIA / name) for name in names) or 'none is declared'}"
        )
    good = True
    told = {}
    for name in there:
        record = got(COPIES)
        known = ledger.read()
        last = record.get(name, {})
        if if_there and last.get("ok") and last.get("transaction") == known.transaction:
            continue
        began = time.monotonic()
        result: dict[str, Any] = {"at": now(), "ok": False, "error": ""}
        try:
            with quiet():
                result |= copied(conf["name"], MEDIA / name, ledger.read())
            result["ok"] = True
        except (Failed, OSError) as error:
            result["error"] = str(error)
        result["seconds"] = round(time.monotonic() - began, 1)
        put(COPIES, {**record, name: result})
        ledger.append(ledger.read(), "copy", medium=name, copied=result)
        words = "ok" if result["ok"] else f"FAILED {result['error']}"
        log(f"copy to {name} {words}: {result.get('archives', 0)} archives", alarm=not result["ok"])
        good = good and result["ok"]
        told[name] = result
    tell(event="result", ok=good, copies=told)
    return 0 if good else 1


def copied(vault: str, medium: Path, known: ledger.Known) -> dict[str, Any]:
    """Bring a medium up to the last look, and prove that it holds every archive."""
    files = reader.segments()
    if (
        known.findings
        or files.transaction != known.transaction
        or files.digest(known.transaction) != known.segments
    ):
        raise Failed("the repository is not as the last good look left it: nothing is copied from it")
    into = medium / vault / "borg"
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = {n for n, _, _ in files.files if n <= known.transaction}
    wanted = [path for path in walk(REPOSITORY / "data") if int(path.name) in numbers]
    plain = [REPOSITORY / "README", REPOSITORY / "config"]
    derived = [REPOSITORY / f"{kind}.{known.transaction}" for kind in ("index", "hints", "integrity")]
    new = total = 0
    told = time.monotonic()
    for count, path in enumerate([*wanted, *plain, *derived], 1):
        target = into / path.relative_to(REPOSITORY)
        if path.name == "config" and target.exists() and hashed(target) != hashed(path):
            target = into.parent / f"config.{known.transaction}"  # its passphrase was changed: both are kept
        added, size = add(path, target)
        new += added
        total += size
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            tell(event="progress", step=f"copy to {medium.name}", files=count, of=len(wanted), bytes=total)
    add(LEDGER, into.parent / f"ledger-{len(known.entries)}.jsonl")
    os.sync()
    there = {one.id for one in reader.archives(into)}
    missing = set(known.expected) - there
    if missing:
        raise Failed(f"{len(missing)} archives are not on the medium")
    return {
        "transaction": known.transaction,
        "head": known.head,
        "archives": len(known.expected),
        "files": len(wanted),
        "new": new,
        "bytes": total,
    }


def walk(folder: Path) -> list[Path]:
    """The segments; no link is followed."""
    return sorted(
        folder / part / name
        for part in os.listdir(folder)
        if stat.S_ISDIR(os.lstat(folder / part).st_mode)
        for name in os.listdir(folder / part)
        if name.isdigit()
    )


def add(source: Path, target: Path) -> tuple[int, int]:
    """A file to the medium, once: (1 if it is new, its size).

    Raises:
        Failed: another one is there, or it reads back different.
    """
    wanted = hashed(source)
    size = os.lstat(source).st_size
    if target.exists():
        if hashed(target) != wanted:
            raise Failed(f"{target.name} on the medium and in the vault differ: one of them was altered")
        return 0, size
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f".new-{target.name}")
    fresh.unlink(missing_ok=True)
    with opened(source) as reading, fresh.open("xb") as writing:
        while block := reading.read(BLOCK):
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
        os.posix_fadvise(writing.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if hashed(fresh) != wanted:
        fresh.unlink()
        raise Failed(f"{target.name} reads back different from the medium")
    fresh.chmod(0o400)
    fresh.rename(target)  # nobody else writes there: the lock is held, and only root may
    return 1, size


def opened(path: Path) -> Any:
    """A plain file; `vault` may have put a link in its place, which is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Failed(f"{path} is no plain file")
    return os.fdopen(handle, "rb")


def hashed(path: Path) -> str:
    """SHA-256 of a plain file."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
