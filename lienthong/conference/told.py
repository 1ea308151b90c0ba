"""A rehearsal as an officer reads it in a minute, and as a program does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict

from lienthong.conference.measured import GAP_S, JITTER_MS, LOSS_PERCENT, MARKS, SETUP_MS, Measured, Medium
from lienthong.conference.verdict import VI, Row, State
from lienthong.errors import visible

HEADS = (
    ("Điểm", "site"),
    ("Số", "number"),
    ("Gọi từ", "called by"),
    ("Thiết lập", "set-up s"),
    ("Mất gói t/h", "loss % a/v"),
    ("Rung t/h", "jitter ms a/v"),
    ("DSCP", "DSCP a/v"),
    ("Mã hóa", "SRTP"),
    ("Kết quả", "verdict"),
)
Value = Callable[[Measured], float]


def table(rows: Sequence[Row]) -> str:
    """One line a call, the worse of its two directions in each column; below, why one is not good."""
    # The order in which calls end is by chance.
    order = sorted(rows, key=lambda row: (row.site, row.node, row.other))
    lines = [tuple(vi for vi, _ in HEADS), tuple(en for _, en in HEADS), *map(_cells, order)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    for row in order:
        whom = f" ← {row.other}" if row.other else ""
        text += [f"  {row.site}{whom}: {visible(why)}" for why in row.why]
    return "\n".join([*text, closing(rows)])


def closing(rows: Sequence[Row]) -> str:
    """The one line that says how it went."""
    count = Counter(row.state for row in rows)
    parts = [f"{count[state]} {VI[state].lower()} / {state.value}" for state in State if count[state]]
    return f"{len(rows)} cuộc gọi / calls: {', '.join(parts) or '0'}"


def short(row: Row) -> str:
    """One line of progress."""
    return f"{row.other or '–'} → {row.site}: {row.state.value}"


def as_data(row: Row) -> dict[str, object]:
    """The same for programs, with every figure."""
    placed = row.placed
    return {
        "site": row.site,
        "node": row.node,
        "number": row.number,
        "called_by": row.other,
        "verdict": row.state.value,
        "why": list(row.why),
        "ringing_ms": placed.ringing_ms if placed else None,
        "established_ms": placed.established_ms if placed else None,
        "measured": [_measured(one) for one in placed.measured] if placed else [],
    }


def limits() -> dict[str, object]:
    """What the verdicts stand on."""
    return {
        "loss_percent": LOSS_PERCENT,
        "jitter_ms": JITTER_MS,
        "setup_ms": SETUP_MS,
        "gap_s": GAP_S,
        "dscp": {medium.value: mark for medium, mark in MARKS.items()},
    }


def _measured(one: Measured) -> dict[str, object]:
    marks = {str(mark): packets for mark, packets in one.marks}
    return {**asdict(one), "marks": marks, "loss_percent": round(one.loss_percent, 3)}


def _cells(row: Row) -> tuple[str, ...]:
    verdict = f"{VI[row.state]} / {row.state.value}"
    if row.placed is None:
        return (row.site, row.number, row.other or "–", "–", "–", "–", "–", "–", verdict)
    measured = row.placed.measured
    marks = [sorted({mark for one in _of(measured, medium) for mark, _ in one.marks}) for medium in Medium]
    return (
        row.site,
        row.number,
        row.other,
        f"{row.placed.setup_ms / 1000:.2f}",
        _worst(measured, lambda one: one.loss_percent, "{:.1f}"),
        _worst(measured, lambda one: one.jitter_ms, "{:.1f}"),
        "/".join(",".join(map(str, found)) or "–" for found in marks),
        "có / yes" if all(one.encrypted for one in measured) else "KHÔNG / NO",
        verdict,
    )


def _worst(measured: Sequence[Measured], value: Value, form: str) -> str:
    """Audio/video; a dash for what does not arrive in one direction."""
    found = []
    for medium in Medium:
        both = _of(measured, medium)
        there = all(one.packets for one in both)
        found.append(form.format(max(map(value, both))) if both and there else "–")
    return "/".join(found)


def _of(measured: Sequence[Measured], medium: Medium) -> list[Measured]:
    return [one for one in measured if one.medium is medium]
