"""`lienthong lab …`: the commands of the lab."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import Annotated

import typer

from lienthong.errors import Exit, LienThongError
from lienthong.lab import clean as cleaning
from lienthong.lab import image, lifecycle, line, machine, node, simulated, state
from lienthong.lab.place import Place, place
from lienthong.lab.progress import say
from lienthong.lab.topology import default_sites, derive
from lienthong.plan.build import build
from lienthong.root import find_root
from lienthong.workspace import open_twin, twinned, workspace


class Twin(StrEnum):
    """What stands in for gear whose software cannot be shipped."""

    OPEN = "open"


app = typer.Typer(
    name="lab", no_args_is_help=True, help="The district in a box: start it, look at it, break it."
)
lab = app

SiteNames = Annotated[
    list[str] | None, typer.Argument(metavar="SITE...", help="slugs; default: office and a district")
]
NodeName = Annotated[str, typer.Argument(metavar="NODE", help="full name, e.g. loc-ninh-gw-wan")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]
Silent = Annotated[bool, typer.Option("--silent", help="frames are lost but the carrier stays")]


def _here() -> Place:
    return place(find_root())


@app.command()
def up(
    sites: SiteNames = None,
    twin: Annotated[
        Twin | None,
        typer.Option(help="open: FRR and Open vSwitch stand in for gear of vendors, told the same"),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="the hosts too whose services need packages beyond the base image")
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option("--with", metavar="NODE", help="this one of them; may be repeated")
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(metavar="NODE", help="this host with a kernel of its own, emulated; takes minutes"),
    ] = None,
) -> None:
    """Start the sites, bare: packages, sshd, a key; nothing of their configuration."""
    ws = workspace()
    platforms = open_twin(ws.inventory) if twin is Twin.OPEN else {}
    plan = build(twinned(ws.inventory, platforms)) if platforms else ws.plan
    for name in platforms:
        say(f"{name}: {platforms[name][0]} stands in for it: what passes is proved, its software is not")
    lifecycle.up(_here(), plan, sites or default_sites(plan), platforms, full, also or (), kernel or ())


@app.command()
def down() -> None:
    """Power everything off and take the lab away."""
    machine.require_root()
    lifecycle.down(_here())


@app.command()
def clean() -> None:
    """Take away every lab of this checkout, whatever state it is in."""
    machine.require_root()
    gone = cleaning.wipe_all(find_root())
    image.sweep()
    say(f"cleaned: {', '.join(gone) if gone else 'there was nothing'}")


@app.command()
def status(as_json: Json = False) -> None:
    """Show every system with its state, address, process and memory."""
    here = _here()
    now = state.read(here)
    if now is None:
        print(json.dumps({"name": here.name, "up": False}) if as_json else f"lab {here.name} is not up")
        raise typer.Exit(Exit.UNREACHABLE)
    rows = [
        {
            "node": name,
            "state": _state(here, now, name),
            "address": str(address),
            "pid": now.nodes[name].pid if name in now.nodes else 0,
            "memory_mb": node.memory_mb(here, name),
        }
        for name, address in now.addresses.items()
    ]
    cut = line.cut_lines(here, derive(workspace().plan, now.sites))
    if as_json:
        told = {"name": here.name, "up": True, "sites": now.sites, "nodes": rows, "cut": cut}
        print(json.dumps({**told, "without": now.without, "kernel": now.kernel}, indent=1))
        return
    print(f"lab {here.name}: {', '.join(now.sites)}")
    print(f"{'node':<22} {'state':<9} {'address':<16} {'pid':>8} {'MB':>5}")
    for row in rows:
        print("{node:<22} {state:<9} {address:<16} {pid:>8} {memory_mb:>5}".format(**row))
    for text in cut:
        print(f"cut: {text}")
    for name in now.kernel:
        print(f"with a kernel of its own: {name}")
    for name in now.without:
        print(f"not started: {name} (lienthong lab up --full)")


@app.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def exec_(name: NodeName, command: Annotated[list[str], typer.Argument(metavar="COMMAND...")]) -> None:
    """Run a command as root on a node: lienthong lab exec NODE -- COMMAND."""
    _become(name, command[1:] if command[0] == "--" else command)


@app.command()
def shell(name: NodeName) -> None:
    """Open a root shell on a node."""
    _become(name, ["/bin/bash", "-l"])


@app.command()
def reboot(name: NodeName) -> None:
    """Power a node off and on; its disk stays, its interfaces start empty as those of a real one."""
    lifecycle.reboot(_here(), workspace().plan, name)


@app.command()
def cut(site: str, uplink: str, silent: Silent = False) -> None:
    """Cut a line of a site, e.g. cut loc-ninh tslcd-a: the gateway loses the carrier."""
    here = _here()
    line.cut(here, derive(workspace().plan, lifecycle.running(here).sites), site, uplink, silent)


@app.command()
def mend(site: str, uplink: str) -> None:
    """Mend a line that was cut, in either way."""
    here = _here()
    line.mend(here, derive(workspace().plan, lifecycle.running(here).sites), site, uplink)


def _state(here: Place, now: state.State, name: str) -> str:
    if name in now.acted:
        return "simulated" if simulated.answering(here) else "off"
    return "on" if now.nodes[name].alive else "off"


def _become(name: str, command: list[str]) -> None:
    there = lifecycle.booted(lifecycle.running(_here()), name)
    # The name of the node was looked up; what runs there is the operator's own choice.
    argv = [*line.enter(there), *command]
    os.execvp(argv[0], argv)  # noqa: S606


def main() -> None:
    """The lab alone, for `python -m lienthong.lab`."""
    try:
        app()
    except LienThongError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(int(error.exit_code)) from None
