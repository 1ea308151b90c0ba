"""Look at a live device and propose its entry in the inventory; nothing is changed on it."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    host: Annotated[str, typer.Argument(help="address of the device, or the name of a node")],
    write: Annotated[
        bool, typer.Option("--write", help="write the entry, if the inventory then validates")
    ] = False,
    target: TargetOption = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Look at a live device and propose its entry in the inventory; nothing is changed on it."""
    from lienthong.adopt.known import load_types
    from lienthong.adopt.propose import propose
    from lienthong.adopt.visit import address_of, company, visit
    from lienthong.adopt.written import as_data, put, told
    from lienthong.edit import Draft
    from lienthong.edit.layers import at, layers
    from lienthong.errors import Exit
    from lienthong.model.words import Target

    ws = Workspace(find_root(root), target.value if target else os.environ.get("LIENTHONG_TARGET"))
    access = ws.access
    say(f"adopt · target {access.target.value}")
    inventory = load_types(ws.root / "inventory")
    address = address_of(access, inventory, host)
    if access.target is Target.LAB:
        from lienthong.lab.namespace import enter

        enter(ws.root)
    one = visit(access, address)
    say(f"{address} is a {one.kind}")
    others = company(access, inventory, one)
    proposal = propose(one, inventory, others)
    kind = inventory.sites[proposal.site].kind if proposal.site else None
    if kind is not None and proposal.short is not None:
        below = at(layers(ws.root / "inventory", kind), (proposal.group, proposal.short))
        proposal = propose(one, inventory, others, below if isinstance(below, dict) else None)
    typer.echo(json.dumps(as_data(proposal), ensure_ascii=False) if as_json else told(proposal), nl=as_json)
    if write:
        draft = Draft(ws.root / "inventory")
        put(draft, kind or "", proposal)
        changed = draft.changed
        draft.commit()
        say(f"written: {', '.join(changed) or 'nothing; the inventory says all of it'}")
    raise typer.Exit(Exit.FINDINGS if proposal.contradicts else Exit.OK)
