"""A run on the lab that is killed, stopped, paused or met by another one; what is resumed and what is undone.

Each change is made from a copy of the inventory, beside this checkout and against the same lab.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import NAME, ROOT, District

GATEWAY, HUB = "loc-ninh-gw-wan", "tinh-uy-gw-wan"
SITES = ("tinh-uy", "loc-ninh")


class Controller:
    """A checkout with an inventory of its own, and maybe a journal and locks of its own: another laptop."""

    def __init__(self, root: Path, cost: int, another: bool = False) -> None:
        self.root = root
        root.mkdir()
        shutil.copytree(ROOT / "inventory", root / "inventory", ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.name not in {"inventory", ".git", "run", "out"}:
                (root / path.name).symlink_to(path)
        if another:
            lab = root / "run" / "lab" / NAME
            lab.mkdir(parents=True)
            for file in (ROOT / "run" / "lab" / NAME).iterdir():
                if file.is_file() and "journal" not in file.name:
                    shutil.copy(file, lab / file.name)
            (lab / "checkout").write_text(str(ROOT), encoding="utf-8")  # it works in our lab
        else:
            (root / "run").symlink_to(ROOT / "run")
        self.cost(cost)

    def cost(self, cost: int) -> None:
        """Say what the first line of Lộc Ninh costs: both of its ends are told."""
        site = self.root / "inventory" / "sites" / "loc-ninh.yaml"
        text = (ROOT / "inventory" / "sites" / "loc-ninh.yaml").read_text(encoding="utf-8")
        assert "\nuplinks:\n" in text
        line = f"\nuplinks:\n  tslcd-a: {{cost: {cost}}}\n"
        site.write_text(text.replace("\nuplinks:\n", line), encoding="utf-8")

    def port(self, name: str, segment: str) -> None:
        """Put a probe port of the switch into a segment."""
        site = self.root / "inventory" / "sites" / "loc-ninh.yaml"
        more = f"devices:\n  sw-wan:\n    ports:\n      {name}: {{segment: {segment}, probe: true}}\n"
        site.write_text(site.read_text(encoding="utf-8") + more, encoding="utf-8")

    @staticmethod
    def lab_environment() -> dict[str, str]:
        """What a command about the lab itself is started with."""
        return {**os.environ, "LIENTHONG_LAB": NAME, "LIENTHONG_TARGET": "lab"}

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "LIENTHONG_LAB": NAME,
            "LIENTHONG_TARGET": "lab",
            "LIENTHONG_ROOT": str(self.root),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def until(
        self, process: subprocess.Popen[str], node: str, stage: str, after: int, within_s: float = 150
    ) -> int:
        """Wait until a run later than `after` has brought a device to a stage; its number."""
        journal = self.root / "run" / "lab" / NAME / "journal.sqlite"
        ends = time.monotonic() + within_s
        while time.monotonic() < ends:
            if journal.exists():
                with sqlite3.connect(journal, timeout=10) as db:
                    row = db.execute(
                        "select run from event where node = ? and stage = ? and run > ?", (node, stage, after)
                    ).fetchone()
                if row is not None:
                    return int(row[0])
            if process.poll() is not None:
                raise AssertionError(f"{node} never reached {stage}: {process.communicate()[0]}")
            time.sleep(0.02)
        process.kill()
        raise AssertionError(f"{node} never reached {stage}")

    def last(self) -> int:
        """The newest run."""
        journal = self.root / "run" / "lab" / NAME / "journal.sqlite"
        if not journal.exists():
            return 0
        with sqlite3.connect(journal, timeout=10) as db:
            row = db.execute("select max(id) from run").fetchone()
        return int(row[0] or 0)


def cost_on(district: District, node: str, line: str) -> str:
    said = district.on(node, "vtysh", "-c", "show running-config")
    section = said.split(f"interface {line}\n", 1)[1].split("exit", 1)[0]
    return section.split("ip ospf cost ", 1)[1].split()[0]


def costs(district: District) -> tuple[str, str]:
    return cost_on(district, GATEWAY, "tslcd-a"), cost_on(district, HUB, "ta5")


def armed(district: District, node: str) -> bool:
    return district.on(node, "/usr/local/sbin/lienthong-undo", "status").startswith("armed")


@pytest.fixture
def here(tmp_path: Path, district: District) -> Iterator[Controller]:
    """Our laptop; afterwards the lab is as the checkout says again."""
    found = Controller(tmp_path / "here", 20)
    yield found
    for _ in range(3):
        back = district.run("apply", *SITES)
        if back.returncode == 0:
            break
        time.sleep(20)
    assert back.returncode == 0, back.stdout + back.stderr[-2000:]


@pytest.mark.parametrize("stage", ["armed", "sent"])
def test_a_killed_run_is_resumed_to_the_intended_state(
    here: Controller, district: District, stage: str
) -> None:
    before = here.last()
    process = here.start("apply", *SITES, "--gear")
    number = here.until(process, GATEWAY, stage, before)
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = here.run("history", str(number)).stdout
    assert "cut off" in said
    assert f"{GATEWAY} may still hold an unconfirmed change" in said
    done = here.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"goes on with run {number}" in done.stderr
    assert costs(district) == ("20", "20")
    assert not armed(district, GATEWAY)
    again = here.run("apply", *SITES, "--gear")
    assert ", 0 changes, 0 not done" in again.stdout, again.stdout


def test_an_orderly_stop_leaves_nothing_half_done(here: Controller, district: District) -> None:
    before = here.last()
    process = here.start("apply", *SITES)
    number = here.until(process, GATEWAY, "armed", before)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "stopping in order" in said
    assert not armed(district, GATEWAY), said
    assert costs(district)[0] == "20", "what was under way is ended"
    assert "interrupted" in here.run("history").stdout.splitlines()[0]
    assert "skipped" in here.run("history", str(number)).stdout
    done = here.run("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert costs(district) == ("20", "20")


def test_undo_takes_back_exactly_what_a_run_did(here: Controller, district: District) -> None:
    before = costs(district)
    done = here.run("apply", *SITES)
    assert done.returncode == 0, done.stdout + done.stderr
    number = here.last()
    assert costs(district) == ("20", "20")
    undone = here.run("undo", str(number))
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert costs(district) == before
    assert "was changed again by run" in here.run("undo", str(number)).stderr


def test_a_kept_plan_is_applied_as_it_stands_or_not_at_all(
    here: Controller, district: District, tmp_path: Path
) -> None:
    kept = tmp_path / "plan.json"
    assert here.run("plan", *SITES, "--out", str(kept)).returncode == 1
    district.on(
        GATEWAY, "vtysh", "-c", "configure terminal", "-c", "interface tslcd-b", "-c", "ip ospf cost 33"
    )
    moved = here.run("apply", str(kept))
    assert moved.returncode == 2, moved.stdout
    assert f"moved since the plan was made: {GATEWAY}" in moved.stderr
    district.on(
        GATEWAY, "vtysh", "-c", "configure terminal", "-c", "interface tslcd-b", "-c", "ip ospf cost 100"
    )
    done = here.run("apply", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    assert costs(district) == ("20", "20")


def test_two_controllers_exclude_each_other_and_one_that_slept_past_its_lease_sends_nothing(
    here: Controller, district: District, tmp_path: Path
) -> None:
    other = Controller(tmp_path / "other", 30, another=True)
    before = here.last()
    process = here.start("apply", *SITES, "--gear")
    try:
        here.until(process, HUB, "looked", before)
        process.send_signal(signal.SIGSTOP)
        slept = time.monotonic()
        refused = other.run("apply", *SITES, "--gear")
        assert refused.returncode == 3, refused.stdout
        assert "is at work there" in refused.stderr
        time.sleep(max(0.0, slept + 35 - time.monotonic()))  # the lease is 30 s
        deadline = time.monotonic() + 150
        while True:
            done = other.run("apply", *SITES, "--gear")
            if done.returncode == 0 or time.monotonic() > deadline:
                break
            time.sleep(5)  # a device that was armed when its controller fell asleep returns first
        assert done.returncode == 0, done.stdout + done.stderr
        assert costs(district) == ("30", "30")
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate(timeout=180)
        assert process.returncode != 0, said
        assert "no longer holds the site" in said or "cannot be asked any more" in said, said
        assert costs(district) == ("30", "30"), "the one that woke has sent something"
    finally:
        process.kill()
        process.wait()
