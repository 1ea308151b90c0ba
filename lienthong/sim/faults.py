"""What may go wrong between a controller and a simulated device, on demand. Values, and a seeded choice."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "cut-before", "cut-after", "cut-byte", "reject", "log-line", "log-prompt", "slow", "slow-login",
    "lines-taken", "host-key", "reboot", "clock", "flash-full", "freeze",
]  # fmt: skip

#: What each is, for people.
KINDS: dict[Kind, str] = {
    "cut-before": "the connection is cut before the device does the line",
    "cut-after": "the connection is cut after the device has done the line, before it answers",
    "cut-byte": "the connection is cut within what the device says",
    "reject": "the device refuses a line",
    "log-line": "a log message comes in the middle of an answer",
    "log-prompt": "a log message comes right after the prompt",
    "slow": "every answer takes its time",
    "slow-login": "the server that is asked about logins takes its time",
    "lines-taken": "all lines (VTY) are taken for some logins",
    "host-key": "the host key is another",
    "reboot": "the device starts anew",
    "clock": "time jumps on the device",
    "flash-full": "the flash has no room",
    "freeze": "the device takes lines and answers no more",
}


@dataclass(frozen=True)
class Fault:
    """One fault, which strikes once."""

    kind: Kind
    at: int = 1
    """Line of the sessions from now on (1 is the first), byte of an answer for `cut-byte`, number of logins
    for `lines-taken`."""
    seconds: float = 0.0
    """How long, or how far: device seconds for `clock`, real ones for `slow`, `slow-login`."""

    def __str__(self) -> str:
        return f"{self.kind} at {self.at}" + (f" {self.seconds:.1f} s" if self.seconds else "")


def choose(chance: random.Random, lines: int) -> Fault:
    """A fault somewhere within a run that sends about so many lines."""
    kind = chance.choice(sorted(KINDS))
    at = chance.randint(1, max(2, lines))
    seconds = 0.0
    if kind == "cut-byte":
        at = chance.randint(1, 4000)
    elif kind == "lines-taken":
        at = chance.randint(1, 3)
    elif kind in {"slow", "slow-login"}:
        seconds = chance.uniform(0.01, 0.08) if kind == "slow" else chance.uniform(0.2, 3)
    elif kind == "clock":
        seconds = chance.choice([1.0, 30.0, 90.0, 3600.0, 86400.0])
    return Fault(kind, at, seconds)
