"""Goes into the network namespaces of a lab."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lienthong.errors import LienThongError, Unreachable
from lienthong.lab import cgroup
from lienthong.lab.place import NETNS_DIR, Place, place

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def setns(path: Path) -> None:
    """Put the calling thread into a network namespace (Python 3.11 has no `os.setns`).

    Raises:
        Unreachable: there is no such namespace, or it may not be entered.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror}", hint="lienthong lab up") from None
    try:
        if _libc.setns(fd, _CLONE_NEWNET):
            code = ctypes.get_errno()
            raise Unreachable(
                f"{path}: cannot enter the namespace: {os.strerror(code)}", hint="run it as root"
            )
    finally:
        os.close(fd)


@contextmanager
def inside(path: Path) -> Iterator[None]:
    """The calling thread is in that namespace within the block; others are not moved."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(path)
        yield
    finally:
        _libc.setns(home, _CLONE_NEWNET)
        os.close(home)


def enter(root: Path) -> None:
    """Move this process to where the controller of the checkout's lab works; a second call does nothing.

    Call it in the main thread before threads or subprocesses start: one that is there already stays outside.

    Raises:
        LienThongError: threads are running.
        Unreachable: the lab is not up, or this is not root.
    """
    oob = place(root).oob
    if oob.exists() and oob.stat().st_ino == Path("/proc/thread-self/ns/net").stat().st_ino:
        return
    if threading.active_count() > 1:
        raise LienThongError("the lab is entered before threads start")
    setns(oob)


def run_in(
    netns: str, argv: Sequence[str], lab: Place | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """`subprocess.run` in a namespace of a lab (a probe's, for instance): output is text and captured.

    Args:
        netns: the namespace's full name, as the lab's state tells it.
        lab: the process joins this lab's cgroup, so that it ends with the lab at the latest.
        options: for `subprocess.run`: `input`, `timeout`, `check`, `env`.
    """
    with popen_in(netns, argv, lab, **_split(options)) as process:
        try:
            out, err = process.communicate(options.get("input"), timeout=options.get("timeout"))
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(list(argv), process.returncode, out, err)
    if options.get("check"):
        done.check_returncode()
    return done


def popen_in(
    netns: str, argv: Sequence[str], lab: Place | None = None, **options: Any
) -> subprocess.Popen[str]:
    """`subprocess.Popen` in a namespace of a lab, with text pipes."""
    path = NETNS_DIR / netns

    def go() -> None:
        if lab is not None:
            cgroup.join(f"{lab.cgroup}/probes")
        setns(path)

    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen(list(argv), text=True, preexec_fn=go, **options)


def _split(options: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in options.items() if name not in {"input", "timeout", "check"}}
    if "input" in options:
        rest["stdin"] = subprocess.PIPE
    return rest
