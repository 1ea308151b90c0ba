"""Make sites as the inventory says, in dependency order; a second time changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._nodes import show, start, witness
from lienthong.cli._options import All, Json, Root, SideOption, Sites, TargetOption, say
from lienthong.errors import Refused
from lienthong.model.words import Side, Target

Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        help="override a refusal by name, e.g. large-removal@loc-ninh-gw-wan; checks@DEVICE asks no checks",
    ),
]


Gear = Annotated[bool, typer.Option("--gear", help="only the command lines of gear and endpoints")]


def command(
    sites: Sites = None,
    all_sites: All = False,
    target: TargetOption = None,
    side: SideOption = None,
    allow: Allow = None,
    gear: Gear = False,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Make sites as the inventory says, in dependency order; a second time changes nothing."""
    from lienthong import planfile, provision

    kept = _plan_file(sites)
    if kept is not None:
        _apply_kept(kept, root, target, side, frozenset(allow or ()), as_json)
        return
    ws, slugs, nodes = start("apply", root, target, sites, all_sites, side)
    asking = planfile.needs_signature(ws, slugs)
    if asking:
        raise Refused(
            f"the level of {', '.join(asking)} asks for a plan that a second officer has signed",
            hint="lienthong plan … --out FILE, have it signed, lienthong apply FILE",
        )
    options = provision.Options(allow=frozenset(allow or ()), hosts=not gear, witness=witness(ws))
    report = provision.apply(ws, slugs, nodes, say, options, verb="gear" if gear else "apply")
    show(report, ws, slugs, as_json)


def _plan_file(sites: list[str] | None) -> Path | None:
    """The plan that was named instead of sites: no slug has a dot or a slash."""
    if sites and len(sites) == 1 and ("." in sites[0] or "/" in sites[0]):
        return Path(sites[0])
    return None


def _apply_kept(
    path: Path,
    root: Path | None,
    target: Target | None,
    side: Side | None,
    allow: frozenset[str],
    as_json: bool,
) -> None:
    """Apply a plan as it stands in its file, or refuse it whole."""
    from lienthong import planfile, provision

    kept = planfile.read(path)
    own = Side(kept.side) if kept.side else None
    if side is not None and own is not None and side is not own:
        raise Refused(f"{path} was made for side {own}, not {side}")
    ws, slugs, nodes = start("apply", root, target or Target(kept.target), kept.sites, False, side or own)
    officer = planfile.check_signature(kept, path, ws)
    say(f"plan of {kept.made} by {kept.author}" + (f", signed by {officer}" if officer else ", not signed"))
    options = provision.Options(allow=allow, expected=kept.expected, hosts=kept.whole, witness=witness(ws))
    planfile.still_true(kept, ws, provision.plan(ws, nodes, say, options))
    report = provision.apply(ws, slugs, nodes, say, options, verb="apply" if kept.whole else "gear")
    show(report, ws, slugs, as_json)
