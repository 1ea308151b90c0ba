"""What became of each call of a rehearsal, judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lienthong.conference.call import Busy, End, Placed, place
from lienthong.conference.measured import SETUP_MS, beyond
from lienthong.conference.reach import BrokenOff
from lienthong.errors import Exit, LienThongError, Unreachable


class State(StrEnum):
    """Worst first."""

    FAILED = "no call"
    BEYOND = "beyond limits"
    AWAY = "not reached"
    BUSY = "in a call"
    UNMEASURED = "not measured"
    GOOD = "good"


VI = {
    State.FAILED: "Không gọi được",
    State.BEYOND: "Vượt ngưỡng",
    State.AWAY: "Không tới được",
    State.BUSY: "Đang họp",
    State.UNMEASURED: "Không đo",
    State.GOOD: "Đạt",
}


@dataclass(frozen=True)
class Row:
    """One call, or why there was none."""

    site: str
    """which was called"""
    number: str
    node: str
    other: str
    """site that called; empty for an endpoint that is not measured at all"""
    state: State
    why: tuple[str, ...] = ()
    """short sentences; what came from an endpoint is in them made visible"""
    placed: Placed | None = field(default=None)


def judged(caller: End, callee: End, seconds: float) -> Row:
    """Place the call and judge it; whatever happens becomes a row."""
    try:
        placed = place(caller, callee, seconds)
    except Busy as error:
        return _row(caller, callee, State.BUSY, error)
    except BrokenOff as error:
        return _row(caller, callee, State.UNMEASURED, error)
    except Unreachable as error:
        return _row(caller, callee, State.AWAY, error)
    except LienThongError as error:
        return _row(caller, callee, State.FAILED, error)
    missed = max((one.missed for one in placed.measured), default=0)
    if missed:
        why = f"the listener was too slow for {missed} packets: its figures are worth nothing"
        return Row(callee.site, callee.number, callee.node, caller.site, State.UNMEASURED, (why,), placed)
    why_not = found(placed)
    state = State.BEYOND if why_not else State.GOOD
    return Row(callee.site, callee.number, callee.node, caller.site, state, tuple(why_not), placed)


def found(placed: Placed) -> list[str]:
    """Everything that is beyond a limit."""
    late = [f"set-up {placed.setup_ms / 1000:.1f} s (limit {SETUP_MS / 1000:g} s)"]
    slow = late if placed.setup_ms > SETUP_MS else []
    return slow + [text for one in placed.measured for text in beyond(one)]


def exit_code(rows: Sequence[Row]) -> Exit:
    """Findings before what was not reached. An endpoint that cannot be measured is neither, beside others."""
    states = {row.state for row in rows}
    if states & {State.FAILED, State.BEYOND}:
        return Exit.FINDINGS
    wanted = any(row.state is State.UNMEASURED and row.other for row in rows)
    if wanted or states & {State.AWAY, State.BUSY} or State.GOOD not in states:
        return Exit.UNREACHABLE
    return Exit.OK


def _row(caller: End, callee: End, state: State, error: LienThongError) -> Row:
    return Row(callee.site, callee.number, callee.node, caller.site, state, (error.what,))
