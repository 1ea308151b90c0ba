"""Ends what a run left open: every device that may hold an unconfirmed change is asked, and returned.

A run that was cut off leaves devices armed. Each returns by itself; who goes on does not want to wait for
that, and must not build on a change that is about to go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from lienthong.errors import LienThongError, Unreachable
from lienthong.journal import Event
from lienthong.model.intent import Node
from lienthong.runners.look import Connect, kind_of
from lienthong.transport.veil import Veil
from lienthong.workspace import Workspace

#: returned: it was armed, and holds what it held before. quiet: nothing was armed any more. unknown: not
# seen.
State = Literal["returned", "quiet", "unknown"]


@dataclass(frozen=True)
class Settled:
    """What became of one device that was left open."""

    node: str
    state: State
    said: str


def settle(
    ws: Workspace,
    left: Mapping[str, Event],
    say: Callable[[str], None],
    connect: Connect | None = None,
) -> list[Settled]:
    """Return every device of `left` that is still armed.

    Args:
        left: devices with the last stage they reached, from :meth:`lienthong.journal.Journal.unsettled`.
    """
    nodes = [ws.plan.nodes[name] for name in left if name in ws.plan.nodes]
    if not nodes:
        return []
    say(f"{len(nodes)} devices may hold a change that nobody confirmed: {', '.join(n.name for n in nodes)}")
    with ThreadPoolExecutor(min(32, len(nodes))) as pool:
        return list(pool.map(lambda node: _one(ws, node, connect or _over_ssh(ws)), nodes))


def _over_ssh(ws: Workspace) -> Connect:
    from lienthong.transport.login import connect  # Netmiko's import takes its time

    return lambda node, dialect, veil: connect(ws.access, node, dialect, veil)


def _one(ws: Workspace, node: Node, connect: Connect) -> Settled:
    kind = kind_of(node)
    undo = kind.undo if kind is not None else None
    if kind is None or undo is None:
        return Settled(
            node.name, "unknown", "it has no undo of its own; the next comparison tells what it holds"
        )
    spoken = next(d for d in kind.dialects if d.name == undo.dialect)
    try:
        session = connect(node, spoken, Veil(ws.secrets, ()))
        try:
            armed = undo.pending(session)
            if not armed:
                return Settled(node.name, "quiet", "nothing is armed: it has returned, or was never changed")
            return Settled(node.name, "returned", undo.fire(session))
        finally:
            session.close()
    except (LienThongError, Unreachable) as error:
        return Settled(node.name, "unknown", error.what)


def nodes_of(ws: Workspace, names: Sequence[str]) -> list[Node]:
    """The nodes of a former run that the inventory still has, in the run's order."""
    return [ws.plan.nodes[name] for name in names if name in ws.plan.nodes]
