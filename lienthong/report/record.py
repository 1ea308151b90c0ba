"""`findings.json`: the whole record of a site's audit, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lienthong.model.finding import AuditRun, Control, Finding
from lienthong.report import labels
from lienthong.report.hostile import steering

FORMAT = "lienthong-findings/1"


def render(run: AuditRun, site: str, findings: Sequence[Finding], controls: Mapping[str, Control]) -> str:
    """The findings of one site with the controls they speak of, as JSON in UTF-8.

    Values are exact. Steering characters stand as `\\uXXXX`, so that looking at the file is harmless.
    """
    used = sorted({finding.control for finding in findings})
    document = {
        "format": FORMAT,
        "target": run.target.value,
        "evidence_about_a_site": run.target.value == "live",
        "site": site,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat(),
        "drill": run.drill,
        "commit": run.commit,
        "version": run.version,
        "counts": {status.value: number for status, number in labels.counts(findings).items()},
        "mappings_reviewed": False,
        "controls": {name: controls[name].model_dump(mode="json") for name in used if name in controls},
        "findings": [_plain(finding) for finding in findings],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return "".join(_escaped(char) if char != "\n" and steering(char) else char for char in text) + "\n"


def _plain(finding: Finding) -> dict[str, object]:
    # Not model_dump(mode="json"): it refuses lone surrogates, and a device may well send one.
    return {
        "control": finding.control,
        "check": finding.check,
        "description": finding.description,
        "site": finding.site,
        "node": finding.node,
        "status": finding.status.value,
        "kind": finding.kind.value,
        "detail": finding.detail,
        "evidence": list(finding.evidence),
        "seconds": finding.seconds,
    }


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
