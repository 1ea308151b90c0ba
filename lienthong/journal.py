"""What was done, to what, and how it ended: one SQLite file a target, under `run/`. Holds no secret.

A run has steps (one result of one tool on one node) and, of gear, events: every stage that a device reached,
with what belongs to it, written before the next thing is sent. So a run that was cut off tells where it was.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lienthong.runners.result import StepResult

_SCHEMA = """
create table if not exists run (
  id integer primary key, verb text not null, target text not null, sites text not null,
  version text not null, inputs text not null, started text not null, ended text, outcome text
);
create table if not exists step (
  run integer not null references run(id), node text not null, step text not null, tool text not null,
  outcome text not null, changes text not null, seconds real not null, detail text not null
);
create table if not exists event (
  run integer not null references run(id), node text not null, stage text not null, at text not null,
  data text not null
);
create table if not exists note (run integer not null references run(id), key text not null, value text not
null);
"""
#: Stages after which a device may hold a change that nobody has confirmed.
OPEN = ("arming", "armed", "sent", "checked")
#: Stages after which it is known what it holds.
SETTLED = ("not armed", "confirmed", "saved", "returned")


@dataclass(frozen=True)
class Run:
    """One run of the tool."""

    id: int
    verb: str
    target: str
    sites: tuple[str, ...]
    version: str
    inputs: str
    started: str
    ended: str | None
    outcome: str | None
    """`done`, `failed`, `interrupted`; None: it was cut off, or is still at work."""


@dataclass(frozen=True)
class Event:
    """A stage that a device reached in a run."""

    run: int
    node: str
    stage: str
    at: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Journal:
    """The journal of one target."""

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            connection.executescript(_SCHEMA)
            with connection:
                yield connection
        finally:
            connection.close()

    def begin(self, verb: str, target: str, sites: Iterable[str], version: str, inputs: str) -> int:
        """Note that a run begins; returns its number."""
        with self._open() as db:
            cursor = db.execute(
                "insert into run(verb, target, sites, version, inputs, started) values (?,?,?,?,?,?)",
                (verb, target, " ".join(sites), version, inputs, _now()),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def add(self, run: int, results: Iterable[StepResult]) -> None:
        """Note what became of steps."""
        rows = [
            (run, r.node, r.step, r.tool, r.outcome, json.dumps(r.changes), r.seconds, r.detail)
            for r in results
        ]
        with self._open() as db:
            db.executemany("insert into step values (?,?,?,?,?,?,?,?)", rows)

    def reached(self, run: int, node: str, stage: str, data: Mapping[str, object]) -> None:
        """Note a stage of a device; on disk when this returns."""
        with self._open() as db:
            db.execute("insert into event values (?,?,?,?,?)", (run, node, stage, _now(), json.dumps(data)))

    def note(self, run: int, key: str, value: str) -> None:
        """Keep something with a run, e.g. the options it was started with."""
        with self._open() as db:
            db.execute("insert into note values (?,?,?)", (run, key, value))

    def noted(self, run: int) -> dict[str, str]:
        """What was kept with a run."""
        with self._open() as db:
            return dict(db.execute("select key, value from note where run = ?", (run,)).fetchall())

    def fences_of_the_dead(self) -> dict[str, int]:
        """Fencing numbers, by node, of runs that were cut off. Right only for who holds the checkout's
        lock."""
        with self._open() as db:
            rows = db.execute(
                "select value from note join run on run.id = note.run"
                " where key = 'fences' and ended is null order by run.id"
            ).fetchall()
        return {node: int(fence) for (text,) in rows for node, fence in json.loads(text).items()}

    def end(self, run: int, outcome: str) -> None:
        """Note that the run ended in order."""
        with self._open() as db:
            db.execute("update run set ended = ?, outcome = ? where id = ?", (_now(), outcome, run))

    def settled(self, run: int, sites: Iterable[str], inputs: str) -> bool:
        """Whether the apply before `run` did the same sites from exactly these inputs, and ended well."""
        with self._open() as db:
            row = db.execute(
                "select sites, inputs, outcome from run"
                " where verb = 'apply' and id < ? order by id desc limit 1",
                (run,),
            ).fetchone()
        return row is not None and row == (" ".join(sites), inputs, "done")

    def runs(self, last: int = 20) -> list[Run]:
        """The newest runs, newest first."""
        with self._open() as db:
            rows = db.execute(
                "select id, verb, target, sites, version, inputs, started, ended, outcome from run"
                " order by id desc limit ?",
                (last,),
            ).fetchall()
        return [Run(row[0], row[1], row[2], tuple(row[3].split()), *row[4:]) for row in rows]

    def run(self, number: int) -> Run | None:
        """One run."""
        return next((run for run in self.runs(1_000_000) if run.id == number), None)

    def steps(self, run: int) -> list[StepResult]:
        """The results of a run, in the order in which they came."""
        with self._open() as db:
            rows = db.execute(
                "select node, step, tool, outcome, changes, seconds, detail from step where run = ?", (run,)
            ).fetchall()
        return [StepResult(n, s, t, o, tuple(json.loads(c)), sec, d) for n, s, t, o, c, sec, d in rows]

    def events(self, run: int | None = None, node: str | None = None) -> list[Event]:
        """Stages of devices, oldest first; of one run, or of one node over all runs."""
        with self._open() as db:
            rows = db.execute(
                "select run, node, stage, at, data from event"
                " where (? is null or run = ?) and (? is null or node = ?) order by rowid",
                (run, run, node, node),
            ).fetchall()
        return [Event(r, n, stage, at, json.loads(data)) for r, n, stage, at, data in rows]

    def sure(self) -> set[str]:
        """Devices whose last change is known to have been saved or taken back."""
        return {node for node, stages in self._stages().items() if stages[-1] in {"saved", "returned"}}

    def unsaved(self) -> set[str]:
        """Devices that may hold a confirmed change which was not saved for a restart: the run died right
        after the confirmation, perhaps before it could write that down, or lost sight of the device there."""
        return {
            node
            for node, stages in self._stages().items()
            if next((one for one in reversed(stages) if one != "uncertain"), "") in {"checked", "confirmed"}
        }

    def _stages(self) -> dict[str, list[str]]:
        known = (*SETTLED, *OPEN, "uncertain")
        with self._open() as db:
            rows = db.execute("select node, stage from event order by rowid").fetchall()
        found: dict[str, list[str]] = {}
        for node, stage in rows:
            if stage in known:
                found.setdefault(node, []).append(stage)
        return found

    def unsettled(self, run: int) -> dict[str, Event]:
        """Devices of a run that may hold a change nobody has confirmed, with the last stage they reached."""
        last: dict[str, Event] = {}
        for event in self.events(run):
            if event.stage in OPEN or event.stage in SETTLED or event.stage == "uncertain":
                last[event.node] = event
        return {node: event for node, event in last.items() if event.stage not in SETTLED}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
