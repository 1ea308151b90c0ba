"""Loads the inventory: layers under each site, every error with its place, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lienthong.errors import InventoryError, Problem
from lienthong.inventory.rules import check
from lienthong.inventory.yamlfile import Document, Path_, read
from lienthong.model.site import Inventory, Province, Site

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Layered:
    """A value made of several files; for every path the last file that set it."""

    value: dict[str, Any]
    sources: dict[Path_, Document]
    main: Document

    def where(self, path: Path_) -> str:
        """The place that a message about this path should name."""
        probe = path
        while probe and probe not in self.sources:
            probe = probe[:-1]
        return self.sources.get(probe, self.main).where(path)


def load(folder: Path, today: date | None = None) -> Inventory:
    """Everything under `inventory/`, validated, including the rules across sites.

    Args:
        today: with it, what has ended by that day is a problem too.

    Raises:
        InventoryError: with every problem found, each with its place.
    """
    layers = _Layers(folder / "layers")
    province = layers.province()
    sites: dict[str, Site] = {}
    places: dict[str, Layered] = {}
    problems: list[Problem] = []
    files = sorted((folder / "sites").glob("*.yaml"))
    if not files:
        raise InventoryError([Problem("inventory/sites", "holds no site")])
    for file in files:
        try:
            layered = layers.under(read(file, f"inventory/sites/{file.name}"))
            layered.value.setdefault("slug", file.stem)
            site = parse(Site, layered.value, layered.where, ())
        except InventoryError as error:
            problems += error.problems
            continue
        if site.slug != file.stem:
            problems.append(
                Problem(layered.where(("slug",)), f"slug {site.slug!r} is not the name of the file")
            )
        sites[site.slug] = site
        places[site.slug] = layered
    inventory = Inventory(province=province, sites=dict(sorted(sites.items())))
    where = {slug: layered.where for slug, layered in places.items()}
    problems += check(inventory, where, layers.province_where, today)
    if problems:
        raise InventoryError(problems)
    return inventory


def parse(model: type[M], value: object, where: Any, prefix: Path_) -> M:
    """Validate with pydantic, and say its errors the way the inventory's other errors are said.

    Raises:
        InventoryError: one problem for each error.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InventoryError(
            [_problem(item, model, where, prefix) for item in error.errors(include_url=False)]
        ) from None


def _problem(item: Any, model: type[BaseModel], where: Any, prefix: Path_) -> Problem:
    path: Path_ = (*prefix, *(part for part in item["loc"] if part != "[key]"))
    dotted = ".".join(str(part) for part in path)
    kind = item["type"]
    hint = ""
    if kind == "extra_forbidden":
        what = f"unknown key {dotted}"
        known = _keys_near(model, item["loc"])
        close = get_close_matches(str(item["loc"][-1]), known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(known))}"
    elif kind == "missing":
        what = f"{dotted} is missing"
    else:
        what = f"{dotted}: {item['msg'].removeprefix('Value error, ')}"
    return Problem(where(path), what, hint)


def _keys_near(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that would be known beside an unknown one."""
    here: Any = model
    for part in loc[:-1]:
        fields = getattr(here, "model_fields", {})
        if part in fields:
            annotation = fields[part].annotation
            models = [
                a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")
            ]
            here = models[-1] if models else annotation
    return list(getattr(here, "model_fields", {}))


class _Layers:
    """The files that say what a site file need not say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache: dict[str, Document] = {}

    def _read(self, name: str) -> Document:
        if name not in self._cache:
            self._cache[name] = read(self._folder / name, f"inventory/layers/{name}")
        return self._cache[name]

    def province(self) -> Province:
        document = self._read("province.yaml")
        value = document.value.get("province") if isinstance(document.value, dict) else None
        return parse(Province, value, document.where, ("province",))

    def province_where(self, path: Path_) -> str:
        """The place of something in the province's own file."""
        return self._read("province.yaml").where(("province", *path))

    def under(self, site: Document) -> Layered:
        """The site with the layers below it: country, province, kind, site."""
        if not isinstance(site.value, dict):
            raise InventoryError([Problem(site.where(()), "a site is a mapping of keys to values")])
        kind = site.value.get("kind")
        names = ["country.yaml", "province.yaml"]
        if isinstance(kind, str):
            file = self._folder / "kinds" / f"{kind}.yaml"
            if not file.is_file():
                known = sorted(path.stem for path in (self._folder / "kinds").glob("*.yaml"))
                raise InventoryError(
                    [
                        Problem(
                            site.where(("kind",)),
                            f"there is no kind {kind!r}",
                            f"kinds are files in inventory/layers/kinds: {', '.join(known)}",
                        )
                    ]
                )
            names.append(f"kinds/{kind}.yaml")
        merged: dict[str, Any] = {}
        sources: dict[Path_, Document] = {}
        for name in names:
            document = self._read(name)
            below = document.value.get("site") if isinstance(document.value, dict) else None
            if isinstance(below, dict):
                _merge(merged, below, _Shifted(document), sources, ())
        _merge(merged, site.value, site, sources, ())
        return Layered(merged, sources, site)


class _Shifted(Document):
    """A layer, whose site part stands one level down."""

    def __init__(self, document: Document) -> None:
        super().__init__(
            document.name,
            document.value,
            {path[1:]: place for path, place in document.places.items() if path[:1] == ("site",)},
        )


def _merge(
    into: dict[str, Any], value: dict[str, Any], source: Document, sources: dict[Path_, Document], path: Path_
) -> None:
    """Mappings merge key by key; anything else is replaced; null takes a key away."""
    for key, item in value.items():
        here = (*path, key)
        sources[here] = source
        if item is None:
            into.pop(key, None)
        elif isinstance(item, dict):
            below = into.get(key)
            fresh: dict[str, Any] = below if isinstance(below, dict) else {}
            into[key] = fresh
            _merge(fresh, item, source, sources, here)
        else:
            into[key] = item
