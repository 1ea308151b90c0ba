"""A device made of text, for tests of what lies above the transport: it answers, obeys, refuses, forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lienthong.errors import Unreachable
from lienthong.transport import Rejected


@dataclass
class ReplayDevice:
    """What the device holds and what was done to it; `on` plays its dialects."""

    answers: dict[str, str]
    """By command, what `show` answers before and after a change."""
    after: dict[str, str] = field(default_factory=dict)
    """What it answers once lines were sent; empty: as before."""
    refuses: str | None = None
    """A line with this text is refused."""
    lost: bool = False
    """No new login succeeds once lines were sent."""
    done: list[str] = field(default_factory=list)
    """Everything that was asked of it, in order."""

    def log_in(self) -> ReplaySession:
        """A new session.

        Raises:
            Unreachable: the change has cut the device off.
        """
        if self.lost and any(entry.startswith("send ") for entry in self.done):
            raise Unreachable("timed out")
        self.done.append("login")
        return ReplaySession(self)


@dataclass
class ReplaySession:
    """A login on a :class:`ReplayDevice`."""

    device: ReplayDevice
    answer: Callable[[str], tuple[int, str]] = lambda command: (0, command)

    def show(self, command: str) -> str:
        sent = any(entry.startswith("send ") for entry in self.device.done)
        source = self.device.after if sent and self.device.after else self.device.answers
        return source[command]

    def configure(self, lines: tuple[str, ...], commit: tuple[str, ...] = ()) -> None:
        lines += commit
        for line in lines:
            if self.device.refuses is not None and self.device.refuses in line:
                raise Rejected(f"refused {line!r}")
            self.device.done.append(f"send {line}")

    def ask(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:  # noqa: ARG002
        self.device.done.append(f"ask {line}")
        return self.device.answers.get(line, "{}" if "json" in line else "")

    def save(self) -> None:
        self.device.done.append("save")

    def run(self, command: str, stdin: str = "", timeout_s: float = 30.0) -> tuple[int, str]:  # noqa: ARG002
        text = stdin or command
        verb = next(word for word in ("status", "arm", "confirm", "fire") if f"lienthong-undo {word}" in text)
        if verb == "status":
            return 0, ""
        self.device.done.append(verb)
        return self.answer(verb)

    def watch(self, check: Callable[[], None], unheard_s: float | None = None) -> None:
        pass

    def close(self) -> None:
        self.device.done.append("close")
