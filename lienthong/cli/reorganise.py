"""Show what a reorganisation of units changes and keeps; with --write, change the inventory so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import DryRun, Json, Root


def command(
    plan: Annotated[Path, typer.Argument(help="the plan, e.g. docs/examples/reorganise-2025-07-01.yaml")],
    write: Annotated[bool, typer.Option("--write", help="change the inventory")] = False,
    dry_run: DryRun = False,
    diff: Annotated[bool, typer.Option("--diff", help="show the files' differences too")] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show what a reorganisation of units changes and keeps; with --write, change the inventory so.

    The result is loaded and planned as a whole before anything is written. A plan that has ended units
    is refused when it is applied again.
    """
    from lienthong.reorganise.data import data
    from lienthong.reorganise.outcome import prepare
    from lienthong.reorganise.text import text
    from lienthong.root import find_root

    outcome, folder = prepare(find_root(root), plan)
    wrote = write and not dry_run
    if wrote:
        folder.commit()
    if as_json:
        found = data(outcome, folder.changed) | {"written": wrote}
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    typer.echo(text(outcome), nl=False)
    if diff:
        typer.echo(folder.diff(), nl=False)
    if wrote:
        typer.echo("Đã ghi; lienthong plan --all cho thấy việc phải làm trên thiết bị.")
        typer.echo("Written; lienthong plan --all shows what this asks of the devices.")
    elif outcome.changes:
        typer.echo("Chưa ghi gì; --write để ghi. / Nothing was written; --write writes it.")
