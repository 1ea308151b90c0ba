"""RTP as it arrived at an endpoint, typed: what `lienthong.conference.rtp` told there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from lienthong.errors import LienThongError


@dataclass(frozen=True)
class Jitter:
    """Interarrival jitter in ms (RFC 3550), by one clock: its mean over the packets, and its highest."""

    clock_hz: int
    mean_ms: float
    peak_ms: float


@dataclass(frozen=True)
class Heard:
    """One RTP stream: one sender, one payload type (8 is PCMA, 96 and up is dynamic), one source."""

    sender: IPv4Address
    payload: int
    packets: int
    """that came, each once"""
    expected: int
    """by sequence numbers, from the first that came to the last"""
    lost: int
    duplicates: int
    reordered: int
    marks: tuple[tuple[int, int], ...]
    """(DSCP, packets)"""
    jitter: tuple[Jitter, ...]
    """one for each clock that it may have"""
    gap_s: float
    """longest time without a packet"""
    entropy: float
    """bits an octet: of the payload; of a dynamic type, of the first octet of each"""
    samples: int
    """octets by which that was found"""

    def by_clock(self, clock_hz: int | None) -> Jitter:
        """Its jitter by that clock; without one, by that of PCMA or of video, as the payload type says."""
        clock_hz = clock_hz or (8000 if self.payload < 96 else 90000)
        return next((one for one in self.jitter if one.clock_hz == clock_hz), self.jitter[0])


@dataclass(frozen=True)
class Listened:
    """Every stream that arrived."""

    streams: tuple[Heard, ...]
    missed: int
    """Packets for which the listener was too slow: its figures are worth nothing then."""


def listened(line: str) -> Listened:
    """Read what the endpoint said.

    Raises:
        LienThongError: it is not what the program says.
    """
    try:
        told = json.loads(line)
        return Listened(tuple(_heard(one) for one in told["streams"]), int(told["missed"]))
    except (ValueError, KeyError, TypeError, IndexError):
        raise LienThongError(
            "the endpoint could not be listened at", hint="it needs python3 and root by sudo, as any node"
        ) from None


def _heard(one: dict[str, Any]) -> Heard:
    jitter = tuple(Jitter(int(clock), float(mean), float(peak)) for clock, mean, peak in one["jitter"])
    if not jitter:
        raise ValueError("no jitter")
    return Heard(
        sender=IPv4Address(str(one["sender"])),
        payload=int(one["payload"]),
        packets=int(one["packets"]),
        expected=int(one["expected"]),
        lost=int(one["lost"]),
        duplicates=int(one["duplicates"]),
        reordered=int(one["reordered"]),
        marks=tuple((int(mark), int(packets)) for mark, packets in one["marks"]),
        jitter=jitter,
        gap_s=float(one["gap_s"]),
        entropy=float(one["entropy"]),
        samples=int(one["samples"]),
    )
