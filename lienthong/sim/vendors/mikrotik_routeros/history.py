"""A configuration text as items: the export of a device with a history, terse or in sections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lienthong.sim.vendors.mikrotik_routeros import grammar
from lienthong.sim.vendors.mikrotik_routeros.store import Row, Store
from lienthong.sim.vendors.mikrotik_routeros.words import Refused, words

_BROKEN = re.compile(r"\\\n {4}")


def load(store: Store, text: str) -> None:
    """Put what a text says over what is there; unknown menus and values are kept as they stand."""
    path = ""
    for raw in _logical(text):
        line = _BROKEN.sub("", raw)
        if line.startswith("#"):
            continue
        if line.startswith("/"):
            found = re.match(r"(/.*?) (add|set)(?: |$)", line)
            if found is None:
                path = line.strip()
                continue
            path, verb, rest = found[1], found[2], line[found.end() :]
            terse = raw
        else:
            verb, _, rest = line.strip().partition(" ")
            terse = f"{path} {line.strip()}"
        if verb in ("add", "set"):
            _one(store, path, verb, rest, terse)


def _logical(text: str) -> Iterator[str]:
    kept = ""
    for line in text.splitlines():
        kept += line
        if line.endswith("\\"):
            kept += "\n"
            continue
        if kept.strip():
            yield kept
        kept = ""


def _one(store: Store, path: str, verb: str, rest: str, raw: str) -> None:
    which = ""
    if verb == "set":
        found = re.match(r"(\[[^\]]*\]|[^\s=]+)(?: |$)", rest)
        if found is not None:
            which, rest = found[1], rest[found.end() :]
    values = _values(rest)
    if path == "/ip address" and "/" not in values.get("address", "/"):
        values["address"] += "/32"
    if path == "/user group" and "policy" in values:
        granted = [word for word in values["policy"].split(",") if not word.startswith("!")]
        values["policy"] = ",".join(granted)
    row = _there(store, path, which) if verb == "set" else None
    if row is None:
        row = store.put(path, values, verb, which)
    else:
        row.values.update(values)
    row.raw = raw if path not in grammar.UNEXPORTED else None


def _there(store: Store, path: str, which: str) -> Row | None:
    """The item of a `set`, where it has been there from the start."""
    asked = which.strip("[] ").removeprefix("find ").strip()
    key, equal, value = asked.partition("=")
    for row in store.rows(path):
        if row.which == which or (row.verb == "set" and not asked and not row.which):
            return row
        if row.verb == "set" and (row.get(key) == value if equal else asked and row.get("name") == asked):
            return row
    return None


def _values(text: str) -> dict[str, str]:
    try:
        found = words(text, lambda _: "")
    except Refused:
        return {}  # kept as text alone
    return {word.text.removeprefix("!"): word.value if word.sign else "yes" for word in found}
