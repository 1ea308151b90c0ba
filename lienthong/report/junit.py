"""JUnit XML: one test case a finding, as CI systems read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from lienthong.model.finding import AuditRun, Control, Finding, Status
from lienthong.report import labels
from lienthong.report.hostile import visible


def render(run: AuditRun, site: str, findings: Sequence[Finding], controls: Mapping[str, Control]) -> str:
    """The findings of one site as a `testsuites` document.

    A failure is a `failure`, an error an `error`; what does not apply or was not assessed is `skipped`
    with its reason, never passed. Characters that XML forbids are shown as their numbers.
    """
    tally = labels.counts(findings)
    skipped = tally[Status.NOT_APPLICABLE] + tally[Status.NOT_ASSESSED]
    totals = {
        "tests": str(len(findings)),
        "failures": str(tally[Status.FAIL]),
        "errors": str(tally[Status.ERROR]),
        "skipped": str(skipped),
        "time": f"{sum(finding.seconds for finding in findings):.3f}",
    }
    root = ET.Element("testsuites", {"name": f"lienthong {visible(site)}", **totals})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": visible(f"{run.target.value}.{site}"),
            "timestamp": run.started.isoformat(timespec="seconds"),
            **totals,
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("target", run.target.value),
        ("site", site),
        ("commit", run.commit),
        ("version", run.version),
        ("drill", str(run.drill).lower()),
        ("ended", run.ended.isoformat(timespec="seconds")),
    ):
        ET.SubElement(properties, "property", name=name, value=visible(value))
    for finding in findings:
        _case(suite, finding, controls.get(finding.control))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, finding: Finding, control: Control | None) -> None:
    place = finding.node or finding.site
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": visible(f"{finding.site}.{finding.control}"),
            "name": visible(f"{finding.description} [{place}]"),
            "time": f"{finding.seconds:.3f}",
        },
    )
    properties = ET.SubElement(case, "properties")
    for name, value in (
        ("control", finding.control),
        ("check", finding.check),
        ("node", finding.node or ""),
        ("kind", finding.kind.value),
        ("status", finding.status.value),
        ("severity", control.severity.value if control else "unknown"),
    ):
        ET.SubElement(properties, "property", name=name, value=visible(value))
    reason = visible(finding.detail) or finding.status.value
    if finding.status is Status.FAIL:
        ET.SubElement(case, "failure", message=reason, type="failure").text = _evidence(finding)
    elif finding.status is Status.ERROR:
        ET.SubElement(case, "error", message=reason, type="error").text = _evidence(finding)
    elif finding.status is not Status.PASS:
        prefix = finding.status.value
        message = reason if reason.startswith(prefix) else f"{prefix}: {reason}"
        ET.SubElement(case, "skipped", message=message)
    if finding.evidence:
        ET.SubElement(case, "system-out").text = _evidence(finding)


def _evidence(finding: Finding) -> str:
    return "\n".join(visible(line, lines=True) for line in (finding.detail, *finding.evidence) if line)
