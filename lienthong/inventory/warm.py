"""Validates an inventory by reading only what changed since it was last valid.

What is kept of a site is its :class:`Summary`, and only of a site that broke no rule of its own: a mistake
is looked for anew each time. The rules across sites always run, over the summaries of all of them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic_core import __version__ as pydantic_version
from pydantic_core import from_json, to_json

from lienthong.cache import Cache, engine, files_key, key_of
from lienthong.errors import InventoryError
from lienthong.inventory import of_site, province_where, read_province, site_files, typed
from lienthong.inventory.collector import collector_paused
from lienthong.inventory.layers import Layers, Source, later, said
from lienthong.inventory.rules import (
    Summary,
    Where,
    across,
    marked,
    provinces,
    summarise,
    told,
)
from lienthong.inventory.yamlfile import Path_, read_bytes

#: Parts of the engine that decide what an inventory file means and which rules it must obey.
_ROOMS = ("cache.py", "errors.py", "model", "inventory", "services", "platforms", "plan")


def validate(folder: Path, cache: Cache, today: date | None = None) -> dict[str, Summary]:
    """The summary of every site under `inventory/`, by slug; the same problems as `load` finds.

    Raises:
        InventoryError: with every problem found, each with its place.
    """
    with collector_paused():
        return _validate(folder, cache, today)


def _validate(folder: Path, cache: Cache, today: date | None) -> dict[str, Summary]:
    layers = Layers(folder / "layers")
    province = read_province(layers)
    home = province_where(layers)
    problems = list(provinces.check(province, home))
    below = key_of(pydantic_version, engine(*_ROOMS), files_key(folder, layers.files()))
    summaries: dict[str, Summary] = {}
    places: dict[str, Where] = {}
    files = site_files(folder)
    unread = 0
    for file in files:
        entry = f"{file.stem}.json"
        try:
            source = Source(read_bytes(file, f"inventory/sites/{file.name}"), f"inventory/sites/{file.name}")
            key = key_of(below, file.name, source.raw)
            summary = _revived(cache.find(entry, key))
            where = later(marked(file.stem, _Place(source, layers)))
            if summary is None:
                site, _ = typed(source, file.stem, layers)
                wrong = of_site(site, file.stem, province, where)
                problems += wrong
                summary = summarise(site, province)
                if not wrong:
                    cache.keep(entry, key, to_json(summary))
        except InventoryError as error:
            problems += error.problems
            unread += 1
            continue
        summaries[summary.slug] = summary
        places[summary.slug] = where
    problems += across(dict(sorted(summaries.items())), province, places, home, today, whole=unread == 0)
    if problems:
        raise InventoryError(told(said(problems)))
    cache.forget_all_but(f"{file.stem}.json" for file in files)
    return summaries


class _Place:
    """Where a path of a site stands; the file is read strictly when that is asked."""

    def __init__(self, source: Source, layers: Layers) -> None:
        self._source = source
        self._layers = layers

    def __call__(self, path: Path_) -> str:
        return self._layers.under(self._source).where(tuple(path))


def _revived(body: bytes | None) -> Summary | None:
    """A kept summary; the paths in it stay lists, which are read fast and only ever shown."""
    if body is None:
        return None
    try:
        data = from_json(body)
        if data.keys() != Summary.__dataclass_fields__.keys():
            return None
        fields: dict[str, Any] = {
            name: tuple(map(tuple, value)) if isinstance(value, list) else value
            for name, value in data.items()
        }
        return Summary(**fields)
    except (ValueError, TypeError, AttributeError):
        return None
