"""What a week of kept runs says. What is not known is a value of its own here, never a good one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from lienthong.model.finding import Status
from lienthong.nights import Found, Night, System, statuses

HANOI = timezone(timedelta(hours=7))  # the whole country, all year
KINDS = ("audit", "coverage")
_UNKNOWN = {Status.ERROR, Status.NOT_ASSESSED, None}


class Turn(StrEnum):
    """What became of a control at a place since the look that is compared with."""

    NEW = "newly fails"
    UNCOMPARED = "fails, before not known"
    MENDED = "mended"
    LOST = "no longer known"


@dataclass(frozen=True)
class Change:
    """One turn of one control at one site, for the places that took it."""

    turn: Turn
    control: str
    places: tuple[str, ...]
    why: str = ""
    """hostile text"""


@dataclass(frozen=True)
class SiteWeek:
    """One site now and then."""

    slug: str
    now: Night | None
    """None: no look at it in these days"""
    then: Night | None
    """None: nothing to compare with"""
    counts: Mapping[Status, int]
    before: Mapping[Status, int]
    changes: tuple[Change, ...]
    still: int
    """places of controls that failed then and fail now"""
    looked: int
    """of the nights that are over, on how many it was looked at"""

    @property
    def verdict(self) -> Status:
        """The worst that is known; good only where everything could be looked at."""
        for status in (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED):
            if self.counts.get(status):
                return status
        return Status.PASS if self.counts.get(Status.PASS) else Status.NOT_ASSESSED


def _worst_first(site: SiteWeek) -> tuple[int, str]:
    return ((Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.PASS).index(site.verdict), site.slug)


@dataclass(frozen=True)
class Missing:
    """A night on which something was not looked at."""

    kind: str
    day: date
    sites: tuple[str, ...]
    """those without a look; empty: none had one"""


@dataclass(frozen=True)
class Applied:
    """A run of the journal that was to change something."""

    number: int
    verb: str
    started: datetime
    outcome: str
    """empty: cut off, or still at work"""
    sites: tuple[str, ...]
    changed: int
    """steps that changed something"""
    open: tuple[str, ...] = ()
    """devices that may still hold a change nobody confirmed"""


@dataclass(frozen=True)
class Week:
    """Everything that is told."""

    target: str
    until: datetime
    days: int
    sites: tuple[SiteWeek, ...]
    missing: tuple[Missing, ...]
    tonight: Mapping[str, bool]
    """by kind: whether there is a whole run of today already"""
    failed: tuple[Night, ...]
    """runs without a result"""
    broken: tuple[str, ...]
    """files of the history that cannot be read"""
    coverage: Night | None
    """the newest proof that has a result"""
    systems: tuple[System, ...]
    """those asked to be heard, of each site at its newest proof"""
    unasked: tuple[str, ...]
    """sites of which nobody was asked to be heard"""
    applied: tuple[Applied, ...]

    @property
    def unheard(self) -> tuple[System, ...]:
        """Systems whose event was missing somewhere."""
        return tuple(system for system in self.systems if system.missing)

    @property
    def calm(self) -> bool:
        """Whether nothing asks for an officer."""
        return (
            all(site.verdict is Status.PASS for site in self.sites)
            and bool(self.sites)
            and self.coverage is not None
            and not (self.missing or self.failed or self.broken or self.unheard or self.unasked)
            and all(run.outcome == "done" and not run.open for run in self.applied)
        )


def week(
    target: str,
    sites: Sequence[str],
    nights: Sequence[Night],
    broken: Sequence[str],
    applied: Iterable[Applied],
    now: datetime,
    days: int,
) -> Week:
    """Sum up.

    Args:
        target: `lab` or `live`.
        sites: every slug that must be told of, looked at or not.
        nights: all that is kept, oldest first.
        broken: names of kept files that could not be read.
        applied: runs of the journal, of any age.
        now: with its zone; the days before it are summed up.
        days: how many.
    """
    cut = now - timedelta(days=days)
    recent = [night for night in nights if cut < night.started <= now]
    heard = [night for night in recent if night.kind == "coverage" and night.whole]
    coverage = heard[-1] if heard else None
    today = now.astimezone(HANOI).date()
    over = [today - timedelta(days=back) for back in range(days, 0, -1)]
    newest = {slug: night for night in heard for slug in night.sites}
    systems = tuple(
        system for slug in sites if slug in newest for system in newest[slug].systems if system.site == slug
    )
    return Week(
        target=target,
        until=now,
        days=days,
        sites=tuple(sorted((_site(slug, nights, now, days, over) for slug in sites), key=_worst_first)),
        missing=tuple(gap for kind in KINDS for day in over if (gap := _gap(kind, day, nights, sites))),
        tonight={kind: any(_of(kind, today, night) for night in nights) for kind in KINDS},
        failed=tuple(night for night in recent if not night.whole),
        broken=tuple(broken),
        coverage=coverage,
        systems=systems,
        unasked=tuple(slug for slug in sites if slug not in newest) if coverage else (),
        applied=tuple(run for run in applied if run.started > cut),
    )


def local(moment: datetime) -> str:
    """Vietnam's time; a moment without a zone is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(HANOI).strftime("%d/%m/%Y %H:%M")


def _of(kind: str, day: date, night: Night) -> bool:
    return night.kind == kind and night.whole and night.started.astimezone(HANOI).date() == day


def _gap(kind: str, day: date, nights: Sequence[Night], sites: Sequence[str]) -> Missing | None:
    mine = [night for night in nights if _of(kind, day, night)]
    seen = {slug for night in mine for slug in night.sites}
    without = tuple(slug for slug in sites if slug not in seen)
    if not without and mine:
        return None
    return Missing(kind, day, without if seen & set(sites) else ())


def _site(slug: str, nights: Sequence[Night], now: datetime, days: int, over: Sequence[date]) -> SiteWeek:
    looks = [night for night in nights if night.kind == "audit" and night.whole and night.started <= now]
    looks = [night for night in looks if statuses(night, slug)]
    cut = now - timedelta(days=days)
    latest = looks[-1] if looks and looks[-1].started > cut else None
    others = [night for night in looks if night is not latest]
    # The look next to a week ago: it may be some days off, and its date is told.
    then = min(others, key=lambda night: abs(night.started - cut), default=None) if latest else None
    new = statuses(latest, slug) if latest else {}
    old = statuses(then, slug) if then else {}
    return SiteWeek(
        slug=slug,
        now=latest,
        then=then,
        counts=_counts(new),
        before=_counts(old),
        changes=tuple(_changes(old, new, drilled=bool(then and latest and then.drill and not latest.drill))),
        still=sum(
            found.status is Status.FAIL and key in old and old[key].status is Status.FAIL
            for key, found in new.items()
        ),
        looked=sum(any(_of("audit", day, night) for night in looks) for day in over),
    )


def _counts(found: Mapping[tuple[str, str], Found]) -> dict[Status, int]:
    tally = dict.fromkeys(Status, 0)
    for one in found.values():
        tally[one.status] += 1
    return tally


def _changes(
    old: Mapping[tuple[str, str], Found], new: Mapping[tuple[str, str], Found], *, drilled: bool
) -> list[Change]:
    grouped: dict[tuple[Turn, str, str], list[str]] = {}
    for key in sorted({*old, *new}):
        control, node = key
        was = old[key].status if key in old else None
        found = new.get(key)
        if found is None and drilled:
            continue  # a drill looked at more than an audit by night does
        turn = _turn(was, found.status if found else None)
        if turn is not None:
            grouped.setdefault((turn, control, found.why if found else ""), []).append(node)
    order = list(Turn)
    return [
        Change(turn, control, tuple(places), why)
        for (turn, control, why), places in sorted(
            grouped.items(), key=lambda one: (order.index(one[0][0]), one[0][1])
        )
    ]


def _turn(was: Status | None, now: Status | None) -> Turn | None:
    if now is Status.FAIL:
        if was is Status.FAIL:
            return None
        return Turn.UNCOMPARED if was in _UNKNOWN else Turn.NEW
    if now is Status.PASS and was is Status.FAIL:
        return Turn.MENDED
    if now in _UNKNOWN and was in {Status.PASS, Status.FAIL}:
        return Turn.LOST
    return None
