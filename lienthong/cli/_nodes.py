"""What plan, apply and audit begin and end with: the target, the nodes, the table of results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from lienthong.cli._options import say
from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.model.words import Side, Target
from lienthong.root import find_root
from lienthong.runners.evidence import Witness
from lienthong.workspace import Workspace


def start(
    verb: str,
    root: Path | None,
    target: Target | None,
    sites: Sequence[str] | None,
    every: bool,
    side: Side | None,
) -> tuple[Workspace, list[str], list[Node]]:
    """Name the target on the first line, enter the lab when it is the lab, and pick the nodes."""
    found = find_root(root)
    asked = target.value if target else os.environ.get("LIENTHONG_TARGET")
    if side is not None and (asked == Target.LIVE or verb == "audit"):
        own = os.environ.get("LIENTHONG_SIDE") or side
        if own != side:
            raise LienThongError(f"this controller is of side {own}, not {side}")
        os.environ["LIENTHONG_SIDE"] = side  # deploys and checks run in processes of their own
    ws = Workspace(found, target.value if target else None)
    access = ws.access
    say(
        f"{verb} · target {access.target.value}"
        + (f" · {_where(access.root)}" if access.target is Target.LAB else "")
    )
    plan = ws.plan
    if side is None and access.side:
        side = Side(access.side)
    if every == bool(sites):
        raise LienThongError("name sites, or say --all", hint=f"sites: {', '.join(plan.sites)}")
    slugs = (
        list(dict.fromkeys(sites))
        if sites
        else [
            slug for slug, site in plan.sites.items() if any(access.reaches(n) for n in site.nodes.values())
        ]
    )
    nodes = [
        node for slug in slugs for node in ws.site(slug).nodes.values() if side is None or node.side is side
    ]
    if access.simulated:
        nodes = [node for node in nodes if access.reaches(node)]
        say("simulated devices: no packet is switched here, and nothing is proved about a network")
    if absent := [node.name for node in nodes if node.name in access.absent]:
        say(f"this lab was started without {', '.join(absent)}; lab up --full has them")
        nodes = [node for node in nodes if node.name not in access.absent]
    for node in (one for one in nodes if one.debian or one.platform is None):
        access.address(node)  # raises when the lab does not run it
    if access.target is Target.LIVE and side is None and verb == "apply":
        raise LienThongError(
            "live, each side has a controller of its own", hint="say which you are: --side wan or --side net"
        )
    if access.target is Target.LAB and not access.simulated:
        from lienthong.lab.namespace import enter

        enter(found)
    return ws, slugs, nodes


def witness(ws: Workspace) -> Witness | None:
    """Who asks the checks of a site while its gear is changed; nobody where no packet is switched."""
    if ws.access.simulated:
        return None
    from lienthong.audit.witness import Witness as Asking

    return Asking(ws)


def _where(root: Path) -> str:
    from lienthong.target import lab_dir

    return str(lab_dir(root).relative_to(root))


def show(report: Any, ws: Workspace, slugs: list[str], as_json: bool) -> None:
    from lienthong import table

    if as_json:
        typer.echo(table.as_json(report, ws.access.target, slugs))
    else:
        typer.echo(table.as_text(report))
    raise typer.Exit(report.exit_code)
