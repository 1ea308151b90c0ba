"""Arms gear that is a Debian system while another tool changes it: its packet filter can cut it off too.

The same undo as for its command lines: what nobody confirms goes back by itself, also across a reboot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.platforms.undo import Arming, Undo
from lienthong.runners.look import Connect, Record, kind_of
from lienthong.runners.result import StepResult, Tool
from lienthong.target import Access
from lienthong.transport import Session
from lienthong.transport.veil import Veil

STEP = "shield"
#: Longer than the slowest step that is done meanwhile.
WINDOW_S = 600
_NO_SECRETS = Veil({}, ())  # type: ignore[arg-type]


class Shield:
    """The gear of one run that is armed around a step of another tool."""

    def __init__(self, access: Access, connect: Connect, record: Record, tool: Tool) -> None:
        self._access = access
        self._connect = connect
        self._record = record
        self._tool = tool
        self._armed: list[Node] = []

    def arm(self, nodes: Sequence[Node]) -> list[StepResult]:
        """Arm every node that is gear; the results are of those that could not be armed."""
        gear = [node for node in nodes if node.device is not None and _undo(node) is not None]
        failed = self._each(gear, self._arm)
        bad = {result.node for result in failed}
        self._armed = [node for node in gear if node.name not in bad]
        return failed

    def end(self, bad: Sequence[str]) -> list[StepResult]:
        """Over new logins: confirm what went well, return at once what did not.

        Args:
            bad: names of nodes on which the other tool failed.
        """
        failed = self._each([n for n in self._armed if n.name not in bad], self._confirm)
        return failed + self._each([n for n in self._armed if n.name in bad], self._fire)

    def _arm(self, node: Node, undo: Undo, session: Session) -> None:
        begun = undo.pending(session)
        if begun and undo.own:
            undo.fire(session)  # this run holds the lease: whoever armed that is gone
        elif begun:
            raise LienThongError(f"{node.name}: somebody else's change is not ended: {begun}")
        self._record(node.name, "arming", {"window_s": WINDOW_S, "method": undo.method})
        undo.arm(session, Arming(WINDOW_S, self._access.root / "templates", self._access.network_user))
        self._record(node.name, "armed", {"window_s": WINDOW_S, "method": undo.method})

    def _confirm(self, node: Node, undo: Undo, session: Session) -> None:
        undo.confirm(session)
        self._record(node.name, "confirmed", {})

    def _fire(self, node: Node, undo: Undo, session: Session) -> None:
        said = undo.fire(session)
        self._record(node.name, "returned", {"why": f"{self._tool} failed"})
        raise LienThongError(f"{node.name}: its packet filter is as before: {said}")

    def _each(self, nodes: Sequence[Node], do: Callable[[Node, Undo, Session], None]) -> list[StepResult]:
        def one(node: Node) -> StepResult | None:
            undo, dialect = _undo(node), _spoken(node)
            assert undo is not None
            assert dialect is not None
            try:
                session = self._connect(node, dialect, _NO_SECRETS)
                try:
                    do(node, undo, session)
                finally:
                    session.close()
            except LienThongError as error:
                return StepResult(node.name, STEP, self._tool, "failed", detail=str(error))
            return None

        if not nodes:
            return []
        with ThreadPoolExecutor(min(16, len(nodes))) as pool:
            return [result for result in pool.map(one, nodes) if result is not None]


def _undo(node: Node) -> Undo | None:
    kind = kind_of(node)
    return kind.undo if kind is not None and kind.debian else None


def _spoken(node: Node) -> Dialect | None:
    kind, undo = kind_of(node), _undo(node)
    if kind is None or undo is None:
        return None
    return next(dialect for dialect in kind.dialects if dialect.name == undo.dialect)
