"""What must be kept of units that ended, until when, and by whom. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from lienthong.model.intent import ProvincePlan, SitePlan
from lienthong.model.site import Inventory
from lienthong.model.words import Side


@dataclass(frozen=True)
class Kept:
    """One thing that outlives its unit."""

    unit: str
    """the unit that ended"""
    by: str
    """the unit that answers for it from now on"""
    what: str
    """`logs wan`; `documents` with the system's slug; `host` with the name of a collector or vault"""
    at: tuple[str, ...]
    """nodes that hold it, as they are called from now on"""
    months: int
    until: date
    stays: bool
    """Whether the system itself goes on under the heir, so that its copies go on too."""
    enough: bool
    """Whether what holds it is told to keep it that long."""


def kept(
    ended: Mapping[str, str],
    last_day: date,
    before: tuple[Inventory, ProvincePlan],
    after: ProvincePlan,
    now: Mapping[str, str],
) -> tuple[Kept, ...]:
    """What each ended unit leaves behind.

    Args:
        ended: unit → unit that keeps its records.
        last_day: the last day of those units.
        before: the inventory and its plan as they were.
        after: the plan as it will be.
        now: site as it was called → as it is called from now on; closed sites are not in it.
    """
    found: list[Kept] = []
    for unit, heir in sorted(ended.items()):
        if unit in before[0].sites:
            found += _logs(unit, heir, last_day, before, after)
        found += _documents(unit, heir, last_day, before, after, now)
    return tuple(found)


def _logs(
    unit: str, heir: str, last_day: date, before: tuple[Inventory, ProvincePlan], after: ProvincePlan
) -> Iterator[Kept]:
    least = max((pack.min_log_months or 0 for pack in before[0].province.policies.values()), default=0)
    for side in Side:
        collectors = after.running("logs", side)
        months = [getattr(node.services["logs"].params, "retention_months", 0) for node in collectors]
        if collectors:
            span = max([least, *months])
            names = tuple(node.name for node in collectors)
            until = add_months(last_day, span)
            yield Kept(unit, heir, f"logs {side}", names, span, until, False, min(months) >= span)


def _documents(
    unit: str,
    heir: str,
    last_day: date,
    before: tuple[Inventory, ProvincePlan],
    after: ProvincePlan,
    now: Mapping[str, str],
) -> Iterator[Kept]:
    for home, site in sorted(before[0].sites.items()):
        place = after.sites.get(now.get(home, ""))
        for slug, system in sorted(site.systems.items()):
            if system.backup is None or (system.owner or home) != unit:
                continue
            side = before[1].sites[home].node(system.host).side
            running = after.running("backup", side)
            # a vault prunes whole archives by its own rule, whatever they hold
            held = [getattr(node.services["backup"].params, "keep_monthly", 0) for node in running]
            months = system.backup.keep_months
            yield Kept(
                unit=unit,
                by=heir,
                what=f"documents {slug}",
                at=tuple(node.name for node in running),
                months=months,
                until=add_months(last_day, months),
                stays=place is not None and slug in place.site.systems,
                enough=bool(held) and min(held) >= months,
            )


def stranded(before: SitePlan, after: SitePlan | None, heir: str, last_day: date) -> tuple[Kept, ...]:
    """Collectors and vaults that a site loses: what they hold is on nobody else's disk."""
    found = []
    for node in before.nodes.values():
        for service, key in (("logs", "retention_months"), ("backup", "keep_monthly")):
            if service not in node.services:
                continue
            here = after.nodes.get(f"{after.site.slug}-{node.short}") if after is not None else None
            if here is None or not here.runs(service):
                months = int(getattr(node.services[service].params, key))
                until = add_months(last_day, months)
                what = f"host {node.short}"
                found.append(Kept(before.site.slug, heir, what, (node.name,), months, until, False, True))
    return tuple(found)


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the month's last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
