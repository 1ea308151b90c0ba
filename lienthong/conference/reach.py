"""Reaches endpoints over SSH, as root by sudo; what listens there can be broken off."""

from __future__ import annotations

import os
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
        self._inputs: set[int] = set()
        """descriptors by which what listens is ended"""
        self._ended = False

    def run(self, node: Node) -> Run:
        """Commands there; they are not broken off: what was begun must be ended there."""
        return lambda line: self._run(node.name, line, WITHIN_S, subprocess.DEVNULL)

    def listener(self, node: Node, seconds: float) -> Run:
        """The same for what takes so many seconds, and ends when its standard input does."""
        return lambda line: self._listen(node.name, line, seconds + WITHIN_S)

    def break_off(self) -> None:
        """Whatever listens is ended, and nothing listens any more.

        To kill what runs here would end nothing there, nor the waiting here: a shared connection keeps both.
        """
        with self._lock:
            self._ended = True
            while self._inputs:
                os.close(self._inputs.pop())

    def _listen(self, name: str, line: str, within_s: float) -> str:
        read, write = os.pipe()
        with self._lock:
            if self._ended:
                os.close(write)
            else:
                self._inputs.add(write)
        try:
            told = self._run(name, line, within_s, read)
        finally:
            os.close(read)
            with self._lock:
                if not self._ended:
                    self._inputs.remove(write)
                    os.close(write)
        if self._ended:
            raise BrokenOff("broken off")
        return told

    def _run(self, name: str, line: str, within_s: float, stdin: int) -> str:
        process = subprocess.Popen(
            ["ssh", "-F", str(self._config), name, f"sudo -n /bin/sh -c {quote(line)}"],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for us to deal with, in order
        )
        try:
            out, said = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Unreachable(f"{name}: no answer within {within_s:g} s") from None
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
