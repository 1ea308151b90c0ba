"""Drives a conference endpoint (baresip) over any connection that can run a command there.

`Run` is a command line in, its standard output back; with Testinfra: `lambda line: host.check_output(line)`.
Each function is one round trip. What comes back from an endpoint is hostile text and is parsed, never shown
whole: `callstat` would show the keys of the media.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from shlex import quote

from lienthong.conference.heard import Listened, listened
from lienthong.errors import LienThongError

Run = Callable[[str], str]
PORT = 4444
#: What counters are asked for by.
STATS = ("audio_debug", "video_debug")


@dataclass(frozen=True)
class Reply:
    """What one command brought: whether it was taken, its text, and the events so far."""

    ok: bool
    data: str
    events: tuple[tuple[str, str, str], ...] = ()
    """(type, parameter, peer), e.g. `("CALL_RINGING", …)`"""
    ms: float = 0.0
    """how long it took"""


@dataclass(frozen=True)
class Call:
    """A call as the endpoint lists it: `ESTABLISHED`, `INCOMING`, `RINGING`, …"""

    state: str
    peer: str


@dataclass(frozen=True)
class Stream:
    """Packets of one medium so far, whether it is encrypted, and what its RTP looks like."""

    sent: int
    received: int
    secure: bool
    payload: int | None = None
    """RTP payload type: 8 is PCMA"""
    clock_hz: int | None = None
    """of its time stamps"""


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
    return _replies(run(_line(words, port)), words)


def _line(words: Sequence[str], port: int) -> str:
    return f"python3 -c {quote(_program('ctrl_tcp'))} {port} {' '.join(map(quote, words))}"


def _replies(told: str, words: Sequence[str]) -> list[Reply]:
    replies = [_reply(line) for line in told.splitlines() if line.startswith("{")]
    if len(replies) != len(words):
        raise LienThongError(
            f"the endpoint answered {len(replies)} of {len(words)} commands",
            hint="systemctl status baresip on the endpoint; ctrl_tcp listens on 127.0.0.1:4444",
        )
    return replies


def calls(run: Run) -> list[Call]:
    """The calls this endpoint has."""
    return parse_calls(ask(run, "listcalls")[0].data)


def stats(run: Run) -> dict[str, Stream]:
    """`audio` and `video` of the current call; a medium that is not there is missing."""
    return parse_stats(*ask(run, *STATS))


def parse_calls(text: str) -> list[Call]:
    """`> [line 1]  0:00:03  ESTABLISHED             sip:1000@10.0.0.1`, a line a call."""
    found = re.findall(r"\[line \d+\]\s+[\d:]+\s+([A-Z][A-Z ]*?)\s+(sip:\S+)", text)
    return [Call(state, peer) for state, peer in found]


def parse_stats(audio: Reply, video: Reply) -> dict[str, Stream]:
    """The answers to `STATS`, see `stats`."""
    found = {"audio": parse_stream(audio.data), "video": parse_stream(video.data)}
    return {medium: stream for medium, stream in found.items() if stream is not None}


def parse_stream(text: str) -> Stream | None:
    """The RTP counters of `audio_debug` or `video_debug`; None where there is no stream."""
    sent = re.search(r"TX: packets=(\d+)", text)
    received = re.search(r"psent=\d+ rcvd=(\d+)", text)
    if sent is None:
        return None
    kind, clock = re.search(r"pt_enc=(\d{1,3})\b", text), re.search(r" rx=(\d{1,6})Hz", text)
    return Stream(
        int(sent[1]),
        int(received[1]) if received else 0,
        "(secure=yes)" in text,
        int(kind[1]) if kind else None,
        int(clock[1]) if clock else None,
    )


def _reply(line: str) -> Reply:
    found = json.loads(line)
    events = tuple((a, b, c) for a, b, c in found["events"])
    return Reply(bool(found["ok"]), str(found["data"]), events, float(found["ms"]))


def media(
    run: Run,
    seconds: float,
    ports: tuple[int, int],
    then: Sequence[str] = (),
    last: Sequence[str] = (),
    *,
    watched: bool = False,
) -> tuple[Listened, list[Reply]]:
    """What arrives here as RTP during some seconds; `run` must be root.

    Args:
        then: commands right after, in the same round trip; their replies come back.
        last: commands that are left going there, unwatched, until the next ones connect: ctrl_tcp has one
            connection at a time. They end the call of a controller that died.
        watched: the listening ends with the standard input that `run` gives it.

    Raises:
        LienThongError: there was no listening, or the endpoint did not answer.
    """
    line = f"python3 -c {quote(_program('rtp'))} {seconds:g} {ports[0]} {ports[1]}{' watched' * watched}"
    if then:
        line += f"; {_line(then, PORT)}"
    if last:
        line += f"; setsid {_line(last, PORT)} </dev/null >/dev/null 2>&1 &"
    first, _, rest = run(line).partition("\n")
    return listened(first), _replies(rest, then)


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
