"""Runs commands on many systems over SSH, as root by sudo."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from shlex import quote
from types import TracebackType

from lienthong.errors import Unreachable
from lienthong.facts.gather import ssh_config
from lienthong.target import Access

WITHIN_S = 25.0


class Reach:
    """Connections to some systems, kept within the block; host keys are verified."""

    def __init__(self, access: Access, addresses: Mapping[str, IPv4Address]) -> None:
        # A short path: a socket's has 108 characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
        self._config = ssh_config(access, addresses, self._folder)

    def run(self, name: str, line: str) -> str:
        """What the command prints.

        Raises:
            Unreachable: no login, no answer in time.
            RuntimeError: it failed there.
        """
        argv = ["ssh", "-F", str(self._config), name, f"sudo -n /bin/sh -c {quote(line)}"]
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(f"{name}: no answer within {WITHIN_S:g} s") from None
        if done.returncode == 255:
            raise Unreachable(f"{name}: no login: {done.stderr.strip()[-300:]}", hint="lienthong trust")
        if done.returncode:
            raise RuntimeError(f"{name}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

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
