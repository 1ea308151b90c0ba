"""`lienthong sim`: what is wrong is said before anything is started; the lab it makes is a lab like any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli.sim import app
from lienthong.errors import LienThongError
from lienthong.sim import daemon
from tests.boxes import ROOT

CLI = CliRunner()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LIENTHONG_LAB", "sim-cli")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "inventory", tmp_path / "inventory", ignore=ignored)
    yield tmp_path
    CLI.invoke(app, ["down", "--root", str(tmp_path)])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere"], "no site 'nowhere'"),
        (["loc-ninh", "--as", "x"], "not NODE=PLATFORM"),
        (["loc-ninh", "--as", "loc-ninh-gw-wan=nokia"], "no simulated device of platform nokia"),
        (["loc-ninh", "--as", "loc-ninh-nobody=huawei-vrp"], "no gateway or switch"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_started(root: Path, words: list[str], why: str) -> None:
    found = CLI.invoke(app, ["up", *words, "--root", str(root)])
    assert isinstance(found.exception, LienThongError)
    assert why in found.exception.what
    assert not (root / "run").exists()


def test_up_look_spoil_down(root: Path) -> None:
    begun = CLI.invoke(app, ["up", "loc-ninh", "--root", str(root)])
    assert begun.exit_code == 0, begun.exception
    folder = root / "run" / "lab" / "sim-cli"
    assert json.loads((folder / "state.json").read_text())["simulated"] is True
    name = "loc-ninh-sw-wan"
    for wrong in ({"do": "advance", "box": name, "seconds": "x"}, [1], {"do": "fault", "box": name}):
        assert "wrong" in daemon.ask(folder, wrong)  # type: ignore[arg-type]
    seen = daemon.ask(folder, {"do": "look", "box": name})
    assert seen["running"] == seen["saved"]
    then = seen["now_s"]
    assert daemon.ask(folder, {"do": "advance", "box": name, "seconds": 3600})["answers"]
    assert daemon.ask(folder, {"do": "look", "box": name})["now_s"] >= then + 3600
    ended = CLI.invoke(app, ["down", "--root", str(root)])
    assert ended.exit_code == 0
    assert not (folder / "state.json").exists()
    assert daemon.running(folder) is None


def test_the_way_of_the_demo_where_no_lab_can_be_plan_apply_audit_report(root: Path) -> None:
    """What only systems and packets show is not assessed, and gear is looked at by its command line."""
    for path in ROOT.iterdir():
        if path.name not in {"inventory", ".git", "run", "out"}:
            (root / path.name).symlink_to(path)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LIENTHONG_ROOT": str(root), "LIENTHONG_TARGET": "lab"}
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=root, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    assert CLI.invoke(app, ["up", "loc-ninh", "--root", str(root)]).exit_code == 0
    bare = run("audit", "loc-ninh", "--json")
    assert bare.returncode == 1, bare.stderr
    statuses = {one["status"] for one in json.loads(bare.stdout)["findings"]}
    assert statuses == {"pass", "fail", "not assessed", "not applicable"}
    assert run("apply", "loc-ninh").returncode == 0
    done = run("audit", "loc-ninh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no packet is switched here" in done.stderr
    found = json.loads((root / "out/lab/loc-ninh/findings.json").read_text(encoding="utf-8"))["findings"]
    passed = [one for one in found if one["status"] == "pass"]
    assert {one["check"].split("::")[0] for one in passed} == {"test_device.py"}
    assert {one["node"].removeprefix("loc-ninh-") for one in passed} >= {
        "gw-wan",
        "gw-net",
        "sw-wan",
        "sw-net",
    }
    assert (root / "out/lab/loc-ninh/report.html").stat().st_size > 10_000
