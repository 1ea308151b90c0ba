"""The end of an audit on a terminal: a short plain table, readable without colour."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from lienthong.model.finding import AuditRun, Control, Finding, Status
from lienthong.report import labels
from lienthong.report.hostile import one_line

_REASON = 160
#: A reason of so many controls is told once, with their names.
_MANY = 4


def render(run: AuditRun, controls: Mapping[str, Control]) -> str:
    """Counts by site and status, then each failure, error and open question with places and reason.

    Whatever came from a device is on one line, without control characters.
    """
    heads = [f"{label.vi} / {label.en}" for label in labels.STATUS.values()]
    width = max([len(one_line(site)) for site in run.sites] + [4])
    lines = [" " * width + "  " + "  ".join(heads)]
    for site in run.sites:
        tally = labels.counts(finding for finding in run.findings if finding.site == site)
        cells = [
            str(tally[status]).rjust(len(head)) for status, head in zip(labels.STATUS, heads, strict=True)
        ]
        lines.append(f"{one_line(site):<{width}}  " + "  ".join(cells))
    for status in (Status.FAIL, Status.ERROR):
        lines += _listed(status, [f for f in run.findings if f.status is status], controls)
    lines += _open([f for f in run.findings if f.status is Status.NOT_ASSESSED], controls)
    skipped = Counter(
        one_line(finding.detail, 60) or "–"
        for finding in run.findings
        if finding.status is Status.NOT_APPLICABLE
    )
    if skipped:
        label = labels.STATUS[Status.NOT_APPLICABLE]
        reasons = "; ".join(f"{reason} ×{number}" for reason, number in sorted(skipped.items()))
        lines += ["", f"{label.vi} / {label.en}: {reasons}"]
    return "\n".join(lines) + "\n"


def _open(findings: Sequence[Finding], controls: Mapping[str, Control]) -> list[str]:
    """What nobody looked at; a reason that many controls share is said once."""
    sharing: dict[str, set[str]] = {}
    for finding in findings:
        sharing.setdefault(finding.detail, set()).add(finding.control)
    shared = {why for why, names in sharing.items() if why and len(names) >= _MANY}
    lines = _listed(Status.NOT_ASSESSED, [f for f in findings if f.detail not in shared], controls)
    if shared and not lines:
        label = labels.STATUS[Status.NOT_ASSESSED]
        lines = ["", f"{label.vi} / {label.en}:"]
    for why in sorted(shared):
        names = sorted(map(one_line, sharing[why]))
        lines += [f"  {one_line(why, _REASON)}", *textwrap.wrap(", ".join(names), 100, initial_indent=" " * 6,
                                                                subsequent_indent=" " * 6)]  # fmt: skip
    return lines


def _listed(status: Status, findings: Sequence[Finding], controls: Mapping[str, Control]) -> list[str]:
    if not findings:
        return []
    label = labels.STATUS[status]
    lines = ["", f"{label.vi} / {label.en}:"]
    where: dict[tuple[str, str], list[str]] = {}
    for finding in sorted(findings, key=lambda f: (f.control, f.site, f.node or "")):
        key = (finding.control, finding.detail or finding.description)
        where.setdefault(key, []).append(one_line(finding.node or finding.site))
    for (name, why), places in where.items():
        control = controls.get(name)
        title = f" ({control.severity.value})  {control.title.vi} / {control.title.en}" if control else ""
        lines.append(f"  {one_line(name)}{title}")
        lines.append(f"      {', '.join(places)}: {one_line(why, _REASON)}")
    return lines
