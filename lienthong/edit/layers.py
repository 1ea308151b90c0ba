"""What the layers below a site say of it, so that an edit knows whether a key is taken away by `null`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lienthong.edit.draft import Draft
from lienthong.edit.splice import Edit, Put, Take
from lienthong.inventory.layers import merged
from lienthong.inventory.yamlfile import Path_, read

MISSING = object()


def at(value: Any, path: Path_) -> Any:
    """What is at a path of plain data; `MISSING` where nothing is."""
    for part in path:
        items: Any = dict(enumerate(value)) if isinstance(value, list) else value
        if not isinstance(items, Mapping) or part not in items:
            return MISSING
        value = items[part]
    return value


def layers(folder: Path, kind: str) -> dict[str, Any]:
    """The `site` part of country, province and kind, merged as the loader merges them."""
    found: dict[str, Any] = {}
    for name in ("country.yaml", "province.yaml", f"kinds/{kind}.yaml"):
        path = folder / "layers" / name
        said = at(read(path, f"inventory/layers/{name}").value, ("site",)) if path.is_file() else None
        if isinstance(said, dict):
            found = merged(found, said)
    return found


class SiteFile:
    """One site's file in a draft, seen over the layers below it."""

    def __init__(self, draft: Draft, slug: str, kind: str) -> None:
        self._draft = draft
        self.name = f"sites/{slug}.yaml"
        self._below = layers(draft.folder, kind)

    def own(self, path: Path_) -> Any:
        """What the site's own file says at a path; `MISSING` where it is silent."""
        return at(self._draft.data(self.name), path)

    def edit(self, *edits: Edit) -> None:
        """Edit the site's file."""
        self._draft.edit(self.name, *edits)

    def retract(self, path: Path_) -> None:
        """After this the site has nothing at the path: what a layer says of it is taken back with `null`."""
        layered = at(self._below, path) is not MISSING
        if layered:
            if self.own(path) is not None:
                self.edit(Put(path, None))
        elif self.own(path) is not MISSING:
            self.edit(Take(path))
