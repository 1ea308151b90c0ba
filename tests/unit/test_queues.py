"""How a line is shared, and that every line whose rate is known has its queues at both ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.hosts.deploying import render
from lienthong.plan.queues import QUEUES, of_rate, queues_of
from lienthong.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("rate", [1, 10, 155, 10_000])
def test_no_line_is_promised_more_than_it_has(rate: int) -> None:
    line = of_rate("tslcd-a", rate)
    assert sum(share.rate_kbit for share in line.shares) <= line.rate_kbit < rate * 1000
    assert all(share.rate_kbit > 0 and share.limit_packets >= 30 for share in line.shares)


def test_conferences_go_before_all_but_routing() -> None:
    order = [mark for queue in QUEUES for mark in queue.marks]
    assert order.index(48) < order.index(46) < order.index(34)
    assert QUEUES[-1].marks == ()


def test_a_line_has_queues_at_both_ends_if_its_rate_is_known() -> None:
    plan = Workspace(ROOT, "lab").plan
    site = {line.interface: line.rate_kbit for line in queues_of(plan.nodes["loc-ninh-gw-wan"])}
    office = {line.interface: line.rate_kbit for line in queues_of(plan.nodes["tinh-uy-gw-wan"])}
    assert site == {"tslcd-a": 9500, "tslcd-b": 9500}
    assert office["ta5"] == office["tb5"] == 9500
    boards = [s for s in plan.sites.values() if s.site.kind == "board"]
    assert boards and not any(queues_of(s.nodes[f"{s.site.slug}-gw-wan"]) for s in boards)
    for name in ("loc-ninh-gw-net", "loc-ninh-sw-wan", "loc-ninh-srv"):
        assert queues_of(plan.nodes[name]) == ()


def test_what_no_queue_is_for_goes_to_the_last() -> None:
    told = render("qos/qos.tc.j2", lines=[of_rate("tslcd-a", 10)])
    assert "qdisc add dev tslcd-a root handle 1: htb default 40\n" in told
    assert "u32 match ip tos 184 0xfc flowid 1:20\n" in told
    assert told.count("ceil 9500kbit") == 1 + len(QUEUES)
