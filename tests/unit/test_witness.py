"""The checks of a site as a witness: what they say counts, when they are asked, and whose turn it is."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lienthong.audit.witness import Witness, seen
from lienthong.diff import Diff
from lienthong.errors import LienThongError, Refused
from lienthong.runners import proof
from lienthong.runners.evidence import Seen, wait_for_checks
from lienthong.runners.turns import Turns

FLOWS = {"control": "NET-02a", "check": "test_traffic.py::test_flows", "site": "loc-ninh", "node": None}


def finding(status: str, detail: str = "") -> dict[str, Any]:
    return {"finding": {**FLOWS, "status": status, "detail": detail}}


def test_a_check_that_fails_still_holds_what_it_says_holds() -> None:
    found = seen([finding("fail", "a to b: silent\nmore"), {"held": ["c to d tcp 22"], **FLOWS}])
    place = "NET-02a test_flows loc-ninh"
    assert found == Seen(frozenset({"NET-02a loc-ninh: c to d tcp 22"}), {place: "a to b: silent"})
    assert seen([finding("pass")]).holds == {place}
    for status in ("not assessed", "not applicable", "error"):
        assert not seen([finding(status)]).holds


def test_no_check_at_all_is_an_error() -> None:
    asked = Witness(cast(Any, None), lambda *_: ([], 4, "no such plugin"))
    with pytest.raises(LienThongError, match="no check was run"):
        asked.look(["loc-ninh"])


def test_gear_of_the_office_is_looked_at_from_some_sites_too() -> None:
    names = [f"site-{i}" for i in range(9)]
    nodes = [SimpleNamespace(site=name, device=True) for name in ("office", *names)]
    ws = SimpleNamespace(
        site=lambda slug: SimpleNamespace(site=SimpleNamespace(hub=slug == "office")), reachable=lambda: nodes
    )
    asked = Witness(cast(Any, ws))
    assert asked.sites(cast(Any, nodes[0])) == ("office", "site-0", "site-1", "site-2")
    assert asked.sites(cast(Any, nodes[5])) == ("site-4",)


def test_what_held_must_hold_again_and_what_did_not_is_not_asked_for() -> None:
    answers = iter([Seen(frozenset({"a"}), {"b": "silent"}), Seen(frozenset({"a", "b", "c"}), {})])
    wait_for_checks(
        Seen(frozenset({"a", "b"}), {"c": "broken"}), lambda: next(answers), time.monotonic() + 60
    )
    assert next(answers, None) is None, "it was asked again until all held"


def test_what_no_longer_holds_is_named_with_its_reason() -> None:
    now = Seen(frozenset({"a"}), {"b": "nobody answers"})
    with pytest.raises(
        LienThongError, match=r"1 passed before the change and do not now: b \(nobody answers\)"
    ):
        wait_for_checks(Seen(frozenset({"a", "b"}), {}), lambda: now, time.monotonic() + 0.1)


def test_an_answer_that_comes_too_late_confirms_nothing() -> None:
    now = Seen(frozenset({"a"}), {})
    with pytest.raises(LienThongError, match="too late to confirm"):
        wait_for_checks(now, lambda: now, time.monotonic() - 0.1)


class Asked:
    """A witness with one answer; counts how often it was asked."""

    def __init__(self, holds: set[str], takes_s: float = 0) -> None:
        self.answer, self.takes_s, self.times = Seen(frozenset(holds), {}), takes_s, 0

    def sites(self, node: Any) -> tuple[str, ...]:
        return (node.site,)

    def look(self, sites: Any) -> Seen:
        self.times += 1
        time.sleep(self.takes_s)
        return self.answer


def shared(witness: Any, **more: Any) -> Any:
    found = {
        "witness": witness,
        "check": False,
        "allow": frozenset(),
        "progress": lambda _: None,
        "held": lambda _: None,
    }
    return SimpleNamespace(**{**found, **more})


def device(**more: Any) -> Any:
    return SimpleNamespace(node=SimpleNamespace(name="gw", site="x", device=True), exact=None, **more)


def holding(lines: int) -> Any:
    return {"ios": SimpleNamespace(diff=Diff((), (("x",),), lines))}


@pytest.mark.parametrize(
    ("about", "lines", "asked"),
    [
        ({}, 50, ("x",)),
        ({}, 3, ()),  # after day 0 there is nothing that a change could break
        ({"check": True}, 50, ()),
        ({"allow": frozenset({"checks@gw"})}, 50, ()),
        ({"allow": frozenset({"checks@other"})}, 50, ("x",)),
        ({"witness": None}, 50, ()),
    ],
)
def test_when_the_checks_are_asked(about: dict[str, Any], lines: int, asked: tuple[str, ...]) -> None:
    assert proof.asked_of(shared(**{"witness": Asked({"a"}), **about}), device(), holding(lines)) == asked


def test_what_goes_back_and_what_is_no_gear_is_changed_without_them() -> None:
    whom = device()
    whom.exact = {}
    assert proof.asked_of(shared(Asked({"a"})), whom, holding(50)) == ()
    whom = device()
    whom.node.device = None
    assert proof.asked_of(shared(Asked({"a"})), whom, holding(50)) == ()


def test_checks_that_take_too_long_are_refused_before_anything_is_sent() -> None:
    change = cast(Any, SimpleNamespace(window_s=0.2))
    with pytest.raises(Refused, match=r"waits 0\.2 s for the confirmation"):
        proof.before(shared(Asked({"a"}, 0.15)), device(), change, {}, {}, ("x",))


def test_who_lost_the_site_meanwhile_is_told_that_first() -> None:
    def lost(_: Any) -> None:
        raise LienThongError("this run no longer holds the site")

    change = cast(Any, SimpleNamespace(window_s=0.2))
    with pytest.raises(LienThongError, match="no longer holds"):
        proof.before(shared(Asked({"a"}, 0.15), held=lost), device(), change, {}, {}, ("x",))


def test_a_device_that_moves_meanwhile_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    change = cast(Any, SimpleNamespace(window_s=60))
    held = {"ios": cast(Any, SimpleNamespace(running=(("a",), ("b",))))}
    monkeypatch.setattr(proof, "look", lambda *_: held)
    kept = proof.before(shared(Asked({"a"})), device(), change, held, {}, ("x",))
    assert kept == proof.Proof(("x",), Seen(frozenset({"a"}), {}))
    assert proof.before(shared(Asked(set())), device(), change, held, {}, ("x",)) is None
    moved = {"ios": cast(Any, SimpleNamespace(running=(("a",),)))}
    with pytest.raises(Refused, match="has moved"):
        proof.before(shared(Asked({"a"})), device(), change, moved, {}, ("x",))


def test_one_device_of_a_site_at_a_time_and_three_sites_together() -> None:
    turns = Turns(changes=32)
    assert turns.take(("a",))
    assert not turns.take(("a",))
    assert not turns.take(("b", "a"))
    assert turns.take(("b",)) and turns.take(("c",))
    assert not turns.take(("d",)), "as many as may be asked at a time are asked"
    assert turns.take(()), "what is changed without checks waits for none"
    turns.give(("a",))
    assert turns.take(("d",))


def test_who_waits_gets_the_turn_that_is_given_back() -> None:
    turns, order = Turns(changes=2), []
    assert turns.take(("a",))

    def other() -> None:
        with turns.waited_for(("a", "b")):
            order.append("other")

    waiting = threading.Thread(target=other)
    waiting.start()
    time.sleep(0.05)
    order.append("first")
    turns.give(("a",))
    waiting.join(5)
    assert order == ["first", "other"]
    assert turns.take(("a",)) and turns.take(("b",))
