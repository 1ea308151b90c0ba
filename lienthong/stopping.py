"""Ctrl-C is an orderly stop: what is under way is ended, nothing new is begun. A second one is a hard
stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Within the block Ctrl-C only asks; `asked` tells. Outside of the main thread it changes nothing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._event = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def asked(self) -> bool:
        """Whether somebody wants the run to stop."""
        return self._event.is_set()

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for one in _SIGNALS:
                self._before[one] = signal.signal(one, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)  # type: ignore[arg-type]

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()
        self._say("stopping in order: what is under way is ended, nothing else begun (once more: stop hard)")
