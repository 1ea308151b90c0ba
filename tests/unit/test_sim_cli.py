"""`lienthong sim`: what is wrong is said before anything is started; the lab it makes is a lab like any."""

from __future__ import annotations

import json
import shutil
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
