"""Compare devices with their intent and with what was fetched from them last; keep what they hold."""

from __future__ import annotations

import typer

from lienthong.cli._nodes import start
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say


def command(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Compare devices with their intent and with what was fetched from them last; keep what they hold.

    Nothing is changed on a device. Configurations are kept without secrets, in a Git repository of their own.
    Exit code 1: a device differs from its intent; 3: one was not seen.
    """
    from lienthong.drift.run import run
    from lienthong.drift.told import as_data, as_text
    from lienthong.provision import state_dir
    from lienthong.report.hostile import json_text

    ws, _, nodes = start("drift", root, target, sites, all_sites, side)
    found = run(ws.access, ws.secrets, ws.plan, nodes, state_dir(ws) / "configs", say)
    typer.echo(json_text(as_data(found)) if as_json else as_text(found))
    raise typer.Exit(found.exit_code)
