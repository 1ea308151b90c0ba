"""How many devices are dealt with at once, and what that costs: simulated devices that answer slowly.

`python -m lienthong.cli._gear_figures AT_ONCE`, in a checkout whose lab is simulated devices, looks at all of
them and prints one JSON object; what is measured is a process of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lienthong.cli._measure import Figure, at_most, run
from lienthong.cli._options import say
from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.platforms import Dialect
from lienthong.transport import Session
from lienthong.transport.veil import Veil

LAB = "bench"
FEW = 32
#: All that is asked: so many at once, in so much memory.
MANY, MEMORY_MB = 200, 1024


def figures(base: Path, folder: Path, devices: int, latency_s: float) -> Iterator[Figure]:
    """All at once, few at a time: logins that were open together, memory, and how much sooner it ends."""
    from lienthong.inventory.corpus import write

    for path in base.iterdir():
        if path.name not in {"inventory", ".git", "run", "out"}:
            (folder / path.name).symlink_to(path)
    write(folder / "inventory", 1 + devices // 4, 1)
    here = {"LIENTHONG_LAB": LAB, "LIENTHONG_TARGET": "lab", "LIENTHONG_ROOT": str(folder)}
    tool = [sys.executable, "-m", "lienthong.cli"]
    sites = [path.stem for path in sorted((folder / "inventory" / "sites").glob("*.yaml"))]
    run([*tool, "sim", "up", *sites, "--latency", str(latency_s), "--most", str(devices)], **here)
    try:
        say(f"{devices} devices are up")
        child = [sys.executable, "-m", "lienthong.cli._gear_figures"]
        many = json.loads(run([*child, "256"], **here))
        say("looked at all at once")
        few = json.loads(run([*child, str(FEW)], **here))
    finally:
        run([*tool, "sim", "down"], **here)
    for one in (many, few):
        if one["outcomes"] != {"changed": devices}:
            raise LienThongError(f"not every device was looked at: {one['outcomes']}", hint=one["why"])
    least = min(MANY, devices)
    yield Figure("logins open together", many["together"], "", f">= {least}", many["together"] >= least,
                 f"with {FEW} at a time: {few['together']}")  # fmt: skip
    yield at_most(
        "memory at its peak", many["peak_mb"], MEMORY_MB, "MB", f"{few['peak_mb']:.0f} MB with {FEW}"
    )
    ratio = few["wall_s"] / many["wall_s"]
    note = f"{many['wall_s']:.1f} s, {few['wall_s']:.1f} s with {FEW} at a time"
    yield Figure("all looked at, times as soon as few at a time", ratio, "times", ">= 2", ratio >= 2, note)


def _look(at_once: int) -> dict[str, Any]:
    from lienthong.runners import netmiko
    from lienthong.workspace import workspace

    space = workspace(None, "lab")
    nodes = [
        node for node in space.plan.nodes.values() if node.device is not None and space.access.reaches(node)
    ]
    connect, lock, there = netmiko.over_ssh(space.access), threading.Lock(), {"now": 0, "most": 0}

    def counted(node: Node, dialect: Dialect, veil: Veil) -> Session:
        session = connect(node, dialect, veil)
        end = session.close

        def close() -> None:
            setattr(session, "close", end)  # noqa: B010 - it is closed once
            with lock:
                there["now"] -= 1
            end()

        with lock:
            there["now"] += 1
            there["most"] = max(there.values())
        setattr(session, "close", close)  # noqa: B010
        return session

    began = time.perf_counter()
    results = netmiko.run(
        space.access, space.secrets, space.plan, nodes,
        check=True, progress=lambda _: None, connect=counted, at_once=at_once,
    )  # fmt: skip
    return {
        "wall_s": time.perf_counter() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "together": there["most"],
        "outcomes": Counter(one.outcome for one in results),
        "why": next((one.detail for one in results if one.outcome != "changed"), ""),
    }


if __name__ == "__main__":
    print(json.dumps(_look(int(sys.argv[1]))))
