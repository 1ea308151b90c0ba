"""The units of a controller: what systemd itself says of them, installed once, taken away whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app, verbs
from lienthong.errors import LienThongError
from lienthong.model.words import Side
from lienthong.timers import JOBS, Controller, install, remove, units

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv" / "bin" / "lienthong"
#: Of 10, by `systemd-analyze security`; what is left is mostly that it must reach a network.
EXPOSED_AT_MOST = 2.0


def controller(**other: object) -> Controller:
    values = {"root": ROOT, "program": PROGRAM, "account": "canbo", "side": Side.WAN} | other
    return Controller(**values)  # type: ignore[arg-type]


def files(when: dict[str, str] | None = None, **other: object) -> dict[str, str]:
    return units(controller(**other), ROOT / "templates" / "timers", when or {})


def verified(folder: Path, found: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(folder / name) for name in found)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    done = verified(tmp_path, files())
    ours = [line for line in done.stderr.splitlines() if "lienthong-" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OnCalendar=", "OnCalendar=every now and then "),
        ("ExecStart=", "ExecStart=/nowhere"),
        ("Nice=", "Nicer="),
    ],
)
def test_systemd_does_find_a_fault(tmp_path: Path, old: str, new: str) -> None:
    done = verified(tmp_path, {name: text.replace(old, new) for name, text in files().items()})
    assert any("lienthong-" in line or new.split("=")[0] in line for line in done.stderr.splitlines())


def test_a_job_can_do_little_but_look(tmp_path: Path) -> None:
    found = files()
    verified(tmp_path, found)
    for name in (name for name in found if name.endswith(".service")):
        done = subprocess.run(
            [
                "systemd-analyze", "security", "--offline=true", "--no-pager",
                f"--threshold={EXPOSED_AT_MOST * 10:.0f}", str(tmp_path / name),
            ],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-300:]


def test_every_job_is_a_verb_for_all_sites_at_its_time() -> None:
    found = files({"audit": "Sat *-*-* 02:30 Asia/Ho_Chi_Minh"})
    assert "OnCalendar=Sat *-*-* 02:30 Asia/Ho_Chi_Minh\n" in found["lienthong-audit.timer"]
    assert "OnCalendar=*-*-* 00:15:00 Asia/Ho_Chi_Minh\n" in found["lienthong-coverage.timer"]
    for job in JOBS:
        assert job.words.split()[0] in verbs()
        result = CliRunner().invoke(app, [job.words.split()[0], "--help"])
        assert all(word in result.output for word in job.words.split()[1:] if word.startswith("--"))
        timer, service = found[f"lienthong-{job.name}.timer"], found[f"lienthong-{job.name}.service"]
        assert "Persistent=true" in timer
        assert re.search(r"^RandomizedDelaySec=\d+min$", timer, re.M)
        assert f"ExecStart={PROGRAM} {job.words}\n" in service
        assert "User=canbo\n" in service
        assert "LIENTHONG_TARGET=live LIENTHONG_SIDE=wan\n" in service


def test_only_a_finding_counts_as_a_run_that_went_well() -> None:
    for name, text in files().items():
        if name.endswith(".service"):
            assert re.findall(r"^SuccessExitStatus=(.*)$", text, re.M) == ["1"]
            assert f"ExecStartPre={PROGRAM} validate\n" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": Path("/srv/a b")},
        {"root": Path("/srv/%h")},
        {"program": Path("/x\nExecStartPre=/bin/sh")},
        {"program": Path("lienthong")},
        {"environment": Path("/etc/x'")},
        {"account": "root"},
        {"account": "a b"},
        {"account": "x\nUser=root"},
    ],
)
def test_what_a_unit_cannot_hold_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LienThongError):
        files(None, **wrong)


@pytest.mark.parametrize("calendar", ["", "daily\nUnit=x.service", "$(reboot)", "x" * 101, "%i"])
def test_what_is_no_calendar_is_refused(calendar: str) -> None:
    with pytest.raises(LienThongError, match="calendar"):
        files({"audit": calendar})


@dataclass
class Systemd:
    """Remembers which timers are set going, and what it was told."""

    going: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    refuses: bool = False

    def __call__(self, words: Sequence[str]) -> tuple[int, str]:
        if words[0] in {"is-enabled", "is-active"}:
            return (0 if words[-1] in self.going else 1), ""
        self.told.append(" ".join(words))
        if self.refuses:
            return 1, "Access denied"
        if words[0] == "enable":
            self.going.add(words[-1])
        if words[0] == "disable":
            self.going.discard(words[-1])
        return 0, ""


def test_the_second_install_changes_nothing(tmp_path: Path) -> None:
    systemd = Systemd()
    first = install(files(), tmp_path, systemd)
    assert len(first) == 3 * len(JOBS)
    assert systemd.going == {f"lienthong-{job.name}.timer" for job in JOBS}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in tmp_path.iterdir())
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    systemd.told.clear()
    assert install(files(), tmp_path, systemd) == []
    assert systemd.told == ["daemon-reload"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_another_time_is_taken_up_at_once(tmp_path: Path) -> None:
    systemd = Systemd()
    install(files(), tmp_path, systemd)
    assert install(files({"audit": "*-*-* 03:00"}), tmp_path, systemd) == ["lienthong-audit.timer written"]
    assert systemd.told[-1] == "restart lienthong-audit.timer"


def test_a_timer_that_somebody_stopped_is_set_going_again(tmp_path: Path) -> None:
    systemd = Systemd()
    install(files(), tmp_path, systemd)
    systemd.going.discard("lienthong-audit.timer")
    assert install(files(), tmp_path, systemd) == ["lienthong-audit.timer set going"]


def test_nothing_stays_after_remove(tmp_path: Path) -> None:
    systemd = Systemd()
    (tmp_path / "other.timer").write_text("")
    install(files(), tmp_path, systemd)
    assert len(remove(tmp_path, systemd)) == 2 * len(JOBS)
    assert [path.name for path in tmp_path.iterdir()] == ["other.timer"]
    assert systemd.going == set()
    assert remove(tmp_path, systemd) == []


def test_what_systemd_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(LienThongError, match="Access denied"):
        install(files(), tmp_path, Systemd(refuses=True))


def test_the_verb_shows_all_and_names_a_job_it_does_not_know() -> None:
    words = ["timers", "show", "--account", "canbo", "--side", "net", "--root", str(ROOT)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    assert said.output.count("### lienthong-") == 2 * len(JOBS)
    wrong = CliRunner().invoke(app, [*words, "--when", "nothing=daily"])
    assert isinstance(wrong.exception, LienThongError)
