"""A sweep that loses packets, and a look at Prometheus that comes too early: neither may decide."""

from __future__ import annotations

from typing import Any

import pytest

from checks.test_monitoring import patience_s
from lienthong.audit.play import _rounds


class Lossy:
    """A probe whose rounds each lose what another finds, by port."""

    def __init__(self, *rounds: list[str]) -> None:
        self.rounds = list(rounds)
        self.orders: list[list[int]] = []

    def reach(self, targets: list[Any], timeout_s: float) -> list[str]:
        assert timeout_s < 1.0, "the kernel's second SYN would come"
        answers = self.rounds.pop(0)
        self.orders.append([port for _, _, port in targets])
        return [answers[port] for port in self.orders[-1]]


def test_what_answered_in_any_round_came_through() -> None:
    probe: Any = Lossy(
        ["silent", "open", "silent", "refused", "silent", "silent"],
        ["open", "silent", "silent", "open", "silent", "silent"],
        ["silent", "silent", "silent", "silent", "open", "silent"],
    )
    found = _rounds(probe, [("udp", "192.0.2.1", port) for port in range(6)])
    assert found == ["open", "open", "silent", "refused", "open", "silent"]
    assert probe.rounds == [], "everything is sent three times"


def test_each_round_has_an_order_of_its_own() -> None:
    """What a full queue drops is the end of a burst: with one order it would always be the same packets."""
    probe: Any = Lossy(*[["silent"] * 40] * 3)
    _rounds(probe, [("udp", "192.0.2.1", port) for port in range(40)])
    assert len({tuple(order) for order in probe.orders}) == 3
    assert all(sorted(order) == list(range(40)) for order in probe.orders)


@pytest.mark.parametrize(
    ("health", "every", "seconds"),
    [("up", "5s", 0), ("unknown", "30s", 40), ("unknown", "5m", 70), ("down", "5s", 5), ("down", "1m", 15)],
)
def test_who_was_never_asked_has_a_whole_round_before_it(health: str, every: str, seconds: float) -> None:
    assert patience_s({"health": health, "scrapeInterval": every}) == seconds
