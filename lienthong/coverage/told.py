"""The matrix: who was heard, where, after how long; as an officer reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.coverage.heard import CENTRAL, COLLECTOR, Heard
from lienthong.errors import visible

HEADS = (
    ("Hệ thống", "system"),
    ("Loại", "kind"),
    ("Vùng", "side"),
    ("Máy chủ nhật ký", "collector s"),
    ("Trung ương", "Central s"),
)


def table(rows: Sequence[Heard]) -> str:
    """One line an asset; below, why one was not heard."""
    lines = [tuple(vi for vi, _ in HEADS), tuple(en for _, en in HEADS), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    text += [f"  {row.node.name}: {visible(row.why)}" for row in rows if row.why]
    return "\n".join([*text, closing(rows)])


def _cells(row: Heard) -> tuple[str, ...]:
    return (row.node.name, row.what, row.node.side.value, _cell(row, COLLECTOR), _cell(row, CENTRAL))


def _cell(row: Heard, place: str) -> str:
    if place in row.after_s:
        return f"{row.after_s[place]:.1f}"
    return "KHÔNG/NO" if place in row.missing else "hỏi/ask"


def closing(rows: Sequence[Heard]) -> str:
    """The one line that says how it went."""
    heard = sum(not row.missing for row in rows)
    share = 100 * heard / len(rows) if rows else 0.0
    return f"{heard}/{len(rows)} hệ thống được nghe thấy / systems heard ({share:.0f} %)"


def as_data(row: Heard) -> dict[str, object]:
    """The same for programs."""
    return {
        "node": row.node.name,
        "site": row.node.site,
        "side": row.node.side.value,
        "kind": row.what,
        "collector": row.places.collector if row.places else None,
        "central": row.places.central if row.places else None,
        "after_s": {place: round(seconds, 2) for place, seconds in row.after_s.items()},
        "missing": list(row.missing),
        "why": row.why,
    }
