"""What becomes of a place when its unit ends. Its number, and so every address, stays with it."""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.inventory.yamlfile import Path_
from lienthong.reorganise.draft import Draft, Values
from lienthong.reorganise.entries import begin, describe, seat
from lienthong.reorganise.ledger import Ledger, is_free
from lienthong.reorganise.planfile import Place
from lienthong.reorganise.references import follow_site, follow_units


def take(draft: Draft, old: str, new: str, ledger: Ledger) -> Values:
    """The place of one unit becomes that of another: same number, new names."""
    draft.rename(old, new)
    ledger.renamed(old, new)
    follow_site(draft, old, new)
    return draft.site(new)


def are_said(places: Mapping[str, Place], needed: list[str], path: Path_, ledger: Ledger) -> bool:
    """Whether the plan says what becomes of every place that becomes free, and of no other."""
    for name in sorted(set(needed) - set(places)):
        hint = "say close: true, or the slug and name under which it stays"
        ledger.wrong(path, f"what becomes of the place {name}?", hint)
    for name in sorted(set(places) - set(needed)):
        hint = f"places that become free: {', '.join(needed) or 'none'}"
        ledger.wrong(path, f"{name} is no place that becomes free", hint)
    return set(places) == set(needed)


def leave(
    draft: Draft, home: str, place: Place, before: Values, heir: tuple[str, str], ledger: Ledger
) -> None:
    """The unit of a place ended: the place closes, or stays as a place under the heir (site, unit).

    `before` is how the ended unit is written; it goes to the heir's site when the place closes.
    """
    if place.slug is not None:
        if not is_free(draft, place.slug, ("places", home, "slug"), ledger):
            return
        site = take(draft, home, place.slug, ledger)
        begin(site, (), heir[1], ledger)
        describe(site, place.name, place.kind, None)
        seat(site, home, before)
        ledger.begun.append(place.slug)
        return
    others: Values = dict(draft.site(home).get("units") or {})
    alive = sorted(name for name, unit in others.items() if not (unit.get("valid") or {}).get("until"))
    if alive:
        what = f"{home} closes, and {', '.join(alive)} sits there"
        ledger.wrong((), what, "move its seat first: {move: {unit: …, seat: …}}")
        return
    draft.drop(home)
    ledger.closed[ledger.before(home)] = heir[1]
    for name, unit in {**others, home: before}.items():
        seat(draft.site(heir[0]), name, unit)


def follow(draft: Draft, unit: str, heirs: tuple[str, ...], ledger: Ledger) -> None:
    """A unit ended: its heirs, of which the first keeps the records, take over what points at it."""
    ledger.ended[unit] = heirs
    follow_units(draft, {unit: heirs[0]})
