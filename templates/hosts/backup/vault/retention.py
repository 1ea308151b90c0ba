"""Which archives retention keeps: borg's own rule (`prune_split` of borg 1.2), so that nobody has to believe
the account that prunes when it says an archive was only old.
"""

from __future__ import annotations

from collections.abc import Iterable

DAY, MONTH = 10, 7


def kept(archives: Iterable[tuple[str, str]], daily: int, monthly: int) -> set[str]:
    """Ids that `borg prune --keep-daily --keep-monthly` leaves.

    Args:
        archives: (id, start as ISO 8601 in UTC) of all that were there when it ran.
    """
    order = sorted(archives, key=lambda one: one[1], reverse=True)
    keep: set[str] = set()
    for length, wanted in ((DAY, daily), (MONTH, monthly)):
        if not wanted:
            continue
        last, count = "", 0
        for ident, start in order:
            if start[:length] == last:
                continue
            last = start[:length]
            if ident not in keep:
                keep.add(ident)
                count += 1
                if count == wanted:
                    break
        # Until there are enough, the oldest is kept as well.
        if count < wanted and order:
            keep.add(order[-1][0])
    return keep
