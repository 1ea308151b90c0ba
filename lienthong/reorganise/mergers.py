"""Several units become one, or one becomes several."""

from __future__ import annotations

from lienthong.inventory.yamlfile import Path_
from lienthong.reorganise.draft import Draft, Values
from lienthong.reorganise.entries import begin, describe, ended, fresh, seat
from lienthong.reorganise.ledger import Ledger, find, is_free, is_site
from lienthong.reorganise.places import are_said, follow, leave, take
from lienthong.reorganise.planfile import Convert, Merge, Part, Split


def merge(draft: Draft, change: Merge, ledger: Ledger) -> None:
    """Several units end, one begins; the place where it sits keeps its number."""
    found = {name: find(draft, name, ("units", i), ledger) for i, name in enumerate(change.units)}
    fine = is_free(draft, change.into, ("into",), ledger) & is_site(draft, change.seat, ("seat",), ledger)
    known = {name: at for name, at in found.items() if at is not None}
    spare = [name for name, (home, _) in known.items() if home == name != change.seat]
    if not fine or len(known) < len(change.units):
        return
    if not are_said(change.places, spare, ("places",), ledger):
        return
    before = {name: ended(values, ledger) for name, (_, values) in known.items()}
    parent = change.parent or known[change.units[0]][1].get("parent")
    for name, (home, _) in known.items():
        if home != name:
            seat(draft.site(home), name, before[name])
    now = change.seat
    if change.seat in known:
        now = change.into
        site = take(draft, change.seat, now, ledger)
        seat(site, change.seat, before[change.seat])
        begin(site, change.units, parent, ledger)
        describe(site, change.name, change.kind, change.level)
    else:
        unit = fresh(change.name, change.kind, change.units, parent, ledger)
        seat(draft.site(now), change.into, unit)
    for name in spare:
        leave(draft, name, change.places[name], before[name], (now, change.into), ledger)
    ledger.begun.append(change.into)
    for name in change.units:
        follow(draft, name, (change.into,), ledger)


def split(draft: Draft, change: Split | Convert, ledger: Ledger) -> None:
    """A unit ends, several begin; the one that takes its place keeps its number and its records."""
    found = find(draft, change.unit, ("unit",), ledger)
    slugs = [part.slug for part in change.into]
    fine = [_fits(draft, part, ("into", i), slugs[:i], ledger) for i, part in enumerate(change.into)]
    if found is None or not all(fine):
        return
    home, values = found
    own = home == change.unit
    heir = next((part for part in change.into if part.seat == home), change.into[0])
    takes = own and heir.seat == home
    places = {} if change.place is None else {home: change.place}
    if not are_said(places, [home] if own and not takes else [], ("place",), ledger):
        return
    before = ended(values, ledger)
    kind = change.kind if isinstance(change, Convert) else str(values.get("kind"))
    parent = values.get("parent")
    now = home
    if takes:
        now = heir.slug
        site = take(draft, home, now, ledger)
        seat(site, change.unit, before)
        begin(site, (change.unit,), heir.parent, ledger)
        describe(site, heir.name, heir.kind or kind, heir.level)
    elif not own:
        seat(draft.site(home), change.unit, before)
    for part in change.into:
        if takes and part is heir:
            continue
        if part.new is not None:
            new: Values = {**part.new}
            describe(new, part.name, part.kind or kind, part.level)
            begin(new, (change.unit,), part.parent or parent, ledger)
            draft.add(part.slug, new)
        else:
            unit = fresh(part.name, part.kind or kind, (change.unit,), part.parent or parent, ledger)
            seat(draft.site(now if part.seat == home else str(part.seat)), part.slug, unit)
    if change.place is not None:
        at = heir.slug if heir.new is not None else str(heir.seat)
        leave(draft, home, change.place, before, (at, heir.slug), ledger)
    ledger.begun += slugs
    rest = tuple(slug for slug in slugs if slug != heir.slug)
    follow(draft, change.unit, (heir.slug, *rest), ledger)


def _fits(draft: Draft, part: Part, path: Path_, others: list[str], ledger: Ledger) -> bool:
    fine = is_free(draft, part.slug, (*path, "slug"), ledger)
    if part.slug in others:
        ledger.wrong((*path, "slug"), f"{part.slug} stands here twice", "each unit has a slug of its own")
        fine = False
    if part.seat is not None:
        return is_site(draft, part.seat, (*path, "seat"), ledger) and fine
    if part.new is not None and "number" not in part.new:
        taken = {draft.site(slug).get("number") for slug in draft.slugs}
        free = next(number for number in range(1, 3000) if number not in taken)
        ledger.wrong((*path, "new"), f"{part.slug} has no number", f"{free} is free")
        fine = False
    return fine
