"""From the values of a file before and after to the edits that leave every other byte as it is."""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.edit import Draft as Folder
from lienthong.edit import Edit, Put, Take, edited, new_file
from lienthong.inventory.yamlfile import Path_
from lienthong.model.site import Site
from lienthong.reorganise.draft import LAYERS, SITES, Draft, Values


def edits(before: Values, after: Values, path: Path_ = ()) -> Iterator[Edit]:
    """What must be put and taken away: the smallest parts that differ."""
    for key in before:
        if key not in after or (after[key] == {} and before[key] != {}):
            yield Take((*path, key))
    for key, value in after.items():
        old = before.get(key)
        if key in before and old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict) and old and set(old) & set(value):
            yield from edits(old, value, (*path, key))
        elif value != {}:
            yield Put((*path, key), value)


def stage(folder: Folder, before: Draft, there: Draft | None, after: Draft) -> None:
    """Put the result into a set of file changes, which checks it and writes all of it or nothing.

    `before` is what stands in the folder, `there` the other inventory of a join.
    """
    texts: dict[str, str] = {}
    for name, values in after.files.items():
        origin = after.origin.get(name)
        if origin is None:
            schema = "../../schema/layer.json" if name.count("/") > 1 else "../schema/site.json"
            order = {key: index for index, key in enumerate(Site.model_fields)}
            texts[name] = new_file(dict(sorted(values.items(), key=lambda item: order[item[0]])), schema)
            continue
        source = there if there is not None and origin in set(there.origin.values()) else before
        old = next(source.files[was] for was, path in source.origin.items() if path == origin)
        said = origin.read_text(encoding="utf-8")
        texts[name] = edited(said, edits(old, values), f"inventory/{name}")
    for name in before.files:
        if name not in texts and name.startswith((SITES, LAYERS)):
            folder.delete(name)
    for name, text in sorted(texts.items()):
        folder.replace(name, text)
