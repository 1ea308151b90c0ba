"""Figures beside what is asked of them, and commands that are timed."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from lienthong.errors import LienThongError


@dataclass(frozen=True)
class Figure:
    """One figure beside what is asked of it."""

    name: str
    value: float
    unit: str
    asked: str
    met: bool
    note: str = ""


def at_most(name: str, value: float, most: float, unit: str, note: str = "") -> Figure:
    """A figure that may not be more than that."""
    return Figure(name, value, unit, f"<= {most:g}", value <= most, note)


def timed(
    command: Sequence[str], runs: int, before: Callable[[int], None] = lambda _: None
) -> tuple[float, float]:
    """Median seconds of a command: by the clock, and of processor."""
    walls, cpus = [], []
    for turn in range(runs):
        before(turn)
        begun, began = used(), time.perf_counter()
        run(command)
        walls.append(time.perf_counter() - began)
        cpus.append(used() - begun)
    return median(walls), median(cpus)


def used() -> float:
    """Seconds of processor that ended children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def run(command: Sequence[str], **variables: str) -> str:
    """What a command prints; on the live network, whose nodes nobody reaches from here, unless told.

    Raises:
        LienThongError: it failed; with the end of what it said.
    """
    env = {**os.environ, "LIENTHONG_TARGET": "live"}
    env.pop("LIENTHONG_ROOT", None)
    env.update(variables)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise LienThongError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
