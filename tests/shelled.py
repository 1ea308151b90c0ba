"""A Debian system for tests, as far as OpenSSH sees it: a server on loopback that runs commands here.

`sudo` is a program of its own there, which takes no command but one that follows `-n --`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import asyncssh

from lienthong.model.words import Target
from lienthong.target import Access

NAME = "loc-ninh-srv"
_SUDO = """#!/bin/sh
[ "$1 $2" = "-n --" ] || { echo "sudo: a password is required" >&2; exit 1; }
shift 2; exec "$@"
"""


def command_lines() -> list[str]:
    """Those of all processes of this machine."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(one.read_bytes().decode("utf-8", "replace"))
    return found


async def _carry(reader: Any, writer: Any) -> None:
    with suppress(OSError, asyncssh.Error):  # who listened has gone
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


class _Server(asyncssh.SSHServer):
    def __init__(self, shell: Shelled) -> None:
        self._shell = shell

    def auth_completed(self) -> None:
        self._shell.logins += 1


class Shelled:
    """Listens until told to end; files of its own, and of who may enter, are in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.logins = 0
        self.commands: list[str] = []
        self.seen: list[str] = []
        """the command lines of all processes of this machine, as each command ended"""
        self._path = folder / "bin"
        self._path.mkdir()
        (self._path / "sudo").write_text(_SUDO, encoding="ascii")
        (self._path / "sudo").chmod(0o755)
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        mine = asyncssh.generate_private_key("ssh-ed25519")
        (folder / "id").write_bytes(mine.export_private_key())
        (folder / "id").chmod(0o600)
        for name in ("id.pub", "authorized"):
            (folder / name).write_bytes(mine.export_public_key())
        self._over, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(folder / "authorized", ready)))
        self._thread.start()
        assert ready.wait(20)
        known = f"[127.0.0.1]:{self.port} {self._key.export_public_key().decode().strip()}\n"
        (folder / "known_hosts").write_text(known, encoding="ascii")
        self.addresses = {NAME: IPv4Address("127.0.0.1")}
        self.access = Access(
            Target.LAB, folder, "lienthong", "netadm", folder / "id", folder / "known_hosts", self.addresses,
            folder / "secrets", ports={NAME: self.port},
        )  # fmt: skip

    async def _live(self, authorized: Path, ready: threading.Event) -> None:
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _Server(self), server_host_keys=[self._key],
            authorized_client_keys=str(authorized), process_factory=self._run, encoding=None,
        )  # fmt: skip
        self.port = listener.get_port()
        ready.set()
        while not self._over.is_set():
            await asyncio.sleep(0.05)
        listener.close()

    async def _run(self, asked: asyncssh.SSHServerProcess[bytes]) -> None:
        line = asked.command or ""
        self.commands.append(line)
        pipe = asyncio.subprocess.PIPE
        path = f"{self._path}:{os.environ['PATH']}"
        done = await asyncio.create_subprocess_exec(
            "sh", "-c", line, stdin=pipe, stdout=pipe, stderr=pipe, env={"PATH": path}
        )
        into = done.stdin
        assert into and done.stdout and done.stderr
        feeding = asyncio.create_task(_carry(asked.stdin, into))
        feeding.add_done_callback(lambda _: into.close())
        try:
            await asyncio.gather(_carry(done.stdout, asked.stdout), _carry(done.stderr, asked.stderr))
            code = await done.wait()
            self.seen += command_lines()
            asked.exit(code)
        finally:
            feeding.cancel()
            if done.returncode is None:
                done.kill()
                await done.wait()

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)
