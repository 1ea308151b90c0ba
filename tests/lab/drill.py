"""Faults and kills on the lab's gateways and switches, one after the other, judged by what the devices hold.

    python -m tests.lab.drill --seed 1 --faults 60 --kills 20 --minutes 60 --share 1/2

A share is every n-th case: two labs do one campaign together, each under its own LIENTHONG_TEST_LAB
(scripts/drill-lab).

A case changes what two gateways and a switch are told, spoils the run at a random moment, lets the devices
settle, and looks: each holds exactly what it held before or exactly what was intended, none is armed, each
can be reached, and what the tool said of it is what it holds. Then `resume` ends in the intended state. What
is done is kept in `run/drill/lab-<seed>.jsonl`; a campaign that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.lab.state import State, read
from lienthong.lease.site import LEASE_S
from tests.lab.conftest import NAME, ROOT
from tests.lab.test_transaction import Controller

GEAR = ("loc-ninh-gw-wan", "tinh-uy-gw-wan", "loc-ninh-sw-wan")
SITES = ("tinh-uy", "loc-ninh")
#: The device's own undo, and some air.
SETTLED_S = 150.0
HOLDS = (
    "vtysh -c 'show running-config'; cat /etc/frr/frr.conf;"
    "ovs-vsctl --columns=name,tag,trunks,vlan_mode,external_ids list Port | sort"
)


def state() -> State:
    found = read(Place(ROOT, NAME))
    assert found is not None, "the lab is not up"
    return found


def on(node: str, script: str, check: bool = True) -> str:
    argv = [*enter(state().nodes[node]), "sh", "-c", script]
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=60).stdout


def holds(node: str) -> str:
    return on(node, HOLDS)


def steady() -> dict[str, str]:
    """What all hold once nothing moves any more: daemons that start read their configuration first."""
    ends = time.monotonic() + 60
    found = {name: holds(name) for name in GEAR}
    while time.monotonic() < ends:
        time.sleep(5)
        now = {name: holds(name) for name in GEAR}
        if now == found:
            break
        found = now
    return found


def armed(node: str) -> bool:
    return on(node, "[ ! -e /var/lib/lienthong/undo/armed ] || echo yes") != ""


def cut_management(node: str, seconds: float) -> None:
    """The controller loses the device, and it comes back."""
    on(node, f"(ip link set mgmt0 down; sleep {seconds:.1f}; ip link set mgmt0 up) >/dev/null 2>&1 &")


def freeze_logins(node: str, seconds: float) -> None:
    """Every session that is open stops answering for a while."""
    on(
        node,
        f"(pkill -STOP -f '[s]shd: ' ; sleep {seconds:.1f}; pkill -CONT -f '[s]shd: ') >/dev/null 2>&1 &",
        False,
    )


def end_logins(node: str, _: float) -> None:
    """Every session that is open is cut."""
    on(node, "pkill -KILL -f '[s]shd: (lienthong|netadm)'", False)


def crash_routing(node: str, _: float) -> None:
    """The routing daemons die and are started anew."""
    on(node, "pkill -KILL zebra", False)


def fill_disk(node: str, seconds: float) -> None:
    """Where the undo is kept there is no room."""
    on(node, f"(mount -t tmpfs -o size=4k none /var/lib/lienthong/undo && sleep {seconds:.1f};"
             "umount -l /var/lib/lienthong/undo) >/dev/null 2>&1 &", False)  # fmt: skip


def reboot(node: str, _: float) -> None:
    """It loses power."""
    words = [sys.executable, "-m", "lienthong.cli", "lab", "reboot", node]
    subprocess.run(words, cwd=ROOT, env=Controller.lab_environment(), capture_output=True, check=False)


FAULTS: dict[str, Callable[[str, float], None]] = {
    one.__name__: one for one in (cut_management, freeze_logins, end_logins, crash_routing, fill_disk, reboot)
}


def case(chance: random.Random, number: int, kill: bool, folder: Path) -> dict[str, Any]:
    """One case; what it found wrong stands in `wrong`."""
    cost, segment = chance.randrange(11, 90), chance.choice(["users", "servers", "scan"])
    node = chance.choice(GEAR)
    fault = "kill" if kill else chance.choice(sorted(FAULTS))
    after, lasts = chance.uniform(0.2, 6.5), chance.uniform(0.5, 12)
    found: dict[str, Any] = {
        "case": number,
        "fault": fault,
        "node": node,
        "after": round(after, 2),
        "wrong": [],
    }
    here = Controller(folder / f"case{number}", cost)
    here.port("e14", segment)
    before = {name: holds(name) for name in GEAR}
    process = here.start("apply", *SITES, "--gear", "--json")
    time.sleep(after)
    if kill:
        process.kill()
    elif process.poll() is None:
        FAULTS[fault](node, lasts)
    said, _ = process.communicate(timeout=400)
    report = _report(said) if process.returncode in {0, 3} else {}
    found["said"] = report
    time.sleep(0 if fault in {"kill", "reboot", "end_logins"} else lasts)
    waits = chance.random() < 0.3  # else who resumes settles what is open
    middle = {}
    if waits:
        ends = time.monotonic() + SETTLED_S
        while any(armed(name) for name in GEAR):
            if time.monotonic() > ends:
                found["wrong"].append("still armed after its time")
                break
            time.sleep(1)
        middle = steady()
    resumed = here.run("resume")
    if resumed.returncode == 2 and "ended well" in resumed.stderr:
        resumed = here.run("apply", *SITES, "--gear")
    if resumed.returncode != 0:  # what was still on its way down may need a moment
        time.sleep(20)
        resumed = here.run("apply", *SITES, "--gear")
    # A run that was killed between its lease and its journal is not known here: its lease runs out.
    ends = time.monotonic() + LEASE_S
    while "is at work there" in resumed.stderr and time.monotonic() < ends:
        time.sleep(2)
        resumed = here.run("apply", *SITES, "--gear")
    if resumed.returncode != 0:
        found["wrong"].append("not resumed: " + (resumed.stdout + resumed.stderr)[-600:])
    last = here.run("apply", *SITES, "--gear")
    if ", 0 changes, 0 not done" not in last.stdout:
        found["wrong"].append("a second apply is not empty: " + (last.stdout + last.stderr)[-600:])
    after_all = {name: holds(name) for name in GEAR}
    for name in GEAR:
        if armed(name):
            found["wrong"].append(f"{name} is armed at the end")
        if name in middle and middle[name] not in {before[name], after_all[name]}:
            found["wrong"].append(f"{name} held neither the state before nor the intended one")
        was = report.get(name)
        if name in middle and was == "changed" and middle[name] != after_all[name]:
            found["wrong"].append(f"{name} was said to be changed and is not")
        if name in middle and was in {"failed", "unreachable"} and middle[name] != before[name]:
            found["wrong"].append(f"{name} was said to be {was} and is not as before")
    return found


def _report(said: str) -> dict[str, str]:
    start = said.find("{\n")
    try:
        steps = json.loads(said[start : said.rindex("}") + 1])["steps"]
    except ValueError:
        return {}
    return {step["node"]: step["outcome"] for step in steps if step["node"] in GEAR}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--share", type=_share, default=(1, 1), metavar="K/N", help="every N-th case, from K on"
    )
    parser.add_argument("--table", action="store_true", help="only count what is done")
    asked = parser.parse_args()
    kept = ROOT / "run" / "drill" / f"lab-{asked.seed}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * asked.minutes
    mine, shares = asked.share
    kinds = [False] * asked.faults + [True] * asked.kills
    random.Random(asked.seed).shuffle(kinds)
    with tempfile.TemporaryDirectory(prefix="drill-") as folder, kept.open("a", encoding="utf-8") as file:
        known = {one["case"] for one in _done(kept)}
        for number, kill in enumerate(kinds):
            if asked.table or number in known or number % shares != mine - 1:
                continue
            if time.monotonic() > ends:
                break
            began = time.monotonic()
            found = case(random.Random(f"{asked.seed}/{number}"), number, kill, Path(folder))
            found["seconds"] = round(time.monotonic() - began, 1)
            file.write(json.dumps(found) + "\n")
            file.flush()
            mark = "WRONG" if found["wrong"] else "ok"
            took = f"{found['seconds']:5.0f} s"
            print(
                f"{number:3} {found['fault']:16} {found['node']:16} {took} {mark} {found['said']}", flush=True
            )
            for wrong in found["wrong"]:
                print(f"    {wrong}", flush=True)
    done = _done(kept)
    table = Counter((one["fault"], "wrong" if one["wrong"] else "right") for one in done)
    for (fault, verdict), count in sorted(table.items()):
        print(f"{fault:16} {verdict:6} {count:4}")
    wrong = sum(bool(one["wrong"]) for one in done)
    print(f"{len(done)} of {len(kinds)} cases, {wrong} wrong")
    asked_for = {number for number in range(len(kinds)) if number % shares == mine - 1}
    return 1 if wrong or asked_for - {one["case"] for one in done} else 0


def _done(kept: Path) -> list[dict[str, Any]]:
    """Every case that is kept, of every share."""
    return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []


def _share(text: str) -> tuple[int, int]:
    mine, _, shares = text.partition("/")
    if not (mine.isdigit() and shares.isdigit() and 1 <= int(mine) <= int(shares)):
        raise argparse.ArgumentTypeError(f"{text!r} is no share like 1/2")
    return int(mine), int(shares)


if __name__ == "__main__":
    sys.exit(main())
