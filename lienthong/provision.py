"""Applies sites in dependency order with the three tools, each for the paths it owns.

Gear first, since everything else is reached through it: its baseline (Ansible), then its network
(Netmiko: switches, gateways); then the baseline of the hosts behind it; then the services (pyinfra).
A node that fails a step gets none of the later ones, and says so.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

from lienthong import __version__, snapshots
from lienthong.diff import Diff
from lienthong.errors import Exit, LienThongError
from lienthong.journal import Journal
from lienthong.jump import connect
from lienthong.lease import hold
from lienthong.lease.site import leased
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.runners.evidence import Witness
from lienthong.runners.result import StepResult, Tool
from lienthong.services import discover
from lienthong.stopping import Stop
from lienthong.target import Access, lab_dir
from lienthong.workspace import Workspace

#: Seconds in which a system says that it is there; with a second login on the way.
BANNER_S, JUMP_S = 3.0, 10.0

#: Deploys that every node gets before any service: keys and certificates, packet filter, tunnel.
GROUNDWORK = ("pki", "firewall", "tunnel")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What became of every step of a run."""

    verb: str
    results: tuple[StepResult, ...]
    seconds: float
    run: int | None = None
    """Its number in the journal."""
    stopped: bool = False
    """The operator stopped it in order."""

    @property
    def changed(self) -> int:
        """How many single changes were made, or would be."""
        return sum(max(1, len(r.changes)) for r in self.results if r.outcome == "changed")

    @property
    def bad(self) -> tuple[StepResult, ...]:
        """The steps that did not end as intended."""
        return tuple(r for r in self.results if not r.good)

    @property
    def exit_code(self) -> Exit:
        """3 when something was not reached or failed; for a plan 1 when something differs."""
        if self.stopped:
            return Exit.INTERRUPTED
        if self.bad:
            return Exit.UNREACHABLE
        return Exit.FINDINGS if self.verb == "plan" and self.changed else Exit.OK


def deploys(root: Path) -> list[str]:
    """The pyinfra deploys in order: the groundwork, then every service that has one."""
    services = [name for name in discover() if (root / "deploys" / f"{name}.py").is_file()]
    return [*GROUNDWORK, *services]


@dataclass(frozen=True)
class Options:
    """How a run is made, beyond what the inventory says."""

    allow: frozenset[str] = frozenset()
    """Refusals of the guard that the operator overrides, each `<rule>@<node>`."""
    window_s: int = 60
    """How long a device waits for the confirmation before it returns by itself."""
    exact: Mapping[str, Mapping[str, Diff]] = field(default_factory=dict)
    """Differences by node and dialect that are made instead of the way to the plan: what an undo takes
    back."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints that devices must still have: what a kept plan saw."""
    witness: Witness | None = None
    """Asks the checks of a site before and after one of its devices is changed."""
    hosts: bool = True
    """Look at Debian systems too, not only at the command lines of gear."""
    gear: bool = True
    """Look at the command lines of gear."""


def joined(reports: Sequence[Report]) -> Report:
    """Several runs of one verb as one report."""
    results = tuple(result for report in reports for result in report.results)
    verb = reports[-1].verb if reports else "apply"
    stopped = any(report.stopped for report in reports)
    return Report(verb, results, sum(report.seconds for report in reports), stopped=stopped)


@dataclass
class _Run:
    """One run as it goes on: where its results are kept, and what may stop it."""

    ws: Workspace
    say: Say
    options: Options
    journal: Journal | None = None
    number: int = 0
    held: Callable[[Node], None] = lambda node: None  # noqa: ARG005
    stopped: Callable[[], bool] = lambda: False
    check: bool = False

    def keep(self, results: list[StepResult]) -> list[StepResult]:
        """Put results on record."""
        if self.journal is not None:
            self.journal.add(self.number, results)
        return results

    def record(self, node: str, stage: str, data: Mapping[str, object]) -> None:
        """Put a stage of a device on record, before the next thing is sent."""
        if self.journal is not None:
            self.journal.reached(self.number, node, stage, data)

    def may(self, nodes: Sequence[Node], step: str, tool: Tool) -> tuple[list[StepResult], list[Node]]:
        """(what is not begun, and why; the nodes on which this step may begin)"""
        left: list[StepResult] = []
        going = []
        for node in nodes:
            try:
                if self.stopped():
                    raise LienThongError("stopped before this was begun")
                self.held(node)
            except LienThongError as error:
                left.append(StepResult(node.name, step, tool, "skipped", detail=error.what))
            else:
                going.append(node)
        return self.keep(left), going


def plan(ws: Workspace, nodes: Sequence[Node], say: Say, options: Options | None = None) -> Report:
    """What would change on every device and host; nothing is changed."""
    began = time.monotonic()
    run = _Run(ws, say, options or Options(), check=True)
    nodes = _ours(nodes)
    _judge(ws, nodes)
    results, there = _reach(ws, nodes, say)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(step, run, there) for step in (_ansible, _netmiko, _pyinfra)]
        for job in jobs:
            results += job.result()
    return Report("plan", tuple(results), time.monotonic() - began)


def apply(
    ws: Workspace,
    sites: Sequence[str],
    nodes: Sequence[Node],
    say: Say,
    options: Options | None = None,
    verb: str = "apply",
) -> Report:
    """Make the sites as intended. A second time changes nothing.

    Args:
        verb: what the journal calls the run: `apply`, `gear` (without hosts), `resume` or `undo`.

    Raises:
        LienThongError: another run holds one of these sites, or a tool could not be started.
    """
    began = time.monotonic()
    options = options or Options()
    nodes = _ours(nodes)
    _judge(ws, nodes)
    journal = Journal(state_dir(ws) / "journal.sqlite")
    inputs = fingerprint(ws)
    # Who holds this checkout's lock knows that a run of it without an end is dead.
    with (
        Stop(say) as stop,
        hold(state_dir(ws), sites),
        leased(ws.access, ws.plan, nodes, journal.fences_of_the_dead()) as leases,
    ):
        number = journal.begin(verb, ws.access.target, sites, __version__, inputs)
        journal.note(number, "fences", json.dumps(leases.fences))
        journal.note(number, "hosts", str(int(options.hosts)))
        journal.note(number, "nodes", " ".join(node.name for node in nodes))
        snapshots.keep(state_dir(ws), number, ws.root)
        say(f"run {number}")
        run = _Run(ws, say, options, journal, number, leases.check, stop.asked)
        if verb == "apply" and journal.settled(number, sites, inputs):
            # Nothing is expected to change, so the order no longer matters and the tools may look
            # at the same time. Each still looks at every path it owns: this saves waiting, not looking.
            report = _together(run, nodes)
        else:
            report = _in_order(run, nodes)
        outcome = "interrupted" if stop.asked() else "failed" if report.bad else "done"
        journal.end(number, outcome)
    return replace(report, verb=verb, seconds=time.monotonic() - began, run=number, stopped=stop.asked())


def _judge(ws: Workspace, nodes: Sequence[Node]) -> None:
    """Nothing begins while a role of others is not what it must be."""
    if any(node.handed_over for node in nodes):
        from lienthong.runners import handed

        handed.judged(ws.access, nodes)


def _in_order(run: _Run, nodes: Sequence[Node]) -> Report:
    results: list[StepResult] = []
    gear = [node for node in nodes if node.device is not None]
    hosts = [node for node in nodes if node.device is None]
    missed, there = _reach(run.ws, nodes, run.say)
    early = there if not missed else [node for node in there if node in gear]
    results += _ansible(run, early)
    good = _good(early, results)
    results += _brought(run, good)
    if missed:
        # Behind gear that has only now been set up there may be hosts that could not be reached before.
        missed, late = _reach(run.ws, [node for node in nodes if node not in early], run.say)
        results += run.keep(missed)
        results += _ansible(run, late)
        results += _brought(run, _good(late, results))
        good += late
    good = _good([n for n in nodes if n in good and n in [*gear, *hosts]], results)
    results += _pyinfra(run, good, arm=True)
    results += run.keep(_left_out(run, nodes, results))
    return Report("apply", tuple(results), 0.0)


def _brought(run: _Run, nodes: Sequence[Node]) -> list[StepResult]:
    """Command lines in order: switches, through which gateways answer; gateways; endpoints."""
    results = _netmiko(run, [node for node in nodes if node.is_switch])
    results += _netmiko(run, [node for node in nodes if node.is_gateway])
    return results + _netmiko(run, [node for node in nodes if node.device is None])


def _together(run: _Run, nodes: Sequence[Node]) -> Report:
    missed, there = _reach(run.ws, nodes, run.say)
    results = run.keep(missed)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(step, run, there) for step in (_ansible, _netmiko, _pyinfra)]
        for job in jobs:
            results += job.result()
    return Report("apply", tuple(results), 0.0)


def _ansible(run: _Run, nodes: Sequence[Node]) -> list[StepResult]:
    left, going = run.may(_debian(run, nodes), "baseline", "ansible")
    if not going:
        return left
    from lienthong.runners import ansible  # imported where used: half a second

    run.say(f"baseline of {len(going)} systems (Ansible)")
    left += run.keep(ansible.run(run.ws.access, going, check=run.check, progress=run.say))
    going = [node for node in _good(going, left) if node.handed_over]
    if not going:
        return left
    from lienthong.runners import handed

    roles = handed.judged(run.ws.access, going)
    run.say(f"roles of Central: {', '.join(sorted(roles))}")
    return left + run.keep(handed.run(run.ws.access, going, roles, check=run.check, progress=run.say))


def _netmiko(run: _Run, nodes: Sequence[Node]) -> list[StepResult]:
    from lienthong.runners import netmiko
    from lienthong.runners.look import speaks

    going = [node for node in nodes if speaks(node)] if run.options.gear else []
    if not going:
        return []
    run.say(f"network of {len(going)} devices (Netmiko)")
    ws, options = run.ws, run.options
    results = netmiko.run(
        ws.access, ws.secrets, ws.plan, going, check=run.check, progress=run.say, allow=options.allow,
        window_s=options.window_s, record=run.record, exact=options.exact, expected=options.expected,
        held=run.held, stopped=run.stopped, alone=run.journal is not None,
        unsaved=frozenset(run.journal.unsaved() if run.journal else ()), doubted=_doubted(run.journal),
        witness=options.witness,
    )  # fmt: skip
    return run.keep(results)


def _pyinfra(run: _Run, nodes: Sequence[Node], arm: bool = False) -> list[StepResult]:
    left, going = run.may(_debian(run, nodes), "services", "pyinfra")
    if not going:
        return left
    from lienthong.runners import pyinfra
    from lienthong.runners.netmiko import over_ssh
    from lienthong.runners.shield import Shield

    run.say(f"services of {len(going)} systems (pyinfra)")
    ws = run.ws
    shield = Shield(ws.access, over_ssh(ws.access), run.record, "pyinfra") if arm and not run.check else None
    if shield is not None:
        left += run.keep(shield.arm(going))
        going = _good(going, left)
    results = pyinfra.run(ws.access, going, deploys(ws.root), check=run.check, progress=run.say)
    if shield is not None:
        results += shield.end([result.node for result in results if not result.good])
    return left + run.keep(results)


def _doubted(journal: Journal | None) -> Callable[[Node], bool]:
    """A device is in no doubt whose last change this journal saw saved or taken back."""
    sure = journal.sure() if journal is not None else set()
    return lambda node: node.name not in sure


def _ours(nodes: Sequence[Node]) -> list[Node]:
    """Without what only fetches its file (`lienthong ztp`): there is nobody to log in to."""
    from lienthong.runners.look import speaks

    return [node for node in nodes if node.debian or speaks(node)]


def _debian(run: _Run, nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.debian] if run.options.hosts else []


def _reach(ws: Workspace, nodes: Sequence[Node], say: Say) -> tuple[list[StepResult], list[Node]]:
    """Who answers with an SSH banner now; the others as results."""

    def silent(node: Node) -> str:
        return _silent(ws.access, ws.access.address(node), ws.access.port(node))

    with ThreadPoolExecutor(64) as pool:
        why = dict(zip([n.name for n in nodes], pool.map(silent, nodes), strict=True))
    missing = [node for node in nodes if why[node.name]]
    if missing:
        say(f"no answer from {', '.join(node.name for node in missing)}")
    tool: Tool = "ansible"
    return (
        [StepResult(n.name, "reach", tool, "unreachable", detail=why[n.name]) for n in missing],
        [node for node in nodes if not why[node.name]],
    )


def _silent(access: Access, address: IPv4Address, port: int) -> str:
    """Why no SSH server answers there; "" when one does."""
    try:
        with connect(access, address, port, BANNER_S if access.jump is None else JUMP_S) as connection:
            return "" if connection.recv(4) == b"SSH-" else "no SSH answer"
    except OSError as error:
        return f"no SSH answer {error}" if access.jump is not None else "no SSH answer"


def _good(nodes: Iterable[Node], results: Iterable[StepResult]) -> list[Node]:
    bad = {result.node for result in results if not result.good}
    return [node for node in nodes if node.name not in bad]


def _left_out(run: _Run, nodes: Sequence[Node], results: Sequence[StepResult]) -> list[StepResult]:
    """Say of every node that failed early that its services were not looked at."""
    bad = {result.node for result in results if not result.good}
    return [
        StepResult(node.name, "services", "pyinfra", "skipped", detail="an earlier step failed here")
        for node in _debian(run, nodes)
        if node.name in bad and not any(r.node == node.name and r.tool == "pyinfra" for r in results)
    ]


def state_dir(ws: Workspace) -> Path:
    """Where this target's journal and locks are kept."""
    if ws.access.target is Target.LAB:
        return lab_dir(ws.root)
    return ws.root / "run" / "live"


def fingerprint(ws: Workspace) -> str:
    """A hash of everything an apply is made from: inventory, content, engine, and which lab it is."""
    digest = hashlib.sha256()
    for folder in ("inventory", "deploys", "roles", "templates", "lienthong"):
        for path in sorted((ws.root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ws.root)).encode() + b"\0" + path.read_bytes() + b"\0")
    if ws.access.target is Target.LAB:
        # A lab started anew is bare again; its state file names the processes it was started as.
        digest.update((lab_dir(ws.root) / "state.json").read_bytes())
    return digest.hexdigest()
