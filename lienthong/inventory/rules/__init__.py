"""What must hold within a site and across all of them, beyond the type of each value.

Rules of a site see that site and the province; rules across sites see only the :class:`Summary` of each,
plain data that can be kept while a site does not change. A rule is a function that yields :class:`Problem`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from lienthong.errors import Problem
from lienthong.inventory.rules import cabling, lines, names, platforms, provinces, segments, systems
from lienthong.inventory.rules.across import across
from lienthong.inventory.rules.summary import Path_, Summary, summarise
from lienthong.model.site import Inventory, Province, Site

Where = Callable[[Path_], str]
#: Between a place and the site it was found in; no place has it.
_MARK = " @"

__all__ = ["Summary", "across", "check", "marked", "site_problems", "summarise", "told"]

_RULES = (segments.check, names.check, cabling.check, platforms.check, lines.check, systems.check)


def site_problems(site: Site, province: Province, where: Where) -> list[Problem]:
    """Every rule that a site breaks by itself."""
    return list(_of_site(site, province, where))


def _of_site(site: Site, province: Province, where: Where) -> Iterator[Problem]:
    for rule in _RULES:
        yield from rule(site, province, where)


def check(
    inventory: Inventory,
    where: Mapping[str, Where],
    province_where: Where | None = None,
    today: date | None = None,
    whole: bool = True,
) -> list[Problem]:
    """Every broken rule of a set of sites that parsed; `today` and `whole` as in :func:`across`."""
    home = province_where or (lambda path: "inventory/layers/province.yaml")  # noqa: ARG005
    problems = list(provinces.check(inventory.province, home))
    for slug, site in inventory.sites.items():
        problems += site_problems(site, inventory.province, where[slug])
    summaries = {slug: summarise(site, inventory.province) for slug, site in inventory.sites.items()}
    problems += across(summaries, inventory.province, where, home, today, whole)
    return problems


def marked(slug: str, where: Where) -> Where:
    """Places that also carry the site, where they lie in a layer that other sites share; see :func:`told`."""

    def place(path: Path_) -> str:
        found = where(path)
        return found if found.startswith(f"inventory/sites/{slug}.yaml") else f"{found}{_MARK}{slug}"

    return place


def told(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once; one that lies in a layer says in which sites it shows."""
    sites: dict[Problem, list[str]] = {}
    for problem in problems:
        place, _, slug = problem.where.partition(_MARK)
        sites.setdefault(replace(problem, where=place), []).extend([slug] if slug else [])
    return [
        replace(problem, what=f"{problem.what} ({_in(sorted(set(slugs)))})") if slugs else problem
        for problem, slugs in sites.items()
    ]


def _in(slugs: list[str]) -> str:
    named = ", ".join(slugs[:3])
    return f"in {named}" if len(slugs) <= 3 else f"in {len(slugs)} sites: {named}, …"
