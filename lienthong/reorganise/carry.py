"""Carries a plan out on a draft: the changes in their order, then what follows from them. Pure."""

from __future__ import annotations

from collections.abc import Callable

from lienthong.errors import InventoryError, Problem
from lienthong.inventory.yamlfile import Path_
from lienthong.reorganise import mergers, units
from lienthong.reorganise.draft import Draft
from lienthong.reorganise.join import join
from lienthong.reorganise.kinds import dial, settle
from lienthong.reorganise.ledger import Ledger
from lienthong.reorganise.planfile import Change, Reorganisation

Where = Callable[[Path_], str]
#: Finds the inventory that a `join` names, by the text of its `inventory:`.
Others = Callable[[str], Draft]


def carry_out(before: Draft, plan: Reorganisation, where: Where, others: Others) -> tuple[Draft, Ledger]:
    """The draft as the plan leaves it, and what was done.

    Raises:
        InventoryError: a change cannot be made; each problem with its place in the plan. Nothing is kept.
    """
    draft = before.copy()
    ledger = Ledger(plan.day, plan.last_day)
    for index, change in enumerate(plan.changes):
        ledger.at = ("changes", index, change.kind)
        draft = _one(draft, change, ledger, others)
        if ledger.problems:  # what comes after would speak of a draft that nobody wants
            break
    if ledger.problems:
        raise InventoryError([Problem(where(path), what, hint) for path, what, hint in ledger.problems])
    for slug in draft.slugs:
        if slug in ledger.joined:
            continue
        was = ledger.before(slug)
        old = before.site(was).get("kind") if was in before.slugs else None
        new = draft.site(slug).get("kind")
        if old is not None and old != new:
            settle(draft, slug, str(old), before, ledger)
        if old != new:
            dial(draft, slug)
    return draft, ledger


def _one(draft: Draft, change: Change, ledger: Ledger, others: Others) -> Draft:
    if change.rename:
        units.rename(draft, change.rename, ledger)
    elif change.move:
        units.move(draft, change.move, ledger)
    elif change.end:
        units.end(draft, change.end, ledger)
    elif change.merge:
        mergers.merge(draft, change.merge, ledger)
    elif change.split or change.convert:
        part = change.split or change.convert
        assert part is not None
        mergers.split(draft, part, ledger)
    elif change.join:
        return join(draft, others(change.join.inventory), change.join, ledger)
    return draft
