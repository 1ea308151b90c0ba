"""Write the same inventory for other tools: netbox, grafana."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def exports() -> None:
    """Write the same inventory for other tools."""


@app.command()
def netbox(
    out: Annotated[Path | None, typer.Option("--out", help="folder for JSON and CSV files")] = None,
    no_scopes: Annotated[
        bool, typer.Option("--no-scopes", help="prefixes without their site, for NetBox before March 2026")
    ] = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Every object as NetBox 4 takes it in bulk import, by names, in the order of import."""
    import json

    from lienthong.export.files import files, write
    from lienthong.export.netbox import export
    from lienthong.root import find_root
    from lienthong.workspace import Workspace

    ws = Workspace(find_root(root))
    objects = export(ws.inventory, ws.plan, scopes=not no_scopes)
    if out is not None:
        made = write(out, objects)
    else:
        files(objects)  # refused here too, if NetBox would
    if as_json:
        typer.echo(json.dumps(objects, ensure_ascii=False, indent=1))
        return
    for name, records in objects.items():
        typer.echo(f"{len(records):6}  {name}")
    typer.echo(
        f"{len(made)} files in {out}" if out is not None else "nothing was written; --out FOLDER writes"
    )


@app.command()
def grafana(
    out: Annotated[Path | None, typer.Option("--out", help="file; else printed")] = None,
) -> None:
    """The panels of Prometheus' own page as a dashboard for Grafana, which asks for the source of data."""
    from lienthong.dashboards.grafana import dashboard
    from lienthong.errors import LienThongError

    text = dashboard()
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LienThongError(f"{out}: {error.strerror}") from None
    typer.echo(f"written: {out}; in Grafana: Dashboards, New, Import")
