"""A sweep that loses packets, and a look at Prometheus that comes too early: neither may decide."""

from __future__ import annotations

from typing import Any

import pytest

from checks.test_monitoring import patience_s
from lienthong.audit.play import _rounds


class Lossy:
    """A probe whose first round loses what the second finds, and the other way round."""

    def __init__(self, *rounds: list[str]) -> None:
        self.rounds = list(rounds)

    def reach(self, targets: list[Any], timeout_s: float) -> list[str]:
        assert timeout_s < 1.0, "the kernel's second SYN would come"
        return self.rounds.pop(0)[: len(targets)]


def test_what_answered_in_either_round_came_through() -> None:
    probe: Any = Lossy(["silent", "open", "silent", "refused"], ["open", "silent", "silent", "open"])
    found = _rounds(probe, [("udp", "192.0.2.1", port) for port in range(4)])
    assert found == ["open", "open", "silent", "refused"]
    assert probe.rounds == [], "everything is sent twice"


@pytest.mark.parametrize(
    ("health", "every", "seconds"),
    [("up", "5s", 0), ("unknown", "30s", 40), ("unknown", "5m", 70), ("down", "5s", 5), ("down", "1m", 15)],
)
def test_who_was_never_asked_has_a_whole_round_before_it(health: str, every: str, seconds: float) -> None:
    assert patience_s({"health": health, "scrapeInterval": every}) == seconds
