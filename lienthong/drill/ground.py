"""The ground of one round: a checkout with an inventory of its own, simulated devices, the tool as a
process."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienthong.inventory import load
from lienthong.platforms import discover as platforms
from lienthong.sim.fleet import Fleet, fleet
from lienthong.sim.vendors import discover as vendors

LAB = "drill"
SITES = ("loc-ninh", "bu-dop", "bu-dang", "binh-long", "chon-thanh", "dong-phu")
#: A model by role: what its sockets are called tells what it is for.
NEEDED = {"gw-wan": ("trunk0", "tslcd-a", "tslcd-b"), "sw-wan": ("e1", "e14", "e24")}
#: Models that the simulated factory makes, where it does not make the first: their day 0 has these sockets.
_FACTORY: dict[tuple[str, str], str | None] = {
    ("mikrotik-routeros", "sw-wan"): None,
    ("fortinet-fortios", "gw-wan"): "FortiGate 60F",
}
#: A frozen device is given up after so many seconds.
ANSWER_S = 6


@dataclass
class Ground:
    """Where one round takes place; its devices start as they are after day 0."""

    folder: Path
    engine: Path
    chance: random.Random
    latency_s: float = 0.0
    sites: tuple[str, ...] = SITES
    """Each has two devices."""
    fleet: Fleet = field(init=False)
    told: Mapping[str, str] = field(default_factory=dict)
    """By device what the last apply told of its failing."""

    def __post_init__(self) -> None:
        root = self.folder
        root.mkdir(parents=True)
        source = self.engine / "inventory"
        shutil.copytree(source, root / "inventory", ignore=shutil.ignore_patterns("__pycache__"))
        for path in self.engine.iterdir():
            if path.name not in {"inventory", ".git", "run", "out"}:
                (root / path.name).symlink_to(path)
        found = candidates()
        gear = {
            f"{site}-{short}": self.chance.choice(found[short]) for site in self.sites for short in NEEDED
        }
        self.fleet = fleet(root, LAB, load(root / "inventory"), gear, latency_s=self.latency_s)
        self.fleet.start()
        self.fleet.write()

    def change(self) -> None:
        """Want something else of every site: costs of lines, ports of switches."""
        for site in self.sites:
            file = self.folder / "inventory" / "sites" / f"{site}.yaml"
            text = (self.engine / "inventory" / "sites" / f"{site}.yaml").read_text(encoding="utf-8")
            cost, segment = self.chance.randrange(11, 99), self.chance.choice(["users", "servers", "scan"])
            text = text.replace("\nuplinks:\n", f"\nuplinks:\n  tslcd-a: {{cost: {cost}}}\n")
            text += "devices:\n  sw-wan:\n    ports:\n"
            text += f"      e14: {{segment: {segment}, probe: true}}\n"
            file.write_text(text, encoding="utf-8")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The tool, as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, str, str]:
        """The tool, to its end: exit code, what it said, what it told on the way."""
        process = self.start(*words)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def apply(self) -> tuple[int, Mapping[str, str]]:
        """One apply of everything: exit code, and outcome by device."""
        code, out, err = self.run("apply", *self.sites, "--gear", "--json")
        self.told = details(out)
        return code, outcomes(out) or {"": err[-800:]}

    def end(self) -> None:
        """Switch the devices off."""
        self.fleet.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "LIENTHONG_ROOT": str(self.folder),
            "LIENTHONG_LAB": LAB,
            "LIENTHONG_TARGET": "lab",
            "LIENTHONG_ANSWER_S": str(ANSWER_S),
        }


def outcomes(said: str) -> dict[str, str]:
    """Outcome by device from what `--json` printed; empty where it printed none."""
    try:
        document: dict[str, Any] = json.loads(said)
    except ValueError:
        return {}
    return {step["node"]: step["outcome"] for step in document["steps"]}


def details(said: str) -> dict[str, str]:
    """By device, why it failed."""
    try:
        document: dict[str, Any] = json.loads(said)
    except ValueError:
        return {}
    return {step["node"]: step["detail"][:300] for step in document["steps"] if step["detail"]}


def candidates() -> dict[str, list[tuple[str, str | None]]]:
    """(platform, model) that may stand for each kind of device: one model of every platform that is
    simulated."""
    simulated = {vendor.platform for vendor in vendors().values()}
    found: dict[str, list[tuple[str, str | None]]] = {short: [] for short in NEEDED}
    for name, kind in platforms().items():
        for short, sockets in NEEDED.items():
            fits = [
                model for model, hardware in kind.models.items() if set(sockets) <= hardware.sockets.keys()
            ]
            if name in simulated and kind.undo is not None and fits:
                found[short].append((name, _FACTORY.get((name, short), fits[0])))
    return found
