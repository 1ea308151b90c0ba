"""Whether devices hold what they held before or what was intended, and whether the tool said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from lienthong.diff import compare
from lienthong.drill.ground import Ground
from lienthong.journal import OPEN, Journal
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.provision import state_dir
from lienthong.runners.look import Device, Shared, device_of
from lienthong.sim.server import Served
from lienthong.transport import Session
from lienthong.transport.veil import Veil
from lienthong.workspace import Workspace

Held = Literal["before", "intended", "both", "neither"]
#: Longer than any window and any start of a device.
LONG_S = 3600.0


@dataclass(frozen=True)
class Snapshot:
    """What a device holds."""

    running: frozenset[tuple[str, ...]]
    saved: bool
    """It would come up with what it holds."""


class Judge:
    """Looks at the devices of one round, behind the tool's back."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        ws = Workspace(ground.folder, "lab")
        shared = Shared(
            ws.access, ws.secrets, ws.plan, _nobody, True, lambda _: None, lambda *_: None,
            frozenset(), 60, {}, {}, lambda _: None, lambda: False,
        )  # fmt: skip
        self._devices: dict[str, Device] = {
            name: device_of(shared, ws.plan.nodes[name]) for name in ground.fleet.served
        }
        self.journal = Journal(state_dir(ws) / "journal.sqlite")

    def snapshot(self) -> dict[str, Snapshot]:
        """Of every device."""
        return {name: self._one(name) for name in self._devices}

    def settle(self) -> None:
        """Let every device's time pass until nothing it does by itself is left; faults are over."""
        for one in self._ground.fleet.served.values():
            self._ground.fleet.do(one.set_faults)
            for _ in range(4):
                self._ground.fleet.do(partial(one.box.pass_time, LONG_S / 4))

    def restart(self) -> None:
        """Take the power from every device and give it back: what they hold then is what they had saved."""
        for one in self._ground.fleet.served.values():
            self._ground.fleet.do(one.box.reboot)
            self._ground.fleet.do(partial(one.box.pass_time, LONG_S))

    def held(self, name: str, before: Snapshot, now: Snapshot) -> Held:
        """What a device holds: exactly what it held, exactly what is intended, or something between."""
        device = self._devices[name]
        (dialect,) = device.platform.dialects
        wanted = device.intended[dialect.name]
        intended = not compare(dialect, wanted, tuple(now.running))
        same = now.running == before.running
        if intended and not same and self._lost(name, before, now):
            return "neither"
        return "both" if same and intended else "before" if same else "intended" if intended else "neither"

    def strange(self, name: str, before: Snapshot, now: Snapshot) -> str:
        """Why a device holds neither: what of others is gone or new, and what is missing of the intent."""
        device = self._devices[name]
        (dialect,) = device.platform.dialects
        diff = compare(dialect, device.intended[dialect.name], tuple(now.running))
        found = [f"lost: {' / '.join(line)}" for line in sorted(self._lost(name, before, now))]
        found += diff.told
        return "; ".join(found[:6])[:600]

    def _lost(self, name: str, before: Snapshot, now: Snapshot) -> set[tuple[str, ...]]:
        """Lines of others that are gone. A heading that has got lines of its own is not."""
        device = self._devices[name]
        (dialect,) = device.platform.dialects
        wanted = frozenset(device.intended[dialect.name])
        headings = {line[:-1] for line in now.running}
        gone = {line for line in before.running - now.running if not dialect.owns(line, wanted)}
        return {line for line in gone if line not in headings}

    def unreported(self, run: int | None) -> set[str]:
        """Devices of which the journal does not say that they may hold something unconfirmed."""
        known = {event.node for event in self.journal.events(run) if event.stage in OPEN} if run else set()
        return set(self._devices) - known

    def stranded(self) -> list[str]:
        """Devices that the controller cannot reach."""
        return [
            name
            for name, one in self._ground.fleet.served.items()
            if not self._ground.fleet.do(partial(_reachable, one))
        ]

    def _one(self, name: str) -> Snapshot:
        box, device = self._ground.fleet.served[name].box, self._devices[name]
        (dialect,) = device.platform.dialects

        def look() -> tuple[str, bool]:
            shell = box.shell("netadm")  # a look of the drill's own: no door, no line taken
            shell.page = 0
            text = shell.line(dialect.show)
            shell.closed = True
            return text, box.configuration() == box.saved()

        text, saved = self._ground.fleet.do(look)
        return Snapshot(frozenset(dialect.parse(device.veil.conceal(text))), saved)


def _nobody(node: Node, dialect: Dialect, veil: Veil) -> Session:  # noqa: ARG001
    raise AssertionError("the judge logs in nowhere")


def _reachable(one: Served) -> bool:
    return one.box.up and one.box.answers(one.source) and bool(one.box.keys_of("netadm"))


def wrong(name: str, said: str | None, held: Held, saved: bool) -> str:
    """What is wrong about one device after everything has settled; empty: nothing.

    Args:
        said: the outcome that the tool told; None where it was killed.
        saved: it would come up with what it holds.
    """
    if held == "neither":
        return f"{name} holds neither what it held before nor what is intended"
    if said == "changed" and (held not in {"intended", "both"} or not saved):
        return f"{name} was said to be changed and holds {held}" + ("" if saved else ", not saved")
    if said in {"failed", "unreachable", "skipped"} and held not in {"before", "both"}:
        return f"{name} was said to be {said} and holds {held}"
    if said in {"failed", "unreachable", "skipped"} and not saved:
        return f"{name} was said to be {said} and would come up with something else than it holds"
    if said == "unchanged" and held not in {"intended", "both"}:
        return f"{name} was said to be unchanged and holds {held}"
    return ""


def after_restart(
    judge: Judge, before: Mapping[str, Snapshot], said: Mapping[str, str], now: Mapping[str, Snapshot]
) -> list[str]:
    """What is wrong about what devices come up with: a half of a change, or less than was said."""
    found = []
    for name in sorted(now):
        held = judge.held(name, before[name], now[name])
        if held == "neither":
            strange = judge.strange(name, before[name], now[name])
            found.append(f"{name} comes up with neither what it held nor what is intended: {strange}")
        elif said.get(name) == "changed" and held == "before":
            found.append(f"{name} was said to be changed and comes up with what it held before")
    return found


def of_all(
    judge: Judge,
    before: Mapping[str, Snapshot],
    said: Mapping[str, str],
    now: Mapping[str, Snapshot],
    ended: bool = True,
) -> tuple[dict[str, Held], list[str]]:
    """(what each device holds, everything that is wrong).

    Args:
        ended: the run came to its end, so that it owes a word about every device.
    """
    held = {name: judge.held(name, before[name], now[name]) for name in now}
    found = [wrong(name, said.get(name), held[name], now[name].saved) for name in sorted(now)]
    if ended:
        found += [f"{name} is missing in what was told" for name in sorted(now) if name not in said]
    found += [
        f"{name}: {judge.strange(name, before[name], now[name])}" for name in held if held[name] == "neither"
    ]
    return held, [text for text in found if text]
