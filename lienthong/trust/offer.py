"""Asks an SSH server for its host keys. No login is tried, and nothing that it says is shown."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from lienthong.errors import Unreachable
from lienthong.trust.hostkey import HostKey

ASK_S = 8.0
Connect = Callable[[float], socket.socket]
#: The first that a device has is the one that is put on record: strongest and shortest first.
KINDS: tuple[tuple[str, ...], ...] = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256",),
    ("ecdsa-sha2-nistp384",),
    ("ecdsa-sha2-nistp521",),
    ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
)
# paramiko writes what a stranger sends into its log, with a traceback where it makes no sense.
logging.getLogger("paramiko.transport").addHandler(logging.NullHandler())


def offered(name: str, connect: Connect, within_s: float = ASK_S) -> tuple[HostKey, ...]:
    """The keys that a server has, each proved by the key exchange.

    One connection a kind of key, one after the other: gear has few lines for logins.

    Args:
        connect: opens one within so many seconds.

    Raises:
        Unreachable: nothing answers there, or it is no SSH server.
    """
    found = []
    for kinds in KINDS:
        with contextlib.suppress(IncompatiblePeer):
            found.append(_ask(name, connect, kinds, within_s))
    if not found:
        raise Unreachable(f"{name}: offers no kind of host key that is known here")
    return tuple(found)


def _ask(name: str, connect: Connect, kinds: tuple[str, ...], within_s: float) -> HostKey:
    try:
        connection = connect(within_s)
    except OSError as error:
        raise Unreachable(f"{name}: no answer: {error.strerror or error}") from None
    transport = paramiko.Transport(connection)
    try:
        transport.banner_timeout = within_s
        transport.get_security_options().key_types = kinds
        transport.start_client(timeout=within_s)
        key = transport.get_remote_server_key()
        return HostKey(key.get_name(), key.asbytes(), key.get_bits())
    except IncompatiblePeer:
        raise
    except (paramiko.SSHException, OSError, EOFError, ValueError, TypeError, IndexError) as error:
        # What it said instead stays unsaid: it may be anything.
        raise Unreachable(f"{name}: no SSH server ({type(error).__name__})") from None
    finally:
        transport.close()
