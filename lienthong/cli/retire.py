"""Take a device, host, client or site out of the inventory; the next plan revokes what it had."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._options import DryRun, Root
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    name: Annotated[str, typer.Argument(help="slug of a site, or full name of a node, e.g. loc-ninh-srv")],
    root: Root = None,
    dry_run: DryRun = False,
) -> None:
    """Take a device, host, client or site out of the inventory; the next plan revokes what it had."""
    from lienthong.edit import Draft
    from lienthong.edit.find import named
    from lienthong.edit.keys import secrets_of
    from lienthong.edit.retire import retire

    ws = Workspace(find_root(root))
    thing = named(ws.inventory, name)
    draft = Draft(ws.root / "inventory")
    done = retire(draft, ws.inventory, ws.plan, thing)
    typer.echo(draft.diff(), nl=False)
    plan = draft.check() if dry_run else draft.commit()
    for line in done:
        typer.echo(line)
    unused = sorted(secrets_of(ws.plan) - secrets_of(plan))
    if unused:
        typer.echo(f"secrets that nobody needs any more: {', '.join(unused)}")
    if thing.group == "clients":
        neighbours: list[str] = []
    else:
        neighbours = sorted(
            slug for slug in plan.sites if slug in ws.plan.sites and plan.sites[slug] != ws.plan.sites[slug]
        )
    if dry_run:
        typer.echo("nothing was written")
    elif neighbours:
        shown = " ".join(neighbours) if len(neighbours) <= 6 else "--all"
        typer.echo(f"what others still hold for it goes with: lienthong plan {shown}, then lienthong apply")
    if not dry_run and thing.group != "clients":
        typer.echo("wipe its disks, and switch it off, before it leaves the room")
