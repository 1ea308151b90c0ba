"""How a device's command line is reached. A session is one login; what comes back is data, never trusted."""

from __future__ import annotations

from typing import Protocol

from lienthong.errors import LienThongError


class Rejected(LienThongError):
    """The device refused a line; no line after it was sent. Holds no secret."""


class Session(Protocol):
    """One login on one device in one dialect. Lines carry secrets by name, in both directions."""

    def show(self, command: str) -> str:
        """What the device answers, with the values of known secrets replaced by their names.

        Raises:
            Rejected: it does not know the command.
            Unreachable: the connection is gone.
        """
        ...

    def configure(self, lines: tuple[str, ...]) -> None:
        """Send lines one by one, stopping at the first that is refused; configuration mode is left again.

        Raises:
            Rejected: with the line and what the device said.
            Unreachable: the connection is gone.
        """
        ...

    def save(self) -> None:
        """Make the change outlive a reboot.

        Raises:
            Rejected: the device did not say that it has.
        """
        ...

    def run(self, command: str, stdin: str = "", timeout_s: float = 30.0) -> tuple[int, str]:
        """A shell command on a channel of its own: (exit code, what it said). Automation account only."""
        ...

    def close(self) -> None:
        """End the login; never raises."""
        ...
