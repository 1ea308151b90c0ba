"""What must hold within a site and across all of them, beyond the type of each value.

Rules of a site see that site and the province; rules across sites see only the :class:`Summary` of each,
plain data that can be kept while a site does not change. A rule is a function that yields :class:`Problem`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from lienthong.errors import Problem
from lienthong.inventory.rules import cabling, lines, provinces, segments, systems
from lienthong.inventory.rules.across import across
from lienthong.inventory.rules.summary import Path_, Summary, summarise
from lienthong.model.site import Inventory, Province, Site

Where = Callable[[Path_], str]

__all__ = ["Summary", "across", "check", "site_problems", "summarise"]

_RULES = (segments.check, cabling.check, lines.check, systems.check)


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
) -> list[Problem]:
    """Every broken rule of a set of sites that parsed. Without `today` the calendar is not looked at."""
    home = province_where or (lambda path: "inventory/layers/province.yaml")  # noqa: ARG005
    problems = list(provinces.check(inventory.province, home))
    for slug, site in inventory.sites.items():
        problems += site_problems(site, inventory.province, where[slug])
    summaries = {slug: summarise(site, inventory.province) for slug, site in inventory.sites.items()}
    problems += across(summaries, inventory.province, where, home, today)
    return problems
