"""One look at all devices of a run: what drifted, what changed since last time, and that on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lienthong.drift.fetch import Looked, look
from lienthong.drift.store import Store
from lienthong.errors import Exit
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import SecretStore
from lienthong.runners.look import Connect, Shared, speaks
from lienthong.target import Access


@dataclass(frozen=True)
class Drift:
    """What became of the devices."""

    devices: tuple[Looked, ...]
    commits: dict[str, str]
    """The commit of a device whose configuration has changed since it was fetched last, or is new."""
    folder: Path
    seconds: float

    @property
    def exit_code(self) -> Exit:
        """3 when a device was not seen, 1 when one differs from its intent."""
        if any(not one.seen for one in self.devices):
            return Exit.UNREACHABLE
        return Exit.FINDINGS if any(one.drift for one in self.devices) else Exit.OK


def run(
    access: Access,
    secrets: SecretStore,
    plan: ProvincePlan,
    nodes: Sequence[Node],
    folder: Path,
    say: Callable[[str], None],
    connect: Connect | None = None,
) -> Drift:
    """Look at every device with a command line, and keep what it holds.

    Args:
        folder: where the configurations are kept.
        connect: how a device is reached; by SSH where it is None.
    """
    began = time.monotonic()
    shared = Shared(
        access=access,
        secrets=secrets,
        plan=plan,
        connect=connect or _over_ssh(access),
        check=True,  # it only looks
        progress=say,
        record=lambda node, stage, data: None,  # noqa: ARG005
        allow=frozenset(),
        window_s=0,
        exact={},
        expected={},
        held=lambda node: None,  # noqa: ARG005
        stopped=lambda: False,
        alone=False,
        unsaved=frozenset(),
    )
    store = Store(folder)
    with store.open():
        found = look(shared, [node for node in nodes if speaks(node)], store.read)
        commits = {}
        for one in found:
            if one.seen:
                commit = store.keep(one.node, one.texts, one.by, _told(one))
                if commit is not None:
                    commits[one.node] = commit
    return Drift(tuple(found), commits, folder, time.monotonic() - began)


def _told(one: Looked) -> str:
    """What has changed, in one line."""
    if not one.before:
        return "fetched for the first time"
    count = len(one.changed)
    return f"{count} line{'s' if count != 1 else ''}: {one.changed[0]}" if count else "white space only"


def _over_ssh(access: Access) -> Connect:
    from lienthong.transport.login import connect  # Netmiko's import takes its time

    return lambda node, dialect, veil: connect(access, node, dialect, veil)
