"""A command that was not started is tried once more, and one that failed otherwise is not."""

from __future__ import annotations

import errno

import pytest

from lienthong.audit.started import started


class Kernel:
    """Refuses the first so many starts with one error."""

    def __init__(self, number: int, times: int) -> None:
        self.number, self.times, self.calls = number, times, 0

    def run(self, command: str) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise OSError(self.number, "not started", "/bin/sh")
        return command


def test_a_start_that_the_kernel_lost_is_repeated_once() -> None:
    kernel = Kernel(errno.EFAULT, 1)
    assert started(kernel.run)("true") == "true"
    assert kernel.calls == 2


@pytest.mark.parametrize(("number", "times", "calls"), [(errno.ENOENT, 1, 1), (errno.EFAULT, 2, 2)])
def test_other_errors_are_told(number: int, times: int, calls: int) -> None:
    kernel = Kernel(number, times)
    with pytest.raises(OSError, match="not started"):
        started(kernel.run)("true")
    assert kernel.calls == calls
