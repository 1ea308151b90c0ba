"""What a plan or an apply did, as a person reads it on a terminal, and as a program reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from lienthong.change import from_data
from lienthong.model.words import Target
from lienthong.provision import Report
from lienthong.report.hostile import json_text

#: Changes shown for one step before the rest is only counted.
SHOWN = 12
LONGEST = 400
MARKS = {
    "changed": "~",
    "unchanged": "=",
    "failed": "!",
    "unreachable": "!",
    "skipped": "-",
    "uncertain": "?",
}


def as_text(report: Report) -> str:
    """Every step that did or would do something or failed, like ones once, and one closing line."""
    alike: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for result in report.results:
        if result.outcome != "unchanged":
            detail = result.detail
            if report.verb == "plan" and result.change is not None:
                detail = "\n".join(_short(line) for line in from_data(result.change).about)
            key = (result.outcome, result.step, result.changes, detail)
            alike.setdefault(key, []).append(result.node)
    lines: list[str] = []
    for (outcome, step, changes, detail), nodes in alike.items():
        lines.append(f"{MARKS[outcome]} {step}  {outcome}  {', '.join(nodes)}")
        lines += _below(changes, detail)
    return "\n".join([*lines, closing(report)])


def closing(report: Report) -> str:
    """The one line that says how it went."""
    nodes = len({result.node for result in report.results})
    bad = len({result.node for result in report.bad})
    changes = "changes to make" if report.verb == "plan" else "changes"
    return (
        f"{report.verb}: {nodes} systems, {report.changed} {changes}, {bad} not done, {report.seconds:.1f} s"
    )


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
    return json_text(document)


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} … (--json shows all)"


def _below(changes: tuple[str, ...], detail: str) -> list[str]:
    lines = [f"    {_plain(change)}" for change in changes[:SHOWN]]
    if len(changes) > SHOWN:
        lines.append(f"    and {len(changes) - SHOWN} more")
    return lines + [f"    {_plain(line)}" for line in detail.splitlines()[:SHOWN]]


def _plain(text: str) -> str:
    """What came from a device may try to drive the terminal; it is shown, not obeyed."""
    return "".join(char if char.isprintable() or char == " " else "·" for char in text)
