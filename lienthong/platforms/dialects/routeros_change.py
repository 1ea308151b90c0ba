"""From items to take away and to add to what is typed: an item that only changes is set, never missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lienthong.platforms import Line
from lienthong.platforms.dialects.routeros_menus import (
    FLAGS,
    HIDDEN,
    MENUS,
    OTHER,
    OURS,
    PLACE,
    PORT,
    ident,
    natural,
    settings,
)
from lienthong.platforms.dialects.routeros_words import Item, item, pair

_ORDER = {path: place for place, path in enumerate(MENUS)}
_SETTINGS_AT = len(_ORDER)
#: What decides who comes in goes last: when it goes wrong, all else is there already.
_LAST = ("/ip service",)
_FILTERS = ("/ip firewall filter", "/ipv6 firewall filter")
_ROUTES = ("/ip route", "/ipv6 route")
_KEYS = "/user ssh-keys"


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """What to type, in order: what comes and changes, each menu after those that it needs, then what goes.

    VLAN filtering of a bridge that is there, jumps into our chains and services come at the end of the first
    part: each of them cuts off what has no place in it yet.
    """
    gone = [one for one in map(_item, removed) if one is not None]
    come = [one for one in map(_item, added) if one is not None]
    changes = [one for one in come if one.verb == "add"]
    old = _pairs([one for one in gone if one.verb == "add"], changes)
    typed: list[tuple[int, str]] = []
    for place, one in enumerate(changes):
        was = old.get(place)
        if was is not None and PLACE in was.values:
            typed.append((_rank(one), _remove(was)))
            was = None
        at_end = _at_end(one, changes) if was is None else False
        lines = [_add(one, at_end=at_end)] if was is None else [*_set(was, one)]
        typed += [(_rank(one), line) for line in lines]
        if was is None and _first(one):
            typed.append((_rank(one), f"{one.path} move {_find(one)} destination=0"))
        if was is not None and one.path == "/interface bridge":
            typed[-1:] = [(_SETTINGS_AT, line) for _, line in typed[-1:]]
    typed += _settings(gone, come)
    kept = [id(one) for one in old.values()]
    away = [one for one in gone if one.verb == "add" and id(one) not in kept]
    away.sort(key=_rank, reverse=True)
    typed.sort(key=lambda pair: pair[0])
    return (*(line for _, line in typed), *(_remove(one) for one in away))


def _item(line: Line) -> Item | None:
    return item(line[0])


def _rank(one: Item) -> int:
    return _SETTINGS_AT if _first(one) else _ORDER.get(one.path, 0)


def _first(one: Item) -> bool:
    """A jump into a chain of ours, which must be the first rule of its chain."""
    return one.path in _FILTERS and one.get("action") == "jump" and not one.get("chain").startswith(OURS[:-1])


def _at_end(one: Item, come: Sequence[Item]) -> bool:
    """Whether a rule is told after its chain's last: that one is coming with it."""
    return one.path not in _FILTERS or _last(one) in [other.get("comment") for other in come]


def _last(one: Item) -> str:
    return f"{OURS}last/{one.get('chain')}"


def _pairs(gone: Sequence[Item], come: Sequence[Item]) -> dict[int, Item]:
    """Place in `come` → what it replaces: first by our own word, then by what no two items share."""
    found: dict[int, Item] = {}
    free = list(gone)
    for key in (ident, natural):
        for place, one in enumerate(come):
            if place in found:
                continue
            mine = key(one)
            if mine is None:
                continue
            was = next((other for other in free if other.path == one.path and key(other) == mine), None)
            if was is not None:
                found[place] = was
                free.remove(was)
    return found


def _told(values: Mapping[str, str]) -> str:
    return " ".join(
        key if key in FLAGS else pair(key, value) for key, value in sorted(values.items()) if key != PLACE
    )


def _add(one: Item, *, at_end: bool) -> str:
    values = {**MENUS[one.path].told, **one.values}
    if one.path == _KEYS:
        values["key"] = one.get("comment").partition(" ")[2]
    line = f"{one.path} add {_told(values)}"
    return line if at_end or _first(one) else f"{line} place-before=[find {pair('comment', _last(one))}]"


def _set(was: Item, one: Item) -> Iterator[str]:
    if one.path == _KEYS:  # a key has no `set`
        yield _add(one, at_end=True)
        yield _remove(was)
        return
    defaults = {"disabled": "no", "comment": "", **MENUS[one.path].defaults}
    defaults = {key: value for key, value in defaults.items() if key not in FLAGS}
    new = {key: value for key, value in one.values.items() if was.get(key) != value or key not in was.values}
    lost = [key for key in was.values if key not in one.values and key not in HIDDEN]
    back = {key: defaults[key] for key in lost if key in defaults}
    words = [_told({**new, **back}), *(f"!{key}" for key in sorted(lost) if key not in defaults)]
    yield " ".join([one.path, "set", _find(was), *(word for word in words if word)])


def _remove(one: Item) -> str:
    return f"{one.path} remove {_find(one)}"


def _find(one: Item) -> str:
    """One item, by our own comment; else by what it alone has; else by all that can be asked for."""
    comment = one.get("comment")
    if comment.startswith(OURS):
        return f"[find {pair('comment', comment)}]"
    keys = MENUS[one.path].keys or tuple(
        key for key, value in one.values.items() if key not in HIDDEN and key != PLACE and value != OTHER
    )
    asked = {key: one.get(key) for key in keys}
    if not MENUS[one.path].keys:
        asked["comment"] = comment
    words = [_told(asked), *(["!dynamic"] if one.path in _ROUTES else [])]
    return f"[find {' '.join(words)}]"


def _settings(gone: Sequence[Item], come: Sequence[Item]) -> list[tuple[int, str]]:
    """One `set` for each thing; what is no longer wanted gets its default."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in gone:
        if one.verb == "set":
            default = settings(one.path, one.which)
            found.setdefault((one.path, one.which), {}).update(
                {key: default[key] for key in one.values if key in default}
            )
    for one in come:
        if one.verb == "set":
            found.setdefault((one.path, one.which), {}).update(one.values)
    typed = []
    for (path, which), values in found.items():
        if path == PORT:
            which = f"[find name={which}]"
        words = [path, "set", which, _told(values)]
        typed.append((_SETTINGS_AT + (path in _LAST), " ".join(word for word in words if word)))
    return typed
