"""Put a new device in a dead one's place: new serial and asset data; name, address, ports stay."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli._options import DryRun, Root
from lienthong.root import find_root
from lienthong.workspace import Workspace


def command(
    name: Annotated[str, typer.Argument(help="full name of the node, e.g. loc-ninh-gw-wan")],
    serial: Annotated[str, typer.Option(help="serial number of the new one, by the maker")],
    model: Annotated[str | None, typer.Option(help="maker and model, where it is another one")] = None,
    firmware: Annotated[str | None, typer.Option(help="version that is meant to run on it")] = None,
    asset_code: Annotated[str | None, typer.Option(help="inventory number on its label")] = None,
    purchased: Annotated[str | None, typer.Option(help="day of purchase, e.g. 2026-03-31")] = None,
    supported_until: Annotated[str | None, typer.Option(help="last day of the maker's support")] = None,
    root: Root = None,
    dry_run: DryRun = False,
) -> None:
    """Put a new device in a dead one's place: new serial and asset data; name, address, ports stay."""
    from datetime import UTC, datetime

    from lienthong.edit import Draft
    from lienthong.edit.find import named
    from lienthong.edit.replace import Successor, replace, secrets_it_held

    ws = Workspace(find_root(root))
    thing = named(ws.inventory, name)
    draft = Draft(ws.root / "inventory")
    new = Successor(serial, model, firmware, asset_code, purchased, supported_until)
    done = replace(draft, ws.inventory, ws.plan, thing, new, datetime.now(UTC).astimezone().date())
    typer.echo(draft.diff(), nl=False)
    plan = draft.check() if dry_run else draft.commit()
    for line in done:
        typer.echo(line)
    held = secrets_it_held(plan, thing.node)
    if held:
        typer.echo(
            f"if the old one left your hands with its disk, lienthong secret rotate: {', '.join(held)}"
        )
    if dry_run:
        typer.echo("nothing was written")
        return
    address = plan.nodes[thing.node].address
    typer.echo(
        f"next:\n"
        f"  1. day 0 on the new one, as in the README: account, key, address {address}\n"
        f"  2. trust it anew: at its own console run ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; only\n"
        f"     when ssh-keyscan shows the same fingerprint add its line to inventory/known_hosts\n"
        f"  3. lienthong plan {thing.site}: every line that {thing.node} should have is new to it, and\n"
        f"     nothing changes elsewhere; then lienthong apply {thing.site}"
    )
