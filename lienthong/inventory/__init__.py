"""Loads the inventory: layers under each site, every error with its place, all of them at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from lienthong.inventory.collector import collector_paused

with collector_paused():  # models and what makes them are half of a short command's objects
    from pydantic import BaseModel, ValidationError

    from lienthong.errors import InventoryError, Problem
    from lienthong.inventory.complaint import complaint
    from lienthong.inventory.layers import Layered, Layers, Source, later, said
    from lienthong.inventory.rules import (
        Summary,
        Where,
        across,
        marked,
        provinces,
        site_problems,
        summarise,
        told,
    )
    from lienthong.inventory.yamlfile import Path_, read_bytes
    from lienthong.model.site import Inventory, Province, Site

M = TypeVar("M", bound=BaseModel)


def load(folder: Path, today: date | None = None) -> Inventory:
    """Everything under `inventory/`, validated, including the rules across sites.

    With `today` the calendar is looked at too: contracts and support that have ended.

    Raises:
        InventoryError: with every problem found, each with its place.
    """
    with collector_paused():
        return _load(folder, today)


def _load(folder: Path, today: date | None) -> Inventory:
    layers = Layers(folder / "layers")
    province = read_province(layers)
    home = province_where(layers)
    problems = list(provinces.check(province, home))
    sites: dict[str, Site] = {}
    summaries: dict[str, Summary] = {}
    places: dict[str, Where] = {}
    unread = 0
    for file in site_files(folder):
        name = f"inventory/sites/{file.name}"
        try:
            site, layered = typed(Source(read_bytes(file, name), name), file.stem, layers)
        except InventoryError as error:
            problems += error.problems
            unread += 1
            continue
        where = later(marked(file.stem, layered.where))
        problems += of_site(site, file.stem, province, where)
        sites[site.slug] = site
        places[site.slug] = where
        summaries[site.slug] = summarise(site, province)
    problems += across(dict(sorted(summaries.items())), province, places, home, today, whole=unread == 0)
    if problems:
        raise InventoryError(told(said(problems)))
    return Inventory(province=province, sites=dict(sorted(sites.items())))


def of_site(site: Site, slug: str, province: Province, where: Where) -> list[Problem]:
    """What a site that parsed breaks by itself; `slug` is what its file is called."""
    problems = site_problems(site, province, where)
    if site.slug != slug:
        problems.append(Problem(where(("slug",)), f"slug {site.slug!r} is not the name of the file"))
    return problems


def site_files(folder: Path) -> list[Path]:
    """Every site file, by name.

    Raises:
        InventoryError: there is none.
    """
    files = sorted((folder / "sites").glob("*.yaml"))
    if not files:
        raise InventoryError([Problem("inventory/sites", "holds no site")])
    return files


def typed(source: Source, slug: str, layers: Layers) -> tuple[Site, Layered]:
    """One site with the layers below it, validated by its types alone; `slug` is what its file is called.

    Raises:
        InventoryError: with every problem of this file.
    """
    layered = layers.under(source)
    layered.value.setdefault("slug", slug)
    return parse(Site, layered.value, marked(slug, layered.where), ()), layered


def read_province(layers: Layers) -> Province:
    """What all sites share.

    Raises:
        InventoryError: with every problem of the file.
    """
    source = layers.source("province.yaml")
    value = source.value.get("province") if isinstance(source.value, dict) else None
    return parse(Province, value, source.where, ("province",))


def province_where(layers: Layers) -> Where:
    """Where a path of the province stands."""
    return lambda path: layers.source("province.yaml").where(("province", *path))


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
    what, hint = complaint(item, model, ".".join(str(part) for part in path))
    return Problem(where(path), what, hint)
