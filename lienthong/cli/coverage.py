"""Prove who is heard: every asset sends an event of its own, looked for at the collector and at Central."""

from __future__ import annotations

import os

import typer

from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    sites: Sites = None,
    every: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Prove who is heard: every asset sends an event of its own, looked for at the collector and at Central.

    A matrix of hosts and gear says where each was heard and after how long; one not heard gives exit code 1.
    Live, nobody looks into Central's own collector: give Central the list of `--json` and ask.
    """
    from lienthong import nights
    from lienthong.audit.session import outside_systems
    from lienthong.cli._picked import picked
    from lienthong.coverage import told
    from lienthong.coverage.heard import hear, places_of
    from lienthong.errors import Exit, LienThongError
    from lienthong.model.words import Side, Target
    from lienthong.openssh import ways
    from lienthong.provision import state_dir
    from lienthong.report.hostile import json_text

    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"coverage · target {access.target.value}")
    if access.simulated:
        raise LienThongError("simulated devices alone log nothing", hint="lienthong lab up SITE…")
    names = sorted({node.site for node in ws.plan.nodes.values() if access.reaches(node)}) if every else sites
    nodes = [node for node in picked(ws, names or [], side) if access.reaches(node)]
    if access.target is Target.LAB:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    addresses = {node.name: access.address(node) for node in nodes}
    for one in Side:
        places = places_of(ws.plan, access, one)
        if places is not None:
            addresses[places.collector] = access.address(ws.plan.nodes[places.collector])
            if places.central is not None:
                addresses[places.central] = outside_systems(ws)[places.central]
    say(f"{len(nodes)} systems are to be heard")
    about = sorted({node.site for node in nodes})
    with nights.kept(state_dir(ws) / nights.FOLDER, "coverage", about) as night:
        with ways(access, addresses) as there:
            rows = hear(
                nodes, ws.plan, access, lambda name, line: there.output(name, ("/bin/sh", "-c", line))
            )
        night.heard(
            nights.System(site=row.node.site, node=row.node.name, missing=row.missing, why=row.why)
            for row in rows
        )
    if as_json:
        typer.echo(json_text({"target": access.target.value, "systems": [told.as_data(row) for row in rows]}))
    else:
        typer.echo(told.table(rows))
    raise typer.Exit(Exit.FINDINGS if any(row.missing for row in rows) else Exit.OK)
