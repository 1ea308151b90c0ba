"""Boots and powers off the computers of a lab, and looks at them."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import cgroup, guest
from lienthong.lab.namespace import inside
from lienthong.lab.place import Place

#: systemd as the first process of a namespace takes this as "power off" (systemd(1)).
_POWER_OFF = signal.SIGRTMIN + 4
_CAPABILITIES = "CAP_NET_ADMIN,CAP_SYS_NICE,CAP_IPC_LOCK"


@dataclass(frozen=True)
class Running:
    """A booted node: the node's first process as this machine sees it, and what watches it."""

    pid: int
    started: int
    """Start time in clock ticks since boot (proc(5)): a pid alone may be somebody else's by now."""
    nspawn: int
    """What keeps it: systemd-nspawn, or the emulator itself."""
    folder: str = ""
    """A node with a kernel of its own: where its emulator listens."""
    entry: tuple[str, ...] = ()
    """The same: the command by which one gets in, for there are no namespaces to enter."""

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


def start(place: Place, name: str, tun: bool) -> subprocess.Popen[bytes]:
    """Switch a node on; its namespace and its root are there. Returns at once."""
    home = place.node(name)
    command = ["systemd-nspawn", "--quiet", f"--directory={home / 'root'}", f"--machine={place.netns(name)}"]
    command += [f"--hostname={name}", f"--network-namespace-path=/run/netns/{place.netns(name)}"]
    command += [f"--capability={_CAPABILITIES}", "--register=no", "--keep-unit", "--resolv-conf=off"]
    command += ["--timezone=off", "--link-journal=no", "--console=pipe", "--boot"]
    if tun:
        command.append("--bind=/dev/net/tun")
    with (home / "console.log").open("ab") as console:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            start_new_session=True,
            preexec_fn=lambda: cgroup.join(f"{place.cgroup}/{name}"),
        )


def wait_for_ssh(
    oob: Path,
    addresses: Mapping[str, IPv4Address],
    gone: Callable[[str], bool],
    answered: Callable[[int], None],
    timeout_s: float = 180.0,
    answer_s: float = 0.25,
) -> None:
    """Wait until sshd of every node has sent its banner to the controller's namespace.

    Args:
        answer_s: how long one that took the connection may think. A slow computer that is asked again before
            it has answered never will.

    Raises:
        Unreachable: some node did not come up in time, or went off again.
    """
    deadline = time.monotonic() + timeout_s
    waiting = dict(addresses)
    with inside(oob):
        while waiting:
            for name in banners(waiting, answer_s):
                del waiting[name]
                answered(len(addresses) - len(waiting))
            dead = [name for name in waiting if gone(name)]
            if dead:
                raise Unreachable(f"{dead[0]} went off while it booted", hint="its console.log says why")
            if waiting and time.monotonic() > deadline:
                raise Unreachable(f"no sshd after {timeout_s:.0f} s on {', '.join(sorted(waiting))}")


def banners(
    waiting: Mapping[str, IPv4Address], answer_s: float, round_s: float = 0.25, port: int = 22
) -> list[str]:
    """Those that greet within one round, which ends earlier when all have greeted or refused."""
    greeted = []
    began = time.monotonic()
    end = began + answer_s
    with selectors.DefaultSelector() as selector:
        for name, address in waiting.items():
            handle = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            if handle.connect_ex((str(address), port)) in {0, errno.EINPROGRESS}:
                selector.register(handle, selectors.EVENT_READ, name)
            else:
                handle.close()
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                peer = key.fileobj
                assert isinstance(peer, socket.socket)
                with suppress(OSError):  # refused: the system is up, sshd is not yet
                    if peer.recv(64).startswith(b"SSH-"):
                        greeted.append(str(key.data))
                selector.unregister(peer)
                peer.close()
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    time.sleep(max(0.0, began + round_s - time.monotonic()))
    return greeted


def leader(nspawn: int) -> Running:
    """The first process of the node that this nspawn keeps.

    Raises:
        Unreachable: it has none.
    """
    for pid in _children(nspawn):
        started = start_time(pid)
        if started is not None:
            return Running(pid, started, nspawn)
    raise Unreachable(f"process {nspawn} keeps no node")


def emulated(place: Place, name: str, address: IPv4Address, process: int) -> Running:
    """A node with a kernel of its own, which that process emulates.

    Raises:
        Unreachable: it has ended.
    """
    started = start_time(process)
    if started is None:
        raise Unreachable(f"process {process} keeps no node")
    return Running(process, started, process, str(place.node(name)), guest.entry(place, str(address)))


def power_off(nodes: Sequence[Running], timeout_s: float = 5.0) -> list[Running]:
    """Shut nodes down in good order, all at once.

    Returns:
        Those that were still on after `timeout_s`; an emulated one has a minute.
    """
    watching = [(node, start_time(node.nspawn)) for node in nodes if node.alive]
    for node, _ in watching:
        if node.folder:
            guest.tell(Path(node.folder), "system_powerdown")
        else:
            os.kill(node.pid, _POWER_OFF)
    began = time.monotonic()
    while any(time.monotonic() - began < (guest.POWER_OFF_S if n.folder else timeout_s) for n, _ in watching):
        time.sleep(0.03)
        watching = [(node, first) for node, first in watching if start_time(node.nspawn) == first is not None]
    return [node for node, _ in watching]


def start_time(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None if there is none, or only its remains."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def memory_mb(place: Place, name: str) -> int:
    """What the node's processes hold in memory of their own (without what they share)."""
    total = 0
    for pid in cgroup.pids(f"{place.cgroup}/{name}"):
        try:
            resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1:3]
        except OSError:
            continue
        total += int(resident) - int(shared)
    return total * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]
