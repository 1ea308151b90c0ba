"""Gets facts from nodes: one ssh login each, side by side, over connections that Testinfra then reuses."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from threading import Lock

from lienthong import jump
from lienthong.errors import Unreachable
from lienthong.facts import collector
from lienthong.facts.facts import FactMissing, Facts
from lienthong.model.intent import Node
from lienthong.target import Access

LOGIN_TIMEOUT_S = 8
COLLECT_TIMEOUT_S = 25


def ssh_config(access: Access, names: Mapping[str, IPv4Address], folder: Path) -> Path:
    """Write an OpenSSH configuration by which plain `ssh -F … <name>` reaches every system.

    Host keys are verified always; connections are kept and shared through sockets in `folder` (a short
    path: a socket's has 108 characters at most).
    """
    lines = []
    for name, address in names.items():
        lines += [f"Host {name}", f"  HostName {address}"]
    lines += [
        "Host *",
        f"  User {access.user}",
        f"  IdentityFile {access.key_file}",
        "  IdentitiesOnly yes",
        "  PreferredAuthentications publickey",
        "  BatchMode yes",
        f"  UserKnownHostsFile {access.known_hosts}",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        f"  ConnectTimeout {LOGIN_TIMEOUT_S}",
        "  ServerAliveInterval 5",
        "  ControlMaster auto",
        f"  ControlPath {folder}/%C",
        "  ControlPersist 90",
        "  LogLevel ERROR",
    ]
    if access.jump is not None:
        lines.append(f"  ProxyCommand {shlex.join(jump.command(access))}")
    path = folder / "ssh_config"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def gather(node: Node, config: Path) -> Facts:
    """The facts of one node.

    Raises:
        Unreachable: no login.
        FactMissing: the collector did not run there.
    """
    source = Path(collector.__file__).read_text(encoding="utf-8")
    argv = ["ssh", "-F", str(config), node.name, "sudo -n /usr/bin/python3 -I -"]
    try:
        done = subprocess.run(
            argv, input=source, capture_output=True, text=True, timeout=COLLECT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{node.name}: no facts within {COLLECT_TIMEOUT_S} s") from None
    if done.returncode == 255:
        raise Unreachable(f"{node.name}: no login: {done.stderr.strip()[-300:]}", hint="lienthong lab status")
    if done.returncode:
        raise FactMissing(f"{node.name}: the collector failed: {done.stderr.strip()[-300:]}")
    return Facts.from_json(node.name, done.stdout)


class Gathering:
    """Facts of many nodes; each node is asked once, when first wanted or when told to start early."""

    def __init__(self, access: Access, nodes: dict[str, Node], config: Path, workers: int = 8) -> None:
        self._access = access
        self._nodes = nodes
        self._config = config
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="facts")
        self._jobs: dict[str, Future[Facts]] = {}
        self._lock = Lock()

    def start(self, names: Iterable[str]) -> None:
        """Begin to ask these nodes; does not wait."""
        for name in names:
            self._job(name)

    def of(self, name: str) -> Facts:
        """The facts of a node.

        Raises:
            Unreachable: the target does not have it, or there is no login.
        """
        return self._job(name).result()

    def again(self, name: str) -> Facts:
        """Ask once more, after something was changed."""
        with self._lock:
            self._jobs.pop(name, None)
        return self.of(name)

    def _job(self, name: str) -> Future[Facts]:
        with self._lock:
            if name not in self._jobs:
                node = self._nodes[name]
                self._access.address(node)
                self._jobs[name] = self._pool.submit(gather, node, self._config)
            return self._jobs[name]

    def close(self) -> None:
        """Let no thread start another login."""
        self._pool.shutdown(wait=False, cancel_futures=True)
