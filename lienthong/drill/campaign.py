"""`python -m lienthong.drill.campaign`: rounds of faults and kills on simulated devices, seeded, resumable.

A round has twelve devices of random vendors, or six. They are brought to one state; another is wanted; each
of the twelve gets its own fault, or the tool is killed over the six once it has reached a random stage. Then
time passes, and the devices are judged: each holds exactly what it held or exactly what is intended, can be
reached, and is what the tool said of it; in half of the rounds that is asked of them once more after their
power was taken away. Then `resume` ends in the intended state, and one more apply sends nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

from lienthong.drill.ground import LAB, SITES, Ground, outcomes
from lienthong.drill.judge import Judge, after_restart, of_all
from lienthong.root import find_root
from lienthong.sim.faults import choose

#: Lines that a change of this drill sends to a device, about; logins and looks included.
LINES = 30


def one_round(engine: Path, folder: Path, seed: str, kill: bool) -> dict[str, Any]:
    """One round from its seed; what is wrong stands in `wrong`."""
    chance = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    # A kill is one event of the whole run: fewer devices leave time for more of them.
    ground = Ground(folder, engine, chance, sites=SITES[:3] if kill else SITES)
    found: dict[str, Any] = {"seed": seed, "kill": kill, "wrong": [], "faults": {}, "said": {}, "held": {}}
    try:
        if chance.random() < 0.75:  # else they are as after day 0
            ground.change()
            code, said = ground.apply()
            if code != 0:
                found["wrong"].append(f"without a fault: {code} {dict(ground.told)}")
                return found
        ground.change()
        judge = Judge(ground)
        before = judge.snapshot()
        if kill:
            said = _killed(ground, judge, chance, found)
        else:
            _spoil(ground, chance, found)
            _, said = ground.apply()
            found["told"] = dict(ground.told)
            found["struck"] = {
                name: str(one.struck[0]) for name, one in ground.fleet.served.items() if one.struck
            }
        found["said"] = dict(said)
        middle = judge.snapshot()
        if kill:
            run = judge.journal.runs(1)
            silent = judge.unreported(run[0].id if run else None)
            found["wrong"] += [
                f"{name} is half changed and the journal says nothing"
                for name in sorted(silent)
                if judge.held(name, before[name], middle[name]) == "neither"
            ]
        if not kill or chance.random() < 0.5:
            judge.settle()
            now = judge.snapshot()
            held, wrong = of_all(judge, before, said, now, ended=not kill or found["late"])
            found["held"] = held
            found["wrong"] += wrong + [f"{name} is locked out" for name in judge.stranded()]
            if chance.random() < 0.5:
                judge.restart()
                found["restarted"] = True
                found["wrong"] += after_restart(judge, before, said, judge.snapshot())
                found["wrong"] += [f"{name} is locked out by a restart" for name in judge.stranded()]
        for one in ground.fleet.served.values():
            ground.fleet.do(one.set_faults)
        _resume(ground, judge, before, found)
    finally:
        ground.end()
    return found


def _spoil(ground: Ground, chance: random.Random, found: dict[str, Any]) -> None:
    for name, one in ground.fleet.served.items():
        fault = choose(chance, LINES)
        found["faults"][name] = str(fault)
        ground.fleet.do(partial(one.set_faults, fault))


def _killed(ground: Ground, judge: Judge, chance: random.Random, found: dict[str, Any]) -> dict[str, str]:
    """Kill the tool once the journal tells of so many stages, and a moment later."""
    stages, moment = chance.randint(0, 5 * len(ground.fleet.served)), chance.uniform(0, 0.2)
    found["faults"]["controller"] = f"kill -9 after {stages} stages"
    known, newest = len(judge.journal.events()), judge.journal.runs(1)
    process = ground.start("apply", *ground.sites, "--gear", "--json")
    if not stages:
        time.sleep(1 + 5 * moment)  # while it starts and logs in
    while process.poll() is None and len(judge.journal.events()) - known < stages:
        time.sleep(0.01)
    time.sleep(moment)
    ended = process.poll() is not None
    process.kill()
    out, _ = process.communicate()
    found["late"] = ended
    found["begun"] = judge.journal.runs(1) != newest
    return outcomes(out) if ended else {}


def _resume(ground: Ground, judge: Judge, before: Any, found: dict[str, Any]) -> None:
    """Whatever happened: going on ends in the intended state, saved, and then there is nothing left."""
    code, out, err = ground.run("resume", "--json")
    nothing = "ended well" in err
    # Killed before it had said that it begins: there is nothing to resume, and all is still to do.
    still = nothing and not found.get("begun", True)
    if still or (code != 0 and not nothing):
        judge.settle()  # what was on its way to start anew when it was resumed
        code, out, err = ground.run("apply", *ground.sites, "--gear", "--json")
        if code != 0:
            found["wrong"].append(f"not resumed: {outcomes(out)} {err[-600:]}")
            return
    code, said = ground.apply()
    if code != 0 or set(said.values()) != {"unchanged"}:
        found["wrong"].append(f"after resuming an apply is not empty: {dict(said)} {dict(ground.told)}")
    now = judge.snapshot()
    for name in now:
        if judge.held(name, before[name], now[name]) not in {"intended", "both"}:
            strange = judge.strange(name, before[name], now[name])
            found["wrong"].append(f"{name} is not as intended after resuming: {strange}")
        if not now[name].saved:
            found["wrong"].append(f"{name} has not saved what it holds")


def table(done: list[dict[str, Any]]) -> str:
    """Outcomes, counted: by fault and what the tool said."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for one in done:
        for name, fault in one["faults"].items():
            if name == "controller":
                counted["kill -9", "—", "right" if not one["wrong"] else "WRONG"] += 1
                continue
            struck = name in one.get("struck", {})
            bad = any(text.startswith(name) for text in one["wrong"])
            kind = fault.split()[0] if struck else "(did not strike)"
            counted[kind, one["said"].get(name, "?"), "WRONG" if bad else "right"] += 1
    lines = [
        f"{kind:<18} {said:<12} {verdict:<6} {count:>5}"
        for (kind, said, verdict), count in sorted(counted.items())
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run what is left of a campaign; 1 when something was wrong or is still to be done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=180, help="devices under a run that is killed")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=3, help="rounds at a time")
    parser.add_argument("--round", help="only this round, by its seed, e.g. 1/fault/17")
    asked = parser.parse_args(argv)
    engine = find_root(None)
    os.environ["LIENTHONG_LAB"] = LAB
    if asked.round:
        found = _in_a_folder(engine, asked.round)
        print(json.dumps(found, indent=1))
        return 1 if found["wrong"] else 0
    kept = engine / "run" / "drill" / f"sim-{asked.seed}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    wanted = {"fault": asked.faults, "kill": asked.kills}
    ends = time.monotonic() + 60 * asked.minutes
    with kept.open("a", encoding="utf-8") as file, _pool(asked.jobs) as pool:
        seeds, under_way = _seeds(asked.seed, wanted, done), set[Future[dict[str, Any]]]()
        while True:
            while len(under_way) < asked.jobs and time.monotonic() < ends:
                seed = next(seeds, None)
                if seed is None:
                    break
                under_way.add(pool.submit(_in_a_folder, engine, seed))
            if not under_way:
                break
            ready, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for found in [one.result() for one in ready]:
                done.append(found)
                file.write(json.dumps(found) + "\n")
                file.flush()
                right = "WRONG" if found["wrong"] else "right"
                print(f"{found['seed']:<14} {right}  {_so_far(done, wanted)}", flush=True)
                for text in found["wrong"]:
                    print(f"    {text}", flush=True)
    print(table(done))
    print(_so_far(done, wanted))
    short = any(_count(done, kind) < number for kind, number in wanted.items())
    return 1 if short or any(one["wrong"] for one in done) else 0


def _pool(jobs: int) -> ProcessPoolExecutor:
    """Each round of a process of its own: a round has threads, and what one leaves behind ends with it."""
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1)


def _in_a_folder(engine: Path, seed: str) -> dict[str, Any]:
    warnings.filterwarnings("ignore", module="asyncssh")  # it offers old exchanges that nobody asks for
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found = one_round(engine, Path(folder) / "ground", seed, "/kill/" in seed)
    return {**found, "seconds": round(time.monotonic() - began, 1)}


def _seeds(seed: int, wanted: dict[str, int], done: list[dict[str, Any]]) -> Iterator[str]:
    """Rounds still to be made: kills are spread among the faults; a round of kills counts its one kill."""
    number = 1 + max((int(one["seed"].rsplit("/", 1)[1]) for one in done), default=-1)
    while any(_count(done, kind) < count for kind, count in wanted.items()):
        left = {kind: count - _count(done, kind) for kind, count in wanted.items()}
        kill = left["kill"] > 0 and (left["fault"] <= 0 or number % 4 != 0)
        yield f"{seed}/{'kill' if kill else 'fault'}/{number}"
        number += 1


def _count(done: list[dict[str, Any]], kind: str) -> int:
    if kind == "kill":
        return sum(one["kill"] and not one.get("late") for one in done)
    return sum(len(one.get("struck", {})) for one in done)


def _so_far(done: list[dict[str, Any]], wanted: dict[str, int]) -> str:
    wrong = sum(bool(one["wrong"]) for one in done)
    faults, kills = _count(done, "fault"), _count(done, "kill")
    return f"{faults} of {wanted['fault']} faults, {kills} of {wanted['kill']} kills, {wrong} rounds wrong"


if __name__ == "__main__":
    sys.exit(main())
