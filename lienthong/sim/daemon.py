"""`python -m lienthong.sim.daemon`: simulated devices that stay up until they are told to end.

Answers questions on a Unix socket in the lab's folder, one JSON line each: what is there, and faults.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lienthong.inventory import load
from lienthong.sim.faults import KINDS, Fault
from lienthong.sim.fleet import Fleet, fleet
from lienthong.sim.server import Served

SOCKET, PID = "sim.sock", "sim.pid"


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument("platforms")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--latency", type=float, default=0.0)
    asked = parser.parse_args()
    platforms = {name: (kind, model) for name, (kind, model) in json.loads(asked.platforms).items()}
    found = fleet(
        asked.root, asked.name, load(asked.root / "inventory"), platforms, asked.scale, asked.latency
    )
    serve(found, found.write)


def serve(found: Fleet, ready: Callable[[], None]) -> None:
    """Devices are up until SIGTERM; `ready` is called when they can be reached."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    found.start()
    threading.Thread(target=_answer, args=(found,), daemon=True).start()
    (found.folder / PID).write_text(f"{os.getpid()} {_started(os.getpid())}\n", encoding="ascii")
    ready()
    ended.wait()
    found.stop()
    for name in (SOCKET, PID):
        (found.folder / name).unlink(missing_ok=True)


def ask(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Ask the daemon of a lab.

    Raises:
        OSError: there is none.
    """
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(10)
        channel.connect(str(folder / SOCKET))
        channel.sendall(json.dumps(question).encode() + b"\n")
        answer = channel.makefile().readline()
    found: dict[str, Any] = json.loads(answer)
    return found


def running(folder: Path) -> int | None:
    """The daemon's process, if it is that one still."""
    try:
        pid, started = (folder / PID).read_text(encoding="ascii").split()
        return int(pid) if _started(int(pid)) == started else None
    except (OSError, ValueError):
        return None


def _started(pid: int) -> str:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ValueError("it has ended, and nobody has asked how")
    return fields[19]


def _answer(found: Fleet) -> None:
    path = found.folder / SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        path.chmod(0o600)
        door.listen()
        while True:
            channel, _ = door.accept()
            with channel, contextlib.suppress(OSError, ValueError):
                question = json.loads(channel.makefile().readline())
                channel.sendall(json.dumps(_heard(found, question)).encode() + b"\n")


def _heard(found: Fleet, question: Any) -> dict[str, Any]:
    """What is said to anything that may be asked: a wrong question must not end the answering."""
    try:
        return _said(found, question)
    except (AttributeError, TypeError, ValueError) as error:
        return {"wrong": f"no such question: {error}"}


def _said(found: Fleet, question: dict[str, Any]) -> dict[str, Any]:
    if question.get("do") == "status":
        return {name: _status(found, name) for name in found.served}
    one = found.served.get(str(question.get("box")))
    if one is None:
        return {"wrong": f"no such device; there are: {', '.join(found.served)}"}
    if question.get("do") == "fault" and question.get("kind") in KINDS:
        fault = Fault(question["kind"], int(question.get("at", 1)), float(question.get("seconds", 0)))
        found.do(lambda: one.set_faults(fault))
        return {"set": str(fault)}
    if question.get("do") == "advance" and float(question.get("seconds", -1)) >= 0:
        found.do(lambda: one.box.pass_time(float(question["seconds"])))
        return _status(found, str(question["box"]))
    if question.get("do") == "look":
        return found.do(lambda: _seen(one))
    return {"wrong": f"faults: {', '.join(KINDS)}"}


def _seen(one: Served) -> dict[str, Any]:
    """Everything about a device that nobody can learn over its own login."""
    return {
        "running": one.box.configuration(),
        "saved": one.box.saved(),
        "boots": one.box.boots,
        "now_s": one.box.now_s,
        "log": one.box.log[-100:],
        "lines": list(one.history)[-100:],
        "struck": [str(fault) for fault in one.struck],
        "broken": list(one.broken),
    }


def _status(found: Fleet, name: str) -> dict[str, Any]:
    one = found.served[name]

    def look() -> dict[str, Any]:
        return {
            "platform": found.platforms[name][0],
            "port": one.port,
            "up": one.box.up,
            "answers": one.box.up and one.box.answers(one.source),
            "boots": one.box.boots,
            "logins": sum(not session.silent for session in one.sessions),
            "saved": one.box.configuration() == one.box.saved(),
        }

    return found.do(look)


if __name__ == "__main__":
    main()
