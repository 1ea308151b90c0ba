"""Rules across the province, over the summaries of its sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_, Summary, UnitLine
from lienthong.model.site import Province

Where = Callable[[Path_], str]

#: How a thing that exists once in the province is called when it is met twice, and what to do.
_TAKEN = {
    "number": ("number {key} is already {owner}'s", "take a free one"),
    "address": ("{key} is already {owner}'s", ""),
    "serial": ("serial {key} is already {owner}'s", "read it off the device again"),
    "asset code": ("asset code {key} is already {owner}'s", "read it off the label again"),
    "Ethernet address": ("Ethernet address {key} is already {owner}'s", "one interface, one entry"),
    "dial number": ("dial number {key} is already {owner}'s", "1000 plus the number of the site is free"),
    "unit": ("unit {key} already has its seat at {owner}", "a unit is written at one site"),
}


def across(
    summaries: Mapping[str, Summary],
    province: Province,
    where: Mapping[str, Where],
    province_where: Where,
    today: date | None = None,
) -> list[Problem]:
    """Every rule that sites break together. Without `today` the calendar is not looked at."""
    problems = [*_hub(summaries), *_claims(summaries, where), *_needs(summaries, province, where)]
    problems += [*_units(summaries, where), *_promises(summaries, province, where)]
    if today is not None:
        problems += _deadlines(summaries, where, today)
        problems += [
            Problem(
                province_where(("policies", name, "issued")),
                f"policy pack {name} is issued on {pack.issued}, which is to come",
                "until then the pack before it is in force",
            )
            for name, pack in province.policies.items()
            if pack.issued > today
        ]
    return problems


def _hub(summaries: Mapping[str, Summary]) -> Iterator[Problem]:
    hubs = sorted(slug for slug, one in summaries.items() if one.hub)
    if len(hubs) != 1:
        what = f"{len(hubs)} sites say hub: true, exactly one must"
        yield Problem("inventory/sites", what, ", ".join(hubs) or "kind: provincial-office says it")


def _claims(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    owners: dict[tuple[str, str], tuple[str, Path_]] = {}
    for slug, one in summaries.items():
        for space, key, path in one.claims:
            site, first = owners.setdefault((space, key), (slug, path))
            if (site, first) != (slug, path):
                what, hint = _TAKEN[space]
                whole = space in {"number", "unit"}
                owner = site if whole else f"{site} {first[1]}"
                yield Problem(where[slug](path), what.format(key=key, owner=owner), hint)


def _needs(
    summaries: Mapping[str, Summary], province: Province, where: Mapping[str, Where]
) -> Iterator[Problem]:
    offered = {offer for one in summaries.values() for offer in one.offers}
    offered |= {("outside", name, system.side.value) for name, system in province.outside.items()}
    offered |= {("unit", line[0], "") for one in summaries.values() for line in one.units}
    for slug, one in summaries.items():
        for need in one.needs:
            kind, name, side, who, path = need
            if (kind, name, side) in offered:
                continue
            elsewhere = side and sorted({s for k, n, s in offered if k == kind and n == name})
            if elsewhere:
                what = f"{who} needs {kind} {name} on the {side} side, and it is on the {elsewhere[0]} side"
                yield Problem(where[slug](path), what, "the two sides share nothing")
            elif kind == "building":
                yield Problem(
                    where[slug](path), f"{who}: no building {name}", "add it to that site's buildings"
                )
            elif kind == "unit":
                yield Problem(where[slug](path), f"{who}: no unit {name!r}", "a unit is a site, or in units")
            else:
                nobody = "nobody runs it" if kind == "service" else "there is none"
                known = sorted({n for k, n, s in offered if k == kind and s == side})
                hint = f"{kind}s of the {side} side: {', '.join(known[:12])}" if known else ""
                yield Problem(where[slug](path), f"{who} needs {kind} {name!r}, and {nobody}", hint)


def _units(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    units: dict[str, tuple[str, UnitLine]] = {}
    for slug, one in summaries.items():
        for line in one.units:
            units.setdefault(line[0], (slug, line))
    for slug, (site, (_, parent, succeeds, since, _until, path)) in units.items():
        if parent and parent not in units:
            yield Problem(
                where[site]((*path, "parent")), f"no unit {parent!r}", "a unit is a site, or in units"
            )
        seen = {slug}
        above = parent
        while above in units and above not in seen:
            seen.add(above)
            above = units[above][1][1]
        if above == slug:
            yield Problem(where[site]((*path, "parent")), f"{slug} is above itself", "break the circle")
        for before in succeeds:
            place = where[site]((*path, "succeeds"))
            if before == slug or before not in units:
                yield Problem(
                    place, f"{slug} cannot succeed {before!r}", "name another unit; ended ones stay written"
                )
            elif not units[before][1][4]:
                yield Problem(
                    place, f"{slug} succeeds {before}, which has no last day", "give it valid: {until: …}"
                )
            elif since and units[before][1][4] >= since:
                yield Problem(
                    place,
                    f"{slug} begins on {since}, before {before} has ended ({units[before][1][4]})",
                    "a successor begins the day after",
                )


def _promises(
    summaries: Mapping[str, Summary], province: Province, where: Mapping[str, Where]
) -> Iterator[Problem]:
    for name, pack in province.policies.items():
        for slug, one in summaries.items():
            for what, value, path in one.promises:
                if what == "log months" and pack.min_log_months is not None and value < pack.min_log_months:
                    said = f"events are kept {value} months, policy {name} asks {pack.min_log_months}"
                    yield Problem(where[slug](path), said, "keep them longer")
                if what == "rpo hours" and pack.max_rpo_hours is not None and value > pack.max_rpo_hours:
                    said = f"a copy may be {value} hours old, policy {name} allows {pack.max_rpo_hours}"
                    yield Problem(where[slug](path), said, "copy more often")


def _deadlines(
    summaries: Mapping[str, Summary], where: Mapping[str, Where], today: date
) -> Iterator[Problem]:
    now = today.isoformat()
    for slug, one in summaries.items():
        for day, what, path in one.deadlines:
            if day < now:
                yield Problem(
                    where[slug](path), f"{what} ended on {day}", "renew it, replace it, or retire it"
                )
