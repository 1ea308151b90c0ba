"""NetBox holds `HP` and `hp` for one maker: every maker, model and provider gets one spelling."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.export.check import Record
from lienthong.export.names import unique_slug

Made = tuple[str, Record]


def one_spelling(made: Iterable[Made]) -> list[Made]:
    """The same objects; of spellings that differ in their case only, the first in the alphabet holds."""
    objects = list(made)
    makers = _canon(str(r["name"]) for kind, r in objects if kind == "manufacturers")
    models = _canon(str(r["model"]) for kind, r in objects if kind == "device-types")
    providers = _canon(str(r["name"]) for kind, r in objects if kind == "providers")
    fields = {
        ("manufacturers", "name"): makers,
        ("device-types", "manufacturer"): makers,
        ("device-types", "model"): models,
        ("devices", "manufacturer"): makers,
        ("devices", "device_type"): models,
        ("providers", "name"): providers,
        ("circuits", "provider"): providers,
    }
    return [(kind, _slugged(kind, _respelt(kind, record, fields))) for kind, record in objects]


def _canon(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        found.setdefault(name.casefold(), name)
    return found


def _respelt(kind: str, record: Record, fields: dict[tuple[str, str], dict[str, str]]) -> Record:
    return {
        name: fields[kind, name][value.casefold()]
        if (kind, name) in fields and isinstance(value, str)
        else value
        for name, value in record.items()
    }


def _slugged(kind: str, record: Record) -> Record:
    if kind in {"manufacturers", "providers"}:
        return {**record, "slug": unique_slug(str(record["name"]), "")}
    if kind == "device-types":
        return {**record, "slug": unique_slug(str(record["model"]), str(record["manufacturer"]))}
    return record
