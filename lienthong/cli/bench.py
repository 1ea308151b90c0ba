"""Measure what is promised: how long the inventory takes, at the size of the nation."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from lienthong.cli import _gear_figures
from lienthong.cli._measure import Figure, at_most, run, timed
from lienthong.cli._options import Json, Root, say
from lienthong.errors import Exit
from lienthong.root import find_root

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


PAIRS = 15
"""Runs in turn with and without our list, at the least: they differ by less than a busy machine's moods."""

COMPARED = 200
"""Sites that both readers read in turn, at the most: many short turns are steadier than few long ones."""


@app.callback()
def options() -> None:
    """Measure what is promised: how long the inventory takes, at the size of the nation."""


@app.command()
def inventory(
    root: Root = None,
    as_json: Json = False,
    sites: Annotated[int, typer.Option(min=2, max=2000, help="sites of 30 devices each")] = 1000,
    runs: Annotated[int, typer.Option(min=1, max=99, help="repetitions; medians are shown")] = 3,
    seed: Annotated[int, typer.Option(help="of the corpus")] = 1,
) -> None:
    """Load, validate and check a made-up province; this one; and the list for Ansible. 1 if one is missed."""
    base = find_root(root)
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder:
        figures = list(_figures(base, Path(folder), sites, runs, seed))
    _told(
        figures, as_json, f"{sites} sites, {sites * 30} devices", {"sites": sites, "runs": runs, "seed": seed}
    )


@app.command()
def gear(
    root: Root = None,
    as_json: Json = False,
    devices: Annotated[int, typer.Option(min=2, max=2000, help="simulated, of all vendors")] = 240,
    latency: Annotated[float, typer.Option(min=0, max=30, help="seconds before a device answers")] = 3.0,
) -> None:
    """Look at many simulated devices that answer slowly, all at once and 32 at a time. 1 if one is missed."""
    base = find_root(root)
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder:
        figures = list(_gear_figures.figures(base, Path(folder), devices, latency))
    what = f"{devices} simulated devices that answer after {latency:g} s"
    _told(figures, as_json, what, {"devices": devices, "latency_s": latency})


def _told(figures: Sequence[Figure], as_json: bool, what: str, data: dict[str, float]) -> None:
    load = os.getloadavg()[0]
    if as_json:
        told = {**data, "load_average": load, "figures": [asdict(one) for one in figures]}
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo(f"{what}, load average {load:.1f}")
        for one in figures:
            verdict = "met" if one.met else "MISSED"
            typer.echo(
                f"{one.name:<52} {one.value:8.2f} {one.unit:<5} {one.asked:<10} {verdict:<7} {one.note}"
            )
    if not all(one.met for one in figures):
        raise typer.Exit(Exit.FINDINGS)


def _figures(base: Path, folder: Path, sites: int, runs: int, seed: int) -> Iterator[Figure]:
    from lienthong.inventory.corpus import write

    content = folder / "nation" / "inventory"
    write(content, sites, seed)
    say(f"a corpus of {sites} sites is written")
    done = [_child("load", str(content)) for _ in range(runs)]
    cpu, wall = median(one["cpu_s"] for one in done), median(one["wall_s"] for one in done)
    yield at_most("load, validate and rules across, one core", cpu, 5, "s", f"{wall:.2f} s by the clock")
    yield at_most("  memory at its peak", max(one["peak_mb"] for one in done), 1536, "MB")
    say("loaded")
    few = content if sites <= COMPARED else folder / "few" / "inventory"
    if few != content:
        write(few, COMPARED, seed)
    both = _child("readers", str(few), str(max(runs, 7)))
    over = f"{min(sites, COMPARED)} sites"
    note = f"{over}: {both['ours_s']:.2f} s, PyYAML's C loader {both['pyyaml_s']:.2f} s, same models"
    yield Figure(
        "load and validate alone, times as fast", both["ratio"], "times", ">= 5", both["ratio"] >= 5, note
    )
    whole = both if few == content else _child("readers", str(content), "1")
    note = f"{sites} sites, there {whole['ratio']:.2f} times in one turn"
    yield Figure("  both read the same", float(whole["agree"]), "", "= 1", bool(whole["agree"]), note)
    say("compared with PyYAML")
    yield _warm(content.parent, runs)
    yield from _own(base, folder, max(runs, 5))
    yield from _hosts(base, folder, max(runs, 5))


def _warm(root: Path, runs: int) -> Figure:
    """A new process each time, after one file has changed."""
    command = [sys.executable, "-m", "lienthong.cli", "validate", "--root", str(root)]
    run(command)  # what is kept now
    files = sorted((root / "inventory" / "sites").glob("*.yaml"))

    def change(turn: int) -> None:
        with files[turn % len(files)].open("a", encoding="utf-8") as file:
            file.write(f"# changed {turn}\n")

    wall, cpu = timed(command, max(runs, 3), before=change)
    say("one file changed, again and again")
    return at_most("one file changed (warm), a new process", wall, 1, "s", f"{cpu:.2f} s of processor")


def _own(base: Path, folder: Path, runs: int) -> Iterator[Figure]:
    """This checkout's own province, with nothing kept and with everything kept."""
    root = folder / "own"
    shutil.copytree(base / "inventory", root / "inventory")
    command = [sys.executable, "-m", "lienthong.cli", "validate", "--root", str(root)]
    kept = root / "run"
    wall, cpu = timed(command, runs, before=lambda _: shutil.rmtree(kept, ignore_errors=True))
    yield at_most("lienthong validate here, nothing kept", wall, 0.5, "s", f"{cpu:.2f} s of processor")
    wall, cpu = timed(command, runs)
    yield at_most("  everything kept", wall, 0.5, "s", f"{cpu:.2f} s of processor")
    say("lienthong validate measured")


def _hosts(base: Path, folder: Path, runs: int) -> Iterator[Figure]:
    """The list for Ansible, and Ansible's own time without one, in turn."""
    # As in an activated environment: a wrapper in the place of `python3` would be measured too.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = str(base / "inventory" / "hosts.py")
    empty = folder / "empty.yaml"
    empty.write_text("all: {}\n", encoding="utf-8")
    tool = str(Path(sys.executable).with_name("ansible-inventory"))
    run([script, "--list"])
    wall, cpu = timed([script, "--list"], runs)
    yield at_most("inventory/hosts.py --list, kept", wall, 0.15, "s", f"{cpu:.2f} s of processor")
    ours, theirs = [], []
    for _ in range(max(runs, PAIRS)):
        ours.append(timed([tool, "-i", script, "--list"], 1)[0])
        theirs.append(timed([tool, "-i", str(empty), "--list"], 1)[0])
    ratio = median(ours) / median(theirs)
    note = f"{median(ours):.2f} s, empty {median(theirs):.2f} s"
    yield at_most("ansible-inventory with it, times an empty one", ratio, 1.25, "times", note)


def _child(*words: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(run([sys.executable, "-m", "lienthong.cli._figures", *words]))
    return found
