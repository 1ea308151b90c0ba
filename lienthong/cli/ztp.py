"""Let conference endpoints fetch their configuration: open a window at a site, look at it, close it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli._options import Json, Root, TargetOption, say
from lienthong.errors import LienThongError
from lienthong.model.words import Side

if TYPE_CHECKING:
    from lienthong.workspace import Workspace
    from lienthong.ztp.window import Place

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
SiteName = Annotated[str, typer.Argument(help="slug of the site, e.g. loc-ninh")]


@app.callback()
def _group() -> None:
    """Let conference endpoints fetch their configuration: open a window at a site, look at it, close it."""


@app.command("open")
def open_(
    site: SiteName,
    endpoints: Annotated[
        list[str] | None, typer.Argument(help="names of endpoints, e.g. vc", show_default=False)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="every endpoint of the site that fetches files")
    ] = False,
    minutes: Annotated[
        int, typer.Option(help="the window closes by itself after so many", min=1, max=240)
    ] = 30,
    target: TargetOption = None,
    as_json: Json = False,
    root: Root = None,
) -> None:
    """Let endpoints fetch their files, each once; prints what has to be typed on each of them."""
    from contextlib import suppress
    from dataclasses import replace

    from lienthong.hosts.certificates import authority, sign, utc_now
    from lienthong.plan.endpoint import endpoints as endpoints_of
    from lienthong.platforms import discover
    from lienthong.ztp import remote, window
    from lienthong.ztp.files import files

    if every == bool(endpoints):
        raise LienThongError("name endpoints, or say --all")
    ws, place = _start("ztp open", site, target, root)
    kinds = frozenset(name for name, kind in discover().items() if "ztp" in kind.capabilities)
    templates = ws.root / "templates"
    guests = tuple(
        window.Guest(one, files(one, ws.secrets.get(one.password), templates), window.token())
        for one in window.chosen(endpoints_of(ws.plan, site, kinds), site, endpoints or [])
    )
    request = remote.request(ws.access, place.node)
    try:
        opened = window.Window(site, place, guests, int(time.time()) + 60 * minutes)
        by = authority(ws.access, place.node.side, ws.secrets)
        # The name on it is the address that endpoints ask at; the key lives as long as the window.
        certificate = sign(request, replace(place.node, address=place.address), by, utc_now())
        remote.open_(ws.access, opened, certificate, templates)
    except BaseException:
        with suppress(LienThongError):
            remote.close(ws.access, place.node)
        raise
    say(f"open on {place.node.name} for {minutes} minutes, or until each endpoint has its file")
    urls = {guest.wanted.node: guest.url(opened.address, opened.port) for guest in guests}
    if as_json:
        typer.echo(json.dumps({"node": place.node.name, "until": opened.until, "urls": urls}))
        return
    typer.echo("type on each endpoint as the address of its provisioning server (good once, tell nobody):")
    for name, url in urls.items():
        typer.echo(f"  {name}  {url}")


@app.command("status")
def status(site: SiteName, target: TargetOption = None, as_json: Json = False, root: Root = None) -> None:
    """Whether a window is open, and who fetched what since it was opened."""
    from lienthong.ztp import remote

    ws, place = _start("ztp status", site, target, root)
    found = remote.status(ws.access, place.node)
    if as_json:
        typer.echo(json.dumps({"open": found.open, "events": [asdict(event) for event in found.events]}))
        return
    typer.echo(f"{place.node.name}: {'open' if found.open else 'closed'}")
    for event in found.events:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
        said = " ".join(word for word in (event.node, event.mac, event.source, event.file) if word)
        line = f"  {at}  {event.what:8} {said}{': ' if said and event.why else ''}{event.why}"
        typer.echo("".join(char if char.isprintable() else "·" for char in line))


@app.command("close")
def close(site: SiteName, target: TargetOption = None, root: Root = None) -> None:
    """Close a window now: the opening goes, and every file with it."""
    from lienthong.ztp import remote

    ws, place = _start("ztp close", site, target, root)
    remote.close(ws.access, place.node)
    typer.echo(f"{place.node.name}: closed")


def _start(verb: str, site: str, target: TargetOption, root: Root) -> tuple[Workspace, Place]:
    """The workspace, its target named, and where the site's window is."""
    from lienthong.cli._nodes import start
    from lienthong.model.words import Zone
    from lienthong.ztp.window import place

    ws, _, _ = start(verb, root, target, [site], False, Side.WAN)
    segments = ws.site(site).segments.values()
    rooms = [one for one in segments if one.zone is Zone.CONFERENCE]
    if not rooms:
        raise LienThongError(f"{site} has no conference segment")
    return ws, place(ws.plan, site, rooms[0])
