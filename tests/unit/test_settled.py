"""The program of `settle`: what it writes, that it writes it once, and that nothing due is forgotten."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "deploys" / "action_plugins" / "settled.py"


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module; files belong to whoever runs the tests, notes go to a folder of the test."""
    spec = importlib.util.spec_from_file_location("settled", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PENDING", str(tmp_path / "pending"))
    monkeypatch.setattr(module, "ids_of", lambda *_: (os.getuid(), os.getgid()))
    return module


def job(settled: ModuleType, *files: dict[str, Any], check: bool = False) -> dict[str, Any]:
    answer: dict[str, Any] = settled.main(json.dumps({"wants": [{"files": list(files)}], "check": check}))
    return answer


def test_a_file_is_written_once(settled: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "f"
    wanted = {"path": str(path), "content": "a\n", "mode": "0640"}
    first = job(settled, wanted)
    assert (first["changed"], first["changes"]) == (True, [str(path)])
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a\n", 0o640)
    assert job(settled, wanted) == {"changed": False, "diff": [], "changes": []}
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_wrong_mode_is_a_change(settled: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "f"
    wanted = {"path": str(path), "content": "a\n", "mode": "0600"}
    job(settled, wanted)
    path.chmod(0o644)
    assert "mode 0644" in job(settled, wanted)["diff"][0]["before"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_replaced_and_not_followed(settled: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("of others\n")
    (tmp_path / "f").symlink_to(tmp_path / "target")
    assert job(settled, {"path": str(tmp_path / "f"), "content": "mine\n"})["changed"]
    assert (tmp_path / "target").read_text() == "of others\n"
    assert not (tmp_path / "f").is_symlink()


def test_looking_writes_nothing(settled: ModuleType, tmp_path: Path) -> None:
    wanted = {"path": str(tmp_path / "f"), "content": "a\n", "then": "false"}
    assert job(settled, wanted, {"path": str(tmp_path / "d"), "directory": True}, check=True)["changed"]
    assert list(tmp_path.iterdir()) == []


def test_what_the_validator_refuses_is_not_put_in_place(settled: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("good\n")
    answer = job(settled, {"path": str(tmp_path / "f"), "content": "bad\n", "validate": "false %s"})
    assert answer["failed"] and answer["msg"].startswith("false ")
    assert (tmp_path / "f").read_text() == "good\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_missing_folder_and_an_unknown_word_are_named(settled: ModuleType, tmp_path: Path) -> None:
    assert (
        "is the package installed" in job(settled, {"path": str(tmp_path / "no" / "f"), "content": ""})["msg"]
    )
    assert "unknown contents" in job(settled, {"path": str(tmp_path / "f"), "contents": ""})["msg"]


def test_a_follow_up_runs_once_for_several_files(settled: ModuleType, tmp_path: Path) -> None:
    then = f"echo ran >> {tmp_path}/log"
    files = [{"path": str(tmp_path / name), "content": name, "then": then} for name in ("a", "b")]
    job(settled, *files)
    job(settled, *files)
    assert (tmp_path / "log").read_text() == "ran\n"


def test_a_follow_up_that_failed_stays_due(settled: ModuleType, tmp_path: Path) -> None:
    wanted = {"path": str(tmp_path / "f"), "content": "a"}
    assert job(settled, {**wanted, "then": "exit 3"})["failed"]
    assert job(settled, {**wanted, "then": "exit 3"})["failed"], "a second run must not take it for done"
    mended = job(settled, {**wanted, "then": "true"})
    assert (mended["changed"], mended.get("failed")) == (True, None)
    assert not job(settled, {**wanted, "then": "true"})["changed"]


def test_a_follow_up_runs_even_if_a_later_file_fails(settled: ModuleType, tmp_path: Path) -> None:
    good = {"path": str(tmp_path / "f"), "content": "a", "then": f"touch {tmp_path}/loaded"}
    assert job(settled, good, {"path": str(tmp_path / "no" / "f"), "content": ""})["failed"]
    assert (tmp_path / "loaded").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("UMASK 022\n", "UMASK 027\n"),
        ("# UMASK is what\n#UMASK 022\nX 1\n", "# UMASK is what\nUMASK 027\nX 1\n"),
        ("X 1\n", "X 1\nUMASK 027\n"),
        ("UMASK 022\nX 1\nUMASK 077\n", "UMASK 027\nX 1\n"),
        ("UMASK_OTHER 1\n", "UMASK_OTHER 1\nUMASK 027\n"),
        ("", "UMASK 027\n"),
    ],
)
def test_a_setting_has_one_line(settled: ModuleType, before: str, after: str) -> None:
    assert settled.set_lines(before, {"UMASK": "UMASK 027"}) == after
    assert settled.set_lines(after, {"UMASK": "UMASK 027"}) == after


@pytest.mark.parametrize(("state", "check", "good"), [
    ("not-found", True, True),
    ("not-found", False, False),
    ("masked", True, False),
    ("loaded", True, True),
])  # fmt: skip
def test_a_look_knows_that_a_unit_would_be_written(
    settled: ModuleType, monkeypatch: pytest.MonkeyPatch, state: str, check: bool, good: bool
) -> None:
    """On a bare system a look finds none of the units that the roles bring; a run has written them before."""
    told = f"LoadState={state}\nUnitFileState=\nActiveState=inactive\nConditionResult=no\n"
    monkeypatch.setattr(settled, "command", lambda *_: told)
    monkeypatch.setattr(settled, "place", lambda *_: None)
    monkeypatch.setattr(settled, "follow_up", lambda *_: [])
    unit = {"path": "/etc/systemd/system/new.timer", "content": ""}
    answer = settled.main(
        json.dumps({"wants": [{"files": [unit], "running": ["new.timer"], "enabled": []}], "check": check})
    )
    assert answer.get("failed", False) is not good, answer
    if good:
        assert answer["changes"] == ["enable new.timer", "start new.timer"]
    elif state == "masked" or not check:
        assert "not installed or masked: new.timer" in answer["msg"]


def test_a_unit_that_nobody_writes_is_missed_by_a_look_too(
    settled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "LoadState=not-found\nUnitFileState=\nActiveState=inactive\nConditionResult=no\n"
    monkeypatch.setattr(settled, "command", lambda *_: told)
    answer = settled.main(json.dumps({"wants": [{"running": ["usbguard.service"]}], "check": True}))
    assert answer["failed"] and "usbguard.service" in answer["msg"]
