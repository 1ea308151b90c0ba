"""What it takes to undo a run: the lines each device held before it, and the inventory before it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lienthong import snapshots
from lienthong.diff import Diff
from lienthong.errors import LienThongError
from lienthong.journal import Event, Journal, Run
from lienthong.model.intent import ProvincePlan
from lienthong.platforms import Line
from lienthong.provision import state_dir
from lienthong.workspace import Workspace

#: Runs that change something.
CHANGING = ("apply", "gear", "resume", "undo", "fix")


@dataclass(frozen=True)
class Way:
    """How a run is undone."""

    run: Run
    gear: Mapping[str, Mapping[str, Diff]]
    """By device and dialect: what the run did, the other way round."""
    before: int | None
    """The run whose inventory the hosts go back to; None where there is none."""
    changed_hosts: tuple[str, ...]
    """Hosts that the run changed."""


def way_back(journal: Journal, number: int, plan: ProvincePlan) -> Way:
    """How run `number` is undone.

    Raises:
        LienThongError: there is no such run, it changed nothing, or a later run changed the same devices.
    """
    run = journal.run(number)
    if run is None:
        raise LienThongError(f"there is no run {number}", hint="lienthong history lists them")
    if run.verb not in CHANGING:
        raise LienThongError(f"run {number} was a {run.verb}: it changed nothing")
    kept = {event.node: event for event in journal.events(number) if event.stage == "looked"}
    stayed = {event.node for event in journal.events(number) if event.stage in {"confirmed", "saved"}}
    gear = {}
    for name in sorted(stayed & kept.keys()):
        later = [e.run for e in journal.events(node=name) if e.run > number and e.stage == "confirmed"]
        if later:
            raise LienThongError(
                f"{name} was changed again by run {later[-1]}", hint=f"lienthong undo {later[-1]} first"
            )
        node = plan.nodes.get(name)
        if node is not None:
            gear[name] = _reversed(kept[name])
    hosts = tuple(
        dict.fromkeys(s.node for s in journal.steps(number) if s.outcome == "changed" and s.tool != "netmiko")
    )
    if not gear and not hosts:
        raise LienThongError(f"run {number} changed nothing that is on record")
    earlier = [
        r.id for r in journal.runs(1_000_000) if r.id < number and r.verb in CHANGING and r.outcome == "done"
    ]
    return Way(run, gear, earlier[0] if earlier else None, hosts)


@contextmanager
def former(ws: Workspace, run: int) -> Iterator[Workspace]:
    """This checkout with the inventory of a former run. Host keys and vaults are today's.

    Raises:
        LienThongError: the inventory of that run is not kept any more.
    """
    with tempfile.TemporaryDirectory(prefix="lienthong-undo-") as name:
        root = Path(name)
        snapshots.unpack(state_dir(ws), run, root)
        for path in ws.root.iterdir():
            if path.name not in {"inventory", ".git"}:
                (root / path.name).symlink_to(path)
        for today in ("known_hosts", "secrets", "pki"):
            kept = root / "inventory" / today
            if kept.is_dir():
                shutil.rmtree(kept)
            kept.unlink(missing_ok=True)
            if (ws.root / "inventory" / today).exists():
                kept.symlink_to(ws.root / "inventory" / today)
        yield Workspace(root, ws.access.target.value)


def _reversed(event: Event) -> dict[str, Diff]:
    """What takes back exactly what that run did to the device."""
    return {
        str(part["dialect"]): Diff(_lines(part["added"]), _lines(part["removed"]), 0)
        for part in event.data["change"]["parts"]
    }


def _lines(raw: list[list[str]]) -> tuple[Line, ...]:
    return tuple(tuple(line) for line in raw)
