"""An inventory as the plain values of its files, while changes are made to it; nothing is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienthong.errors import InventoryError, Problem
from lienthong.inventory import parse
from lienthong.inventory.rules import check
from lienthong.inventory.yamlfile import Path_, read
from lienthong.model.site import Inventory, Province, Site

#: What a YAML file says: nested mappings, lists, words and numbers.
Values = dict[str, Any]
SITES = "sites"
LAYERS = "layers"


@dataclass
class Draft:
    """Files by their path under the inventory (`sites/loc-ninh.yaml`) with their values."""

    files: dict[str, Values]
    origin: dict[str, Path] = field(default_factory=dict)
    """The file on disk that a file of the draft continues; none for a new one."""

    @classmethod
    def read(cls, folder: Path) -> Draft:
        """Every file of an inventory that `lienthong.inventory.load` accepts."""
        files: dict[str, Values] = {}
        origin: dict[str, Path] = {}
        for part in (SITES, LAYERS, f"{LAYERS}/kinds"):
            for path in sorted((folder / part).glob("*.yaml")):
                name = f"{part}/{path.name}"
                files[name] = read(path, f"inventory/{name}").value
                origin[name] = path
        return cls(files, origin)

    def copy(self) -> Draft:
        """A draft of its own, which may be changed."""
        return Draft(copy.deepcopy(self.files), dict(self.origin))

    @property
    def slugs(self) -> list[str]:
        """The slugs of its sites."""
        return sorted(name[len(SITES) + 1 : -5] for name in self.files if name.startswith(f"{SITES}/"))

    def site(self, slug: str) -> Values:
        """What the file of a site says; changing it changes the draft."""
        return self.files[f"{SITES}/{slug}.yaml"]

    def layer(self, name: str) -> Values:
        """What a layer says; changing it changes the draft."""
        return self.files[f"{LAYERS}/{name}.yaml"]

    def province(self) -> Values:
        """The province's own part of its file."""
        found: Values = self.layer("province")["province"]
        return found

    def add(self, slug: str, values: Values, origin: Path | None = None) -> None:
        """A site; `origin` is the file it continues."""
        self.files[f"{SITES}/{slug}.yaml"] = values
        if origin is not None:
            self.origin[f"{SITES}/{slug}.yaml"] = origin

    def drop(self, slug: str) -> Values:
        """Take a site away, and hand back what its file said."""
        self.origin.pop(f"{SITES}/{slug}.yaml", None)
        return self.files.pop(f"{SITES}/{slug}.yaml")

    def rename(self, old: str, new: str) -> None:
        """The same place under another slug."""
        origin = self.origin.get(f"{SITES}/{old}.yaml")
        values = self.drop(old)
        if "slug" in values:
            values["slug"] = new
        self.add(new, values, origin)

    def layered(self, slug: str) -> Values:
        """A site with what the layers say under it."""
        site = self.site(slug)
        whole: Values = {}
        for name in ("country", "province", f"kinds/{site.get('kind')}"):
            below = self.files.get(f"{LAYERS}/{name}.yaml") or {}
            lay(whole, below.get("site") or {})
        lay(whole, site)
        return whole

    def units(self) -> Iterator[tuple[str, str, Values]]:
        """Every unit: slug, site of its seat, values. A site's own unit has the slug of the site."""
        for slug in self.slugs:
            site = self.site(slug)
            yield slug, slug, site
            for name, unit in (site.get("units") or {}).items():
                yield name, slug, unit

    def inventory(self) -> Inventory:
        """The inventory it says.

        Raises:
            InventoryError: with every problem; a place is a file, since nothing is written yet.
        """
        province = parse(Province, self.province(), _where(f"{LAYERS}/province"), ())
        sites: dict[str, Site] = {}
        problems: list[Problem] = []
        for slug in self.slugs:
            value = self.layered(slug)
            value.setdefault("slug", slug)
            try:
                sites[slug] = parse(Site, value, _where(f"{SITES}/{slug}"), ())
            except InventoryError as error:
                problems += error.problems
        inventory = Inventory(province=province, sites=sites)
        if not problems:
            problems = check(inventory, {slug: _where(f"{SITES}/{slug}") for slug in sites})
        if problems:
            raise InventoryError(problems)
        return inventory


def _where(name: str) -> Callable[[Path_], str]:
    def place(path: Path_) -> str:
        return f"inventory/{name}.yaml as it would be, {'.'.join(map(str, path)) or 'the whole file'}"

    return place


def lay(into: Values, value: Values) -> None:
    """As the loader lays layers: mappings merge, anything else is replaced, null takes away."""
    for key, item in value.items():
        if item is None:
            into.pop(key, None)
        elif isinstance(item, dict):
            below = into.get(key)
            into[key] = dict(below) if isinstance(below, dict) else {}
            lay(into[key], item)
        else:
            into[key] = item
