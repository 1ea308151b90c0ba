"""One real call between two endpoints: placed, taken by remote control, listened to on both sides, ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address

from lienthong.conference import endpoint
from lienthong.conference.endpoint import STATS, Reply, Run, Stream
from lienthong.conference.heard import Listened
from lienthong.conference.measured import Measured, Medium, measure
from lienthong.errors import LienThongError, visible
from lienthong.services.videoconf import RTP

#: Longer than any limit, so that what is slow is measured and not only missed.
RING_S = 10.0
ANSWER_S = 5.0
#: An endpoint that answers by itself does so at once.
BY_ITSELF_S = 0.3
#: How long the caller waits for this program to end the call before it does so itself.
HOLD_S = 20.0


class Busy(LienThongError):
    """An endpoint is in a call, which nobody disturbs."""


class NoCall(LienThongError):
    """The call did not come to be."""


@dataclass(frozen=True)
class End:
    """An endpoint, and how it is reached: `run` and `listen` are root there."""

    node: str
    site: str
    number: str
    address: IPv4Address
    run: Run
    listen: Run
    """the same; what listens there may be broken off from outside"""
    watched: bool = False
    """`listen` gives a standard input, whose end breaks off"""


@dataclass(frozen=True)
class Placed:
    """What a call was like."""

    caller: str
    callee: str
    """names of nodes"""
    ringing_ms: float
    """from the dialling, with registrar and passwords, until the other end rings"""
    established_ms: float
    """from the accepting until the call stands"""
    measured: tuple[Measured, ...]
    """both media, at the callee and at the caller"""
    counted: tuple[tuple[str, Medium, Stream], ...]
    """what each endpoint itself counted"""

    @property
    def setup_ms(self) -> float:
        """Both; the time that a person needs to answer is not in it."""
        return self.ringing_ms + self.established_ms


def place(
    caller: End, callee: End, seconds: float, *, ring_s: float = RING_S, answer_s: float = ANSWER_S
) -> Placed:
    """Call, see it ring, take it, listen on both sides, end it; it is ended whatever happens.

    Should this program itself be killed while it listens, the caller ends the call without it.

    Raises:
        Busy: one of the two is in a call; nothing was done.
        NoCall: it did not ring, was answered by itself, or could not be taken.
        LienThongError: an endpoint does not answer, or is not reached.
    """
    with ThreadPoolExecutor(2) as pool:
        listed = list(pool.map(lambda end: endpoint.calls(end.run), (caller, callee)))
        for end, found in zip((caller, callee), listed, strict=True):
            if found:
                raise Busy(f"{end.node} is in a call")
        try:
            ringing_ms = _ring(caller, callee, ring_s)
            established_ms = _accept(caller, callee, answer_s)
            heard = _listen(pool, caller, callee, seconds)
        finally:
            list(pool.map(lambda pair: leave(*pair), ((caller, callee), (callee, caller))))
    (at_callee, callee_counts), (at_caller, caller_counts) = heard
    measured = [
        *_both(at_callee, callee_counts, caller, callee),
        *_both(at_caller, caller_counts, callee, caller),
    ]
    counted = [
        (end.node, medium, counts[medium])
        for end, counts in ((callee, callee_counts), (caller, caller_counts))
        for medium in Medium
        if medium in counts
    ]
    return Placed(caller.node, callee.node, ringing_ms, established_ms, tuple(measured), tuple(counted))


def leave(end: End, other: End) -> None:
    """End the call between the two, as far as `end` has one; another call is not touched."""
    with suppress(LienThongError):
        endpoint.ask(end.run, f"leave={other.number}")


def _ring(caller: End, callee: End, ring_s: float) -> float:
    """Milliseconds until it rings."""
    dialled, rings, answered = endpoint.ask(
        caller.run,
        f"dial={callee.number}",
        f"wait=CALL_RINGING|CALL_CLOSED|CALL_ESTABLISHED:{ring_s:g}",
        f"wait=CALL_ESTABLISHED|CALL_CLOSED:{BY_ITSELF_S:g}",
    )
    if answered.ok:
        raise NoCall(f"{callee.node} answered by itself", hint="answermode=manual; nobody is heard unasked")
    if not dialled.ok or not rings.ok:
        raise NoCall(
            f"{callee.node} does not ring when {caller.node} calls: {_why(dialled, rings)}",
            hint="are both registered? lienthong audit looks at the registrar",
        )
    return round(dialled.ms + rings.ms, 1)


def _accept(caller: End, callee: End, answer_s: float) -> float:
    """Milliseconds until the call that rings stands."""
    listed = endpoint.calls(callee.run)
    if [call.state for call in listed] != ["INCOMING"] or f"sip:{caller.number}@" not in listed[0].peer:
        raise NoCall(f"at {callee.node} rings something else than the call of {caller.node}")
    taken, stands = endpoint.ask(callee.run, "accept", f"wait=CALL_ESTABLISHED|CALL_CLOSED:{answer_s:g}")
    if not taken.ok or not stands.ok:
        raise NoCall(f"{callee.node} could not take the call: {_why(taken, stands)}")
    return round(taken.ms + stands.ms, 1)


def _listen(
    pool: ThreadPoolExecutor, caller: End, callee: End, seconds: float
) -> list[tuple[Listened, dict[str, Stream]]]:
    """What arrived at the callee and at the caller, and what they counted; the call goes on."""
    last = (f"guard={callee.number}:{HOLD_S:g}",)
    there = pool.submit(endpoint.media, callee.listen, seconds, RTP[0], STATS, watched=callee.watched)
    here = pool.submit(endpoint.media, caller.listen, seconds, RTP[0], STATS, last, watched=caller.watched)
    return [(heard, _counts(replies)) for heard, replies in (there.result(), here.result())]


def _counts(replies: list[Reply]) -> dict[str, Stream]:
    return endpoint.parse_stats(replies[0], replies[1])


def _both(listened: Listened, counted: dict[str, Stream], sender: End, listener: End) -> list[Measured]:
    whom = sender.node, sender.address
    return [measure(listened, counted, medium, whom, listener.node) for medium in Medium]


def _why(*replies: Reply) -> str:
    """What an endpoint said to be the reason; it may be anything."""
    said = next((reply.data for reply in replies if not reply.ok and reply.data), "it did not say why")
    return visible(" ".join(said.removeprefix("CALL_CLOSED: ").split())[:120])
