"""What was done is kept, and one run at a time does it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from lienthong.errors import Exit
from lienthong.journal import Journal
from lienthong.lease import Locked, hold
from lienthong.model.words import Target
from lienthong.provision import Report
from lienthong.runners.result import StepResult
from lienthong.table import as_json, as_text

DONE = StepResult("loc-ninh-srv", "logs", "pyinfra", "changed", ("new /etc/rsyslog.d/x.conf",), 0.5)
SAME = StepResult("loc-ninh-srv", "app", "pyinfra", "unchanged")
BAD = StepResult("loc-ninh-vc", "baseline", "ansible", "failed", detail="no\x1b[2J space")


def begin(journal: Journal, inputs: str, outcome: str | None) -> int:
    run = journal.begin("apply", "lab", ["loc-ninh"], "0", inputs)
    if outcome:
        journal.end(run, outcome)
    return run


def test_settled_only_after_a_good_apply_of_the_same_inputs(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    assert not journal.settled(begin(journal, "a", "done"), ["loc-ninh"], "a"), "nothing came before"
    assert journal.settled(begin(journal, "a", "failed"), ["loc-ninh"], "a")
    assert not journal.settled(begin(journal, "a", None), ["loc-ninh"], "a"), "the one before failed"
    assert not journal.settled(begin(journal, "a", "done"), ["loc-ninh"], "a"), "the one before was killed"
    assert not journal.settled(begin(journal, "b", "done"), ["loc-ninh"], "b"), "other inputs"
    assert not journal.settled(begin(journal, "b", "done"), ["tinh-uy"], "b"), "other sites"


def test_steps_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.add(begin(journal, "a", None), [DONE, BAD])
    with sqlite3.connect(journal.path) as db:
        rows = db.execute("select node, outcome from step order by node").fetchall()
    assert rows == [("loc-ninh-srv", "changed"), ("loc-ninh-vc", "failed")]


def test_two_runs_exclude_each_other_and_a_dead_one_does_not(tmp_path: Path) -> None:
    with hold(tmp_path, ["loc-ninh"]):
        with pytest.raises(Locked, match=r"pid .* on loc-ninh") as caught, hold(tmp_path, ["tinh-uy"]):
            pass
        assert caught.value.exit_code is Exit.UNREACHABLE
    with hold(tmp_path, ["tinh-uy"]):
        pass


def test_exit_codes() -> None:
    assert Report("apply", (DONE, SAME), 1.0).exit_code is Exit.OK
    assert Report("plan", (DONE, SAME), 1.0).exit_code is Exit.FINDINGS
    assert Report("plan", (SAME,), 1.0).exit_code is Exit.OK
    assert Report("apply", (DONE, BAD), 1.0).exit_code is Exit.UNREACHABLE


def test_what_a_person_reads() -> None:
    text = as_text(Report("apply", (DONE, SAME, BAD), 1.0))
    assert text == (
        "~ logs  changed  loc-ninh-srv\n"
        "    new /etc/rsyslog.d/x.conf\n"
        "! baseline  failed  loc-ninh-vc\n"
        "    no·[2J space\n"
        "apply: 2 systems, 1 changes, 1 not done, 1.0 s"
    )


def test_what_a_program_reads() -> None:
    assert '"changed": 1' in as_json(Report("apply", (DONE, SAME), 1.0), Target.LAB, ["loc-ninh"])
