"""Hands an imported snapshot to the host that serves it; that host judges it, and swaps or does not."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError, Refused, Unreachable
from lienthong.openssh import Ways, reason

PROGRAM = "/usr/local/sbin/lienthong-mirror"
#: The program's exit code for a snapshot that it does not take.
NOT_TAKEN = 2


@dataclass(frozen=True)
class Published:
    """What a mirror serves now."""

    node: str
    changed: bool
    date: str
    valid_until: str
    packages: int
    bytes: int


def publish(there: Ways, node: str, folder: Path) -> Published:
    """Send a snapshot to a mirror, which takes it whole or not at all.

    Raises:
        LienThongError: the folder is no snapshot; the host failed.
        Refused: the mirror does not take it; what it served before is still served.
        Unreachable: no login, or the connection broke.
    """
    if not all((folder / name).is_dir() for name in ("dists", "pool")):
        raise LienThongError(
            f"{folder} is no snapshot of packages", hint="name the folder that lienthong bundle import made"
        )
    # Links are sent as links, and refused there.
    pack = ["tar", "--create", "--format=pax", "--directory", str(folder), "--", "dists", "pool"]
    with subprocess.Popen(pack, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sender:
        assert sender.stdout is not None
        try:
            done = there.run(node, [PROGRAM, "take"], within_s=None, stdin=sender.stdout.fileno())
        finally:
            sender.stdout.close()
            if sender.poll() is None:  # nobody reads any more
                sender.kill()
    return answer(node, done.returncode, done.stdout, done.stderr)


def answer(node: str, code: int, said: str, errors: str = "") -> Published:
    """What the program on the mirror said, read.

    Raises:
        Refused: it did not take the snapshot.
        Unreachable: it said nothing that can be understood.
    """
    try:
        told = json.loads(said.splitlines()[-1])
        if code == NOT_TAKEN:
            raise Refused(f"{node} does not take it: {told['refused']}: {told['what']}")
        if code == 0:
            numbers = int(told["packages"]), int(told["bytes"])
            return Published(
                node, bool(told["changed"]), str(told["date"]), str(told["valid_until"]), *numbers
            )
    except (IndexError, ValueError, KeyError, TypeError):
        pass
    raise Unreachable(
        f"{node}: {PROGRAM} ended with {code}: {reason(errors or said)}",
        hint=f"lienthong apply makes {node} a mirror",
    )
