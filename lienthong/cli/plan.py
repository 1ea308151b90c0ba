"""Show what would change on every device and host; change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._nodes import show, start
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say
from lienthong.cli.apply import Allow, Gear


def command(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    gear: Gear = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="keep the plan: `apply FILE` does this and nothing else")
    ] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show what would change on every device and host; change nothing."""
    from lienthong import provision

    ws, slugs, nodes = start("plan", root, target, sites, all_sites, side)
    report = provision.plan(ws, nodes, say, provision.Options(allow=frozenset(allow or ()), hosts=not gear))
    if out is not None:
        from lienthong import planfile

        planfile.write(out, ws, slugs, side.value if side else None, report, whole=not gear)
        say(f"kept in {out}; apply it with: lienthong apply {out}")
        if planfile.needs_signature(ws, slugs):
            say(f"a second officer signs it: ssh-keygen -Y sign -n {planfile.NAMESPACE} -f KEY {out}")
    show(report, ws, slugs, as_json)
