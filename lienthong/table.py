"""What a plan or an apply did, as a person reads it on a terminal, and as a program reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from lienthong.model.words import Target
from lienthong.provision import Report
from lienthong.runners.result import StepResult

#: Changes shown for one step before the rest is only counted.
SHOWN = 12
#: Services are many small steps; those that did nothing are counted, not listed.
MARKS = {"changed": "~", "unchanged": "=", "failed": "!", "unreachable": "!", "skipped": "-"}


def as_text(report: Report) -> str:
    """Every step that did or would do something, every step that failed, and one closing line."""
    lines: list[str] = []
    for result in report.results:
        if result.outcome == "unchanged":
            continue
        lines.append(f"{MARKS[result.outcome]} {result.node}  {result.step}  {result.outcome}")
        lines += _below(result)
    return "\n".join([*lines, closing(report)])


def closing(report: Report) -> str:
    """The one line that says how it went."""
    nodes = len({result.node for result in report.results})
    verb = "would change" if report.verb == "plan" else "changed"
    words = f"{report.verb}: {nodes} systems, {report.changed} {verb}, {len(report.bad)} failed"
    return f"{words}, {report.seconds:.1f} s"


def as_json(report: Report, target: Target, sites: Sequence[str]) -> str:
    """The whole report for programs."""
    document = {
        "verb": report.verb,
        "target": target.value,
        "sites": list(sites),
        "changed": report.changed,
        "failed": len(report.bad),
        "seconds": round(report.seconds, 3),
        "steps": [asdict(result) for result in report.results],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _below(result: StepResult) -> list[str]:
    lines = [f"    {_plain(change)}" for change in result.changes[:SHOWN]]
    if len(result.changes) > SHOWN:
        lines.append(f"    and {len(result.changes) - SHOWN} more")
    if result.detail:
        lines += [f"    {_plain(line)}" for line in result.detail.splitlines()[:SHOWN]]
    return lines


def _plain(text: str) -> str:
    """What came from a device may try to drive the terminal; it is shown, not obeyed."""
    return "".join(char if char.isprintable() or char == " " else "·" for char in text)
