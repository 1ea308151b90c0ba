"""Drives a conference endpoint (baresip) over any connection that can run a command there.

`Run` is a command line in, its standard output back; with Testinfra: `lambda line: host.check_output(line)`.
Each function is one round trip. What comes back from an endpoint is hostile text and is parsed, never shown
whole: `callstat` would show the keys of the media.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from shlex import quote

from lienthong.errors import LienThongError

Run = Callable[[str], str]
PORT = 4444


@dataclass(frozen=True)
class Reply:
    """What one command brought: whether it was taken, its text, and the events so far."""

    ok: bool
    data: str
    events: tuple[tuple[str, str, str], ...] = ()
    """(type, parameter, peer), e.g. `("CALL_RINGING", …)`"""


@dataclass(frozen=True)
class Call:
    """A call as the endpoint lists it: `ESTABLISHED`, `INCOMING`, `RINGING`, …"""

    state: str
    peer: str


@dataclass(frozen=True)
class Stream:
    """Packets of one medium so far, and whether it is encrypted."""

    sent: int
    received: int
    secure: bool


@dataclass(frozen=True)
class Received:
    """RTP that arrived from one sender with one payload type (8 is PCMA, 96 and up is video) and one DSCP."""

    sender: IPv4Address
    payload: int
    dscp: int
    packets: int
    size: int


@cache
def _program(name: str) -> str:
    """A program of this package that runs on the endpoint."""
    return (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")


def ask(run: Run, *words: str, port: int = PORT) -> list[Reply]:
    """Send commands in order over one connection to ctrl_tcp.

    Args:
        words: `dial=1000`, `listcalls`, `wait=CALL_RINGING:3`, `sleep=0.5`, …

    Raises:
        LienThongError: ctrl_tcp did not answer at all.
    """
    told = run(f"python3 -c {quote(_program('ctrl_tcp'))} {port} {' '.join(map(quote, words))}")
    replies = [_reply(line) for line in told.splitlines() if line.startswith("{")]
    if len(replies) != len(words):
        raise LienThongError(
            f"the endpoint answered {len(replies)} of {len(words)} commands",
            hint="systemctl status baresip on the endpoint; ctrl_tcp listens on 127.0.0.1:4444",
        )
    return replies


def dial(run: Run, number: str, ring_s: float = 3.0) -> bool:
    """Call a number; whether it rings at the other end within `ring_s`."""
    return all(reply.ok for reply in ask(run, f"dial={number}", f"wait=CALL_RINGING:{ring_s:g}"))


def accept(run: Run, setup_s: float = 3.0) -> bool:
    """Take the call that rings here; whether it stands within `setup_s`."""
    return all(reply.ok for reply in ask(run, "accept", f"wait=CALL_ESTABLISHED:{setup_s:g}"))


def hangup(run: Run) -> None:
    """End the call; nothing happens where there is none."""
    ask(run, "hangup")


def calls(run: Run) -> list[Call]:
    """The calls this endpoint has."""
    return parse_calls(ask(run, "listcalls")[0].data)


def stats(run: Run) -> dict[str, Stream]:
    """`audio` and `video` of the current call; a medium that is not there is missing."""
    audio, video = ask(run, "audio_debug", "video_debug")
    found = {"audio": parse_stream(audio.data), "video": parse_stream(video.data)}
    return {medium: stream for medium, stream in found.items() if stream is not None}


def parse_calls(text: str) -> list[Call]:
    """`> [line 1]  0:00:03  ESTABLISHED             sip:1000@10.0.0.1`, a line a call."""
    found = re.findall(r"\[line \d+\]\s+[\d:]+\s+([A-Z][A-Z ]*?)\s+(sip:\S+)", text)
    return [Call(state, peer) for state, peer in found]


def parse_stream(text: str) -> Stream | None:
    """The RTP counters of `audio_debug` or `video_debug`; None where there is no stream."""
    sent = re.search(r"TX: packets=(\d+)", text)
    received = re.search(r"psent=\d+ rcvd=(\d+)", text)
    if sent is None:
        return None
    return Stream(int(sent[1]), int(received[1]) if received else 0, "(secure=yes)" in text)


def _reply(line: str) -> Reply:
    found = json.loads(line)
    return Reply(bool(found["ok"]), str(found["data"]), tuple((a, b, c) for a, b, c in found["events"]))


def media(run: Run, seconds: float, ports: tuple[int, int]) -> list[Received]:
    """What arrives here as RTP during some seconds; `run` must be root."""
    told = run(f"python3 -c {quote(_program('rtp'))} {seconds:g} {ports[0]} {ports[1]}")
    return [
        Received(IPv4Address(sender), int(kind), int(dscp), int(packets), int(size))
        for sender, kind, dscp, packets, size in json.loads(told)
    ]


@dataclass(frozen=True)
class Refusal:
    """How a registrar met somebody without the password."""

    codes: tuple[int, ...]
    """status codes without and with a wrong password; (401, 401) is in order"""
    tls: str
    """`TLSv1.3`, when its certificate was signed by the authority for its address; else empty"""
    why: str
    """why there is no such connection"""
    unencrypted: bool
    """it takes SIP in the clear too"""


def refused(run: Run, registrar: IPv4Address, number: str, authority: str) -> Refusal:
    """Try to register without and with a wrong password.

    Args:
        authority: the file there that holds the certificate of the side's authority.
    """
    told = json.loads(
        run(f"python3 -c {quote(_program('register'))} {registrar} {quote(number)} {quote(authority)}")
    )
    codes = tuple(int(code) for code in told["codes"])
    return Refusal(codes, str(told["tls"]), str(told["said"]), bool(told["open"]))
