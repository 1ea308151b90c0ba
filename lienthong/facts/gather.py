"""Gets facts from nodes: one ssh login each, side by side, over connections that Testinfra then reuses."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from lienthong.facts import collector
from lienthong.facts.facts import FactMissing, Facts
from lienthong.model.intent import Node
from lienthong.openssh import WITHIN_S, Ways, reason
from lienthong.target import Access


def gather(node: Node, there: Ways, within_s: float = WITHIN_S) -> Facts:
    """The facts of one node.

    Raises:
        Unreachable: no login.
        FactMissing: the collector did not run there.
    """
    source = Path(collector.__file__).read_text(encoding="utf-8")
    words = ("/usr/bin/python3", "-I", "-")
    done = there.run(node.name, words, within_s=within_s, stdin=source)
    if done.returncode:
        raise FactMissing(f"{node.name}: the collector failed: {reason(done.stderr)}")
    return Facts.from_json(node.name, done.stdout)


#: How much longer an emulated computer is waited for, see `lienthong.lab.guest`.
EMULATED = 6


class Gathering:
    """Facts of many nodes; each node is asked once, when first wanted or when told to start early."""

    def __init__(self, access: Access, nodes: dict[str, Node], there: Ways, workers: int = 8) -> None:
        self._access = access
        self._nodes = nodes
        self._there = there
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="facts")
        self._jobs: dict[str, Future[Facts]] = {}
        self._lock = Lock()

    def start(self, names: Iterable[str]) -> None:
        """Begin to ask these nodes; does not wait."""
        for name in names:
            self._job(name)

    def of(self, name: str) -> Facts:
        """The facts of a node.

        Raises:
            Unreachable: the target does not have it, or there is no login.
        """
        return self._job(name).result()

    def again(self, name: str) -> Facts:
        """Ask once more, after something was changed."""
        with self._lock:
            self._jobs.pop(name, None)
        return self.of(name)

    def _job(self, name: str) -> Future[Facts]:
        with self._lock:
            if name not in self._jobs:
                node = self._nodes[name]
                self._access.address(node)
                within_s = WITHIN_S * (EMULATED if node.name in self._access.kernel else 1)
                self._jobs[name] = self._pool.submit(gather, node, self._there, within_s)
            return self._jobs[name]

    def close(self) -> None:
        """Let no thread start another login."""
        self._pool.shutdown(wait=False, cancel_futures=True)
