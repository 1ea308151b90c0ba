"""What points at a unit, a site or a node must follow when its name changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.reorganise.draft import Draft, Values


def follow_units(draft: Draft, renamed: Mapping[str, str]) -> None:
    """Parents of units and owners of things: from a unit that ended to the one that answers now.

    What a unit succeeds is left: that names the past.
    """
    ended = set(renamed)
    for name, _, unit in draft.units():
        if unit.get("parent") in renamed and name not in ended:
            unit["parent"] = renamed[unit["parent"]]
    for slug in draft.slugs:
        site = draft.site(slug)
        for group in ("devices", "hosts", "clients"):
            for thing in (site.get(group) or {}).values():
                _owner((thing or {}).get("asset"), renamed)
        for system in (site.get("systems") or {}).values():
            _owner(system, renamed)


def _owner(thing: Values | None, renamed: Mapping[str, str]) -> None:
    if thing and thing.get("owner") in renamed:
        thing["owner"] = renamed[thing["owner"]]


def follow_site(draft: Draft, old: str, new: str) -> None:
    """Full names of nodes, and places of copies, wherever a site or a layer says them."""
    whole = draft.layered(new)
    shorts = [*(whole.get("devices") or {}), *(whole.get("hosts") or {})]
    nodes = {f"{old}-{short}": f"{new}-{short}" for short in shorts}
    for values in draft.files.values():
        _walk(values, False, old, new, nodes)


def _walk(value: Any, inside: bool, old: str, new: str, nodes: Mapping[str, str]) -> None:
    """`inside` is whether this is under `runs` or `reaches`, the only places that name nodes."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        here = inside or key in {"runs", "reaches"}
        if isinstance(item, str):
            if here and item in nodes:
                value[key] = nodes[item]
            elif here and key == "place" and item.startswith(f"{old}/"):
                value[key] = f"{new}/{item.removeprefix(f'{old}/')}"
        else:
            _walk(item, here, old, new, nodes)
