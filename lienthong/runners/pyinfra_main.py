"""The process in which pyinfra runs: started by `lienthong.runners.pyinfra`, never imported.

Reads one JSON job on standard input: `{root, nodes, deploys, check}`. Writes one JSON object a line on
standard output: `{"progress": text}` or `{"result": {node, step, outcome, changes, seconds, detail}}`.
One process serves all nodes and all deploy files: connections, the node's state and Python's start are
paid once. Operations of one node run in their order; nodes do not wait for each other.
"""

# pyinfra and gevent are typed in part only.
# mypy: disable-error-code="import-untyped,no-untyped-call,misc"
# ruff: noqa: E402

from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # before anything that opens a socket; this is why pyinfra has a process of its own

import json
import logging
import os
import shlex
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import ClassVar

import gevent
from pyinfra.api.config import Config
from pyinfra.api.connect import disconnect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import BaseStateCallback, State, StateStage
from pyinfra.connectors.sshuserclient import client as ssh_client
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.inventory import make_inventory

from lienthong import jump
from lienthong.errors import LienThongError
from lienthong.hosts.nodestate import node_state

CONNECT_TIMEOUT_S = 10
#: A look at a node takes seconds; once a run stood still for ten minutes with every answer sent.
LOOK_S = 120


def _through(words: str) -> socket.socket:
    """In place of paramiko's `ProxyCommand`: a socket, on which whoever waits is woken at once.

    Its own reads on at the end of the stream without a pause, and nobody reads what the command complains of.
    """
    return jump.through(shlex.split(words), CONNECT_TIMEOUT_S)


ssh_client.ProxyCommand = _through


@dataclass
class _Part:
    """One deploy file on one node."""

    step: str
    ops: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failure: str = ""


class _Log(logging.Handler):
    """Keeps what pyinfra complains of, by node, for the detail of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        name = str(ctx_host.get().name) if ctx_host.isset() else ""
        self.lines.setdefault(name, []).append(record.getMessage().strip())


class _Connections(BaseStateCallback):
    """Remembers why a node could not be reached."""

    reasons: ClassVar[dict[str, str]] = {}

    @staticmethod
    def host_connect_error(_state: State, host: Host, error: Exception) -> None:
        _Connections.reasons[host.name] = " ".join(str(error).split())


def main() -> int:
    job = json.load(sys.stdin)
    # Whatever prints by accident must not tear the JSON lines.
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    sys.stdout = sys.stderr
    root = Path(job["root"])
    log = _Log()
    logging.getLogger("pyinfra").addHandler(log)
    state = State(check_for_changes=True)
    ctx_state.set(state)
    config = Config(CONNECT_TIMEOUT=CONNECT_TIMEOUT_S)
    ctx_config.set(config)
    state.cwd = str(root)
    inventory = make_inventory(str(root / "inventory" / "hosts.py"), cwd=str(root))
    ctx_inventory.set(inventory)
    wanted = [host for host in inventory if host.name in set(job["nodes"])]
    state.init(inventory, config, initial_limit=wanted)
    state.add_callback_handler(_Connections())

    def tell(**line: object) -> None:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")

    codes = {Path(path).stem: compile(Path(path).read_text("utf-8"), path, "exec") for path in job["deploys"]}
    state.set_stage(StateStage.Connect)
    tell(progress=f"pyinfra: connecting to {len(wanted)} nodes")
    try:
        gevent.joinall([gevent.spawn(_connect, state, host) for host in wanted])
        alive = [host for host in wanted if host.connected]
        for host in wanted:
            if not host.connected:
                reason = _Connections.reasons.get(host.name, "no connection")
                for step in codes:
                    tell(result=_result(host, _Part(step, failure=reason), "unreachable"))
        state.set_stage(StateStage.Prepare)
        parts: dict[str, list[_Part]] = {}
        gevent.joinall([gevent.spawn(_prepare, state, host, codes, parts) for host in alive])
        changing = sum(bool(part.changes) for of_host in parts.values() for part in of_host)
        tell(progress=f"pyinfra: {changing} of {sum(map(len, parts.values()))} parts differ")
        if not job["check"]:
            state.set_stage(StateStage.Execute)
            state.is_executing = True
            gevent.joinall(
                [gevent.spawn(_execute, state, host, parts[host.name], log, tell) for host in alive]
            )
        for host in alive:
            for part in parts[host.name]:
                outcome = "failed" if part.failure else "changed" if part.changes else "unchanged"
                tell(result=_result(host, part, outcome))
        state.set_stage(StateStage.Disconnect)
        disconnect_all(state)
    finally:
        out.flush()
    return 0


def _connect(state: State, host: Host) -> None:
    host.connect(show_errors=False)
    if host.connected:
        state.activate_host(host)


def _prepare(state: State, host: Host, codes: dict[str, CodeType], parts: dict[str, list[_Part]]) -> None:
    """Run the deploy files on one node as far as planning goes; nothing is changed."""
    found = parts.setdefault(host.name, [])
    with _on(state, host):
        try:
            with gevent.Timeout(LOOK_S, _Silent(f"nothing more was heard for {LOOK_S} s")):
                node_state()
        except Exception as error:  # noqa: BLE001 - one node's trouble is its own result
            found += [_Part(step, failure=_reason(error)) for step in codes]
            return
        for step, code in codes.items():
            part = _Part(step)
            found.append(part)
            before = len(host.op_hash_order)
            started = time.monotonic()
            # A file that failed half way notes nothing and takes nothing away.
            node_state().claims.clear()
            try:
                exec(code, {"__file__": code.co_filename})  # noqa: S102 - as pyinfra itself does
            except Exception as error:  # noqa: BLE001 - whatever a deploy file raises is its result
                part.failure = _reason(error)
            part.ops = host.op_hash_order[before:]
            for op in part.ops:
                if op in state.ops[host] and state.ops[host][op].operation_meta.will_change:
                    part.changes += [_words(c) for c in state.ops[host][op].command_generator()]
            part.seconds = time.monotonic() - started


def _execute(state: State, host: Host, parts: list[_Part], log: _Log, tell: _Tell) -> None:
    """Run what was planned for one node. A failed operation ends its deploy file, not the others."""
    with _on(state, host):
        for part in parts:
            if part.failure:
                continue
            part.changes = []
            started = time.monotonic()
            for op in part.ops:
                done = state.ops[host][op].operation_meta
                try:
                    good = run_host_op(state, host, op)
                except PyinfraError as error:
                    good, log.lines[host.name] = False, [_reason(error)]
                name = state.ops[host][op].global_arguments.get("name") or "operation"
                if not good:
                    told = (done.stderr_lines or done.stdout_lines)[-5:] if done.is_complete() else []
                    part.failure = f"{name}: {' | '.join(told or log.lines.get(host.name, [])[-3:])}"
                    break
                if done.did_change():
                    part.changes += [_words(c) for c in done._commands or []]
            part.seconds = time.monotonic() - started
            if part.changes or part.failure:
                tell(progress=f"{host.name}: {part.step}: {part.failure or f'{len(part.changes)} changes'}")


class _Tell:
    """Type of the function that writes a line."""

    def __call__(self, **line: object) -> None: ...


@contextmanager
def _on(state: State, host: Host) -> Iterator[None]:
    with ctx_state.use(state), ctx_config.use(state.config.copy()), ctx_host.use(host):
        yield


def _words(command: object) -> str:
    """What a command does, in words safe to show: ours say so, others show their masked text."""
    what = getattr(command, "what", None)
    return str(what if what is not None else command)[:300]


class _Silent(Exception):
    """A node was not looked at to the end."""


def _reason(error: Exception) -> str:
    if isinstance(error, LienThongError | PyinfraError):
        return str(error)
    if isinstance(error, _Silent):
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "/gevent/" not in f.filename]
        return f"{error}; it stood in {', '.join(f'{Path(f.filename).name}:{f.lineno}' for f in frames[-4:])}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"


def _result(host: Host, part: _Part, outcome: str) -> dict[str, object]:
    return {
        "node": host.name,
        "step": part.step,
        "outcome": outcome,
        "changes": part.changes,
        "seconds": round(part.seconds, 2),
        "detail": part.failure,
    }


if __name__ == "__main__":
    sys.exit(main())
