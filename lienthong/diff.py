"""What stands between a device and its intent: equality first, then a set difference of owned lines. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.platforms import Dialect, Lines


@dataclass(frozen=True)
class Diff:
    """The change of one dialect on one device. Holds names of secrets, never their values."""

    removed: Lines
    """Owned lines that the device has and the plan does not want."""
    added: Lines
    """Intended lines that the device does not have, in the order of the intent."""
    owned: int
    """How many lines of the device the plan owns now."""

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)

    @property
    def told(self) -> tuple[str, ...]:
        """Readable lines: `- …` goes, `+ …` comes, each with its headings."""
        both = [*(("-", line) for line in self.removed), *(("+", line) for line in self.added)]
        return tuple(f"{sign} {' / '.join(line)}" for sign, line in both)


def compare(dialect: Dialect, intended: Lines, running: Lines) -> Diff:
    """The least change that makes `running` hold exactly the intended lines in the plan's scope."""
    wanted = frozenset(intended)
    mine = tuple(line for line in running if dialect.owns(line, wanted))
    if frozenset(mine) == wanted:
        return Diff((), (), len(mine))
    has = frozenset(mine)
    return Diff(
        removed=tuple(line for line in mine if line not in wanted),
        added=tuple(line for line in dict.fromkeys(intended) if line not in has),
        owned=len(mine),
    )


def future(running: Lines, diff: Diff) -> Lines:
    """What the device will hold once the change is made."""
    gone = frozenset(diff.removed)
    return (*(line for line in running if line not in gone), *diff.added)
