"""Many calls at once between two sites, through a cut of the main line and back.

    python -m tests.lab.soak_calls --calls 12 --videos 2 --minutes 10

baresip places them by way of the registrar, over TLS and in cipher, as all calls here are. One is that of the
sites' own endpoints; for the others endpoints are started beside them, and the registrar is told of them
meanwhile. What arrives is summed up on both sides, in windows: loss counts where no line was cut or mended,
the longest gap everywhere. Prints a row a call and direction, and this machine's load.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

from lienthong.conference import endpoint, rtp
from lienthong.conference.measured import LOSS_PERCENT
from lienthong.lab import line
from lienthong.lab.lifecycle import running
from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.lab.state import read
from lienthong.lab.topology import derive
from lienthong.model.intent import Node
from lienthong.services.videoconf import RTP, Params
from lienthong.workspace import Workspace
from tests.lab.conftest import NAME, ROOT

SITES = ("loc-ninh", "tinh-uy")
LINE = "tslcd-a"
FOLDER = "/run/soak-calls"
FIRST = 2000
GAP_S = 2.0
MARKS = {"audio": 46, "video": 34}


class Lab:
    """The lab's conference systems, as root on them."""

    def __init__(self, name: str) -> None:
        os.environ["LIENTHONG_LAB"] = name
        self.plan = Workspace(ROOT, "lab").plan
        self.place = Place(ROOT, name)
        self.topology = derive(self.plan, running(self.place).sites)
        ends = {n.site: n for n in self.plan.running("videoconf") if self.role(n) == "endpoint"}
        self.nodes = [ends[site] for site in SITES]
        self.registrar = next(n for n in self.plan.running("videoconf") if self.role(n) == "registrar")

    @staticmethod
    def params(node: Node) -> Params:
        found = node.services["videoconf"].params
        assert isinstance(found, Params)
        return found

    def role(self, node: Node) -> str:
        return self.params(node).role

    def start(self, node: str, script: str) -> subprocess.Popen[str]:
        state = read(self.place)
        assert state is not None, "the lab is not up"
        argv = [*enter(state.nodes[node]), "sh", "-c", script]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)

    def on(self, node: str, script: str) -> str:
        with self.start(node, script) as process:
            return process.communicate(timeout=60)[0]

    def main_line(self, verb: str) -> None:
        """`cut` or `mend` it."""
        {"cut": line.cut, "mend": line.mend}[verb](self.place, self.topology, SITES[0], LINE)


@dataclass(frozen=True)
class Voice:
    """One endpoint: baresip on a node, driven on a port of its own."""

    node: Node
    number: str
    port: int = endpoint.PORT
    video: bool = True

    @property
    def folder(self) -> str:
        return f"{FOLDER}/{self.number}"


@dataclass
class Way:
    """One medium of a call in one direction, over all windows."""

    call: int
    listener: str
    medium: str
    packets: int = 0
    expected: int = 0
    lost: int = 0
    """outside the cut"""
    lost_in_cut: int = 0
    gap_s: float = 0.0
    marks: set[int] = field(default_factory=set)
    windows: int = 0
    """in which it arrived"""

    @property
    def loss_percent(self) -> float:
        return 100 * self.lost / self.expected if self.expected else 100.0


@dataclass
class Outcome:
    """What a campaign came to."""

    ways: list[Way]
    windows: int
    stand: int
    """calls that stand at both ends when it is over"""
    calls: int
    missed: int
    busy_percent: float
    cut: bool

    def wrong(self) -> list[str]:
        """Everything beyond a limit."""
        found = [f"{self.calls - self.stand} calls were cut off"] if self.stand < self.calls else []
        if self.missed:
            found.append(f"the listeners were too slow for {self.missed} packets: nothing is known")
        if self.cut and not any(way.lost_in_cut for way in self.ways):
            found.append("nothing was lost in the cut: did the calls take that line at all?")
        for way in self.ways:
            what = f"call {way.call} at {way.listener}: {way.medium}"
            if way.windows < self.windows:
                found.append(f"{what} came in {way.windows} of {self.windows} windows")
            if way.loss_percent > LOSS_PERCENT:
                found.append(f"{what} lost {way.loss_percent:.2f} % outside the cut")
            if way.gap_s > GAP_S:
                found.append(f"{what} was away for {way.gap_s:.2f} s")
            if way.marks != {MARKS[way.medium]}:
                found.append(f"{what} has DSCP {sorted(way.marks)}")
        return found


def voices(lab: Lab, calls: int, videos: int) -> list[tuple[Voice, Voice]]:
    """(caller, callee) of each call; the first are the sites' own endpoints."""
    own = [Voice(node, str(lab.params(node).number)) for node in lab.nodes]
    found = [(own[0], own[1])]
    for call in range(1, calls):
        pair = [
            Voice(node, str(FIRST + 100 * at + call), endpoint.PORT + call, call < videos)
            for at, node in enumerate(lab.nodes)
        ]
        found.append((pair[0], pair[1]))
    return found


@contextmanager
def registered(lab: Lab, pairs: Sequence[tuple[Voice, Voice]]) -> Iterator[None]:
    """The further endpoints run and the registrar knows them; afterwards none of it is left."""
    extra = [voice for pair in pairs[1:] for voice in pair]
    try:
        for voice in extra:
            _begin(lab, voice, secrets.token_hex(8))
        wanted = {voice.number for pair in pairs for voice in pair}
        until, known = time.monotonic() + 90, ""
        while not all(number in known for number in wanted):
            if time.monotonic() > until:
                raise RuntimeError(f"not all of {sorted(wanted)} registered: {known}")
            time.sleep(1)
            known = lab.on(lab.registrar.name, "kamcmd ul.dump brief")
        yield
    finally:
        for node in lab.nodes:
            units = " ".join(f"soak-{v.number}" for v in extra if v.node == node)
            if units:
                lab.on(node.name, f"systemctl stop {units}; systemctl reset-failed; rm -rf {FOLDER}; true")
        for voice in extra:
            forget = (f"htable.delete accounts s:{voice.number}", f"ul.rm location s:{voice.number}")
            lab.on(lab.registrar.name, "; ".join(f"kamcmd {words} 2>&1" for words in forget))


def _begin(lab: Lab, voice: Voice, password: str) -> None:
    ha1 = md5(f"{voice.number}:{lab.plan.domain}:{password}".encode(), usedforsecurity=False).hexdigest()
    lab.on(lab.registrar.name, f"kamcmd htable.sets accounts s:{voice.number} s:{ha1}")
    own = lab.params(voice.node).number
    account = (
        f"s/<sip:{own}@/<sip:{voice.number}@/; "
        f"s/auth_user={own};auth_pass=[^;]*/auth_user={voice.number};auth_pass={password}/"
    )
    silent = "" if voice.video else "/^video_/d; /avcodec/d; /fakevideo/d"
    config = f"s/:5060$/:{6000 + 10 * (voice.port - endpoint.PORT)}/; s/:4444$/:{voice.port}/; {silent}"
    if not voice.video:
        account += "; s/;video_codecs=h264//"
    lab.on(
        voice.node.name,
        f"umask 077; mkdir -p {voice.folder}; sed '{config}' /etc/baresip/config > {voice.folder}/config; "
        f"sed '{account}' /etc/baresip/accounts > {voice.folder}/accounts; chown -R baresip: {FOLDER}; "
        f"systemd-run -q --unit=soak-{voice.number} -p User=baresip -p TimeoutStopSec=3 "
        f"/usr/bin/baresip -f {voice.folder}",
    )


def ask(lab: Lab, voice: Voice, *words: str) -> list[endpoint.Reply]:
    """Drive one endpoint."""
    return endpoint.ask(lambda line: lab.on(voice.node.name, line), *words, port=voice.port)


def place(lab: Lab, caller: Voice, callee: Voice) -> None:
    """Dial, see it ring, take it."""
    told = ask(lab, caller, f"dial={callee.number}", "wait=CALL_RINGING|CALL_CLOSED:15")
    assert all(reply.ok for reply in told), f"{callee.number} does not ring: {told}"
    told = ask(lab, callee, "accept", "wait=CALL_ESTABLISHED|CALL_CLOSED:10")
    assert all(reply.ok for reply in told), f"{callee.number} could not take the call: {told}"


def listen(lab: Lab, seconds: float) -> dict[str, dict[str, Any]]:
    """What arrives as RTP at each node meanwhile: what `lienthong.conference.rtp` tells."""
    program = Path(rtp.__file__).read_text(encoding="utf-8")
    ears = {}
    for node in lab.nodes:
        state = read(lab.place)
        assert state is not None
        argv = [*enter(state.nodes[node.name]), "python3", "-c", program, str(seconds), *map(str, RTP[0])]
        ears[node.name] = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    return {name: json.loads(ear.communicate(timeout=seconds + 60)[0]) for name, ear in ears.items()}


def busy() -> tuple[int, int]:
    """(jiffies worked, jiffies in all) of this machine."""
    fields = list(map(int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]))
    return sum(fields) - fields[3] - fields[4], sum(fields)


def campaign(
    lab: Lab, calls: int, videos: int, windows: int, window_s: float, cut: int | None, mend: int | None
) -> Outcome:
    """All calls, listened to for some windows.

    Args:
        cut, mend: in which window the main line is cut, and mended, after a third of it.
    """
    pairs = voices(lab, calls, videos)
    ways: dict[tuple[str, int], Way] = {}
    missed = 0
    with registered(lab, pairs):
        try:
            for number, (caller, callee) in enumerate(pairs):
                place(lab, caller, callee)
                for node, told in listen(lab, 1.5).items():
                    for stream in told["streams"]:
                        medium = "audio" if stream["payload"] < 96 else "video"
                        ways.setdefault((node, stream["ssrc"]), Way(number, node, medium))
            worked, passed = busy()
            for window in range(windows):
                disturb = {cut: "cut", mend: "mend"}.get(window)
                with ThreadPoolExecutor(1) as pool:
                    ears = pool.submit(listen, lab, window_s)
                    if disturb:
                        time.sleep(window_s / 3)
                        lab.main_line(disturb)
                    heard = ears.result()
                for node, told in heard.items():
                    missed += int(told["missed"])
                    for stream in told["streams"]:
                        way = ways.get((node, stream["ssrc"]))
                        if way is not None:
                            _add(way, stream, bool(disturb))
            now_worked, now_passed = busy()
            stand = sum(all(_stands(lab, voice) for voice in pair) for pair in pairs)
        finally:
            lab.main_line("mend")
            for voice in (voice for pair in pairs for voice in pair):
                ask(lab, voice, "hangup")
    share = 100 * (now_worked - worked) / max(1, now_passed - passed)
    return Outcome(list(ways.values()), windows, stand, calls, missed, share, cut is not None)


def _add(way: Way, stream: dict[str, Any], disturbed: bool) -> None:
    way.windows += 1
    way.packets += stream["packets"]
    way.gap_s = max(way.gap_s, stream["gap_s"])
    way.marks |= {mark for mark, _ in stream["marks"]}
    if disturbed:
        way.lost_in_cut += stream["lost"]
    else:
        way.expected += stream["expected"]
        way.lost += stream["lost"]


def _stands(lab: Lab, voice: Voice) -> bool:
    told = ask(lab, voice, "listcalls")
    return [call.state for call in endpoint.parse_calls(told[0].data)] == ["ESTABLISHED"]


def show(outcome: Outcome) -> None:
    """A row a call and direction."""
    print("call  at             medium  packets  lost outside  in cut  longest gap  DSCP")
    for way in sorted(outcome.ways, key=lambda w: (w.call, w.listener, w.medium)):
        lost = f"{way.lost:6} {way.loss_percent:5.2f} %  {way.lost_in_cut:6}"
        what = f"{way.call:4}  {way.listener:13}  {way.medium:6} {way.packets:8}"
        print(f"{what}  {lost}  {way.gap_s:9.2f} s  {sorted(way.marks)}")
    print(
        f"{outcome.stand} of {outcome.calls} calls stand; this machine was busy {outcome.busy_percent:.0f} %"
    )
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"load {load} on {os.cpu_count()} cores; the listeners were too slow for {outcome.missed} packets")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lab", default=NAME)
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--videos", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--window", type=float, default=30.0, help="seconds")
    asked = parser.parse_args()
    windows = max(3, round(asked.minutes * 60 / asked.window))
    outcome = campaign(
        Lab(asked.lab), asked.calls, asked.videos, windows, asked.window, windows // 3, 2 * windows // 3
    )
    show(outcome)
    for text in outcome.wrong():
        print(text)
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
