"""What a device has not acknowledged is not delivered for ever: a line that waits out an outage in the queue
of its connection would reach the device after it has returned to its configuration, and stay there.

The kernel sends such data again and again, even for a process that was killed. The limit of that is called
user timeout (RFC 9293, 3.8.3; RFC 5482, 1).
"""

from __future__ import annotations

import socket
import sys

import paramiko


def limit(client: paramiko.SSHClient, seconds: float) -> None:
    """End the connection, and forget what is in its queue, when something stays unacknowledged so long."""
    transport = client.get_transport()
    sock = transport.sock if transport is not None else None
    # Through a jump host the connection to the device is not ours; and only Linux has the option.
    if isinstance(sock, socket.socket) and sock.family != socket.AF_UNIX and sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
