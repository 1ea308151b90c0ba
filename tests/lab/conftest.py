"""One provisioned district for all tests that need one: it comes up once, bare, and is applied once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Another name lets two campaigns of one checkout run beside each other (scripts/drill-lab).
NAME = os.environ.get("LIENTHONG_TEST_LAB", "test-district")
SITES = ("tinh-uy", "loc-ninh")


@dataclass
class District:
    """A lab with the office and one district, provisioned by the command itself."""

    first: subprocess.CompletedProcess[str] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LIENTHONG_LAB": NAME}

    def run(self, *words: str, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
        """The command, as a person gives it; never raises for its exit code."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        self.seconds[" ".join(words)] = time.monotonic() - began
        return done

    def tool(
        self, *words: str, root: Path = ROOT, timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Another program of the same environment, e.g. `pyinfra`, here or in another checkout."""
        program = str(Path(sys.executable).with_name(words[0]))
        return subprocess.run(
            [program, *words[1:]],
            cwd=root,
            env={**self.environment, "LIENTHONG_ROOT": str(root)},
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def on(self, node: str, *command: str) -> str:
        """What a command prints on a node; fails the test when the command fails."""
        done = self.run("lab", "exec", node, "--", *command)
        assert done.returncode == 0, f"{node}: {' '.join(command)}: {done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def district() -> Iterator[District]:
    """The district, up and applied; taken down at the end."""
    found = District()
    found.run("lab", "down")
    try:
        up = found.run("lab", "up", *SITES, timeout_s=1800)
        assert up.returncode == 0, up.stderr
        found.first = found.run("apply", *SITES)
        assert found.first.returncode == 0, found.first.stdout + found.first.stderr[-3000:]
        yield found
    finally:
        found.run("lab", "down")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that bring a lab of their own come first, so that no more than one lab is up at a time."""
    items.sort(key=lambda item: "district" in getattr(item, "fixturenames", ()))
