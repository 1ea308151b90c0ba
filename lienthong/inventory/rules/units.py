"""Rules of the organisation: units stand in a tree, and who follows whom begins when the other has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_, Summary, UnitLine

Where = Callable[[Path_], str]


def units(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    """Everything wrong with parents and successors."""
    known: dict[str, tuple[str, UnitLine]] = {}
    for slug, one in summaries.items():
        for line in one.units:
            known.setdefault(line[0], (slug, line))
    for slug, (site, (_, parent, succeeds, since, _until, path)) in known.items():
        if parent and parent not in known:
            yield Problem(
                where[site]((*path, "parent")), f"no unit {parent!r}", "a unit is a site, or in units"
            )
        above, seen = parent, {slug}
        while above in known and above not in seen:
            seen.add(above)
            above = known[above][1][1]
        if above == slug:
            circle = "itself" if parent == slug else f"{parent}, which in the end is above {slug}"
            place = where[site]((*path, "parent"))
            hint = "a unit has one above it, and the last has none"
            yield Problem(place, f"{slug} stands below {circle}", hint)
        for index, before in enumerate(succeeds):
            yield from _successor(slug, before, since, known, where[site]((*path, "succeeds", index)))


def _successor(
    slug: str, before: str, since: str, known: Mapping[str, tuple[str, UnitLine]], place: str
) -> Iterator[Problem]:
    if before == slug:
        yield Problem(place, f"{slug} cannot succeed itself", "name the unit whose duties it took over")
    elif before not in known:
        yield Problem(
            place, f"no unit {before!r} to succeed", "a unit that has ended stays written, under units"
        )
    elif not known[before][1][4]:
        yield Problem(
            place, f"{slug} succeeds {before}, which has no last day", f"give {before} valid: {{until: …}}"
        )
    elif since and known[before][1][4] >= since:
        yield Problem(
            place,
            f"{slug} begins on {since}, before {before} has ended ({known[before][1][4]})",
            "a successor begins on a later day",
        )
