"""Read the whole inventory and say everything that is wrong with it, each with its place."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import typer

from lienthong.cache import Cache
from lienthong.cli._options import Json, Root
from lienthong.errors import Exit, InventoryError
from lienthong.inventory.warm import validate
from lienthong.root import find_root


def command(root: Root = None, as_json: Json = False) -> None:
    """Read the whole inventory and say everything that is wrong with it, each with its place."""
    base = find_root(root)
    today = datetime.now(tz=UTC).date()
    try:
        sites = validate(base / "inventory", Cache(base / "run" / "cache" / "inventory"), today)
    except InventoryError as error:
        if as_json:
            problems = [{"where": p.where, "what": p.what, "hint": p.hint} for p in error.problems]
            typer.echo(json.dumps({"problems": problems}, ensure_ascii=False, indent=1))
            raise typer.Exit(Exit.BAD_INPUT) from None
        raise
    nodes = sum(site.nodes for site in sites.values())
    kinds = Counter(site.kind for site in sites.values())
    if as_json:
        typer.echo(json.dumps({"sites": len(sites), "nodes": nodes, "problems": []}))
        return
    typer.echo(f"{len(sites)} sites and {nodes} systems are in order")
    typer.echo("  " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
