"""Say which layer a value of a site comes from, what it means, and what is derived from it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from lienthong.cli._options import Json, Root
from lienthong.errors import InventoryError
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    site: Annotated[str, typer.Argument(help="slug of a site, e.g. loc-ninh")],
    path: Annotated[str, typer.Argument(help="keys joined by dots, e.g. devices.gw-wan.platform")] = "",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Say which layer a value of a site comes from; a path to a mapping shows everything below it."""
    from lienthong.reference.explain import explain

    ws = Workspace(find_root(root))
    try:
        plan = ws.plan.sites.get(site)
    except InventoryError:
        plan = None  # a wrong inventory can still be explained, without what would follow from it
    found = explain(ws.root / "inventory", site, path, plan)
    if as_json:
        data = {
            "path": found.path,
            "meaning": found.meaning,
            "type": found.kind,
            "default": found.default,
            "values": {
                leaf.path: [{"where": s.where, "value": s.value} for s in leaf.said] for leaf in found.leaves
            },
            "derived": dict(found.derived),
        }
        typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
        return
    if found.meaning:
        typer.echo(f"{found.path or site}: {found.meaning}" + (f" ({found.kind})" if found.kind else ""))
    for leaf in found.leaves:
        last = leaf.said[-1]
        typer.echo(f"{leaf.path} = {_text(leaf.value)}    {last.where}")
        for said in reversed(leaf.said[:-1]):
            typer.echo(f"    over {_text(said.value)}    {said.where}")
    if not found.leaves:
        default = found.default.strip("`")
        typer.echo(f"no layer says it; the default is {'nothing' if default == '–' else default}")
    for what, value in found.derived:
        typer.echo(f"    derived {what}: {value}")


def _text(value: Any) -> str:
    if value is None:
        return "taken away"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
