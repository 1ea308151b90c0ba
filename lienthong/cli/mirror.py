"""Packages for the closed side: make a signed snapshot, and put one that a bundle brought in place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.errors import LienThongError
from lienthong.model.words import Side, Target
from lienthong.root import find_root

if TYPE_CHECKING:
    from lienthong.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def _group() -> None:
    """Packages for the closed side: make a signed snapshot, and put one that a bundle brought in place."""


@app.command()
def key(
    replace: Annotated[bool, typer.Option("--replace", help="even if another key is there")] = False,
    target: TargetOption = None,
    root: Root = None,
) -> None:
    """Write the public half of the key of snapshots to where systems are told from; Internet side."""
    from lienthong.mirror import pinned

    ws = _start("key", target, root)
    path = pinned.public_file(ws.access)
    changed = pinned.write(path, ws.secrets, replace=replace)
    typer.echo(f"{path}: {'written; commit it on both sides' if changed else 'is there already'}")


@app.command()
def fetch(
    out: Annotated[Path, typer.Argument(help="a new folder, for lienthong bundle export")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="PACKAGE", help="this and what it needs, not what the inventory needs"
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            "--work", help="what was fetched before; else ~/.cache/lienthong-mirror", show_default=False
        ),
    ] = None,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make a signed snapshot of the packages that the closed side's systems need; Internet side."""
    from lienthong.bundle.disk import told
    from lienthong.mirror import pinned, snapshot
    from lienthong.mirror.wanted import valid_days, wanted
    from lienthong.report.hostile import json_text

    ws = _start("fetch", target, root)
    if ws.access.side == Side.WAN:
        raise LienThongError(
            "this controller is of side wan, which reaches no archive", hint="LIENTHONG_SIDE=net"
        )
    days = valid_days(ws.plan, Side.WAN)
    # Before minutes of work: the key is there, and is the one that systems believe.
    pinned.write(pinned.public_file(ws.access), ws.secrets)
    sets = [frozenset(only)] if only else wanted(ws.plan, Side.WAN)
    work = work or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lienthong-mirror"
    with told(out):
        made = snapshot.fetch(
            out.absolute(), sets, ws.secrets.get(pinned.KEY), work, days, say, whole=not only
        )
    data = {"folder": str(made.path), "packages": made.packages, "bytes": made.bytes, "valid_days": days}
    text = (
        f"{made.path}: {made.packages} packages, {made.bytes} bytes, valid for {days} days\n"
        f"  lienthong bundle export {made.path} --stream SITE/net-wan --content packages"
    )
    typer.echo(json_text(data) if as_json else text)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(help="an imported snapshot, e.g. /srv/in/tinh-uy-net-wan-7")],
    node: Annotated[str | None, typer.Option("--node", help="this mirror only")] = None,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Put an imported snapshot in the place of the served one; an altered, old or unsigned one is refused."""
    from dataclasses import asdict

    from lienthong.mirror.publish import publish as put
    from lienthong.openssh import ways
    from lienthong.report.hostile import json_text

    ws = _start("publish", target, root)
    access = ws.access
    mirrors = [
        one for one in ws.plan.running("mirror", Side.WAN) if access.reaches(one) and node in {None, one.name}
    ]
    if not mirrors:
        raise LienThongError(
            "there is no such mirror here", hint="a host of the side runs mirror, and this target has it"
        )
    folder = folder.resolve()
    if access.target is Target.LAB and not access.simulated:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    with ways(access, {one.name: access.address(one) for one in mirrors}) as there:
        done = [put(there, one.name, folder) for one in mirrors]
    lines = [
        f"{one.node}: {'serves it now' if one.changed else 'serves it already'}: {one.packages} packages of "
        f"{one.date[:16]}, valid until {one.valid_until[:16]} UTC"
        for one in done
    ]
    typer.echo(json_text([asdict(one) for one in done]) if as_json else "\n".join(lines))


def _start(verb: str, target: Target | None, root: Path | None) -> Workspace:
    from lienthong.workspace import Workspace

    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    say(f"mirror {verb} · target {ws.access.target.value}")
    return ws
