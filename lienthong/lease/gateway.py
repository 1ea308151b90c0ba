"""Runs on a site's gateway, sent there as it stands: keeps the lease by which controllers exclude each other.

Reads one JSON question a line, answers one JSON line. A lease has an owner, an end and a fencing number that
grows with every owner. Time is the gateway's own, since it started: no clock of a laptop counts, and none
that jumps. After a restart of the gateway a lease holds for its whole length again, since nobody knows how
long the restart took. Only the standard library: any Debian runs it.

    {"do": "take", "owner": "…", "seconds": 30}      → {"fence": 7} or {"owner": "…", "left": 12}
        with "instead": 6, the number of a run of the asker's own that is dead, also while that lease lasts
    {"do": "refresh", "fence": 7, "seconds": 30}     → {"fence": 7} or {"lost": "…"}
    {"do": "release", "fence": 7}                    → {}
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from typing import Any

FOLDER = "/var/lib/lienthong"
LONGEST_S = 600.0
_Lease = dict[str, Any]


def answer(question: _Lease, kept: _Lease, now_s: float, boot: str) -> tuple[_Lease, _Lease]:
    """(what is said, what is kept from now on)."""
    left = _left(kept, now_s, boot)
    seconds = min(float(question.get("seconds", 0)), LONGEST_S)
    if question["do"] == "take":
        if left > 0 and kept["fence"] != question.get("instead"):
            return {"owner": kept["owner"], "left": round(left, 1)}, kept
        fence = int(kept.get("fence", 0)) + 1
        new = {"owner": str(question["owner"])[:200], "fence": fence, "seconds": seconds}
        return {"fence": fence}, {**new, "until": now_s + seconds, "boot": boot}
    mine = kept.get("fence") == question.get("fence") and kept.get("owner") is not None
    if question["do"] == "refresh":
        if not mine or left <= 0:
            who = kept.get("owner") if not mine and left > 0 else None
            return {"lost": f"{who} holds it now" if who else "it has run out"}, kept
        return {"fence": kept["fence"]}, {**kept, "until": now_s + seconds, "seconds": seconds, "boot": boot}
    if question["do"] == "release":
        return {}, {"fence": int(kept.get("fence", 0))} if mine else kept
    return {"wrong": f"what is {question['do']!r}?"}, kept


def _left(kept: _Lease, now_s: float, boot: str) -> float:
    if kept.get("owner") is None:
        return 0.0
    if kept.get("boot") != boot:
        return float(kept["seconds"]) - now_s
    return float(kept["until"]) - now_s


def main(folder: str = FOLDER) -> None:
    """Answer until the other end is gone."""
    os.makedirs(folder, mode=0o755, exist_ok=True)  # noqa: PTH103
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
        boot = file.read().strip()
    # Systems in a lab share a kernel, hence its boot_id; when this system's first process began tells them
    # apart.
    boot += f" {os.stat('/proc/1').st_ctime_ns // 10**9}"  # noqa: PTH116
    path = f"{folder}/lease.json"
    for line in sys.stdin:
        question = json.loads(line)
        with open(f"{folder}/lease.lock", "w", encoding="ascii") as lock:  # noqa: PTH123
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123
                    kept = json.load(file)
            except (OSError, ValueError):
                kept = {}
            said, new = answer(question, kept, time.clock_gettime(time.CLOCK_BOOTTIME), boot)
            if new != kept:
                with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
                    json.dump(new, file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(f"{path}.new", path)  # noqa: PTH105
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
