"""Roles that Central hands over: verify one, accept it, see which there are and where they run."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._options import Json, Root
from lienthong.root import find_root

app = typer.Typer(name="role", no_args_is_help=True, help="Roles handed over by Central.")
Name = Annotated[str, typer.Argument(metavar="ROLE", help="folder in roles/")]


@app.command()
def verify(name: Name, root: Root = None) -> None:
    """Look at a role: whole, signed by one who may, doing nothing that a role may not."""
    from lienthong.errors import InventoryError
    from lienthong.handed import scan, signed

    role = signed.read(find_root(root), name)
    problems = scan.refusals(name, role.files)
    if problems:
        raise InventoryError(problems)
    typer.echo(f"{name}: {len(role.files)} files, signed by {role.signer}, sha256:{role.digest}")


@app.command()
def accept(
    name: Name,
    live: Annotated[
        bool, typer.Option("--live", help="also for real sites; it has to have run in a lab as it is")
    ] = False,
    root: Root = None,
) -> None:
    """Verify a role and pin its hash in inventory/roles.lock: for the lab first, then --live."""
    from lienthong.handed import lock, signed
    from lienthong.model.words import Target

    verify(name, root)
    where = find_root(root)
    one = lock.pin(where, signed.read(where, name), Target.LIVE if live else Target.LAB)
    typer.echo(f"{name}: accepted for {'the lab and real sites' if live else 'the lab'}, {one.digest[:16]}")


@app.command(name="list")
def list_(root: Root = None, as_json: Json = False) -> None:
    """Every accepted role, whether it is still what was accepted, and for which hosts it runs."""
    from lienthong.errors import LienThongError
    from lienthong.handed import lock, signed
    from lienthong.report.hostile import json_text
    from lienthong.workspace import Workspace

    ws = Workspace(find_root(root))
    rows = []
    for name, one in lock.pins(ws.root).items():
        try:
            state = "as accepted" if signed.read(ws.root, name).digest == one.digest else "altered since"
        except LienThongError as error:
            state = error.what.splitlines()[0]
        hosts = sorted(node.name for node in ws.plan.nodes.values() if name in node.handed_over)
        rows.append(
            {"name": name, "sha256": one.digest, "where": one.where.value, "signer": one.signer,
             "state": state, "hosts": hosts}
        )  # fmt: skip
    if as_json:
        typer.echo(json_text(rows))
        return
    for row in rows:
        typer.echo(
            f"{row['name']}  {row['where']}  signed by {row['signer']}  {row['state']}"
            f"  hosts: {', '.join(row['hosts']) or 'none'}"
        )
    if not rows:
        typer.echo("no role was accepted")
