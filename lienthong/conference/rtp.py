"""Counts RTP packets that arrive at a computer, by sender, payload type and DSCP. Standard library only.

This file is run on an endpoint as it stands (`python3 -c`), as root. Arguments: seconds, the lowest and the
highest port. Prints JSON: a list of [sender, payload type, DSCP, packets, bytes].
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections import Counter

PACKET_OUTGOING = 4


def packet(data: bytes, low: int, high: int) -> tuple[str, int, int] | None:
    """(sender, payload type, DSCP) of an IPv4 packet that carries RTP to a port of the range, else None."""
    if len(data) < 20 or data[0] >> 4 != 4 or data[9] != socket.IPPROTO_UDP:
        return None
    start = (data[0] & 15) * 4
    if len(data) < start + 20:
        return None
    port = struct.unpack_from("!H", data, start + 2)[0]
    # RTP has version 2 (RFC 3550, 5.1); RTCP lies on odd ports beside it.
    if not low <= port <= high or port % 2 or data[start + 8] >> 6 != 2:
        return None
    return socket.inet_ntoa(data[12:16]), data[start + 9] & 0x7F, data[1] >> 2


def main(seconds: float, low: int, high: int) -> None:
    """Listen for that long and tell."""
    packets: Counter[tuple[str, int, int]] = Counter()
    size: Counter[tuple[str, int, int]] = Counter()
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as sock:
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data, source = sock.recvfrom(2048)
            except TimeoutError:
                break
            seen = None if source[2] == PACKET_OUTGOING else packet(data, low, high)
            if seen:
                packets[seen] += 1
                size[seen] += len(data)
    print(json.dumps([[*seen, packets[seen], size[seen]] for seen in sorted(packets)]))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
