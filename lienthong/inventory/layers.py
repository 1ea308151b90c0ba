"""Layers under a site: country, province, its kind, then its own file.

Mappings merge key by key, anything else is replaced, null takes a key away. Values are never changed in
place: what a site does not touch is the layers' own object, shared by all sites. Where a value stands is
found out only when somebody asks, by the strict reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lienthong.errors import InventoryError, Problem
from lienthong.inventory.fast import quick
from lienthong.inventory.yamlfile import Document, Path_, parse, read_bytes

_Mapping = dict[str, Any]


class Later(str):
    """A place that is looked up when a problem is shown; until then it is an empty text.

    To look up costs a strict reading of the file, and rules ask for places before they know of a problem.
    """

    look: Callable[[], str]


def later(where: Callable[[Path_], str]) -> Callable[[Path_], str]:
    """The same places, to be looked up by :func:`said`."""

    def place(path: Path_) -> str:
        found = Later()
        found.look = lambda: where(path)
        return found

    return place


def said(problems: Iterable[Problem]) -> list[Problem]:
    """The problems with their places looked up."""
    return [replace(one, where=one.where.look()) if isinstance(one.where, Later) else one for one in problems]


class Source:
    """One file: its value when asked for, its places when asked for them."""

    def __init__(self, raw: bytes, name: str) -> None:
        """`raw` is what the file holds, `name` how messages call it."""
        self.raw = raw
        self.name = name

    @cached_property
    def value(self) -> Any:
        """What it says.

        Raises:
            InventoryError: it is not the YAML this project allows.
        """
        found = quick(self.raw)
        return self.document.value if found is None else found

    @cached_property
    def document(self) -> Document:
        """The same, as the strict reader sees it, with places."""
        return parse(self.raw, self.name)

    def where(self, path: Path_) -> str:
        """`file:line:column` of a path, or of the nearest place above it that is in this file."""
        return self.document.where(path)


class Layered:
    """A value made of several files; for every path the last file that set it."""

    def __init__(self, value: _Mapping, layers: tuple[Source, ...], main: Source) -> None:
        self.value = value
        self.main = main
        self._layers = layers

    @cached_property
    def sources(self) -> dict[Path_, Document]:
        """For every path that some file speaks of, the last one that does."""
        found: dict[Path_, Document] = {}
        for source in self._layers:
            document = source.document
            if isinstance(below := _site_part(document.value), dict):
                _note(below, _shifted(document), found, ())
        _note(self.main.document.value, self.main.document, found, ())
        return found

    def where(self, path: Path_) -> str:
        """The place that a message about this path should name."""
        probe = path
        while probe and probe not in self.sources:
            probe = probe[:-1]
        return self.sources.get(probe, self.main.document).where(path)


class Layers:
    """The files that say what a site file need not say; each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Source] = {}
        self._merged: dict[str | None, tuple[_Mapping, tuple[Source, ...]]] = {}

    def files(self) -> list[Path]:
        """Every file below `inventory/layers/`."""
        return [*sorted(self._folder.glob("*.yaml")), *sorted(self._folder.glob("*/*.yaml"))]

    def source(self, name: str) -> Source:
        """One file below `inventory/layers/`.

        Raises:
            InventoryError: it cannot be read, or is not the YAML this project allows.
        """
        if name not in self._read:
            said = f"inventory/layers/{name}"
            self._read[name] = Source(read_bytes(self._folder / name, said), said)
        return self._read[name]

    def under(self, site: Source) -> Layered:
        """The site with the layers below it.

        Raises:
            InventoryError: it is no mapping, there is no such kind, or a layer cannot be read.
        """
        if not isinstance(site.value, dict):
            raise InventoryError([Problem(site.where(()), "a site is a mapping of keys to values")])
        kind = site.value.get("kind")
        kind = kind if isinstance(kind, str) else None
        if kind not in self._merged:
            self._merged[kind] = self._below(kind, site)
        base, layers = self._merged[kind]
        return Layered(merged(base, site.value), layers, site)

    def _below(self, kind: str | None, site: Source) -> tuple[_Mapping, tuple[Source, ...]]:
        names = ["country.yaml", "province.yaml"]
        if kind is not None:
            known = sorted(path.stem for path in (self._folder / "kinds").glob("*.yaml"))
            if kind not in known:
                what, hint = f"there is no kind {kind!r}", "kinds are files in inventory/layers/kinds: "
                raise InventoryError([Problem(site.where(("kind",)), what, hint + ", ".join(known))])
            names.append(f"kinds/{kind}.yaml")
        layers = tuple(self.source(name) for name in names)
        base: _Mapping = {}
        for source in layers:
            if isinstance(below := _site_part(source.value), dict):
                base = merged(base, below)
        return base, layers


def merged(below: _Mapping, above: _Mapping) -> _Mapping:
    """Both as one new mapping; neither is changed, parts that only one of them has are shared."""
    found = dict(below)
    for key, item in above.items():
        if item is None:
            found.pop(key, None)
        elif item.__class__ is dict:
            under = found.get(key)
            found[key] = merged(under, item) if under.__class__ is dict else _without_nulls(item)
        else:
            found[key] = item
    return found


def _without_nulls(value: _Mapping) -> _Mapping:
    """The same mapping if no key below it is null, else a copy without those keys."""
    for item in value.values():
        if item is None or (item.__class__ is dict and _without_nulls(item) is not item):
            return merged({}, value)
    return value


def _site_part(value: Any) -> Any:
    return value.get("site") if isinstance(value, dict) else None


def _shifted(document: Document) -> Document:
    """A layer, whose site part stands one level down."""
    places = {path[1:]: place for path, place in document.places.items() if path[:1] == ("site",)}
    return Document(document.name, document.value, places)


def _note(value: _Mapping, source: Document, found: dict[Path_, Document], path: Path_) -> None:
    for key, item in value.items():
        here = (*path, key)
        found[here] = source
        if isinstance(item, dict):
            _note(item, source, found, here)
