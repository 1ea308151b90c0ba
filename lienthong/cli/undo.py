"""Take back what a run did: gear by the lines it held before, hosts by the inventory of the run before."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._nodes import show, start
from lienthong.cli._options import Json, Root, SideOption, TargetOption, say
from lienthong.cli.apply import Allow


def command(
    number: Annotated[int, typer.Argument(metavar="RUN", help="see lienthong history")],
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Take back what a run did: gear by the lines it held before, hosts by the inventory of the run
    before."""
    from lienthong import provision
    from lienthong.cli._runs import journal_of, run_of
    from lienthong.goback import former, way_back

    journal = journal_of(root, target)
    run = run_of(journal, number)
    ws, slugs, _ = start("undo", root, target, run.sites, False, side)
    way = way_back(journal, number, ws.plan)
    allowed = frozenset(allow or ())
    reports = []
    if way.gear:
        nodes = [ws.plan.nodes[name] for name in way.gear]
        say(f"takes back what run {number} did to {', '.join(way.gear)}")
        options = provision.Options(allow=allowed, exact=way.gear, hosts=False)
        reports.append(provision.apply(ws, slugs, nodes, say, options, verb="undo"))
    if way.changed_hosts and way.before is None:
        say(f"hosts keep what run {number} gave them: no earlier run is on record to go back to")
    elif way.changed_hosts:
        say(f"{', '.join(way.changed_hosts)} go back to the inventory of run {way.before}")
        with former(ws, way.before or 0) as before:
            hosts = [before.plan.nodes[n] for n in way.changed_hosts if n in before.plan.nodes]
            options = provision.Options(allow=allowed, gear=False)
            reports.append(provision.apply(before, slugs, hosts, say, options, verb="undo"))
    show(provision.joined(reports), ws, slugs, as_json)
