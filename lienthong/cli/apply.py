"""Make sites as the inventory says, in dependency order; a second time changes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._nodes import show, start
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say

Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", help="override a refusal of the guard by name, e.g. large-removal@loc-ninh-gw-wan"
    ),
]


def command(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make sites as the inventory says, in dependency order; a second time changes nothing."""
    from lienthong import provision

    ws, slugs, nodes = start("apply", root, target, sites, all_sites, side)
    report = provision.apply(ws, slugs, nodes, say, allow=frozenset(allow or ()))
    show(report, ws, slugs, as_json)
