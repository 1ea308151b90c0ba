"""What people and programs read after an audit: page, JUnit, JSON, spreadsheet a site; terminal's table."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.finding import AuditRun, Control
from lienthong.model.intent import ProvincePlan
from lienthong.report import html, junit, record, sheet
from lienthong.report.terminal import render as summary

__all__ = ["summary", "write"]

_FOLDER = re.compile(r"[a-z][a-z0-9-]{0,19}")


def write(run: AuditRun, plan: ProvincePlan, controls: Mapping[str, Control], out: Path) -> Path:
    """Write `report.html`, `junit.xml`, `findings.{json,csv,xlsx}` to `<out>/<site>/` for each audited site.

    A site that was not asked for but about which something was found gets its files too: nothing is dropped.

    Args:
        run: the audit.
        plan: what the drawings are made from.
        controls: the catalogue.
        out: the target's own folder, `out/lab` or `out/live`.

    Returns:
        the page of the site when there is one, else `out`.

    Raises:
        LienThongError: the folder is another target's, or a finding names a site that cannot be a folder.
    """
    if out.name != run.target.value:
        raise LienThongError(
            f"{out}: results of {run.target.value} do not go there", hint=f"out/{run.target.value}"
        )
    pages = []
    for site in sorted({*run.sites, *(finding.site for finding in run.findings)}):
        if not _FOLDER.fullmatch(site):
            raise LienThongError(f"a finding is about {site!r}, which is no site")
        # The order in which checks ran says nothing and would make two equal audits differ.
        findings = sorted(
            (finding for finding in run.findings if finding.site == site),
            key=lambda f: (f.control, f.node or "", f.check, f.description),
        )
        here = out / site
        here.mkdir(parents=True, exist_ok=True)
        page = here / "report.html"
        _put(page, html.render(run, site, findings, controls, plan.sites.get(site)))
        _put(here / "junit.xml", junit.render(run, site, findings, controls))
        _put(here / "findings.json", record.render(run, site, findings, controls))
        _put(here / "findings.csv", sheet.as_csv(run, findings, controls))
        _put(here / "findings.xlsx", sheet.as_xlsx(run, findings, controls))
        pages.append(page)
    return pages[0] if len(pages) == 1 else out


def _put(path: Path, said: str | bytes) -> None:
    """Write whole or not at all: a killed audit leaves the report before it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(said if isinstance(said, bytes) else said.encode("utf-8"))
    fresh.replace(path)
