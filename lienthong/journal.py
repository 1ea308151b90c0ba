"""What was done, to what, and how it ended: one SQLite file a target, under `run/`. Holds no secret."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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
"""


@dataclass(frozen=True)
class Journal:
    """The journal of one target. A run without an end was cut off."""

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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
