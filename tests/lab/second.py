"""A second checkout over the lab of the first: everything is a link to the first but its own inventory.

So a test may write an inventory of its own and apply it to the nodes of the session's district.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lienthong.lab.place import Place

LINKED = ("lienthong", "deploys", "templates", "roles", "checks", "ansible.cfg", "run")


@dataclass(frozen=True)
class Second:
    """The second checkout; `first` is the one whose lab it works on."""

    root: Path
    first: Path
    lab: str

    def run(self, *words: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """The command, in this checkout; never raises for its exit code."""
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=self.first,
            env={**os.environ, "LIENTHONG_LAB": self.lab, "LIENTHONG_ROOT": str(self.root)},
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def site(self, slug: str) -> Path:
        return self.root / "inventory" / "sites" / f"{slug}.yaml"


@contextmanager
def second(first: Path, lab: str, folder: Path) -> Iterator[Second]:
    """Make it in an empty folder."""
    root = folder / "checkout"
    root.mkdir()
    (first / "run").mkdir(exist_ok=True)  # a link that leads nowhere is no folder
    for name in LINKED:
        (root / name).symlink_to(first / name)
    shutil.copytree(first / "inventory", root / "inventory", ignore=shutil.ignore_patterns("__pycache__"))
    assert Place(root, lab).oob == Place(first, lab).oob, "its lab is where its folder `run` leads to"
    yield Second(root, first, lab)
