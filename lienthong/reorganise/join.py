"""Two inventories become one: one side's pools, domain and layers hold, the other side's sites come in."""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.reorganise.draft import LAYERS, SITES, Draft, Values
from lienthong.reorganise.entries import describe
from lienthong.reorganise.kinds import dial, settle
from lienthong.reorganise.ledger import Ledger
from lienthong.reorganise.planfile import Join
from lienthong.reorganise.references import follow_site, follow_units

SLUG_MAX = 20


def join(here: Draft, there: Draft, change: Join, ledger: Ledger) -> Draft:
    """The draft of both; `here` is this checkout's. With problems in the ledger, `here` as it was."""
    ours_come = change.into == "other"
    stays, comes = (there.copy(), here.copy()) if ours_come else (here.copy(), there.copy())
    renumbers = change.renumbers or ("this" if ours_come else "other")
    giving = comes if (renumbers == "this") is ours_come else stays
    if not _is_new(stays, comes, ledger):
        return here
    numbers = _numbers(giving, stays if giving is comes else comes, change, ledger)
    names = _names(stays, comes, change.prefix, ledger)
    office = [slug for slug in comes.slugs if comes.layered(slug).get("hub") is True]
    kinds = {slug: str(comes.site(slug).get("kind")) for slug in comes.slugs}
    if ledger.problems:
        return here
    for slug, number in numbers.items():
        giving.site(slug)["number"] = number[1]
    for slug in office:
        comes.site(slug).pop("hub", None)
        describe(comes.site(slug), change.office.name, change.office.kind, change.office.level)
    _rename(comes, names)
    _note(ledger, stays, comes, names, ours_come)
    whole, coming = stays, comes.slugs
    old_layers = Draft({name: v for name, v in comes.files.items() if name.startswith(LAYERS)})
    for name, values in comes.files.items():
        if name.startswith(SITES) or name not in whole.files:
            whole.files[name] = values
            if name in comes.origin:
                whole.origin[name] = comes.origin[name]
    back = {new: old for old, new in names.items()}
    for slug in coming:
        settle(whole, slug, kinds[back.get(slug, slug)], old_layers, ledger)
    for old, (before, _) in numbers.items():
        dial(whole, names.get(old, old) if giving is comes else old, before)
    for slug in coming:
        dial(whole, slug)
    _outside(whole, comes, ledger)
    return whole


def _is_new(stays: Draft, comes: Draft, ledger: Ledger) -> bool:
    """Joining twice is refused: an address of a provider exists once."""
    mine = {address: slug for slug in stays.slugs for address in _addresses(stays.site(slug))}
    for slug in comes.slugs:
        for address in _addresses(comes.site(slug)):
            if address in mine:
                what = f"{slug} has the Internet address {address}, and so has {mine[address]}"
                hint = "has this plan been applied before? A plan is applied once"
                ledger.wrong(("inventory",), what, hint)
                return False
    return True


def _addresses(site: Values) -> Iterator[str]:
    for line in (site.get("uplinks") or {}).values():
        if line and line.get("address"):
            yield str(line["address"])


def _numbers(giving: Draft, other: Draft, change: Join, ledger: Ledger) -> dict[str, tuple[int, int]]:
    """Site that gives way → (number before, number from now on)."""
    mine = {slug: int(giving.site(slug)["number"]) for slug in giving.slugs}
    theirs = {int(other.site(slug)["number"]): slug for slug in other.slugs}
    found: dict[str, tuple[int, int]] = {}
    taken = set(theirs) | set(mine.values())
    for slug, number in change.numbers.items():
        if slug not in mine:
            ledger.wrong(("numbers", slug), f"{slug} is no site of the side that renumbers", ", ".join(mine))
        elif number in taken and number != mine[slug]:
            ledger.wrong(("numbers", slug), f"number {number} is taken", "choose a free one")
        else:
            found[slug] = (mine[slug], number)
            taken.add(number)
    for slug, number in mine.items():
        if number in theirs and slug not in found:
            fresh = next((n for n in range(change.numbers_from, 2999) if n not in taken), None)
            if fresh is None:
                ledger.wrong(("numbers_from",), "no number is free from there on", "begin lower")
                break
            found[slug] = (number, fresh)
            taken.add(fresh)
    return found


def _names(stays: Draft, comes: Draft, prefix: str, ledger: Ledger) -> dict[str, str]:
    """Unit or site that comes in → its new slug, where another has it already."""
    taken = {unit for unit, _, _ in stays.units()}
    coming = {unit for unit, _, _ in comes.units()}
    found: dict[str, str] = {}
    for slug in sorted(coming & taken):
        new = f"{prefix}-{slug}"
        if new in taken | coming | set(found.values()):
            ledger.wrong(("prefix",), f"{new} is taken too", "choose another prefix")
        elif len(new) > SLUG_MAX:
            what = f"{new} is longer than {SLUG_MAX} characters"
            ledger.wrong(("prefix",), what, f"choose a shorter one, or rename {slug} before it joins")
        found[slug] = new
    return found


def _rename(comes: Draft, names: dict[str, str]) -> None:
    for slug in comes.slugs:
        site = comes.site(slug)
        for unit in [site, *(site.get("units") or {}).values()]:
            if unit.get("succeeds"):
                unit["succeeds"] = [names.get(before, before) for before in unit["succeeds"]]
        if site.get("units"):
            site["units"] = {names.get(name, name): unit for name, unit in site["units"].items()}
    for old, new in names.items():
        if old in comes.slugs:
            comes.rename(old, new)
            follow_site(comes, old, new)
    follow_units(comes, names)


def _note(ledger: Ledger, stays: Draft, comes: Draft, names: dict[str, str], ours_come: bool) -> None:
    """Who is called what, for the report."""
    if ours_come:
        for old, new in names.items():
            if new in comes.slugs:
                ledger.renamed(old, new)
        ledger.joined |= {slug: slug for slug in stays.slugs}
    else:
        back = {new: old for old, new in names.items()}
        ledger.joined |= {slug: back.get(slug, slug) for slug in comes.slugs}
    for name in sorted(set(stays.files) & set(comes.files)):
        if name.startswith(f"{LAYERS}/kinds/") and stays.files[name] != comes.files[name]:
            kind = name.rsplit("/", 1)[1].removesuffix(".yaml")
            ledger.notes.append(
                (
                    f"Loại {kind} khác nhau ở hai tỉnh: từ nay theo tỉnh tiếp nhận.",
                    f"Kind {kind} differs in the two provinces: the receiving province's holds from now on.",
                )
            )


def _outside(whole: Draft, comes: Draft, ledger: Ledger) -> None:
    """Systems of others that only the side that comes in knows are known to all from now on."""
    mine: Values = whole.province().setdefault("outside", {})
    for name, system in (comes.province().get("outside") or {}).items():
        if name not in mine:
            mine[name] = system
        elif mine[name].get("address") != system.get("address"):
            ledger.notes.append(
                (
                    f"Hệ thống ngoài {name}: từ nay dùng {mine[name].get('address')}, "
                    f"không còn {system.get('address')}.",
                    f"Outside system {name}: {mine[name].get('address')} from now on, "
                    f"no longer {system.get('address')}.",
                )
            )
