"""Measures RTP that arrives at a computer: loss, jitter, gaps, marks, and whether it is in cipher. Standard
library only.

This file is run on an endpoint as it stands (`python3 -c`), as root. Arguments: seconds, the lowest and the
highest port, and `watched` when the end of the standard input is to end the listening too. Prints one JSON
object: `missed` (packets that this program was too slow for; its figures are then worth nothing) and
`streams`, one object for each sender, payload type and source (SSRC), see `Stream.told`. Everything is summed
up here, so that a few numbers travel and no sound does.
"""

from __future__ import annotations

import json
import math
import select
import socket
import struct
import sys
import time
from typing import Any

PACKET_OUTGOING = 4
#: linux/if_packet.h and asm-generic/socket.h; Python has no names for them.
SOL_PACKET, PACKET_STATISTICS, SO_TIMESTAMPNS = 263, 6, 35
#: Which clock a stream has is told by the endpoint, afterwards: PCMA and PCMU, opus, video.
CLOCKS_HZ = (8000, 48000, 90000)
#: A sequence number so far ahead or so far behind is a sender that began anew (RFC 3550, A.1).
MAX_DROPOUT, MAX_MISORDER = 3000, 100
#: Whoever floods the port with sources of his own does not fill the memory.
MAX_STREAMS = 64
#: Payload types of RTCP that shares a port with RTP (RFC 5761, 4).
RTCP = range(72, 77)


class Packet:
    """What one RTP packet says of itself."""

    def __init__(self, data: bytes, start: int) -> None:
        rtp = data[start + 8 :]
        self.sender = socket.inet_ntoa(data[12:16])
        self.dscp = data[1] >> 2
        self.kind = rtp[1] & 0x7F
        self.seq, self.stamp, self.ssrc = struct.unpack_from("!HII", rtp, 2)
        head = 12 + 4 * (rtp[0] & 15)
        if rtp[0] & 0x10 and len(rtp) >= head + 4:
            head += 4 + 4 * struct.unpack_from("!H", rtp, head + 2)[0]
        self.payload = rtp[head:]
        self.size = len(data)


def packet(data: bytes, low: int, high: int) -> Packet | None:
    """An IPv4 packet that carries RTP to a port of the range, else None."""
    if len(data) < 20 or data[0] >> 4 != 4 or data[9] != socket.IPPROTO_UDP:
        return None
    start = (data[0] & 15) * 4
    if len(data) < start + 20:
        return None
    port = struct.unpack_from("!H", data, start + 2)[0]
    # RTP has version 2 (RFC 3550, 5.1); RTCP lies on odd ports beside it.
    if not low <= port <= high or port % 2 or data[start + 8] >> 6 != 2:
        return None
    return None if data[start + 9] & 0x7F in RTCP else Packet(data, start)


class Jitter:
    """Interarrival jitter by one clock, in its ticks (RFC 3550, 6.4.1 and A.8)."""

    def __init__(self, clock_hz: int) -> None:
        self.clock_hz = clock_hz
        self.now = self.peak = self.sum = 0.0
        self.count = 0

    def add(self, arrived_s: float, stamped: int) -> None:
        """One packet more: how long after the one before it came, and was stamped."""
        self.now += (abs(arrived_s * self.clock_hz - stamped) - self.now) / 16
        self.peak = max(self.peak, self.now)
        self.sum += self.now
        self.count += 1

    def told(self) -> list[float]:
        """[clock in Hz, mean in ms, highest in ms]."""
        mean = self.sum / self.count if self.count else 0.0
        return [self.clock_hz, *(round(value / self.clock_hz * 1000, 3) for value in (mean, self.peak))]


class Stream:
    """Packets of one source, added in the order of their arrival."""

    def __init__(self, began_s: float) -> None:
        self._last_s = began_s
        self._gap_s = 0.0
        self._stamp: int | None = None
        self._jitter = [Jitter(clock) for clock in CLOCKS_HZ]
        self._first = self._highest = 0
        self._seen: set[int] = set()
        self._expected = self._packets = self._octets = self._twice = self._late = 0
        self._marks: dict[int, int] = {}
        self._bytes = [0] * 256

    def add(self, seq: int, stamp: int, at_s: float, dscp: int, payload: bytes, size: int, kind: int) -> None:
        """One packet.

        Args:
            seq: 16 bits, wraps around; stamp: 32 bits, wraps around.
            at_s: when it arrived, in seconds.
            size: octets of the whole IP packet.
        """
        number = self._place(seq)
        if number in self._seen:
            self._twice += 1
            return
        self._seen.add(number)
        self._late += number < self._highest
        self._first, self._highest = min(self._first, number), max(self._highest, number)
        self._packets += 1
        self._octets += size
        self._marks[dscp] = self._marks.get(dscp, 0) + 1
        # Compressed video looks like cipher but for the first octet of each packet, which tells its kind.
        for value in payload[:1] if kind >= 96 else payload:
            self._bytes[value] += 1
        if self._stamp is not None:
            stamped = (stamp - self._stamp + 0x80000000) % 0x100000000 - 0x80000000
            for jitter in self._jitter:
                jitter.add(at_s - self._last_s, stamped)
        self._gap_s = max(self._gap_s, at_s - self._last_s)
        self._stamp, self._last_s = stamp, at_s

    def _place(self, seq: int) -> int:
        """The sequence number without its wrap-around."""
        ahead = (seq - self._highest) & 0xFFFF
        if not self._seen or MAX_DROPOUT <= ahead <= 0x10000 - MAX_MISORDER:
            self._expected += self._highest - self._first + 1 if self._seen else 0
            self._seen = set()
            # Away from zero, so that what was overtaken by the first one has a place before it.
            self._first = self._highest = seq + 0x10000
            return self._highest
        return self._highest + (ahead if ahead < 0x8000 else ahead - 0x10000)

    def told(self, ended_s: float) -> dict[str, Any]:
        """Its figures, the listening having ended then.

        `expected` counts from the first number that came to the last one; `lost` of it never came. `gap_s` is
        the longest time without a packet, from the beginning of the listening to its end. `entropy` in bits
        is that of the octets of the payload (of video: of the first one of each packet); there were `samples`
        of them.
        """
        expected = self._expected + self._highest - self._first + 1
        total = sum(self._bytes)
        entropy = -sum(n / total * math.log2(n / total) for n in self._bytes if n) if total else 0.0
        return {
            "packets": self._packets,
            "octets": self._octets,
            "expected": expected,
            "lost": expected - self._packets,
            "duplicates": self._twice,
            "reordered": self._late,
            "marks": sorted(self._marks.items()),
            "jitter": [jitter.told() for jitter in self._jitter],
            "gap_s": round(max(self._gap_s, ended_s - self._last_s), 3),
            "entropy": round(entropy, 3),
            "samples": total,
        }


def arrival(extra: list[tuple[int, int, bytes]]) -> float:
    """When the kernel took the packet; a program that was not woken in time makes no jitter."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanos = struct.unpack_from("qq", data)
            return float(seconds) + float(nanos) / 1e9
    return time.time()


def main(seconds: float, low: int, high: int, watched: bool) -> None:
    """Listen for that long, or until nobody wants it any more, and tell."""
    streams: dict[tuple[str, int, int], Stream] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        began_s, end = time.time(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([sock, sys.stdin] if watched else [sock], [], [], left)
            if sock not in ready:
                break
            data, extra, _, source = sock.recvmsg(2048, 128)
            seen = None if source[2] == PACKET_OUTGOING else packet(data, low, high)
            if seen is None:
                continue
            key = seen.sender, seen.kind, seen.ssrc
            if key not in streams and len(streams) < MAX_STREAMS:
                streams[key] = Stream(began_s)
            if key in streams:
                at_s = arrival(extra)
                streams[key].add(seen.seq, seen.stamp, at_s, seen.dscp, seen.payload, seen.size, seen.kind)
        ended_s = time.time()
        _, missed = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    told = [
        {"sender": sender, "payload": kind, "ssrc": ssrc, **streams[sender, kind, ssrc].told(ended_s)}
        for sender, kind, ssrc in sorted(streams)
    ]
    print(json.dumps({"missed": missed, "streams": told}), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), "watched" in sys.argv[4:])
