"""Place real calls between conference endpoints and measure them: two sites, or a rehearsal of all."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    sites: Annotated[
        list[str] | None, typer.Argument(metavar="SITE…", help="two sites; with --all those to rehearse")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="a rehearsal: the office calls each site, sites call each other")
    ] = False,
    seconds: Annotated[float, typer.Option(min=2, max=600, help="how long each call is listened to")] = 10,
    at_once: Annotated[int, typer.Option(min=1, max=32, help="calls at the same time at most")] = 4,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Place real calls between conference endpoints and measure them: two sites, or a rehearsal of all.

    Set-up time, loss, jitter, DSCP and encryption, both ways. An endpoint that is in a call is left alone,
    and every call that was placed is ended, on Ctrl-C too.
    """
    from lienthong.conference import told
    from lienthong.conference.partners import partners
    from lienthong.conference.reach import Reach
    from lienthong.conference.rehearsal import rehearse
    from lienthong.conference.verdict import Row, exit_code, judged
    from lienthong.errors import Exit
    from lienthong.model.words import Target
    from lienthong.openssh import ways
    from lienthong.report.hostile import json_text
    from lienthong.stopping import Stop

    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"call · target {access.target.value}")
    wanted = partners(ws.plan, access, sites or [], every=every)
    if access.target is Target.LAB and not access.simulated:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    rows: list[Row] = list(wanted.unmeasured)
    with ways(access, {node.name: access.address(node) for node in wanted.nodes}, deaf=True) as there:
        reach = Reach(there)

        def stop(text: str) -> None:
            say(text)
            reach.break_off()

        ends = {node.name: wanted.end(node, reach, seconds) for node in wanted.nodes}
        say(f"{len(wanted.pairs)} calls of {seconds:g} s, {at_once} at once")
        with Stop(stop) as stopping:
            outcomes = rehearse(
                wanted.pairs,
                at_once,
                lambda pair: judged(ends[pair[0]], ends[pair[1]], seconds),
                stopping.asked,
            )
            for _, row in outcomes:
                rows.append(row)
                say(told.short(row))
    if as_json:
        data = {
            "target": access.target.value,
            "limits": told.limits(),
            "calls": [told.as_data(r) for r in rows],
        }
        typer.echo(json_text(data))
    else:
        typer.echo(told.table(rows))
    raise typer.Exit(Exit.INTERRUPTED if stopping.asked() else exit_code(rows))
