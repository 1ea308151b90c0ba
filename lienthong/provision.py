"""Applies sites in dependency order with the three tools, each for the paths it owns.

Gear first, since everything else is reached through it: its baseline (Ansible), then its network
(Netmiko: switches, gateways); then the baseline of the hosts behind it; then the services (pyinfra).
A node that fails a step gets none of the later ones, and says so.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

from lienthong import __version__
from lienthong.errors import Exit
from lienthong.journal import Journal
from lienthong.lease import hold
from lienthong.model.intent import Node
from lienthong.model.words import Target
from lienthong.runners.result import StepResult, Tool
from lienthong.services import discover
from lienthong.target import lab_dir
from lienthong.workspace import Workspace

#: Deploys that every node gets before any service: keys and certificates, packet filter, tunnel.
GROUNDWORK = ("pki", "firewall", "tunnel")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What became of every step of a run."""

    verb: str
    results: tuple[StepResult, ...]
    seconds: float

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
        if self.bad:
            return Exit.UNREACHABLE
        return Exit.FINDINGS if self.verb == "plan" and self.changed else Exit.OK


def deploys(root: Path) -> list[str]:
    """The pyinfra deploys in order: the groundwork, then every service that has one."""
    services = [name for name in discover() if (root / "deploys" / f"{name}.py").is_file()]
    return [*GROUNDWORK, *services]


def plan(ws: Workspace, nodes: Sequence[Node], say: Say) -> Report:
    """What would change on every device and host; nothing is changed."""
    began = time.monotonic()
    results, there = _reach(ws, nodes, say)
    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(_ansible, ws, there, True, say),
            pool.submit(_netmiko, ws, [n for n in there if n.device], True, say),
            pool.submit(_pyinfra, ws, there, True, say),
        ]
        for job in jobs:
            results += job.result()
    return Report("plan", tuple(results), time.monotonic() - began)


def apply(
    ws: Workspace,
    sites: Sequence[str],
    nodes: Sequence[Node],
    say: Say,
    *,
    allow: frozenset[str] = frozenset(),
) -> Report:
    """Make the sites as intended. A second time changes nothing.

    Args:
        allow: refusals of the guard that the operator overrides, each `<rule>@<node>`.

    Raises:
        LienThongError: another run holds these sites, or a tool could not be started.
    """
    began = time.monotonic()
    journal = Journal(state_dir(ws) / "journal.sqlite")
    inputs = fingerprint(ws)
    with hold(state_dir(ws), sites):
        run = journal.begin("apply", ws.access.target, sites, __version__, inputs)
        keep = _Keeper(journal, run)
        if journal.settled(run, sites, inputs):
            # Nothing is expected to change, so the order no longer matters and the tools may look
            # at the same time. Each still looks at every path it owns: this saves waiting, not looking.
            report = _together(ws, nodes, say, keep, allow)
        else:
            report = _in_order(ws, nodes, say, keep, allow)
        journal.end(run, "failed" if report.bad else "done")
    return replace(report, seconds=time.monotonic() - began)


@dataclass
class _Keeper:
    journal: Journal
    run: int

    def __call__(self, results: list[StepResult]) -> list[StepResult]:
        self.journal.add(self.run, results)
        return results


def _in_order(ws: Workspace, nodes: Sequence[Node], say: Say, keep: _Keeper, allow: frozenset[str]) -> Report:
    results: list[StepResult] = []
    gear = [node for node in nodes if node.device is not None]
    hosts = [node for node in nodes if node.device is None]
    unreached, there = _reach(ws, nodes, say)
    early = there if not unreached else [node for node in there if node in gear]
    results += keep(_ansible(ws, early, False, say))
    good = _good(early, results)
    for role in ("switches", "gateways"):
        chosen = [n for n in good if n in gear and (n.is_switch if role == "switches" else n.is_gateway)]
        results += keep(_netmiko(ws, chosen, False, say, allow))
    if unreached:
        # Behind gear that has only now been set up there may be hosts that could not be reached before.
        missed, late = _reach(ws, [node for node in nodes if node not in early], say)
        results += keep(missed) + keep(_ansible(ws, late, False, say))
        good += late
    good = _good([n for n in nodes if n in good and n in [*gear, *hosts]], results)
    results += keep(_pyinfra(ws, good, False, say))
    results += keep(_left_out(nodes, results))
    return Report("apply", tuple(results), 0.0)


def _together(ws: Workspace, nodes: Sequence[Node], say: Say, keep: _Keeper, allow: frozenset[str]) -> Report:
    unreached, there = _reach(ws, nodes, say)
    results = keep(unreached)
    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(_ansible, ws, there, False, say),
            pool.submit(_netmiko, ws, [n for n in there if n.device], False, say, allow),
            pool.submit(_pyinfra, ws, there, False, say),
        ]
        for job in jobs:
            results += keep(job.result())
    return Report("apply", tuple(results), 0.0)


def _ansible(ws: Workspace, nodes: Sequence[Node], check: bool, say: Say) -> list[StepResult]:
    from lienthong.runners import ansible  # imported where used: half a second

    if not nodes:
        return []
    say(f"baseline of {len(nodes)} systems (Ansible)")
    return ansible.run(ws.access, nodes, check=check, progress=say)


def _netmiko(
    ws: Workspace, nodes: Sequence[Node], check: bool, say: Say, allow: frozenset[str] = frozenset()
) -> list[StepResult]:
    from lienthong.runners import netmiko

    if not nodes:
        return []
    say(f"network of {len(nodes)} devices (Netmiko)")
    return netmiko.run(ws.access, ws.secrets, ws.plan, nodes, check=check, progress=say, allow=allow)


def _pyinfra(ws: Workspace, nodes: Sequence[Node], check: bool, say: Say) -> list[StepResult]:
    from lienthong.runners import pyinfra

    if not nodes:
        return []
    say(f"services of {len(nodes)} systems (pyinfra)")
    return pyinfra.run(ws.access, nodes, deploys(ws.root), check=check, progress=say)


def _reach(ws: Workspace, nodes: Sequence[Node], say: Say) -> tuple[list[StepResult], list[Node]]:
    """Who answers with an SSH banner now; the others as results."""

    def answers(node: Node) -> bool:
        return _banner(ws.access.address(node), ws.access.port(node))

    with ThreadPoolExecutor(64) as pool:
        up = dict(zip([n.name for n in nodes], pool.map(answers, nodes), strict=True))
    missing = [node for node in nodes if not up[node.name]]
    if missing:
        say(f"no answer from {', '.join(node.name for node in missing)}")
    tool: Tool = "ansible"
    return (
        [StepResult(n.name, "reach", tool, "unreachable", detail="no SSH answer") for n in missing],
        [node for node in nodes if up[node.name]],
    )


def _banner(address: IPv4Address, port: int, timeout_s: float = 3.0) -> bool:
    try:
        with socket.create_connection((str(address), port), timeout_s) as connection:
            connection.settimeout(timeout_s)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _good(nodes: Iterable[Node], results: Iterable[StepResult]) -> list[Node]:
    bad = {result.node for result in results if not result.good}
    return [node for node in nodes if node.name not in bad]


def _left_out(nodes: Sequence[Node], results: Sequence[StepResult]) -> list[StepResult]:
    """Say of every node that failed early that its services were not looked at."""
    bad = {result.node for result in results if not result.good}
    return [
        StepResult(node.name, "services", "pyinfra", "skipped", detail="an earlier step failed here")
        for node in nodes
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
