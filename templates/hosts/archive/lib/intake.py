"""From the scanners' folders to the spool: what has come whole becomes a job, whose name is what it contains.

A job is `spool/<first half of the scan's SHA-256>/`: `scan`, `job.json` with every name under which it came, `out/` for the
worker. The same scan twice is one job, so whatever is done again after a crash is done once. Only what is on disk
in the spool is taken out of a scanner's folder.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from places import INTO, Failed, copy, got, plain, put, settle

JOB = "job.json"
SCAN = "scan"
OUT = "out"
TAKING = ".taking"
Inode = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """A file in a scanner's folder, as it was when it was looked at."""

    path: Path
    scanner: str
    inode: Inode
    size: int
    changed: int
    """nanoseconds"""


def found(drop: Path) -> Iterator[Found]:
    """Every plain file that scanners have put; folders and the like are left where they are."""
    for folder in sorted(drop.glob(f"*/{INTO}")):
        if folder.is_symlink() or not folder.is_dir():
            continue
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            seen = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(seen.st_mode):
                inode = (seen.st_dev, seen.st_ino)
                yield Found(
                    Path(entry.path),
                    folder.parent.name,
                    inode,
                    seen.st_size,
                    max(seen.st_mtime_ns, seen.st_ctime_ns),
                )


def open_files(users: set[int], proc: Path = Path("/proc")) -> set[Inode]:
    """What processes of these accounts hold open: an upload that is not over, however long it pauses.

    Raises:
        Failed: the kernel does not tell, so nothing is known to be whole.
    """
    held = set()
    for process in proc.iterdir():
        try:
            if not process.name.isdigit() or owner(process) not in users:
                continue
            for name in os.listdir(process / "fd"):
                seen = (process / "fd" / name).stat()
                held.add((seen.st_dev, seen.st_ino))
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError as error:
            raise Failed(f"open files of {process.name} cannot be seen: {error.strerror}") from None
    return held


def owner(process: Path) -> int:
    """Whose a process is. Its folder says root of one that may not be traced, as those of sshd are."""
    for line in (process / "status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[2])
    return -1


class Settled:
    """Which files have stayed as they are for a while. Their own times are the sender's word and count for nothing."""

    def __init__(self, quiet_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.quiet_s, self.clock = quiet_s, clock
        self._since: dict[Found, float] = {}

    def ready(self, there: list[Found], held: set[Inode]) -> list[Found]:
        """Those that are held open by nobody and have not changed."""
        at = self.clock()
        self._since = {one: self._since.get(one, at) for one in there if one.inode not in held}
        return [one for one, since in self._since.items() if at - since >= self.quiet_s]


def take(one: Found, spool: Path, limit: int, group: int) -> str:
    """Make a job of a file, then take the file away; the job's name.

    Raises:
        Failed: it changed or vanished meanwhile: it is looked at again later.
    """
    fresh = _begin(spool)
    digest, size = copy(one.path, fresh / SCAN, limit)
    name = plain(one.path.name)
    job = digest[:32]
    if (spool / job).exists():
        also(spool / job, one.scanner, name)
        shutil.rmtree(fresh)
    else:
        _offer(fresh, spool / job, digest, size, [[one.scanner, name]], group)
    _away(one)
    return job


def again(path: Path, spool: Path, digest: str, size: int, names: list[list[str]], group: int) -> None:
    """A job of a scan that was rejected; the file stays where it is.

    Raises:
        Failed: it is not what it was.
    """
    fresh = _begin(spool)
    if copy(path, fresh / SCAN, size) != (digest, size):
        raise Failed(f"{path.name} is not what was rejected")
    if (spool / digest[:32]).exists():
        shutil.rmtree(fresh)
    else:
        _offer(fresh, spool / digest[:32], digest, size, names, group)


def _begin(spool: Path) -> Path:
    fresh = spool / TAKING
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o750)
    return fresh


def _offer(fresh: Path, job: Path, digest: str, size: int, names: list[list[str]], group: int) -> None:
    """What was copied becomes a job at once."""
    os.chown(fresh / SCAN, -1, group)
    (fresh / SCAN).chmod(0o440)
    put(fresh / JOB, {"sha256": digest, "size": size, "names": names, "tries": 0})
    settle(fresh)
    fresh.rename(job)
    settle(job.parent)


def also(job: Path, scanner: str, name: str) -> None:
    """A scan that is in the spool came once more."""
    said = got(job / JOB)
    if [scanner, name] not in said["names"]:
        put(job / JOB, {**said, "names": [*said["names"], [scanner, name]]})


def _away(one: Found) -> None:
    """Only if it is still what was copied: a scanner may have put another of that name meanwhile."""
    try:
        seen = one.path.lstat()
        if (seen.st_dev, seen.st_ino) == one.inode and seen.st_size == one.size:
            one.path.unlink()
    except FileNotFoundError:
        pass


def jobs(spool: Path) -> list[Path]:
    """What waits, the oldest first."""
    there = [path for path in spool.iterdir() if not path.name.startswith(".") and (path / JOB).exists()]
    return sorted(there, key=lambda path: (path / SCAN).stat().st_mtime)


def since(spool: Path) -> list[float]:
    """When each of the jobs that wait came; seconds since the epoch. For who looks while they are worked on."""
    found = []
    for job in spool.iterdir():
        try:
            if not job.name.startswith("."):
                found.append((job / SCAN).stat().st_mtime)
        except FileNotFoundError:
            continue
    return found


def said(job: Path) -> dict[str, Any]:
    """What is known of a job.

    Raises:
        Failed: it is broken.
    """
    try:
        return dict(json.loads((job / JOB).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise Failed(f"{job.name}: {error}") from None
