"""A unit is renamed, comes under another, or ends."""

from __future__ import annotations

from lienthong.model.base import Bilingual
from lienthong.reorganise.draft import Draft
from lienthong.reorganise.entries import begin, describe, ended, fresh, seat
from lienthong.reorganise.ledger import Ledger, find, is_free, is_site
from lienthong.reorganise.places import are_said, follow, leave, take
from lienthong.reorganise.planfile import End, Move, Rename


def rename(draft: Draft, change: Rename, ledger: Ledger) -> None:
    """The same unit under another name; a new slug begins a unit that succeeds the old one."""
    found = find(draft, change.unit, ("unit",), ledger)
    if found is None:
        return
    home, values = found
    if change.to is None or change.to == change.unit:
        describe(values, change.name, change.kind, change.level)
        return
    if not is_free(draft, change.to, ("to",), ledger):
        return
    before = ended(values, ledger)
    if home == change.unit:
        site = take(draft, home, change.to, ledger)
        seat(site, change.unit, before)
        begin(site, (change.unit,), None, ledger)
        describe(site, change.name, change.kind, change.level)
    else:
        name = change.name or Bilingual.model_validate(values["name"])
        kind = change.kind or str(values["kind"])
        unit = fresh(name, kind, (change.unit,), values.get("parent"), ledger)
        seat(draft.site(home), change.unit, before)
        seat(draft.site(home), change.to, unit)
    ledger.begun.append(change.to)
    follow(draft, change.unit, (change.to,), ledger)


def move(draft: Draft, change: Move, ledger: Ledger) -> None:
    """A unit comes under another, or takes its seat at another site."""
    found = find(draft, change.unit, ("unit",), ledger)
    if found is None:
        return
    home, values = found
    if change.parent is not None:
        values["parent"] = change.parent
    if change.seat is None or change.seat == home:
        return
    if home == change.unit:
        ledger.wrong(("seat",), f"{home} is a place; it stays where it is", "merge or end its unit")
    elif is_site(draft, change.seat, ("seat",), ledger):
        del draft.site(home)["units"][change.unit]
        seat(draft.site(change.seat), change.unit, values)


def end(draft: Draft, change: End, ledger: Ledger) -> None:
    """A unit ends without a successor; another keeps its records."""
    found = find(draft, change.unit, ("unit",), ledger)
    keeper = find(draft, change.records, ("records",), ledger)
    if found is None or keeper is None:
        return
    if change.unit == change.records:
        ledger.wrong(("records",), f"{change.unit} ends; it cannot keep records", "name another unit")
        return
    home, values = found
    before = ended(values, ledger)
    places = {} if change.place is None else {home: change.place}
    if not are_said(places, [home] if home == change.unit else [], ("place",), ledger):
        return
    if change.place is None:
        seat(draft.site(home), change.unit, before)
    else:
        leave(draft, home, change.place, before, (keeper[0], change.records), ledger)
    follow(draft, change.unit, (change.records,), ledger)
