"""How a unit is written in the inventory: one that ended, one that begins."""

from __future__ import annotations

from lienthong.model.base import Bilingual
from lienthong.reorganise.draft import Values
from lienthong.reorganise.ledger import Ledger


def ended(values: Values, ledger: Ledger) -> Values:
    """How a unit is written once it has ended."""
    valid = {**(values.get("valid") or {}), "until": ledger.last_day.isoformat()}
    found: Values = {"kind": values.get("kind"), "name": dict(values.get("name") or {}), "valid": valid}
    return found | {key: values[key] for key in ("parent", "succeeds") if values.get(key)}


def fresh(
    name: Bilingual, kind: str, succeeds: tuple[str, ...], parent: str | None, ledger: Ledger
) -> Values:
    """A unit that begins, without a site of its own."""
    found: Values = {"kind": kind, "name": {"vi": name.vi, "en": name.en}}
    begin(found, succeeds, parent, ledger)
    return found


def begin(values: Values, succeeds: tuple[str, ...], parent: str | None, ledger: Ledger) -> None:
    """From the plan's day on; without `parent` the one above stays."""
    values["valid"] = {"from": ledger.day.isoformat()}
    if parent is not None:
        values["parent"] = parent
    if succeeds:
        values["succeeds"] = list(succeeds)
    else:
        values.pop("succeeds", None)


def describe(values: Values, name: Bilingual | None, kind: str | None, level: int | None) -> None:
    """Write what is new."""
    both = {"vi": name.vi, "en": name.en} if name else None
    values |= {key: new for key, new in (("name", both), ("kind", kind), ("level", level)) if new is not None}


def seat(site: Values, slug: str, unit: Values) -> None:
    """Write a unit at the site of its seat."""
    site["units"] = {**(site.get("units") or {}), slug: unit}
