"""Measures what must be measured in a process of its own; prints one JSON object.

`python -m lienthong.cli._figures load|readers FOLDER [RUNS]`; FOLDER is an `inventory/`.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from lienthong.inventory import load, site_files, typed
from lienthong.inventory.collector import collector_paused
from lienthong.inventory.layers import Layers, Source
from lienthong.model.site import Site


class WithPyYAML(Source):
    """A file as PyYAML's C loader reads it."""

    @cached_property
    def value(self) -> Any:
        return yaml.load(self.raw, Loader=yaml.CSafeLoader)


def whole_load(folder: Path) -> dict[str, float]:
    """Load, validate and every rule, once: seconds of wall clock and of processor, MB at the most."""
    wall, cpu = time.perf_counter(), time.process_time()
    inventory = load(folder, datetime.now(tz=UTC).date())
    found = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "peak_mb": peak_kb / 1024, "sites": len(inventory.sites)}


def both_readers(folder: Path, runs: int) -> dict[str, float]:
    """Load and validate alone, with either reader in turn: processor seconds (medians), and who agrees."""
    times: dict[str, list[float]] = {"ours_s": [], "pyyaml_s": []}
    for _ in range(runs):
        for name, kind in (("ours_s", Source), ("pyyaml_s", WithPyYAML)):
            with collector_paused():
                began = time.process_time()
                _sites(folder, kind)
                times[name].append(time.process_time() - began)
            gc.collect()
    ratios = [theirs / ours for ours, theirs in zip(times["ours_s"], times["pyyaml_s"], strict=True)]
    agree = all(
        _iso(kind_of.value) == source.value
        for source, kind_of in zip(_sources(folder, Source), _sources(folder, WithPyYAML), strict=True)
    )
    equal = _sites(folder, Source) == _sites(folder, WithPyYAML)
    return {name: median(found) for name, found in times.items()} | {
        "ratio": median(ratios),
        "agree": agree and equal,
    }


def _sources(folder: Path, kind: type[Source]) -> list[Source]:
    return [kind(file.read_bytes(), file.name) for file in site_files(folder)]


def _sites(folder: Path, kind: type[Source]) -> list[Site]:
    layers = Layers(folder / "layers")
    return [typed(kind(file.read_bytes(), file.name), file.stem, layers)[0] for file in site_files(folder)]


def _iso(value: Any) -> Any:
    """PyYAML makes a date of `2026-03-31`, where the inventory's YAML has the text."""
    if isinstance(value, dict):
        return {key: _iso(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_iso(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


if __name__ == "__main__":
    where = Path(sys.argv[2])
    what: dict[str, Callable[[], dict[str, float]]] = {
        "load": lambda: whole_load(where),
        "readers": lambda: both_readers(where, int(sys.argv[3])),
    }
    print(json.dumps(what[sys.argv[1]]()))
