"""Show what was done: the runs of this target, or one run with its devices and steps."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption
from lienthong.errors import LienThongError, visible


def command(
    number: Annotated[int | None, typer.Argument(metavar="RUN", help="one run, in full")] = None,
    target: TargetOption = None,
    last: Annotated[int, typer.Option(min=1, help="how many runs")] = 20,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show what was done: the runs of this target, or one run with its devices and steps."""
    from dataclasses import asdict

    from lienthong.cli._runs import journal_of

    journal = journal_of(root, target)
    if number is None:
        runs = journal.runs(last)
        if as_json:
            typer.echo(json.dumps([asdict(run) for run in runs], indent=1))
            return
        for run in runs:
            outcome = run.outcome or "cut off, or still at work"
            typer.echo(f"{run.id:>5}  {run.started[:19]}  {run.verb:<7} {outcome:<12} {' '.join(run.sites)}")
        if not runs:
            typer.echo("nothing was done here yet")
        return
    found = journal.run(number)
    if found is None:
        raise LienThongError(f"there is no run {number}", hint="lienthong history lists them")
    steps, events = journal.steps(number), journal.events(number)
    if as_json:
        data = {**asdict(found), "steps": [asdict(s) for s in steps], "events": [asdict(e) for e in events]}
        typer.echo(json.dumps(data, indent=1, ensure_ascii=False))
        return
    outcome = found.outcome or "cut off, or still at work"
    typer.echo(f"run {found.id}: {found.verb} of {' '.join(found.sites)} on {found.target}: {outcome}")
    typer.echo(f"began {found.started}, ended {found.ended or 'never'}, by version {found.version}")
    for node in dict.fromkeys(event.node for event in events):
        stages = " → ".join(event.stage for event in events if event.node == node)
        typer.echo(f"  {node}: {stages}")
    for step in steps:
        if step.outcome != "unchanged":
            typer.echo(f"  {step.outcome:<11} {step.node} {step.step}: {len(step.changes)} changes")
            for line in step.detail.splitlines():
                typer.echo(f"      {visible(line)}")
    for node, event in journal.unsettled(number).items():
        typer.echo(
            f"  {node} may still hold an unconfirmed change (last seen: {event.stage}); lienthong resume"
        )
