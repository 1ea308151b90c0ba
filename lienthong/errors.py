"""One root for every error a user may meet, and the exit codes that go with them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code means."""

    OK = 0
    FINDINGS = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


#: Controls, formats (bidirectional, zero-width, tags), halves of pairs, private use, line and paragraph ends.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_LONGEST = 1000


def visible(text: str) -> str:
    """A text that quotes its input, fit for a terminal: what would act there is written out, and it ends."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in _UNSEEN else c for c in text)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with the input: where, what, and what to do."""

    where: str
    what: str
    hint: str = ""

    def __post_init__(self) -> None:
        for name in ("what", "hint"):
            object.__setattr__(self, name, visible(getattr(self, name)))

    def __str__(self) -> str:
        head = f"{visible(self.where)}: {self.what}" if self.where else self.what
        return f"{head}\nhint: {self.hint}" if self.hint else head


class LienThongError(Exception):
    """Something the user can understand and mend. Shown without a traceback."""

    exit_code = Exit.BAD_INPUT

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\nhint: {self.hint}" if self.hint else self.what


def _in_order(problem: Problem) -> tuple[object, ...]:
    """By file, then by line and column as numbers."""
    file, *place = problem.where.split(":")
    numbers = [int(part) for part in place if part.isdecimal()]
    return file, numbers, problem.what, problem.hint


class InventoryError(LienThongError):
    """The inventory is wrong in one or more places; all of them are listed."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems), key=_in_order)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Unreachable(LienThongError):
    """A device, the lab or a needed part of this machine cannot be reached; nothing was changed."""

    exit_code = Exit.UNREACHABLE


class Refused(LienThongError):
    """The guard refused a change; nothing was sent."""
