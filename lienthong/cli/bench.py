"""Measure what is promised: how long the inventory takes, at the size of the nation."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from lienthong.cli._options import Json, Root, say
from lienthong.errors import Exit, LienThongError
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


@dataclass(frozen=True)
class Figure:
    """One figure beside what is asked of it."""

    name: str
    value: float
    unit: str
    asked: str
    met: bool
    note: str = ""


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
    if as_json:
        data = {"sites": sites, "runs": runs, "seed": seed, "load_average": os.getloadavg()[0]}
        typer.echo(json.dumps({**data, "figures": [asdict(one) for one in figures]}, indent=1))
    else:
        typer.echo(f"{sites} sites, {sites * 30} devices, load average {os.getloadavg()[0]:.1f}")
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
    yield _at_most("load, validate and rules across, one core", cpu, 5, "s", f"{wall:.2f} s by the clock")
    yield _at_most("  memory at its peak", max(one["peak_mb"] for one in done), 1536, "MB")
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
    _run(command)  # what is kept now
    files = sorted((root / "inventory" / "sites").glob("*.yaml"))

    def change(turn: int) -> None:
        with files[turn % len(files)].open("a", encoding="utf-8") as file:
            file.write(f"# changed {turn}\n")

    wall, cpu = _timed(command, max(runs, 3), before=change)
    say("one file changed, again and again")
    return _at_most("one file changed (warm), a new process", wall, 1, "s", f"{cpu:.2f} s of processor")


def _own(base: Path, folder: Path, runs: int) -> Iterator[Figure]:
    """This checkout's own province, with nothing kept and with everything kept."""
    root = folder / "own"
    shutil.copytree(base / "inventory", root / "inventory")
    command = [sys.executable, "-m", "lienthong.cli", "validate", "--root", str(root)]
    kept = root / "run"
    wall, cpu = _timed(command, runs, before=lambda _: shutil.rmtree(kept, ignore_errors=True))
    yield _at_most("lienthong validate here, nothing kept", wall, 0.5, "s", f"{cpu:.2f} s of processor")
    wall, cpu = _timed(command, runs)
    yield _at_most("  everything kept", wall, 0.5, "s", f"{cpu:.2f} s of processor")
    say("lienthong validate measured")


def _hosts(base: Path, folder: Path, runs: int) -> Iterator[Figure]:
    """The list for Ansible, and Ansible's own time without one, in turn."""
    # As in an activated environment: a wrapper in the place of `python3` would be measured too.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = str(base / "inventory" / "hosts.py")
    empty = folder / "empty.yaml"
    empty.write_text("all: {}\n", encoding="utf-8")
    tool = str(Path(sys.executable).with_name("ansible-inventory"))
    _run([script, "--list"])
    wall, cpu = _timed([script, "--list"], runs)
    yield _at_most("inventory/hosts.py --list, kept", wall, 0.15, "s", f"{cpu:.2f} s of processor")
    ours, theirs = [], []
    for _ in range(max(runs, PAIRS)):
        ours.append(_timed([tool, "-i", script, "--list"], 1)[0])
        theirs.append(_timed([tool, "-i", str(empty), "--list"], 1)[0])
    ratio = median(ours) / median(theirs)
    note = f"{median(ours):.2f} s, empty {median(theirs):.2f} s"
    yield _at_most("ansible-inventory with it, times an empty one", ratio, 1.25, "times", note)


def _at_most(name: str, value: float, most: float, unit: str, note: str = "") -> Figure:
    return Figure(name, value, unit, f"<= {most:g}", value <= most, note)


def _child(*words: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(_run([sys.executable, "-m", "lienthong.cli._figures", *words]))
    return found


def _timed(
    command: Sequence[str], runs: int, before: Callable[[int], None] = lambda _: None
) -> tuple[float, float]:
    """Median seconds of a command: by the clock, and of processor."""
    walls, cpus = [], []
    for turn in range(runs):
        before(turn)
        used, began = _used(), time.perf_counter()
        _run(command)
        walls.append(time.perf_counter() - began)
        cpus.append(_used() - used)
    return median(walls), median(cpus)


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _run(command: Sequence[str]) -> str:
    env = {**os.environ, "LIENTHONG_TARGET": "live"}
    env.pop("LIENTHONG_ROOT", None)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise LienThongError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
