"""Show what would change on every device and host; change nothing."""

from __future__ import annotations

from lienthong.cli._nodes import show, start
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say


def command(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Show what would change on every device and host; change nothing."""
    from lienthong import provision

    ws, slugs, nodes = start("plan", root, target, sites, all_sites, side)
    report = provision.plan(ws, nodes, say)
    show(report, ws, slugs, as_json)
