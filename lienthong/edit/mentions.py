"""Who names a thing of the inventory: what would point at nothing once it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lienthong.inventory.yamlfile import Path_
from lienthong.model.site import Inventory


@dataclass(frozen=True)
class Mention:
    """A place that names something."""

    site: str
    path: Path_

    def __str__(self) -> str:
        return f"{self.site}: {'.'.join(map(str, self.path))}"


def of_node(inventory: Inventory, node: str) -> Iterator[Mention]:
    """Where services and systems name a node by its full name."""
    for slug, site in inventory.sites.items():
        for group in ("devices", "hosts"):
            for short, thing in getattr(site, group).items():
                if f"{slug}-{short}" != node:
                    for path in _strings(thing.runs, node):
                        yield Mention(slug, (group, short, "runs", *path))
        for name, system in site.systems.items():
            for index, reach in enumerate(system.reaches):
                if reach.node == node:
                    yield Mention(slug, ("systems", name, "reaches", index))


def of_unit(inventory: Inventory, unit: str) -> Iterator[Mention]:
    """Where a unit is named: as the one above, the one before, the owner."""
    for slug, site in inventory.sites.items():
        units: list[tuple[Path_, Any]] = [((), site)]
        units += [(("units", name), one) for name, one in site.units.items()]
        for path, one in units:
            if one.parent == unit:
                yield Mention(slug, (*path, "parent"))
            if unit in one.succeeds:
                yield Mention(slug, (*path, "succeeds"))
        for name, system in site.systems.items():
            if system.owner == unit:
                yield Mention(slug, ("systems", name, "owner"))
        for group in ("devices", "hosts", "clients"):
            for name, thing in getattr(site, group).items():
                if thing.asset is not None and thing.asset.owner == unit:
                    yield Mention(slug, (group, name, "asset", "owner"))


def of_building(inventory: Inventory, site: str) -> Iterator[Mention]:
    """Where copies of a backup are said to stand at a site."""
    for slug, one in inventory.sites.items():
        for name, host in one.hosts.items():
            for index, copy in enumerate(host.runs.get("backup", {}).get("copies", ())):
                if str(copy.get("place", "")).startswith(f"{site}/"):
                    yield Mention(slug, ("hosts", name, "runs", "backup", "copies", index, "place"))


def _strings(value: Any, wanted: str, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, wanted, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _strings(item, wanted, (*path, index))
    elif value == wanted:
        yield path
