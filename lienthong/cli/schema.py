"""Write the JSON Schema of the inventory for editors, and its reference page."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._options import Root
from lienthong.errors import Exit
from lienthong.root import find_root


def command(
    root: Root = None,
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; fail when a file is not as told")
    ] = False,
) -> None:
    """Write inventory/schema/*.json and docs/inventory.md from the models."""
    from lienthong.reference import files

    base = find_root(root)
    stale = []
    for path, text in files().items():
        target = base / path
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path))
        if not check:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    for name in stale:
        typer.echo(f"{'is not as the models say' if check else 'written'}: {name}")
    if not stale:
        typer.echo("the schema and the reference page are as the models say")
    if stale and check:
        raise typer.Exit(Exit.FINDINGS)
