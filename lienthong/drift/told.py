"""What drifted, as an officer reads it on a terminal, and as a program does."""

from __future__ import annotations

from lienthong.drift.fetch import Looked
from lienthong.drift.run import Drift
from lienthong.report.hostile import one_line

#: Lines shown of one device before the rest is only counted.
SHOWN = 12
_WIDEST = 160
#: Characters of a line in data for programs: what is kept in Git is whole.
LONGEST = 1000


def as_text(found: Drift) -> str:
    """A table of all devices, then the lines of those that drifted, and one closing line."""
    head = ("device", "drift", "changed since last time", "by", "when")
    rows = [head, *(_row(one) for one in found.devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    for one in found.devices:
        for title, told in (("differs from its intent", one.drift), ("changed since last time", one.changed)):
            if told:
                lines += ["", f"{one.node} {title}:"]
                lines += [f"    {one_line(line, _WIDEST)}" for line in told[:SHOWN]]
                if len(told) > SHOWN:
                    lines.append(f"    and {len(told) - SHOWN} more")
    return "\n".join([*lines, "", closing(found)])


def closing(found: Drift) -> str:
    """The one line that says how it went."""
    drifted = sum(bool(one.drift) for one in found.devices)
    changed = sum(bool(one.changed) for one in found.devices)
    unseen = sum(not one.seen for one in found.devices)
    return (
        f"drift: {len(found.devices)} devices, {drifted} differ from their intent, {changed} changed since "
        f"last time, {unseen} not seen, {found.seconds:.1f} s; kept in {found.folder}"
    )


def as_data(found: Drift) -> dict[str, object]:
    """The same for programs."""
    return {
        "verb": "drift",
        "folder": str(found.folder),
        "seconds": round(found.seconds, 3),
        "devices": [
            {
                "node": one.node,
                "seen": one.seen,
                "why": one_line(one.why),
                "drift": [one_line(line, LONGEST) for line in one.drift] if one.seen else None,
                "changed": [one_line(line, LONGEST) for line in one.changed]
                if one.seen and one.before
                else None,
                "by": one_line(one.by.who),
                "when": one_line(one.by.when),
                "commit": found.commits.get(one.node),
            }
            for one in found.devices
        ],
    }


def _row(one: Looked) -> tuple[str, str, str, str, str]:
    if not one.seen:
        return one.node, "not seen", one_line(one.why, 100), "", ""
    drift = f"{len(one.drift)} lines" if one.drift else "none"
    if not one.before:
        return one.node, drift, "first time", "", ""
    if not one.changed:
        return one.node, drift, "no", "", ""
    return one.node, drift, f"{len(one.changed)} lines", one_line(one.by.who, 32), one_line(one.by.when, 40)
