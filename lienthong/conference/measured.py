"""One medium of a call in one direction, measured where it arrives; and what is too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from lienthong.conference.endpoint import Stream
from lienthong.conference.heard import Listened


class Medium(StrEnum):
    """What a conference carries."""

    AUDIO = "audio"
    VIDEO = "video"


#: Cisco's guides to quality of service bear 1 % of voice and of interactive video, ITU-T G.1010 (table I.1)
#: 3 % of voice and 1 % of video. Half of the strictest: an officer is to see it before the participants do.
LOSS_PERCENT = 0.5
#: Cisco's guides: 30 ms on the average for voice and for interactive video; a network of the best classes of
#: ITU-T Y.1541 stays within 50 ms.
JITTER_MS = 30.0
#: ITU-T E.721: the mean delay after dialling is to be 3 s at most for a local connection.
SETUP_MS = 3000.0
#: Ours: a second without sound or with a frozen picture is a break.
GAP_S = 1.0
#: RFC 4594: EF for telephony, AF41 for the picture of a conference.
MARKS = {Medium.AUDIO: 46, Medium.VIDEO: 34}
#: In cipher every octet is as likely as any: 8 bits. Sound by PCMA has under 7.5; the first octets of H.264's
#: packets (RFC 6184, 5.2) are a few, with 2 bits. With fewer octets than that nothing is said.
CIPHER_BITS = {Medium.AUDIO: 7.8, Medium.VIDEO: 4.5}
CIPHER_SAMPLES = {Medium.AUDIO: 8000, Medium.VIDEO: 40}
#: Payload types that are agreed upon in each call begin here (RFC 3551, 6).
DYNAMIC = 96


@dataclass(frozen=True)
class Measured:
    """One medium from one endpoint to another."""

    medium: Medium
    sender: str
    """names of nodes"""
    listener: str
    packets: int
    expected: int
    lost: int
    duplicates: int
    reordered: int
    jitter_ms: float
    """mean of RFC 3550's interarrival jitter over the packets"""
    peak_jitter_ms: float
    gap_s: float
    marks: tuple[tuple[int, int], ...]
    """(DSCP, packets)"""
    secure: bool
    """SRTP, as the endpoint that listens says"""
    cipher: bool | None
    """Whether what was on the wire is cipher; None where too little came to tell."""
    missed: int = 0
    """packets that the listener itself let go"""

    @property
    def loss_percent(self) -> float:
        """Of those that were sent between the first and the last that came."""
        return 100 * self.lost / self.expected if self.expected else 0.0

    @property
    def encrypted(self) -> bool:
        """Both say so: the endpoint, and what was on the wire if it can be told."""
        return self.secure and self.cipher is not False


def measure(
    listened: Listened,
    counted: Mapping[str, Stream],
    medium: Medium,
    sender: tuple[str, IPv4Address],
    listener: str,
) -> Measured:
    """What arrived of a medium from that sender; zeros where nothing did.

    Args:
        counted: what the listening endpoint says of its streams.
    """
    name, address = sender
    own = {other: counted[other].payload for other in Medium if other in counted}
    streams = [
        one for one in listened.streams if one.sender == address and _medium(one.payload, own) is medium
    ]
    clock = counted[medium].clock_hz if medium in counted else None
    # Of a sender that changed its source in the call the longer stream tells the jitter.
    main = max(streams, key=lambda one: one.packets, default=None)
    jitter = main.by_clock(clock) if main else None
    marks: dict[int, int] = {}
    for mark, packets in (pair for one in streams for pair in one.marks):
        marks[mark] = marks.get(mark, 0) + packets
    enough = main is not None and main.samples >= CIPHER_SAMPLES[medium]
    return Measured(
        medium=medium,
        sender=name,
        listener=listener,
        packets=sum(one.packets for one in streams),
        expected=sum(one.expected for one in streams),
        lost=sum(one.lost for one in streams),
        duplicates=sum(one.duplicates for one in streams),
        reordered=sum(one.reordered for one in streams),
        jitter_ms=jitter.mean_ms if jitter else 0.0,
        peak_jitter_ms=jitter.peak_ms if jitter else 0.0,
        gap_s=main.gap_s if main else 0.0,
        marks=tuple(sorted(marks.items())),
        secure=medium in counted and counted[medium].secure,
        cipher=main.entropy >= CIPHER_BITS[medium] if main is not None and enough else None,
        missed=listened.missed,
    )


def _medium(payload: int, own: Mapping[Medium, int | None]) -> Medium:
    """By what the endpoint says it uses; else by the number: those of sound were given out first."""
    for medium, kind in own.items():
        if kind == payload:
            return medium
    return Medium.AUDIO if payload < DYNAMIC else Medium.VIDEO


def beyond(one: Measured) -> list[str]:
    """Everything about it that is beyond a limit, one short sentence each; empty when it is well."""
    what = f"{one.listener} from {one.sender}: {one.medium}"
    if not one.packets:
        return [f"{what} does not arrive"]
    found = []
    if one.loss_percent > LOSS_PERCENT:
        found.append(
            f"loss {one.loss_percent:.1f} % ({one.lost} of {one.expected}, limit {LOSS_PERCENT:g} %)"
        )
    if one.jitter_ms > JITTER_MS:
        found.append(f"jitter {one.jitter_ms:.0f} ms (limit {JITTER_MS:g} ms)")
    if one.gap_s > GAP_S:
        found.append(f"{one.gap_s:.1f} s without a packet (limit {GAP_S:g} s)")
    if {mark for mark, _ in one.marks} != {MARKS[one.medium]}:
        marks = ", ".join(str(mark) for mark, _ in one.marks)
        found.append(f"DSCP {marks} (wanted {MARKS[one.medium]})")
    if not one.secure:
        found.append("not encrypted, says the endpoint")
    if one.cipher is False:
        found.append("not encrypted on the wire")
    return [f"{what}: {text}" for text in found]
