"""RTP summed up on the endpoint: loss, reordering, wrap-around, jitter, gaps, and what is cipher."""

from __future__ import annotations

import json
import os
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.conference import rtp
from lienthong.conference.heard import listened
from lienthong.errors import LienThongError

PTIME = 160


def stream(
    numbers: list[int],
    began_s: float = 0.0,
    times: list[float] | None = None,
    stamps: list[int] | None = None,
) -> rtp.Stream:
    """PCMA packets of 20 ms with these sequence numbers, in the order of their arrival."""
    found = rtp.Stream(began_s)
    for at, number in enumerate(numbers):
        stamp = stamps[at] if stamps else number * PTIME
        arrived = times[at] if times else at * 0.02
        found.add(number & 0xFFFF, stamp & 0xFFFFFFFF, arrived, 46, b"\xd5" * 160, 200, 8)
    return found


def told(numbers: list[int]) -> tuple[int, ...]:
    """(expected, packets, lost, duplicates, reordered)"""
    found = stream(numbers).told(1.0)
    return tuple(found[key] for key in ("expected", "packets", "lost", "duplicates", "reordered"))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([7], (1, 1, 0, 0, 0)),
        ([1, 2, 3, 4], (4, 4, 0, 0, 0)),
        ([1, 2, 5, 6], (6, 4, 2, 0, 0)),
        ([1, 3, 2, 4], (4, 4, 0, 0, 1)),
        ([3, 1, 2, 4], (4, 4, 0, 0, 2)),
        ([1, 2, 2, 3, 3, 3], (3, 3, 0, 3, 0)),
        ([65534, 65535, 65536, 65537], (4, 4, 0, 0, 0)),
        ([65534, 65537, 65535], (4, 3, 1, 0, 1)),
        ([65536, 65535, 65537], (3, 3, 0, 0, 1)),
        # A sender that began anew has lost nothing between.
        ([10, 11, 12, 40000, 40001, 40003], (7, 6, 1, 0, 0)),
    ],
)
def test_what_did_not_come_is_counted(numbers: list[int], expected: tuple[int, ...]) -> None:
    assert told(numbers) == expected


@given(st.integers(0, 0xFFFF), st.integers(0, 2**32), st.sampled_from([0, 0.01, 0.2, 0.9]))
def test_any_loss_and_any_small_disorder(first: int, seed: int, loss: float) -> None:
    """500 packets from anywhere, some lost, neighbours swapped, some doubled: always the same figures."""
    chance = random.Random(seed)
    kept = [n for n in range(500) if n in {0, 499} or chance.random() >= loss]
    order = [first + n for n in kept]
    for at in range(0, len(order) - 1, 2):
        if chance.random() < 0.3:
            order[at], order[at + 1] = order[at + 1], order[at]
    twice = [n for n in order for _ in range(1 + (chance.random() < 0.1))]
    expected, packets, lost, duplicates, _ = told(twice)
    assert (expected, packets, lost) == (500, len(kept), 500 - len(kept))
    assert duplicates == len(twice) - len(order)


def jitter(times: list[float], clock: int = 8000, stamps: list[int] | None = None) -> tuple[float, float]:
    """(mean, highest) in ms"""
    found = stream(list(range(len(times))), times=times, stamps=stamps).told(10.0)
    return next((mean, peak) for hz, mean, peak in found["jitter"] if hz == clock)


def test_jitter_is_that_of_rfc_3550() -> None:
    """By hand: D = 0, 10 ms, -10 ms; J = 0, 10/16, 10/16 + (10 - 10/16)/16."""
    second = 10 / 16
    third = second + (10 - second) / 16
    mean, peak = jitter([0, 0.02, 0.05, 0.06])
    assert mean == pytest.approx((0 + second + third) / 3, abs=0.001)
    assert peak == pytest.approx(third, abs=0.001)
    assert max(jitter([n * 0.02 for n in range(500)])) == pytest.approx(0, abs=0.001)


def test_jitter_does_not_see_a_stamp_wrap_around_and_goes_by_the_clock() -> None:
    even = [n * 0.02 for n in range(100)]
    wrapping = [0xFFFFFFFF - 5000 + n * PTIME for n in range(100)]
    assert jitter(even, stamps=wrapping)[1] == pytest.approx(0, abs=0.001)
    opus = [n * 960 for n in range(100)]
    assert jitter(even, 48000, opus)[1] == pytest.approx(0, abs=0.001)
    assert jitter(even, 8000, opus)[1] > 30


def test_silence_counts_from_the_beginning_to_the_end() -> None:
    assert stream([1, 2, 3], times=[0.5, 0.52, 0.54]).told(0.6)["gap_s"] == 0.5
    assert stream([1, 2, 3], times=[0.1, 0.8, 0.82]).told(0.9)["gap_s"] == 0.7
    assert stream([1, 2, 3], times=[0.0, 0.02, 0.04]).told(3.0)["gap_s"] == 2.96


@pytest.mark.parametrize(("kind", "least"), [(8, 7.8), (96, 4.5)])
def test_cipher_is_told_from_sound_and_picture(kind: int, least: float) -> None:
    plain, cipher = rtp.Stream(0.0), rtp.Stream(0.0)
    for n in range(200):
        # A quiet room in A-law; of H.264's fragments, which begin with 0x7c, the rest is as good as cipher.
        room = bytes((0xD5, 0x55, 0xD4, 0x54)[(n + i) % 4] for i in range(160))
        clear = room if kind == 8 else bytes([0x7C if n % 3 else 0x41]) + os.urandom(159)
        plain.add(n, n * PTIME, n * 0.02, 46, clear, 200, kind)
        cipher.add(n, n * PTIME, n * 0.02, 46, os.urandom(160), 200, kind)
    assert plain.told(4.0)["entropy"] < least < cipher.told(4.0)["entropy"]


def datagram(seq: int, source: int = 7, first: int = 0x80, more: bytes = b"") -> bytes:
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0xB8, 200, 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes(4))
    return head + struct.pack("!HHHHBBHII", 1, 12000, 20, 0, first, 8, seq, 5, source) + more


def test_a_packet_says_what_it_is() -> None:
    found = rtp.packet(datagram(65535, more=b"sound"), 10000, 20000)
    assert found is not None
    assert (found.seq, found.stamp, found.ssrc, found.payload, found.dscp) == (65535, 5, 7, b"sound", 46)
    # With a contributing source and an extension of one word before the sound.
    found = rtp.packet(
        datagram(1, first=0x91, more=bytes(4) + b"\xbe\xde\0\1" + bytes(4) + b"sound"), 1, 65535
    )
    assert found is not None and found.payload == b"sound"
    assert rtp.packet(datagram(1)[:-1], 1, 65535) is None
    found = rtp.packet(datagram(1, first=0x9F), 1, 65535)
    assert found is not None and found.payload == b""


def test_what_an_endpoint_tells_is_typed() -> None:
    one = {"sender": "10.0.0.1", "payload": 8, "ssrc": 7, **stream([1, 2, 4]).told(0.05)}
    found = listened(json.dumps({"missed": 0, "streams": [one]})).streams[0]
    assert (found.packets, found.expected, found.lost, found.marks) == (3, 4, 1, ((46, 3),))
    assert found.by_clock(None).clock_hz == 8000


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"streams": [{}], "missed": 0}',
        '{"streams": [{"sender": "x"}], "missed": 1}',
        "\x1b[",
    ],
)
def test_what_is_not_told_as_it_should_be_is_an_error(line: str) -> None:
    with pytest.raises(LienThongError, match="could not be listened at"):
        listened(line)
