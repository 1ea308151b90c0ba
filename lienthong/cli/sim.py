"""Simulated devices of vendors on this machine: start them, spoil them, end them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, say
from lienthong.errors import LienThongError
from lienthong.root import find_root

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
UP_S = 90.0


@app.callback()
def options() -> None:
    """Simulated devices of vendors on this machine: start them, spoil them, end them."""


@app.command()
def up(
    sites: Annotated[
        list[str] | None, typer.Argument(metavar="SITE...", help="default: office and a district")
    ] = None,
    gear: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="NODE=PLATFORM[:MODEL]", help="which device stands there"),
    ] = None,
    scale: Annotated[float, typer.Option(min=0.1, max=3600, help="seconds of a device in one of ours")] = 1.0,
    latency: Annotated[float, typer.Option(min=0, max=60, help="seconds before each answer")] = 0.0,
    most: Annotated[int | None, typer.Option(min=1, help="devices; the others stay off")] = None,
    root: Root = None,
) -> None:
    """Start simulated gateways and switches as a lab of their own: plan, apply and drift work on it."""
    from lienthong.inventory import load
    from lienthong.lab.topology import default_sites
    from lienthong.plan.build import build
    from lienthong.sim import daemon
    from lienthong.sim.fleet import WHAT_IT_IS, stand_ins
    from lienthong.sim.vendors import of_platform

    base, folder = find_root(root), _folder(root)
    say(WHAT_IT_IS)
    if daemon.running(folder):
        raise LienThongError("simulated devices are up in this lab", hint="lienthong sim down first")
    if (folder / "state.json").exists():
        raise LienThongError("a lab of real systems is up here", hint="LIENTHONG_LAB=NAME names another lab")
    inventory = load(base / "inventory")
    slugs = sites or default_sites(build(inventory))
    for slug in slugs:
        if slug not in inventory.sites:
            raise LienThongError(f"no site {slug!r} in the inventory")
    platforms = {**stand_ins(inventory, list(slugs)), **dict(_said(one) for one in gear or ())}
    platforms = dict(list(platforms.items())[:most])
    plan = build(inventory)
    for name, (kind, _) in platforms.items():
        node = plan.nodes.get(name)
        if node is None or node.device is None:
            raise LienThongError(f"{name} is no gateway or switch of the inventory")
        of_platform(kind)  # says which there are
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "sim.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lienthong.sim.daemon", str(base), folder.name, json.dumps(platforms),
             "--scale", str(scale), "--latency", str(latency)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=base,
        )  # fmt: skip
    ends = time.monotonic() + UP_S
    while not (folder / "state.json").exists():
        if process.poll() is not None or time.monotonic() > ends:
            process.kill()
            last = (folder / "sim.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise LienThongError(f"the simulated devices did not come up: {last[-1] if last else 'no word'}")
        time.sleep(0.1)
    for name, (kind, model) in sorted(platforms.items()):
        say(f"{name}: {kind}" + (f", {model}" if model else ""))
    say(f"{len(platforms)} simulated devices are up; lienthong plan and apply {' '.join(slugs)} --target lab")


@app.command()
def status(root: Root = None, as_json: Json = False) -> None:
    """What the simulated devices are, and whether the controller would reach them."""
    found = _ask(root, {"do": "status"})
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for name, one in sorted(found.items()):
        words = "answers" if one["answers"] else "does not answer" if one["up"] else "is starting"
        saved = "saved" if one["saved"] else "NOT SAVED"
        typer.echo(f"{name:<28} {one['platform']:<20} {words:<16} {saved:<10} boots {one['boots']}")


@app.command()
def fault(
    node: Annotated[str, typer.Argument(metavar="NODE")],
    kind: Annotated[str, typer.Argument(metavar="FAULT", help="a wrong one lists all")],
    at: Annotated[
        int, typer.Option(min=1, help="at which line from now on, or byte, or number of logins")
    ] = 1,
    seconds: Annotated[float, typer.Option(min=0, help="how long, or how far the clock jumps")] = 0.0,
    root: Root = None,
) -> None:
    """Let something go wrong on a device, once."""
    said = _ask(root, {"do": "fault", "box": node, "kind": kind, "at": at, "seconds": seconds})
    if "wrong" in said:
        raise LienThongError(str(said["wrong"]))
    typer.echo(f"{node}: {said['set']}")


@app.command()
def down(root: Root = None) -> None:
    """End the simulated devices; what they held is gone."""
    from lienthong.sim import daemon
    from lienthong.sim.fleet import WHAT_IT_IS

    folder = _folder(root)
    pid = daemon.running(folder)
    if pid is None:
        say("no simulated devices are up")
        return
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + 20
    while daemon.running(folder) and time.monotonic() < ends:
        time.sleep(0.1)
    say(f"ended; {WHAT_IT_IS}")


def _folder(root: Path | None) -> Path:
    from lienthong.target import lab_dir

    return lab_dir(find_root(root))


def _ask(root: Path | None, question: dict[str, object]) -> dict[str, dict[str, object]]:
    from lienthong.sim import daemon

    try:
        return daemon.ask(_folder(root), question)
    except OSError:
        raise LienThongError("no simulated devices are up", hint="lienthong sim up") from None


def _said(one: str) -> tuple[str, tuple[str, str | None]]:
    node, equals, rest = one.partition("=")
    kind, _, model = rest.partition(":")
    if not equals or not kind:
        raise LienThongError(f"--as {one}: not NODE=PLATFORM[:MODEL]")
    return node, (kind, model or None)
