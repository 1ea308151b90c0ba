"""Events at a steady rate while the collector is away, killed and rebooted, the sender killed: counted.

    python -m tests.lab.soak_logs [--rate 200] [--away 600] [--seconds 900] [--seed N]

Works on the lab that is up and provisioned (`LIENTHONG_LAB`). Afterwards the store must have every event that
journald took, once; Central must have every one, and how often is told.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.conftest import District

SENDER, COLLECTOR, CENTRAL = "loc-ninh-srv", "tinh-uy-svc-wan", "central-wan"
STORE = "/usr/local/sbin/lienthong-store"
#: Numbers its events, at a rate, as any program logs: a datagram each to /dev/log; waits when it is full.
GENERATOR = """
import socket, sys, time
word, rate, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.connect("/dev/log")
began = time.monotonic()
for n in range(count):
    wait = began + n / rate - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    log.send(f"<13>soak: {word}-{n:07d}".encode())
"""
#: How often each number was found, as `number count` of those not once, and a last line with the sum.
COUNT = """
import collections, re, sys
word = sys.argv[1]
seen = collections.Counter(m[1] for line in sys.stdin for m in [re.search(word + r"-(\\d{7})", line)] if m)
print(len(seen), sum(seen.values()))
"""


class Lab(District):
    """The lab that the environment names."""

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ}


@dataclass(frozen=True)
class Counted:
    """What became of the events."""

    sent: int
    store: int
    """different ones in the store"""
    store_all: int
    central: int
    central_all: int
    repeats: int
    """on the wire to the collector, dropped by the store"""
    missing: int
    """numbers of any host that were not missing before"""
    caught_up_s: float

    @property
    def lost(self) -> int:
        return self.sent - self.store

    @property
    def twice(self) -> int:
        return self.store_all - self.store

    def __str__(self) -> str:
        return (
            f"sent {self.sent} · in store {self.store_all} · lost {self.lost} · twice {self.twice} · "
            f"repeats on the wire {self.repeats} · numbers missing {self.missing} · "
            f"at Central lost {self.sent - self.central}, "
            f"repeats {self.central_all - self.central} · "
            f"caught up {self.caught_up_s:.0f} s after the last event"
        )


def sh(district: District, node: str, script: str) -> str:
    return district.on(node, "sh", "-c", script).strip()


def told_by_store(district: District) -> tuple[int, int]:
    """Repeats of the sender, and missing numbers of every host."""
    told = json.loads(sh(district, COLLECTOR, f"{STORE} state"))
    return int(told.get(SENDER, {"repeats": 0})["repeats"]), sum(int(one["missing"]) for one in told.values())


def counts(district: District, word: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Different events and all of them, in the store and at Central."""
    found = []
    for node, read in (
        (COLLECTOR, f"{STORE} show --host {SENDER} --text {word}"),
        (CENTRAL, f"cat /var/log/central/{SENDER}.log"),
    ):
        one, every = sh(district, node, f"{read} | python3 -c '{COUNT}' {word}").split()
        found.append((int(one), int(every)))
    return found[0], found[1]


def kill(unit: str) -> str:
    """Every process of a unit, with no warning."""
    return f"systemctl kill --signal=KILL --kill-whom=all {unit}; true"


def soak(
    district: District,
    rate: float,
    seconds: float,
    faults: Callable[[District, Callable[[str], None]], None],
    patience_s: float = 300,
) -> Counted:
    """The events, the faults meanwhile, and the count when all has come or patience is over.

    Args:
        faults: puts them in, one after another, within `seconds`; says what it does.
    """
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    word, count = f"soak{time.time_ns():x}", int(rate * seconds)
    repeats, missing = told_by_store(district)
    program = "/run/soak-generator.py"
    sh(district, SENDER, f"cat > {program} <<'END'{GENERATOR}END")
    unit = f"systemd-run --quiet --collect --unit={word} python3 {program} {word} {rate} {count}"
    sh(district, SENDER, unit)
    say(f"{count} events, {rate:g} a second")
    faults(district, say)
    while sh(district, SENDER, f"systemctl is-active {word} || true") == "active":
        time.sleep(1)
    ended = time.monotonic()
    say("the last event was logged")
    while True:
        store, central = counts(district, word)
        if store[0] == central[0] == count or time.monotonic() > ended + patience_s:
            break
        time.sleep(2)
    caught_up = time.monotonic() - ended
    time.sleep(3)  # for one that comes twice
    store, central = counts(district, word)
    now = told_by_store(district)
    return Counted(count, *store, *central, now[0] - repeats, now[1] - missing, caught_up)


def campaign(seed: int, away_s: float) -> Callable[[District, Callable[[str], None]], None]:
    """The collector away for long under load, killed and started; then one fault after another, by chance."""

    def faults(district: District, say: Callable[[str], None]) -> None:
        draw = random.Random(seed)
        time.sleep(5)
        say("collector: rsyslog killed, syslog.socket and rsyslog stopped")
        sh(district, COLLECTOR, kill("rsyslog"))
        sh(district, COLLECTOR, "systemctl stop syslog.socket rsyslog")
        for _ in range(3):
            time.sleep(away_s / 4)
            say("sender: killed while the collector is away")
            sh(district, SENDER, kill("lienthong-logs"))
        time.sleep(away_s / 4)
        say("collector: back")
        sh(district, COLLECTOR, "systemctl start syslog.socket rsyslog")
        killed = {
            "collector: rsyslog killed": (COLLECTOR, kill("rsyslog")),
            "collector: its store program killed": (
                COLLECTOR,
                "pkill -9 -f '^/usr/bin/python3.*lienthong-store take'",
            ),
            "collector: what sends onward killed": (COLLECTOR, kill("lienthong-central")),
            "sender: killed": (SENDER, kill("lienthong-logs")),
            "sender: rsyslog killed": (SENDER, kill("rsyslog")),
            "Central: rsyslog killed": (CENTRAL, kill("rsyslog")),
        }
        for what in draw.sample(sorted(killed), len(killed)) + draw.choices(sorted(killed), k=4):
            time.sleep(draw.uniform(1, 5))
            say(what)
            sh(district, *killed[what])
        time.sleep(draw.uniform(1, 5))
        say("collector: rebooted")
        reboot(district, COLLECTOR)

    return faults


def reboot(district: District, node: str) -> None:
    done = district.run("lab", "reboot", node)
    assert done.returncode == 0, done.stderr


def main() -> int:
    """Exit code 1 when one is lost, or twice in the store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--away", type=float, default=600)
    parser.add_argument("--seconds", type=float, default=0, help="of load; else the outage and two minutes")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    district = Lab()
    seconds = asked.seconds or asked.away + 120
    before = told_by_store(district)[1]
    found = soak(district, asked.rate, seconds, campaign(asked.seed, asked.away))
    reboot(district, SENDER)
    time.sleep(10)
    after = told_by_store(district)[1]
    print(f"{found} · after a reboot of the sender {after - before} numbers missing")
    good = found.lost == found.twice == found.missing == after - before == 0 and found.central == found.sent
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
