"""Commands on endpoints, as root; what listens there can be broken off."""

from __future__ import annotations

import os
import subprocess
from threading import Lock

from lienthong.conference.endpoint import Run
from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.openssh import Ways

#: No command takes longer; a listening takes its own time and this.
WITHIN_S = 40.0


class BrokenOff(LienThongError):
    """The officer wants an end."""


class Reach:
    """Commands on some endpoints."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
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
        return self._ways.run(name, ("/bin/sh", "-c", line), within_s=within_s, stdin=stdin).stdout
