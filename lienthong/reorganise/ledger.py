"""What a reorganisation has done so far, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from lienthong.inventory.yamlfile import Path_
from lienthong.reorganise.draft import Draft, Values


@dataclass
class Ledger:
    """What has been done so far: it becomes the report."""

    day: date
    last_day: date
    at: Path_ = ()
    """Where in the plan's file the change stands that is being made."""
    ended: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Unit → the units that succeed it or keep its records; the first one keeps the records."""
    begun: list[str] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    """Site, as it was called before → unit that keeps the records of what stood there."""
    sites: dict[str, str] = field(default_factory=dict)
    """Site, as it was called before → as it is called now, where that differs."""
    joined: dict[str, str] = field(default_factory=dict)
    """Site that came in, as it is called now → as its own inventory called it."""
    gone: list[str] = field(default_factory=list)
    """What went with a change of kind: `loc-ninh hosts.srv`."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Things that officers must know, in Vietnamese and in English."""
    problems: list[tuple[Path_, str, str]] = field(default_factory=list)

    def wrong(self, path: Path_, what: str, hint: str = "") -> None:
        """Note a problem of the change at hand."""
        self.problems.append(((*self.at, *path), what, hint))

    def before(self, slug: str) -> str:
        """How a site was called when the plan began."""
        return next((first for first, now in self.sites.items() if now == slug), slug)

    def renamed(self, old: str, new: str) -> None:
        """A site is called otherwise from now on."""
        if old in self.joined:
            self.joined[new] = self.joined.pop(old)
        else:
            self.sites[self.before(old)] = new


def find(draft: Draft, name: str, path: Path_, ledger: Ledger) -> tuple[str, Values] | None:
    """The site of a unit's seat and the unit's values; None, and a problem, when there is none in force."""
    for unit, home, values in draft.units():
        if unit == name:
            until = (values.get("valid") or {}).get("until")
            if until is None or str(until) >= ledger.day.isoformat():
                return home, values
            hint = "has this plan been applied before? A plan is applied once"
            ledger.wrong(path, f"{name} ended on {until}", hint)
            return None
    known = sorted(unit for unit, _, values in draft.units() if not (values.get("valid") or {}).get("until"))
    ledger.wrong(path, f"no unit {name!r}", f"units: {', '.join(known)}")
    return None


def is_free(draft: Draft, slug: str, path: Path_, ledger: Ledger) -> bool:
    """Whether no unit has that slug, now or in the past; a problem if one has."""
    if any(unit == slug for unit, _, _ in draft.units()):
        ledger.wrong(path, f"{slug} is a unit already", "a slug names one unit for ever; choose another")
        return False
    return True


def is_site(draft: Draft, slug: str, path: Path_, ledger: Ledger) -> bool:
    """Whether there is that site; a problem if not."""
    if slug not in draft.slugs:
        ledger.wrong(path, f"no site {slug!r}", f"sites: {', '.join(draft.slugs)}")
        return False
    return True
