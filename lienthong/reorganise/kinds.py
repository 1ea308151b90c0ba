"""What follows from another kind or number: overrides of what is gone, and dial numbers."""

from __future__ import annotations

from lienthong.reorganise.draft import LAYERS, Draft, Values, lay
from lienthong.reorganise.ledger import Ledger

GROUPS = ("segments", "devices", "uplinks", "hosts", "systems")


def settle(draft: Draft, slug: str, old_kind: str, old_layers: Draft, ledger: Ledger) -> None:
    """A site is of another kind, or of another province: what it only refined there goes with it."""
    site = draft.site(slug)
    before, now = _below(old_layers, old_kind), _below(draft, str(site.get("kind")))
    for group in GROUPS:
        _prune(site, (group,), before, now, slug, ledger)
    for name in list(site.get("devices") or {}):
        for group in ("ports", "runs"):
            _prune(site, ("devices", name, group), before, now, slug, ledger)
    for name in list(site.get("hosts") or {}):
        _prune(site, ("hosts", name, "runs"), before, now, slug, ledger)


def dial(draft: Draft, slug: str, old_number: int | None = None) -> None:
    """Every endpoint of a site has a number of its own; 1000 plus the site's number where that is free.

    `old_number` is the site's number before, when it has been given another.
    """
    site = draft.site(slug)
    taken = {number for other in draft.slugs if other != slug for number in _dialled(draft, other).values()}
    for host, number in _dialled(draft, slug).items():
        stale = old_number is not None and number == str(1000 + old_number)
        if number and number not in taken and not stale:
            continue
        wanted = int(site["number"]) + 1000
        free = str(next(n for n in range(wanted, 10**8) if str(n) not in taken))
        params = site
        for key in ("hosts", host, "runs", "videoconf"):
            params = params.setdefault(key, {})
        params["number"] = free
        taken.add(free)


def _dialled(draft: Draft, slug: str) -> dict[str, str]:
    """The endpoints of a site with their numbers, "" where there is none."""
    found = {}
    for name, host in (draft.layered(slug).get("hosts") or {}).items():
        params = (host.get("runs") or {}).get("videoconf")
        if params and params.get("role") == "endpoint":
            found[name] = str(params.get("number") or "")
    return found


def _below(draft: Draft, kind: str) -> Values:
    whole: Values = {}
    for name in ("country", "province", f"kinds/{kind}"):
        lay(whole, (draft.files.get(f"{LAYERS}/{name}.yaml") or {}).get("site") or {})
    return whole


def _prune(
    site: Values, path: tuple[str, ...], before: Values, now: Values, slug: str, ledger: Ledger
) -> None:
    here, old, new = (_at(values, path) for values in (site, before, now))
    for name in [name for name in here if name in old and name not in new]:
        del here[name]
        ledger.gone.append(f"{slug} {'.'.join((*path, name))}")
    if not here and _at(site, path[:-1]).get(path[-1]) == {}:
        del _at(site, path[:-1])[path[-1]]


def _at(values: Values, path: tuple[str, ...]) -> Values:
    for key in path:
        values = values.get(key) or {}
    return values
