"""A jump host for tests: an SSH server that opens connections for who has its key, and does nothing else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import asyncssh


class _Server(asyncssh.SSHServer):
    def __init__(self, jump: JumpHost) -> None:
        self._jump = jump

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        self._jump.asked.append((dest_host, dest_port))
        return self._jump.lets

    def session_requested(self) -> bool:
        return False


class JumpHost:
    """Listens in the network namespace that its thread is in when it starts."""

    def __init__(self, address: str, authorized: Path) -> None:
        """`authorized`: a file of public keys that are let in, under any name."""
        self.lets = True
        self.asked: list[tuple[str, int]] = []
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._over, ready = threading.Event(), threading.Event()
        self.address, self.port = address, 0
        self._authorized = authorized
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(10)

    async def _live(self, ready: threading.Event) -> None:
        listener = await asyncssh.listen(
            self.address, 0, server_factory=lambda: _Server(self), server_host_keys=[self._key],
            authorized_client_keys=str(self._authorized),
        )  # fmt: skip
        self.port = listener.get_port()
        ready.set()
        while not self._over.is_set():
            await asyncio.sleep(0.05)
        listener.close()
        await listener.wait_closed()

    @property
    def known(self) -> str:
        """Its line of a known_hosts file."""
        return f"[{self.address}]:{self.port} {self._key.export_public_key().decode().strip()}\n"

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)
