"""A line for Central: every head that this side makes or takes goes to the local syslog, which ships it.

Sent to /dev/log by hand and not by the C library, whose call says nothing when nobody listens there. A line
that was not taken is sent again by the next run; the chain makes the lines between superfluous.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lienthong.bundle.chain import Chain

TAG = "lienthong-bundle"
SOCKET = Path("/dev/log")
_NOTICE = 10 * 8 + 5  # authpriv.notice


def log(chain: Chain, now: datetime, path: Path = SOCKET) -> bool:
    """Send the last head of a stream, if it was not sent; whether the local syslog has it now."""
    link = chain.read()
    if link is None or link.logged:
        return link is not None
    # Traditional form, as glibc writes it: rsyslog's imuxsock and journald read the tag from it.
    line = (
        f"<{_NOTICE}>{now.astimezone():%b %e %H:%M:%S} {TAG}[{os.getpid()}]: "
        f"{chain.role} {chain.stream} {link.sequence} sha256={link.sha256} head={link.head}"
    )
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as away:
            away.settimeout(2)
            away.connect(str(path))
            away.send(line.encode("ascii"))
    except OSError:
        return False
    chain.write(replace(link, logged=True))
    return True
