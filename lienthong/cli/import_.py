"""Bring in what an officer keeps in Excel: write the workbook, read it to inventory files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import DryRun, Root
from lienthong.errors import Exit, InventoryError, LienThongError
from lienthong.root import find_root

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def options() -> None:
    """Bring in what an officer keeps in Excel: write the workbook, read it to inventory files."""


@app.command()
def template(
    file: Annotated[Path, typer.Argument(help="where to write it, e.g. tinh-uy.xlsx")],
    empty: Annotated[bool, typer.Option("--empty", help="without the example")] = False,
    root: Root = None,
) -> None:
    """Write the workbook: headings, explanations and drop-downs, with an example province of three sites."""
    from lienthong.platforms import discover
    from lienthong.workbook.template import write

    if file.suffix.lower() != ".xlsx":
        raise LienThongError(f"{file} does not end in .xlsx", hint="Excel opens it by its name")
    kinds = find_root(root) / "inventory" / "layers" / "kinds"
    try:
        write(file, sorted(path.stem for path in kinds.glob("*.yaml")), list(discover()), not empty)
    except FileExistsError:
        raise LienThongError(f"{file} is already there", hint="nothing was written; name another") from None
    except OSError as error:
        raise LienThongError(f"{file}: cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {file}; when it is filled in: lienthong import xlsx {file} --dry-run", err=True)


@app.command()
def xlsx(
    file: Annotated[Path, typer.Argument(help="the workbook, filled in")],
    into: Annotated[Path | None, typer.Option(help="another inventory folder; it needs layers/ too")] = None,
    root: Root = None,
    dry_run: DryRun = False,
) -> None:
    """Read the workbook to site files: new ones are written, known ones edited where they differ."""
    from lienthong.edit import Draft
    from lienthong.workbook.importing import check, put
    from lienthong.workbook.reading import rows_of

    folder = into if into is not None else find_root(root) / "inventory"
    for part in ("sites", "layers"):
        if not (folder / part).is_dir():
            raise LienThongError(f"{folder} has no {part}/", hint="it must be the inventory of a checkout")
    rows, problems = rows_of(file)
    draft = Draft(folder)
    said = put(draft, rows, problems)
    if not said:
        raise InventoryError(problems) if problems else LienThongError(f"{file} has no filled row")
    if not draft.changed:
        typer.echo(f"the inventory already says all of it: {len(said)} sites, {len(rows)} rows", err=True)
        return
    typer.echo(draft.diff(), nl=False)
    check(draft, said)
    if dry_run:
        typer.echo("it would validate; nothing was written", err=True)
        raise typer.Exit(Exit.OK)
    names = draft.changed
    draft.commit()
    typer.echo(f"wrote {len(names)} files; next: lienthong validate, lienthong plan --all", err=True)
