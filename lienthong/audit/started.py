"""A command that the kernel did not start is started again."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def started(run: Callable[P, T]) -> Callable[P, T]:
    """What runs a command, tried a second time where `execve` told EFAULT.

    Linux 6.18 did so once in some hundred thousand starts from a process with many threads, of /bin/sh with
    arguments that were good. Nothing had run by then, so a second try repeats nothing. Other errors, and a
    second one, are the caller's.
    """

    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return run(*args, **kwargs)
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
        return run(*args, **kwargs)

    return again
