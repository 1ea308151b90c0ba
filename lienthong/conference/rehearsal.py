"""Who calls whom before a conference, and when: several at once, an endpoint one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Outcome = TypeVar("Outcome")
Pair = tuple[str, str]


def pairs(office: Sequence[str], sites: Sequence[str]) -> list[Pair]:
    """(caller, callee) by name of node.

    What an officer needs to know is whether each site is seen and heard in the office, so the office calls
    each; several endpoints of the office share them. The office is the bottleneck: meanwhile sites call each
    other, in twos, so that lines are loaded as they will be. Without an office sites call each other.

    Args:
        office, sites: endpoints; each stands in one of the two.
    """
    found = [(office[at % len(office)], site) for at, site in enumerate(sites)] if office else []
    if len(sites) > 1:
        last = [*sites, sites[0]] if len(sites) % 2 else list(sites)
        found += list(zip(last[::2], last[1::2], strict=True))
    if len(office) > 1 and not sites:
        found += pairs((), office)
    return found


def rehearse(
    wanted: Sequence[Pair], at_once: int, do: Callable[[Pair], Outcome], stopped: Callable[[], bool]
) -> Iterator[tuple[Pair, Outcome]]:
    """Do each pair, several at once, no endpoint twice at a time; the outcomes as they come.

    Args:
        at_once: calls at the same time at most.
        do: places one call; must not raise.
        stopped: whether nothing else is to be begun.
    """
    left = list(wanted)
    running: dict[Future[Outcome], Pair] = {}
    with ThreadPoolExecutor(at_once) as pool:
        while left or running:
            taken = {name for pair in running.values() for name in pair}
            for pair in list(left):
                if len(running) < at_once and not taken & set(pair) and not stopped():
                    running[pool.submit(do, pair)] = pair
                    left.remove(pair)
                    taken |= set(pair)
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(done), done.result()
