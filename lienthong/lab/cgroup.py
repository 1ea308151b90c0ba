"""Holds all processes of a lab together, so that none can be missed when it ends.

Works where there is one cgroup2 hierarchy and where version 1's `name=systemd` stands beside it; paths
are relative to the root of every hierarchy that systemd uses.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def hierarchies() -> tuple[Path, ...]:
    """Mount points of the hierarchies in use, cgroup2 first; empty where there is none."""
    found: list[tuple[int, Path]] = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup2":
            found.append((0, Path(where)))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            found.append((1, Path(where)))
    return tuple(path for _, path in sorted(found))


def join(path: str) -> None:
    """Put this process, and whatever it starts from now on, into the cgroup, made if it is new."""
    for top in hierarchies():
        for attempt in range(10):
            try:
                (top / path).mkdir(parents=True, exist_ok=True)
                (top / path / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
                break
            except FileNotFoundError:  # another lab went away just now and took the empty folders above along
                if attempt == 9:
                    raise


def current() -> dict[Path, str]:
    """In which cgroup of each hierarchy this process is, to go back to it."""
    where: dict[Path, str] = {}
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, kind, path = line.split(":", 2)
        for top in hierarchies():
            if kind == ("" if (top / "cgroup.controllers").exists() else "name=systemd"):
                where[top] = path.lstrip("/")
    return where


def go_back(where: dict[Path, str]) -> None:
    """Leave the lab's cgroup again; to the root where the former one is gone."""
    for top, path in where.items():
        home = top / path if (top / path).is_dir() else top
        (home / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def pids(path: str) -> set[int]:
    """Every process in the cgroup or below it, in any hierarchy."""
    found: set[int] = set()
    for top in hierarchies():
        for folder in _folders(top / path):
            try:
                found |= {int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split()}
            except OSError:  # removed while we looked
                continue
    return found


def kill(path: str, timeout_s: float = 10.0) -> set[int]:
    """Kill everything in the cgroup and wait until it is gone.

    Returns:
        The processes that are still there after `timeout_s`; this process is spared and not counted.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        left = pids(path) - {os.getpid()}
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def _folders(start: Path) -> list[Path]:
    """The folder and all below it, the deepest first; dying systems remove theirs while we walk."""
    return [Path(folder) for folder, _, _ in os.walk(start, topdown=False)]


def remove(path: str) -> None:
    """Remove the empty cgroup with all below it."""
    for top in hierarchies():
        for folder in _folders(top / path):
            with suppress(FileNotFoundError):
                folder.rmdir()
        for parent in list(Path(path).parents)[:-1]:
            try:
                (top / parent).rmdir()  # only when no other lab is in it
            except OSError:
                break
