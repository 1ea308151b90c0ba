"""Reaches endpoints over SSH, as root by sudo; what listens there can be broken off."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from threading import Lock
from types import TracebackType

from lienthong.conference.endpoint import Run
from lienthong.errors import LienThongError, Unreachable
from lienthong.facts.gather import ssh_config
from lienthong.model.intent import Node
from lienthong.target import Access

#: No command takes longer; a listening takes its own time and this.
WITHIN_S = 40.0


class BrokenOff(LienThongError):
    """The officer wants an end."""


class Reach:
    """Connections to some endpoints, kept within the block."""

    def __init__(self, access: Access, nodes: Iterable[Node]) -> None:
        # A short path: a socket's has 108 characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
        self._config = ssh_config(access, {node.name: access.address(node) for node in nodes}, self._folder)
        self._lock = Lock()
        self._listening: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(self, node: Node) -> Run:
        """Commands there; they are not broken off: what was begun must be ended there."""
        return lambda line: self._run(node.name, line, WITHIN_S, may_end=False)

    def listener(self, node: Node, seconds: float) -> Run:
        """The same for what takes so many seconds and may be broken off."""
        return lambda line: self._run(node.name, line, seconds + WITHIN_S, may_end=True)

    def break_off(self) -> None:
        """Whatever listens is ended, and nothing listens any more."""
        with self._lock:
            self._ended = True
            for process in self._listening:
                process.terminate()

    def _run(self, name: str, line: str, within_s: float, *, may_end: bool) -> str:
        argv = ["ssh", "-F", str(self._config), name, f"sudo -n /bin/sh -c {quote(line)}"]
        with self._lock:
            if may_end and self._ended:
                raise BrokenOff("broken off")
            # Ctrl-C is for us to deal with, in order: a session of its own does not hear of it.
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            if may_end:
                self._listening.add(process)
        try:
            out, said = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Unreachable(f"{name}: no answer within {within_s:g} s") from None
        finally:
            with self._lock:
                self._listening.discard(process)
        if may_end and self._ended:
            raise BrokenOff("broken off")
        if process.returncode == 255:
            raise Unreachable(
                f"{name}: no login: {said.strip()[-300:]}", hint="lienthong trust, lienthong audit"
            )
        return out

    def __enter__(self) -> Reach:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._folder.glob("*"):
            if socket.is_socket():
                subprocess.run(
                    ["ssh", "-F", str(self._config), "-o", f"ControlPath={socket}", "-O", "exit", "any"],
                    capture_output=True,
                    check=False,
                )
        shutil.rmtree(self._folder, ignore_errors=True)
