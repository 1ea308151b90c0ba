"""Calls and rehearsals without a network: who calls whom, what is left alone, how it is judged and told."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.conference import call, ctrl_tcp, told
from lienthong.conference.call import End
from lienthong.conference.endpoint import Stream
from lienthong.conference.heard import Heard, Jitter, Listened
from lienthong.conference.measured import Measured, Medium, beyond, measure
from lienthong.conference.partners import endpoints, partners
from lienthong.conference.reach import BrokenOff
from lienthong.conference.rehearsal import pairs, rehearse
from lienthong.conference.verdict import Row, State, exit_code, judged
from lienthong.errors import Exit, LienThongError, Unreachable
from lienthong.inventory import load
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.target import Access

ROOT = Path(__file__).resolve().parents[2]


def test_the_office_calls_each_site_and_sites_call_each_other() -> None:
    assert pairs(["o"], ["a", "b", "c"]) == [("o", "a"), ("o", "b"), ("o", "c"), ("a", "b"), ("c", "a")]
    assert pairs(["o"], ["a"]) == [("o", "a")]
    assert pairs(["o", "p"], ["a", "b", "c"])[:3] == [("o", "a"), ("p", "b"), ("o", "c")]
    assert pairs([], ["a", "b"]) == [("a", "b")]
    assert pairs(["o", "p"], []) == [("o", "p")]
    assert pairs([], ["a"]) == pairs(["o"], []) == pairs([], []) == []


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_no_endpoint_has_two_calls_and_all_are_made(at_once: int) -> None:
    wanted = pairs(["o"], [f"s{n}" for n in range(7)])
    lock, most = threading.Lock(), 0
    now: list[tuple[str, str]] = []

    def do(pair: tuple[str, str]) -> str:
        nonlocal most
        with lock:
            assert not set(pair) & {name for other in now for name in other}
            now.append(pair)
            most = max(most, len(now))
        time.sleep(0.01)
        with lock:
            now.remove(pair)
        return "done"

    done = list(rehearse(wanted, at_once, do, lambda: False))
    assert sorted(pair for pair, _ in done) == sorted(wanted)
    assert most <= at_once
    assert most > 1 or at_once == 1


def test_once_stopped_nothing_else_is_begun() -> None:
    begun: list[tuple[str, str]] = []
    wanted = pairs(["o"], ["a", "b", "c"])
    assert len(list(rehearse(wanted, 1, begun.append, lambda: len(begun) >= 2))) == 2
    assert len(begun) == 2


class Endpoint:
    """An endpoint that answers the program's words; only what `place` needs."""

    def __init__(self, number: str, listed: str = "", rings: bool = True, media: str | None = None) -> None:
        self.number, self.listed, self.rings, self.media = number, listed, rings, media
        self.said: list[str] = []

    def __call__(self, line: str) -> str:
        if "AF_PACKET" in line:
            self.said.append("listen")
            if self.media is None:
                raise BrokenOff("broken off")
            return self.media
        words = re.split(r"\s+", line[line.rindex(" 4444 ") :].strip())[1:]
        answers = []
        for word in (one.strip("'") for one in words):
            self.said.append(word)
            ok = not (word.startswith("wait=CALL_RINGING") and not self.rings)
            ok = ok and not word.startswith("wait=CALL_ESTABLISHED|CALL_CLOSED:0.3")
            data = self.listed if word == "listcalls" else "" if ok else "CALL_CLOSED: 404 \x1b[2J gone"
            answers.append(json.dumps({"ok": ok, "data": data, "ms": 5, "events": []}))
        return "\n".join(answers) + "\n"


def end(program: Endpoint, name: str = "a") -> End:
    return End(f"{name}-vc", name, program.number, IPv4Address("10.0.0.1"), program, program)


class Rings(Endpoint):
    """One that has no call when first asked, and an incoming one then."""

    def __init__(self, number: str, peer: str) -> None:
        super().__init__(number)
        self.peer = peer

    def __call__(self, line: str) -> str:
        found = super().__call__(line)
        self.listed = f"> [line 1]  0:00:03  INCOMING             sip:{self.peer}@10.0.0.1\n"
        return found


def test_a_call_in_progress_is_not_touched() -> None:
    near = Endpoint("1000")
    far = Endpoint("1005", listed="> [line 1]  0:00:03  ESTABLISHED             sip:1007@10.0.0.1\n")
    row = judged(end(near), end(far, "b"), 2)
    assert row.state is State.BUSY
    assert near.said == far.said == ["listcalls"]
    assert exit_code([row]) == Exit.UNREACHABLE


def test_what_does_not_ring_is_ended_and_told_harmlessly() -> None:
    near, far = Endpoint("1000", rings=False), Endpoint("1005")
    row = judged(end(near), end(far, "b"), 2)
    assert row.state is State.FAILED and exit_code([row]) == Exit.FINDINGS
    assert "b-vc does not ring when a-vc calls: 404 \\x1b[2J gone" in row.why[0]
    assert near.said[-1] == "leave=1005" and far.said[-1] == "leave=1000"


def test_a_call_of_somebody_else_is_not_taken() -> None:
    near, far = Endpoint("1000"), Rings("1005", peer="1007")
    row = judged(end(near), end(far, "b"), 2)
    assert row.state is State.FAILED and "something else" in row.why[0]
    assert "accept" not in far.said
    # What `leave` does there: it names the number, so that this other call stays.
    assert far.said[-1] == "leave=1000"


def test_a_call_that_is_broken_off_is_ended_on_both_sides() -> None:
    near, far = Endpoint("1000"), Rings("1005", peer="1000")
    row = judged(end(near), end(far, "b"), 2)
    assert row.state is State.UNMEASURED and row.why == ("broken off",)
    assert exit_code([row]) == Exit.UNREACHABLE
    assert near.said[-1] == "leave=1005" and far.said[-1] == "leave=1000"


def test_an_endpoint_that_is_not_reached_is_no_finding() -> None:
    def away(line: str) -> str:
        raise Unreachable(f"no login {len(line)}")

    row = judged(replace(end(Endpoint("1000")), run=away), end(Endpoint("1005"), "b"), 2)
    assert row.state is State.AWAY and exit_code([row]) == Exit.UNREACHABLE


def test_leave_ends_the_call_with_that_number_only(monkeypatch: pytest.MonkeyPatch) -> None:
    control = object.__new__(ctrl_tcp.Control)
    asked: list[str] = []

    def ask(command: str, _: str) -> tuple[bool, str]:
        asked.append(command)
        return True, "> [line 1]  0:00:03  ESTABLISHED             sip:1007@10.0.3.10\n"

    monkeypatch.setattr(control, "ask", ask)
    assert control.leave("100") == control.leave("1000") == (False, "no call with it")
    assert asked == ["listcalls"] * 2
    control.leave("1007")
    assert asked[2:] == ["listcalls", "hangup"]


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (["", ""], ["listcalls", "hangup"]),
        (["CALL_CLOSED"], []),
        (["CALL_RTCP", "CALL_CLOSED"], []),
        (None, []),
    ],
)
def test_a_guard_ends_what_nobody_else_ended(
    monkeypatch: pytest.MonkeyPatch, heard: list[str] | None, said: list[str]
) -> None:
    """Nothing heard until it is late; the call closed; the connection taken over by somebody else."""
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(socket, "create_connection", lambda *_: ours)
    asked: list[str] = []

    def answer() -> None:
        buffer = b""
        while data := theirs.recv(4096):
            found, buffer = ctrl_tcp.split(buffer + data)
            for message in found:
                asked.append(message["command"])
                reply = {"response": True, "ok": True, "data": " sip:1007@x", "token": message["token"]}
                theirs.sendall(ctrl_tcp.netstring(reply))

    for kind in filter(None, heard or []):
        theirs.sendall(ctrl_tcp.netstring({"event": True, "type": kind}))
    if heard is None:
        theirs.close()
    else:
        threading.Thread(target=answer, daemon=True).start()
    ctrl_tcp.Control(4444).guard("1007", 0.2)
    assert asked == said
    ours.close()


GOOD = Measured(Medium.AUDIO, "b-vc", "a-vc", 500, 500, 0, 0, 0, 1.0, 2.0, 0.1, ((46, 500),), True, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"lost": 2}, None),
        ({"lost": 3}, "loss 0.6 % (3 of 500, limit 0.5 %)"),
        ({"jitter_ms": 30.0}, None),
        ({"jitter_ms": 31.2}, "jitter 31 ms (limit 30 ms)"),
        ({"gap_s": 1.5}, "1.5 s without a packet"),
        ({"marks": ((0, 3), (46, 497))}, "DSCP 0, 46 (wanted 46)"),
        ({"secure": False}, "not encrypted, says the endpoint"),
        ({"cipher": None}, None),
        ({"cipher": False}, "not encrypted on the wire"),
        ({"packets": 0}, "does not arrive"),
    ],
)
def test_limits(changed: dict[str, object], said: str | None) -> None:
    found = beyond(replace(GOOD, **changed))  # type: ignore[arg-type]
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def placed(*measured: Measured, ringing_ms: float = 100.0) -> call.Placed:
    return call.Placed("b-vc", "a-vc", ringing_ms, 100.0, measured, ())


def test_one_place_after_another_says_how_bad_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (end(Endpoint("1000"), "b"), end(Endpoint("1005"), "a"))

    def row(found: call.Placed) -> Row:
        monkeypatch.setattr("lienthong.conference.verdict.place", lambda *_: found)
        return judged(*both, 2)

    assert row(placed(GOOD)).state is State.GOOD
    slow = row(placed(GOOD, ringing_ms=3100.0))
    assert slow.state is State.BEYOND and slow.why == ("set-up 3.2 s (limit 3 s)",)
    deaf = row(placed(replace(GOOD, missed=4, lost=400)))
    assert deaf.state is State.UNMEASURED and exit_code([deaf]) == Exit.UNREACHABLE
    assert exit_code([row(placed(GOOD)), slow, deaf]) == Exit.FINDINGS
    assert exit_code([row(placed(GOOD)), deaf]) == Exit.UNREACHABLE
    assert exit_code([row(placed(GOOD))]) == Exit.OK


def heard(payload: int, sender: str = "10.0.0.1", entropy: float = 7.9, samples: int = 9000) -> Heard:
    clocks = (Jitter(8000, 1, 2), Jitter(48000, 3, 4), Jitter(90000, 5, 6))
    marks = ((46, 99),)
    return Heard(IPv4Address(sender), payload, 99, 100, 1, 0, 0, marks, clocks, 0.1, entropy, samples)


def test_a_medium_is_what_the_endpoint_says_it_is() -> None:
    listened = Listened((heard(8), heard(96), heard(8, sender="10.0.0.9")), 0)
    whom = "b-vc", IPv4Address("10.0.0.1")
    audio = measure(listened, {}, Medium.AUDIO, whom, "a-vc")
    assert (audio.packets, audio.lost, audio.jitter_ms, audio.secure) == (99, 1, 1, False)
    assert measure(listened, {}, Medium.VIDEO, whom, "a-vc").jitter_ms == 5
    opus = {"audio": Stream(9, 9, True, 111, 48000)}
    found = measure(Listened((heard(111),), 0), opus, Medium.AUDIO, whom, "a-vc")
    assert (found.packets, found.jitter_ms, found.secure, found.cipher) == (99, 3, True, True)
    assert measure(Listened((heard(111),), 0), opus, Medium.VIDEO, whom, "a-vc").packets == 0
    few = Listened((heard(8, samples=500),), 0)
    assert measure(few, {}, Medium.AUDIO, whom, "a-vc").cipher is None


def test_a_table_of_a_minute() -> None:
    video = replace(GOOD, medium=Medium.VIDEO, marks=((34, 99),), expected=99, packets=98, lost=1)
    rows = [
        Row("loc-ninh", "1005", "loc-ninh-vc", "tinh-uy", State.GOOD, (), placed(GOOD, video)),
        Row("bu-dop", "1006", "bu-dop-vc", "tinh-uy", State.FAILED, ("does not \x1b[2J ring",)),
        Row("bu-dang", "1008", "bu-dang-vc", "", State.UNMEASURED, ("cisco-roomos",)),
    ]
    back = replace(video, sender="a-vc", listener="b-vc", expected=98, lost=0)
    rows[0] = replace(rows[0], placed=placed(GOOD, video, back))
    text = told.table(rows)
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["Điểm", "site", "bu-dang", "bu-dop", "loc-ninh"]
    assert "0.0/1.0" in lines[4] and "46/34" in lines[4] and "có / yes" in lines[4]
    assert lines[5:7] == ["  bu-dang: cisco-roomos", "  bu-dop ← tinh-uy: does not \\x1b[2J ring"]
    assert "3 cuộc gọi / calls: 1 không gọi được / no call" in lines[7]
    data = json.loads(json.dumps(told.as_data(rows[0])))
    assert data["measured"][1]["loss_percent"] == 1.01 and data["verdict"] == "good"


def access(**changed: object) -> Access:
    empty = ROOT / "run"
    there = {"tinh-uy-vc": IPv4Address("10.0.0.1"), "loc-ninh-vc": IPv4Address("10.0.0.2")}
    found = Access(Target.LAB, ROOT, "lienthong", "netadm", empty, empty, there, empty)
    return replace(found, **changed)  # type: ignore[arg-type]


def test_partners_are_those_that_the_target_has() -> None:
    plan = build(load(ROOT / "inventory"))
    every = partners(plan, access(), [], every=True)
    assert every.pairs == (("tinh-uy-vc", "loc-ninh-vc"),) and not every.unmeasured
    assert partners(plan, access(), ["loc-ninh", "tinh-uy"], every=False).pairs == (
        ("loc-ninh-vc", "tinh-uy-vc"),
    )
    live = partners(plan, access(target=Target.LIVE), [], every=True)
    assert len(live.nodes) == len(endpoints(plan))
    called = {callee for caller, callee in live.pairs if plan.nodes[caller].site == "tinh-uy"}
    assert called == {node.name for node in endpoints(plan) if node.site != "tinh-uy"}
    some = partners(plan, access(target=Target.LIVE), ["bu-dop"], every=True)
    assert some.pairs == (("tinh-uy-vc", "bu-dop-vc"),)


def test_an_endpoint_with_a_software_of_its_own_is_told_not_failed() -> None:
    plan = build(load(ROOT / "inventory"))
    site = plan.sites["loc-ninh"]
    room = replace(site.nodes["loc-ninh-vc"], platform="cisco-roomos")
    plan = replace(
        plan, sites={**plan.sites, "loc-ninh": replace(site, nodes={**site.nodes, room.name: room})}
    )
    found = partners(plan, access(), ["loc-ninh", "tinh-uy"], every=False)
    assert found.pairs == () and [row.state for row in found.unmeasured] == [State.UNMEASURED]
    assert "cisco-roomos has a software of its own" in found.unmeasured[0].why[0]
    good = Row("bu-dop", "1006", "bu-dop-vc", "tinh-uy", State.GOOD)
    assert exit_code([*found.unmeasured, good]) == Exit.OK


@pytest.mark.parametrize(
    ("sites", "every", "said"),
    [
        ([], False, "name two sites"),
        (["loc-ninh"], False, "name two sites"),
        (["loc-ninh", "loc-ninh"], False, "name two sites"),
        (["loc-ninh", "nowhere"], False, "no site 'nowhere'"),
        (["nowhere"], True, "no site 'nowhere'"),
        (["loc-ninh", "bu-dop"], False, "bu-dop-vc is not reached"),
    ],
)
def test_what_cannot_be_called_is_said_before_anything_is_done(
    sites: list[str], every: bool, said: str
) -> None:
    plan = build(load(ROOT / "inventory"))
    with pytest.raises(LienThongError, match=said):
        partners(plan, access(), sites, every=every)
