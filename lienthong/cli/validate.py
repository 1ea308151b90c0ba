"""Read the whole inventory and say everything that is wrong with it, each with its place."""

from __future__ import annotations

import json

import typer

from lienthong.cli._options import Json, Root
from lienthong.errors import Exit, InventoryError
from lienthong.workspace import Workspace, find_root


def command(root: Root = None, as_json: Json = False) -> None:
    """Read the whole inventory and say everything that is wrong with it, each with its place."""
    ws = Workspace(find_root(root))
    try:
        plan = ws.plan
    except InventoryError as error:
        if as_json:
            problems = [{"where": p.where, "what": p.what, "hint": p.hint} for p in error.problems]
            typer.echo(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
            raise typer.Exit(Exit.BAD_INPUT) from None
        raise
    kinds: dict[str, int] = {}
    for site in plan.sites.values():
        kinds[site.site.kind] = kinds.get(site.site.kind, 0) + 1
    if as_json:
        typer.echo(json.dumps({"sites": len(plan.sites), "nodes": len(plan.nodes), "problems": []}))
        return
    typer.echo(f"{len(plan.sites)} sites and {len(plan.nodes)} systems are in order")
    typer.echo("  " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
