"""What a run that was cut off left open is returned, and what a run did can be taken back exactly."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lienthong.errors import LienThongError, Unreachable
from lienthong.goback import way_back
from lienthong.inventory import load
from lienthong.journal import Journal
from lienthong.model.secret import Secret
from lienthong.plan.build import build
from lienthong.runners.result import StepResult
from lienthong.settle import settle

ROOT = Path(__file__).resolve().parents[2]
PLAN = build(load(ROOT / "inventory"))
GATEWAY, SWITCH = "loc-ninh-gw-wan", "loc-ninh-sw-wan"
PART = {
    "dialect": "frr", "removed": [["interface lo", "description a"]],
    "added": [["interface lo", "description b"]], "commands": [], "rollback": [],
}  # fmt: skip


class Session:
    """A login on a device that is armed or not."""

    def __init__(self, armed: bool) -> None:
        self.armed, self.done = armed, []  # type: ignore[var-annotated]

    def run(self, command: str, stdin: str = "", timeout_s: float = 30.0) -> tuple[int, str]:
        self.done.append(command)
        if "status" in command:
            return 0, "armed, returns in 9 s\n" if self.armed else "nothing is armed\n"
        return 0, "returned to the configuration before the change\n"

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def begun(journal: Journal, verb: str = "apply") -> int:
    return journal.begin(verb, "lab", ["loc-ninh"], "0", "i")


def went(journal: Journal, run: int, node: str, *stages: str) -> None:
    for stage in stages:
        data = {"before": {}, "change": {"parts": [PART]}} if stage == "looked" else {}
        journal.reached(run, node, stage, data)


WS: Any = SimpleNamespace(plan=PLAN, secrets=SimpleNamespace(get=lambda _: Secret("x" * 16)))


def test_what_was_confirmed_is_settled_and_what_was_only_sent_is_not(journal: Journal) -> None:
    run = begun(journal)
    went(journal, run, GATEWAY, "looked", "arming", "armed", "sent")
    went(journal, run, SWITCH, "looked", "arming", "armed", "sent", "checked", "confirmed", "saved")
    went(journal, run, "loc-ninh-gw-net", "looked", "arming", "not armed")
    went(journal, run, "loc-ninh-sw-net", "looked", "arming")
    left = journal.unsettled(run)
    assert {name: event.stage for name, event in left.items()} == {
        GATEWAY: "sent",
        "loc-ninh-sw-net": "arming",
    }


def test_an_armed_device_is_returned_and_a_quiet_one_left(journal: Journal) -> None:
    run = begun(journal)
    went(journal, run, GATEWAY, "armed")
    went(journal, run, SWITCH, "armed")
    sessions = {GATEWAY: Session(True), SWITCH: Session(False)}
    found = settle(WS, journal.unsettled(run), lambda _: None, lambda node, *_: sessions[node.name])  # type: ignore[arg-type]
    assert {one.node: one.state for one in found} == {GATEWAY: "returned", SWITCH: "quiet"}
    assert any("fire" in command for command in sessions[GATEWAY].done)
    assert not any("fire" in command for command in sessions[SWITCH].done)


def test_a_device_that_is_not_seen_is_called_so(journal: Journal) -> None:
    run = begun(journal)
    went(journal, run, GATEWAY, "armed")

    def refuse(*_: object) -> Any:
        raise Unreachable("no route")

    (one,) = settle(WS, journal.unsettled(run), lambda _: None, refuse)  # type: ignore[arg-type]
    assert (one.state, one.said) == ("unknown", "no route")


def test_the_way_back_is_the_change_the_other_way_round(journal: Journal) -> None:
    first = begun(journal)
    journal.end(first, "done")
    run = begun(journal)
    went(journal, run, GATEWAY, "looked", "armed", "sent", "confirmed", "saved")
    went(journal, run, SWITCH, "looked", "armed", "sent", "returned")
    journal.add(run, [StepResult("loc-ninh-srv", "app", "pyinfra", "changed", ("x",))])
    journal.end(run, "failed")
    way = way_back(journal, run, PLAN)
    assert set(way.gear) == {GATEWAY}, "what has returned already is not taken back again"
    diff = way.gear[GATEWAY]["frr"]
    assert diff.removed == (("interface lo", "description b"),)
    assert diff.added == (("interface lo", "description a"),)
    assert (way.before, way.changed_hosts) == (first, ("loc-ninh-srv",))


def test_a_device_that_was_changed_again_is_not_taken_back_over_that(journal: Journal) -> None:
    first, second = begun(journal), begun(journal)
    for run in (first, second):
        went(journal, run, GATEWAY, "looked", "confirmed", "saved")
    with pytest.raises(LienThongError, match=f"changed again by run {second}"):
        way_back(journal, first, PLAN)
    assert way_back(journal, second, PLAN).before is None


@pytest.mark.parametrize(
    ("verb", "why"), [("plan", "it changed nothing"), ("apply", "nothing that is on record")]
)
def test_what_changed_nothing_is_not_undone(journal: Journal, verb: str, why: str) -> None:
    with pytest.raises(LienThongError, match=why):
        way_back(journal, begun(journal, verb), PLAN)
    with pytest.raises(LienThongError, match="there is no run 99"):
        way_back(journal, 99, PLAN)


def test_fences_are_those_of_runs_without_an_end(journal: Journal) -> None:
    ended, cut = begun(journal), begun(journal)
    journal.note(ended, "fences", '{"gw": 4}')
    journal.note(cut, "fences", '{"sw": 5}')
    journal.end(ended, "done")
    assert journal.fences_of_the_dead() == {"sw": 5}
