"""Keep the tool's own state so that a second officer can go on: sealed to two or more, put back elsewhere."""

from __future__ import annotations

import os
import syslog
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.errors import LienThongError
from lienthong.model.words import Target
from lienthong.root import find_root
from lienthong.state.carry import KNOWN_HOSTS, Places, Sealed
from lienthong.target import lab_dir

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
Bundles = Annotated[
    Path,
    typer.Option("--bundles", envvar="LIENTHONG_BUNDLE_STATE", help="where this side remembers its chains"),
]
_BUNDLES = Path("/var/lib/lienthong/bundle")


@app.callback()
def _group() -> None:
    """Keep the tool's own state so that a second officer can go on: sealed to two or more."""


@app.command("export")
def export_(
    out: Annotated[Path, typer.Option("--out", help="folder for the sealed file, e.g. /media/stick")],
    bundles: Bundles = _BUNDLES,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Seal journal, secrets, host keys and chains to the officers of inventory/officers.recipients."""
    from lienthong.state.carry import export
    from lienthong.state.officers import officers

    checkout = find_root(root)
    places, named = _places(checkout, target, bundles)
    say(f"state export · target {named} · {places.state}")
    if not out.is_dir():
        raise LienThongError(f"{out} is no folder", hint="mount the stick first")
    to = officers(checkout)
    done = export(places, out, tuple(to.values()), datetime.now(UTC), say)
    syslog.openlog("lienthong-state", syslog.LOG_PID, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_NOTICE, f"export {done.path.name} sha256={done.sha256} to {','.join(to)}")
    _told(done, as_json, f"{done.path}: {done.files} files, opened by any of: {', '.join(to)}")


@app.command("import")
def import_state(
    file: Annotated[Path, typer.Argument(help="a sealed state, lienthong-state-….age")],
    identity: Annotated[Path, typer.Option("--identity", help="file of your age identity")],
    sha256: Annotated[str, typer.Option("--sha256", help="the hash that the export printed and logged")],
    replace: Annotated[bool, typer.Option("--replace", help="a state that is there is kept beside")] = False,
    bundles: Bundles = _BUNDLES,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Put a sealed state into a checkout that has none, whole or not at all."""
    from lienthong.state.carry import import_

    places, named = _places(find_root(root), target, bundles)
    say(f"state import · target {named} · {places.state}")
    done = import_(file, sha256, identity, places, replace, datetime.now(UTC))
    _told(
        done,
        as_json,
        f"{places.state}: {done.files} files; lienthong history, then plan, show where it stands",
    )


def _places(root: Path, target: Target | None, bundles: Path) -> tuple[Places, str]:
    """Of a target, whether or not it has anything yet: so not by `Workspace`, which wants one that is up.

    Raises:
        LienThongError: no target was named.
    """
    named = target.value if target else os.environ.get("LIENTHONG_TARGET")
    if named == "live":
        inventory = root / "inventory"
        return Places(root / "run" / "live", inventory / "secrets", inventory / KNOWN_HOSTS, bundles), named
    if named == "lab":
        state = lab_dir(root)
        return Places(state, state / "secrets.json", state / KNOWN_HOSTS, bundles), named
    raise LienThongError("whose state?", hint="--target live or --target lab")


def _told(done: Sealed, as_json: bool, text: str) -> None:
    from lienthong.report.hostile import json_text, visible

    data = {"file": str(done.path), "sha256": done.sha256, "files": done.files, "bytes": done.bytes}
    typer.echo(json_text(data) if as_json else visible(f"{text}\n  sha256 {done.sha256}", lines=True))
