"""A jump host: the one system through which a controller reaches everything else.

It is said where the controller stands, not in the inventory: `LIENTHONG_JUMP=[user@]host[:port]`. OpenSSH's
stdio forwarding (ssh(1), -W) carries each connection: the jump host reads nothing of what passes, keys stay
with the controller, and the far end's host key is verified as without it. The jump host's own key is believed
from the same file. It is of one side, as its controller is.
"""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from lienthong.errors import LienThongError

if TYPE_CHECKING:
    from lienthong.target import Access

_FORM = re.compile(
    r"(?:([a-z_][a-z0-9_-]{0,31})@)?([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)(?::(\d{1,5}))?"
)


@dataclass(frozen=True)
class Jump:
    """Where it is and as whom it is used."""

    user: str
    host: str
    port: int


def parse(text: str, user: str) -> Jump:
    """`[user@]host[:port]`.

    Raises:
        LienThongError: it is not of that form.
    """
    found = _FORM.fullmatch(text)
    if found is None or not 0 < int(found[3] or 22) < 65536:
        raise LienThongError(f"LIENTHONG_JUMP={text!r}: not a jump host", hint="user@host or user@host:port")
    return Jump(found[1] or user, found[2], int(found[3] or 22))


def command(access: Access, host: str = "%h", port: str = "%p") -> list[str]:
    """The command that carries one connection over its standard input and output; empty without a jump host.

    Args:
        host, port: the far end; OpenSSH's own marks for it unless told.
    """
    jump = access.jump
    if jump is None:
        return []
    return [
        "ssh", "-F", "none", "-T", "-i", str(access.key_file), "-p", str(jump.port),
        "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=8",
        "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={access.known_hosts}",
        "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no", "-o", "LogLevel=ERROR",
        "-o", "ServerAliveInterval=5", "-W", f"{host}:{port}", f"{jump.user}@{jump.host}",
    ]  # fmt: skip


def options(access: Access) -> list[str]:
    """What an `ssh` command line needs; nothing without a jump host."""
    return ["-o", f"ProxyCommand={shlex.join(command(access))}"] if access.jump else []


def connect(access: Access, address: IPv4Address | str, port: int, within_s: float) -> socket.socket:
    """A connection to an SSH server, directly or through the jump host.

    Raises:
        OSError: nobody answers there, or the jump host does not let it through.
    """
    if access.jump is None:
        found = socket.create_connection((str(address), port), timeout=within_s)
        # Without it every line waits for the acknowledgement of the one before (Nagle).
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found
    try:
        return through(command(access, str(address), str(port)), within_s)
    except ConnectionError as error:
        raise ConnectionError(f"through the jump host {access.jump.host}: {error}") from None


def through(words: Sequence[str], within_s: float) -> socket.socket:
    """A connection that a command carries over its standard input and output, once the far end has spoken.

    Raises:
        ConnectionError: the far end said nothing; the message is what the command complained of.
    """
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            words,
            stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=said,
            start_new_session=True,  # Ctrl-C is for us to deal with, in order
        )  # fmt: skip
        theirs.close()
        ours.settimeout(within_s)
        try:
            # A server speaks first: what it says stays for whoever reads.
            if ours.recv(1, socket.MSG_PEEK):
                return ours
            process.wait(within_s)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        ours.close()
        said.seek(0)
        why = said.read(2000).decode("utf-8", "replace").strip().splitlines()
    raise ConnectionError(why[-1] if why else "no answer")
