"""How a device returns by itself from a change that nobody confirms; one file a method.

A method is a value. Its functions speak to the device through a :class:`Session` that they are given, and
keep nothing. The order in which they are called, always: `pending`, `arm`, then the lines go out (with the
dialect's `commit`), a *new* session, checks, `confirm`, and only then `Session.save`. Or `fire`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lienthong.errors import LienThongError


class Rejected(LienThongError):
    """The device refused a line; no line after it was sent. Holds no secret."""


class NotArmed(LienThongError):
    """The device could not be made able to undo the change; nothing was sent."""


class Session(Protocol):
    """One login on one device in one dialect. Lines carry secrets by name, in both directions."""

    def show(self, command: str) -> str:
        """What the device answers, with the values of known secrets replaced by their names.

        Raises:
            Rejected: it does not know the command.
            Unreachable: the connection is gone.
        """
        ...

    def configure(self, lines: tuple[str, ...], commit: tuple[str, ...] = ()) -> None:
        """Enter configuration mode, send lines, stopping at the first that is refused, then `commit`; leave.

        Raises:
            Rejected: with the line and what the device said. What a candidate held is thrown away.
            Unreachable: the connection is gone.
        """
        ...

    def save(self) -> None:
        """Make the change outlive a reboot.

        Raises:
            Rejected: the device did not say that it has.
        """
        ...

    def ask(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:
        """One line in the mode that a login begins in, and what the device says to it, up to the next prompt.

        Args:
            answers: (pattern, answer) for questions that the device may ask before it prompts, such as
                `[confirm]` or `(y/n)`.

        Raises:
            Rejected: the device refused it.
            Unreachable: the connection is gone.
        """
        ...

    def run(self, command: str, stdin: str = "", timeout_s: float = 30.0) -> tuple[int, str]:
        """A shell command on a channel of its own: (exit code, what it said). Debian systems only."""
        ...

    def watch(self, check: Callable[[], None], unheard_s: float | None = None) -> None:
        """Call `check` before everything that is sent; what it raises is raised, and nothing is sent.

        Args:
            unheard_s: what the device has not acknowledged for so long never reaches it any more, and the
                connection ends; none leaves that to the system, which may deliver it minutes later.
        """
        ...

    def close(self) -> None:
        """End the login; never raises."""
        ...


@dataclass(frozen=True)
class Arming:
    """What an undo is armed with."""

    seconds: int
    """How long the device waits for the confirmation; a multiple of the method's `step_s`."""
    templates: Path
    """The checkout's `templates/`."""
    account: str
    """The account by which the dialect `network` logs in."""


@dataclass(frozen=True)
class Undo:
    """One method."""

    method: str
    """As a plan names it, e.g. `configure terminal revert timer`."""
    dialect: str
    """The dialect whose session the functions get."""
    reboots: bool
    """To return the device starts anew: everything behind it is cut off meanwhile."""
    outage_s: int
    """For how long, about, traffic stops when it returns."""
    step_s: int
    """Windows are counted in multiples of so many seconds."""
    survives_reboot: bool
    """A device that loses power while armed comes up with the configuration before the change."""
    pending: Callable[[Session], str | None] = field(repr=False)
    """What somebody else has begun and not ended: an armed undo, an uncommitted candidate, a running
    configuration that was never saved (where returning would lose it). None: nothing."""
    arm: Callable[[Session, Arming], None] = field(repr=False)
    """Make the device able to return to what is in force at this moment; raises NotArmed."""
    confirm: Callable[[Session], None] = field(repr=False)
    """The change is good, the device forgets; raises LienThongError when it has returned already."""
    fire: Callable[[Session], str] = field(repr=False)
    """Return now; says what came of it. Also right when nothing is armed any more. A method that reboots
    may lose the session: that is no error."""

    unsaved: Callable[[Session], bool] | None = field(default=None, repr=False)
    """Whether all that `pending` speaks of is that what runs was not saved, and nothing takes it back. A run
    that died between confirming and saving leaves that; None where `pending` does not speak of it."""
    own: bool = False
    """Nobody but this tool arms it: who holds the site's lease may return what a dead run left armed."""

    def window(self, asked_s: int) -> int:
        """The shortest window of this method that is not below what was asked."""
        return -(-asked_s // self.step_s) * self.step_s
