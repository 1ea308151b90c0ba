"""What is said to gear is kept by day and device, and no secret of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from lienthong.model.words import Role
from lienthong.target import Access
from lienthong.transport import recording
from lienthong.transport.mask import masked
from lienthong.transport.recording import DAYS
from tests.unit.test_mikrotik_routeros_ssh import Reached


def test_a_run_over_ssh_is_kept_without_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "sessions"
    monkeypatch.setattr(Access, "sessions", kept)
    reached = Reached(tmp_path, Role.GATEWAY)
    try:
        done = reached.run()
    finally:
        reached.end()
    assert done.outcome == "changed", done.detail
    (log,) = kept.glob(f"{date.today().isoformat()}/*.log")
    assert log.name == f"{reached.node.name}.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    text = log.read_text(encoding="utf-8")
    assert "[login, " in text
    sent = [line.split(" > ", 1)[1] for line in text.splitlines() if " > " in line]
    assert {masked(line) for line in reached.served.history if "Xy7" not in line} <= set(sent)
    assert "<secret " in text
    assert "Xy7" not in text


@pytest.mark.parametrize(
    "said",
    ["set password=Hx9secretvalue", "authentication-key $9$abcdef1234567890", "secret 9 $9$abc$defghijkl"],
)
def test_a_secret_that_nobody_named_is_masked(said: str, tmp_path: Path) -> None:
    keep = recording.recording(tmp_path, "gw", "ios", lambda text: text.replace("known", "<secret a/b>"))
    keep("<", f"one\n{said}\nthe known one")
    (log,) = tmp_path.glob("*/gw.log")
    text = log.read_text(encoding="utf-8")
    assert said.split()[-1].split("=")[-1] not in text
    assert "\n  the <secret a/b> one\n" in text


def test_days_that_are_too_old_go_and_nothing_else(tmp_path: Path) -> None:
    today = date.today()
    old, young, other = (today - timedelta(days=DAYS + 1), today - timedelta(days=DAYS), "notes")
    for name in (old.isoformat(), young.isoformat(), other):
        (tmp_path / name).mkdir()
    recording.recording(tmp_path, "gw", "ios", str)("<", "said")
    assert {path.name for path in tmp_path.iterdir()} == {young.isoformat(), other, today.isoformat()}


def test_what_cannot_be_kept_breaks_nothing_and_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sessions").write_text("no folder")
    keep = recording.recording(tmp_path / "sessions", "gw", "ios", str)
    keep(">", "one")
    keep("<", "two")
    assert capsys.readouterr().err.count("what is said to gear is not kept") == 1
