"""Rules across the province, over the summaries of its sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches

from lienthong.errors import Problem
from lienthong.inventory.rules.needs import ORDER
from lienthong.inventory.rules.summary import Path_, Summary
from lienthong.inventory.rules.units import units
from lienthong.model.site import Province
from lienthong.model.words import Side

Where = Callable[[Path_], str]

#: A network whose last address is at most this far from its first (/30, /126) holds a line's two ends only.
MOST_OF_TWO_ENDS = 3
#: How a thing that exists once in the province is called when it is met twice, and what to do.
_TAKEN = {
    "number": ("number {key} is already {owner}'s", "take a free one"),
    "address": ("{key} is already {owner}'s", "a provider gives an address once; read it off the contract"),
    "serial": ("serial {key} is already {owner}'s", "read it off the device again"),
    "asset code": ("asset code {key} is already {owner}'s", "read it off the label again"),
    "Ethernet address": ("Ethernet address {key} is already {owner}'s", "one interface, one entry"),
    "dial number": ("dial number {key} is already {owner}'s", "1000 plus the number of the site is free"),
    "unit": ("unit {key} already has its seat at {owner}", "a unit is written at one site"),
    "node": (
        "its full name would be {key}, and so would that of {owner}",
        "a full name is the site's, a hyphen, its own: change its own",
    ),
    "registrar": ("the {key} side already has a registrar, {owner}", "one registrar serves all sites"),
}


def across(
    summaries: Mapping[str, Summary],
    province: Province,
    where: Mapping[str, Where],
    province_where: Where,
    today: date | None = None,
    whole: bool = True,
) -> list[Problem]:
    """Every rule that sites break together.

    Args:
        today: without it the calendar is not looked at.
        whole: every site could be read; else nothing is said of what only seems to be missing.
    """
    problems = [*_claims(summaries, where), *_networks(summaries, where)]
    problems += _promises(summaries, province, where)
    if whole:
        problems += [*_hub(summaries, where), *_needs(summaries, province, where)]
        problems += units(summaries, where)
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


def _hub(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    hubs = sorted(slug for slug, one in summaries.items() if one.hub)
    if not hubs:
        yield Problem(
            "inventory/sites", "no site is the office (hub: true)", "kind: provincial-office says it"
        )
    if len(hubs) > 1:
        for slug in hubs:
            what = f"{len(hubs)} sites say hub: true, exactly one must: {', '.join(hubs)}"
            yield Problem(where[slug](("hub",)), what, "kind: provincial-office says it too")


def _claims(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    owners: dict[tuple[str, str], tuple[str, Path_]] = {}
    for slug, one in summaries.items():
        for space, key, path in one.claims:
            if space not in _TAKEN:
                continue
            site, first = owners.setdefault((space, key), (slug, path))
            if (site, first) != (slug, path):
                what, hint = _TAKEN[space]
                owner = site if space in {"number", "unit"} else f"{site} {first[1]}"
                yield Problem(where[slug](path), what.format(key=key, owner=owner), hint)


def _networks(summaries: Mapping[str, Summary], where: Mapping[str, Where]) -> Iterator[Problem]:
    """Networks of lines are apart, or wholly the same with the same gateway: a provider's shared Ethernet."""
    found = []
    for slug, one in summaries.items():
        for space, key, path in one.claims:
            if space == "line network":
                version, first, last, gateway = map(int, key.split())
                found.append(((version, first, -last, gateway), slug, path))
    found.sort()
    widest = None  # of those that begin before, the one that ends last
    for mine in found:
        span, slug, path = mine
        if widest is not None:
            other, site, at = widest
            inside = other[0] == span[0] and span[1] <= -other[2]
            shared = span == other and -span[2] - span[1] > MOST_OF_TWO_ENDS
            if inside and not shared:
                yield Problem(
                    where[slug](path),
                    f"the network of line {path[1]} overlaps that of {site} {at[1]}",
                    "a provider gives each line its own; check address and prefix of both",
                )
        if widest is None or (span[0], -span[2]) > (widest[0][0], -widest[0][2]):
            widest = mine


def _needs(
    summaries: Mapping[str, Summary], province: Province, where: Mapping[str, Where]
) -> Iterator[Problem]:
    offered = {offer for one in summaries.values() for offer in one.offers}
    offered |= {("outside", name, system.side.value) for name, system in province.outside.items()}
    offered |= {("unit", line[0], "") for one in summaries.values() for line in one.units}
    if not any(one.hub for one in summaries.values()):
        offered |= {("office line", name, Side.WAN.value) for name in ORDER}  # no office is said elsewhere
    known: dict[tuple[str, str], list[str]] = {}
    for slug, one in summaries.items():
        for kind, name, side, who, path in one.needs:
            if (kind, name, side) in offered:
                continue
            if kind == "resolver" and ("node", name, side) not in offered:
                continue  # said of the node
            if (kind, side) not in known:
                known[kind, side] = sorted({n for k, n, s in offered if k == kind and s == side})
            elsewhere = next((s.value for s in Side if side and (kind, name, s.value) in offered), "")
            what, hint = _unmet(kind, name, side, who, elsewhere, known[kind, side])
            yield Problem(where[slug](path), what, hint)


def _unmet(kind: str, name: str, side: str, who: str, elsewhere: str, known: list[str]) -> tuple[str, str]:
    """(what, hint) for a need that nothing meets; `elsewhere` is the side that has such a thing."""
    close = get_close_matches(name, known, 3)
    there = f"{kind}s of the {side} side: {', '.join(known[:8])}{', …' if known[8:] else ''}" if known else ""
    there = f"did you mean {' or '.join(close)}?" if close else there
    if kind == "building":
        return (
            f"copy {who} stands in {name}, and there is no such building",
            "add it to that site's buildings",
        )
    if kind == "unit":
        return f"{who}: no unit {name!r}", "a unit is a site, or in units"
    if kind == "office line":
        return f"{who} is the {name} line to the office, which has no {name} line itself", "add it there"
    if kind == "vault of":
        what = f"no vault of the {side} side fetches from {name}, so nobody backs {who} up"
        return what, f"a service backup with sources: {name} on a host of that side"
    if elsewhere:
        what = f"{who} needs {kind} {name} on the {side} side, and it is on the {elsewhere} side"
        return what, "the two sides share nothing"
    if kind == "resolver":
        return f"{who} asks {name}, which runs no dns on the {side} side", there
    nobody = "nobody runs it" if kind == "service" else "there is none"
    return f"{who} needs {kind} {name!r}, and {nobody}", there


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
