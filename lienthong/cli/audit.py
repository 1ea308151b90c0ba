"""Look whether sites are as they must be; write the report as page, JUnit, JSON, CSV and XLSX."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._nodes import start
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say
from lienthong.errors import Exit, LienThongError
from lienthong.model.words import Target


def command(
    sites: Sites = None,
    all_sites: All = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="also checks that disturb, such as cutting a line")
    ] = False,
    side: SideOption = None,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Look whether sites are as they must be; write the report as page, JUnit, JSON, CSV and XLSX."""
    from lienthong import nights, report
    from lienthong.audit import load_catalogue
    from lienthong.audit import run as run_audit
    from lienthong.model.finding import Finding, Status
    from lienthong.provision import state_dir

    ws, slugs, _ = start("audit", root, target, sites, all_sites, side)
    if drill and ws.access.target is Target.LIVE:
        raise LienThongError(
            "a drill disturbs a site, and live sites have no declared window yet", hint="drill in the lab"
        )
    seen: dict[Status, int] = {}

    def tell(finding: Finding) -> None:
        """Failures at once; of the rest only how many, now and then."""
        seen[finding.status] = seen.get(finding.status, 0) + 1
        count = sum(seen.values())
        if finding.status in {Status.FAIL, Status.ERROR}:
            say(f"{finding.status}: {finding.control} {finding.node or finding.site}")
        elif count % 50 == 0:
            say(f"{count} findings so far")

    say(f"looking at {', '.join(slugs)}")
    with nights.kept(state_dir(ws) / nights.FOLDER, "audit", slugs) as night:
        run = run_audit(ws, slugs, drill=drill, progress=tell)
        night.audited(run)
    controls = load_catalogue(ws.root)
    report.write(run, ws.plan, controls, ws.access.out)
    if as_json:
        typer.echo(run.model_dump_json(indent=1))
    else:
        typer.echo(report.summary(run, controls))
        for slug in slugs:
            typer.echo(f"report: {(ws.access.out / slug / 'report.html').relative_to(ws.root)}")
    bad = {finding.status for finding in run.findings} & {Status.FAIL, Status.ERROR}
    raise typer.Exit(Exit.FINDINGS if bad else Exit.OK)
