"""A reorganisation seen through: what becomes of every site and unit, and the files that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lienthong.edit import Draft as Folder
from lienthong.errors import InventoryError, LienThongError, Problem
from lienthong.inventory import load
from lienthong.inventory.yamlfile import Path_
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory
from lienthong.plan.build import build
from lienthong.reorganise import controls
from lienthong.reorganise.carry import carry_out
from lienthong.reorganise.delta import stage
from lienthong.reorganise.draft import Draft
from lienthong.reorganise.fate import Fate, View, fate
from lienthong.reorganise.ledger import Ledger
from lienthong.reorganise.planfile import Reorganisation, read_plan
from lienthong.reorganise.retention import Kept, add_months, kept, stranded

ALIAS_MONTHS = 6
"""Old DNS names are worth keeping this long: bookmarks, letterheads, other people's rules."""


@dataclass(frozen=True)
class Outcome:
    """Everything the report says."""

    plan: Reorganisation
    province_before: str
    fates: tuple[Fate, ...]
    ended: Mapping[str, tuple[str, ...]]
    begun: tuple[str, ...]
    closed: Mapping[str, str]
    kept: tuple[Kept, ...]
    follows: Mapping[str, controls.Follow]
    gone: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]
    after: ProvincePlan

    @property
    def changes(self) -> bool:
        """Whether anything is otherwise afterwards."""
        return bool(self.ended or self.closed or any(one.fate != "same" for one in self.fates))

    @property
    def aliases_until(self) -> date:
        """How long old DNS names should lead to the new ones."""
        return add_months(self.plan.day, ALIAS_MONTHS)


def prepare(root: Path, path: Path) -> tuple[Outcome, Folder]:
    """See a plan through without writing: what it does, and the file changes, checked as a whole.

    Raises:
        InventoryError: the plan or its result is wrong; each problem with its place.
    """
    plan, document = read_plan(path)
    inventory = load(root / "inventory")
    before = Draft.read(root / "inventory")
    other: list[tuple[Draft, Inventory]] = []

    def others(name: str) -> Draft:
        folder = (path.parent / name).resolve()
        if other:
            raise LienThongError("a plan joins one other inventory", hint="make a second plan of the second")
        if not (folder / "sites").is_dir():
            at = document.where(_at(plan, ("join", "inventory")))
            raise InventoryError([Problem(at, f"no inventory in {folder}", "the folder that holds sites/")])
        try:
            found = load(folder)
        except InventoryError as error:
            raise InventoryError(
                [Problem(f"{name}: {p.where}", p.what, p.hint) for p in error.problems]
            ) from None
        other.append((Draft.read(folder), found))
        return other[0][0]

    after, ledger = carry_out(before, plan, document.where, others)
    there = other[0] if other else None
    folder = Folder(root / "inventory")
    stage(folder, before, there[0] if there else None, after)
    planned = folder.check()
    old = build(inventory)
    services = controls.by_service(root / "checks")
    outcome = compare(plan, ledger, (inventory, old), there[1] if there else None, planned, services)
    return outcome, folder


def compare(
    plan: Reorganisation,
    ledger: Ledger,
    before: tuple[Inventory, ProvincePlan],
    other: Inventory | None,
    after: ProvincePlan,
    services: Mapping[str, tuple[str, ...]],
) -> Outcome:
    """What the plan does, site by site. Pure."""
    old, new = View(before[1]), View(after)
    theirs = View(build(other)) if other is not None else None
    fates: list[Fate] = []
    follows: dict[str, controls.Follow] = {}
    lost: tuple[Kept, ...] = ()
    for slug in after.sites:
        was: tuple[View, str] | None = (old, ledger.before(slug))
        if slug in ledger.joined and theirs is not None:
            was = (theirs, ledger.joined[slug])
        if was is not None and was[1] not in was[0].plan.sites:
            was = None
        fates.append(fate(was, (new, slug), slug in ledger.joined))
        if was is not None:
            found = controls.follow(was[0].plan.sites[was[1]], after.sites[slug], services)
            if found.lost or found.gained or found.level_before != found.level_after:
                follows[slug] = found
            lost += stranded(was[0].plan.sites[was[1]], after.sites[slug], slug, plan.last_day)
    for slug, heir in ledger.closed.items():
        if slug in old.plan.sites:
            lost += stranded(old.plan.sites[slug], None, heir, plan.last_day)
    fates += [fate((old, slug), None) for slug in ledger.closed if slug in old.plan.sites]
    heirs = {unit: several[0] for unit, several in ledger.ended.items()}
    now = {ledger.before(slug): slug for slug in after.sites if slug not in ledger.joined}
    return Outcome(
        plan=plan,
        province_before=old.plan.name,
        fates=tuple(sorted(fates, key=lambda one: (one.before or one.after or "", one.after or ""))),
        ended=dict(ledger.ended),
        begun=tuple(ledger.begun),
        closed=dict(ledger.closed),
        kept=kept(heirs, plan.last_day, before, after, now) + lost,
        follows=follows,
        gone=tuple(ledger.gone),
        notes=tuple(ledger.notes),
        after=after,
    )


def _at(plan: Reorganisation, path: Path_) -> Path_:
    index = next(i for i, change in enumerate(plan.changes) if change.kind == path[0])
    return ("changes", index, *path)
