"""Go on with a run that failed, was stopped or was cut off: first settle what it left open, then apply
again."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._nodes import show, start, witness
from lienthong.cli._options import Json, Root, SideOption, TargetOption, say
from lienthong.cli.apply import Allow


def command(
    number: Annotated[
        int | None, typer.Argument(metavar="RUN", help="default: the last, if it did not end well")
    ] = None,
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that failed, was stopped or was cut off: first settle what it left open, then
    apply."""
    from lienthong import provision
    from lienthong.cli._runs import journal_of, run_of
    from lienthong.settle import nodes_of, settle

    journal = journal_of(root, target)
    run = run_of(journal, number)
    ws, slugs, _ = start("resume", root, target, run.sites, False, side)
    noted = journal.noted(run.id)
    nodes = nodes_of(ws, noted.get("nodes", "").split())
    say(f"goes on with run {run.id} ({run.verb} of {' '.join(run.sites)}, {run.outcome or 'cut off'})")
    if run.inputs != provision.fingerprint(ws):
        say("the inventory or the tool has changed since: what holds now is applied")
    for one in settle(ws, journal.unsettled(run.id), say):
        say(f"{one.node}: {one.state}: {one.said}")
    whole = noted.get("hosts", "1") == "1"
    options = provision.Options(allow=frozenset(allow or ()), hosts=whole, witness=witness(ws))
    report = provision.apply(ws, slugs, nodes, say, options, verb="resume")
    show(report, ws, slugs, as_json)
