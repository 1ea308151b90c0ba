"""`ProxyCommand` of plain ssh into a lab: connects, and hands the socket to ssh (`ProxyUseFdpass yes`).

Started by nsenter inside the controller's namespace with `python3 -I -S`: it imports nothing of the engine.
"""

from __future__ import annotations

import socket
import sys


def main() -> None:
    """Arguments: address and port."""
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as connection:
        connection.settimeout(None)
        with socket.socket(fileno=1) as ssh:
            socket.send_fds(ssh, [b"\0"], [connection.fileno()])


if __name__ == "__main__":
    main()
