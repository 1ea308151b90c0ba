"""Puts what a workbook says into a draft of the inventory: new sites are written, known ones edited."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lienthong.edit import proposal
from lienthong.edit.draft import Draft
from lienthong.edit.layers import MISSING, at, layers
from lienthong.edit.plain import put_data
from lienthong.edit.splice import Edit, Put
from lienthong.edit.write import Value
from lienthong.errors import InventoryError, Problem
from lienthong.inventory.layers import merged as over
from lienthong.inventory.yamlfile import Path_
from lienthong.model.site import Site
from lienthong.plan.addressing import CENTRAL_NUMBER
from lienthong.workbook.filling import Said, fill
from lienthong.workbook.reading import Row

_LEADS = ("device", "host", "segment", "unused")
"""What a port leads to: one of them; a new one takes the place of the old."""


def put(draft: Draft, rows: list[Row], problems: list[Problem]) -> list[Said]:
    """Put every row into the draft; what was said, site by site.

    Raises:
        InventoryError: with every problem found so far, and those of the rows.
    """
    known = {path.stem: _data(draft, path.stem) for path in sorted((draft.folder / "sites").glob("*.yaml"))}
    sites = _Sites(draft.folder, known)
    for row in (row for row in rows if row.sheet.name == "Sites"):
        problems += sites.open(row)
    for row in (row for row in rows if row.sheet.name != "Sites"):
        problems += sites.add(row)
    if problems:
        raise InventoryError(problems)
    for said in sites.said.values():
        _write(draft, said, known.get(said.slug))
    return list(sites.said.values())


def check(draft: Draft, said: Iterable[Said]) -> None:
    """Load and plan the result; where a cell spoke of what is wrong, the message names the cell too.

    Raises:
        InventoryError: with every problem.
    """
    try:
        draft.check()
    except InventoryError as error:
        by_file = {f"inventory/sites/{one.slug}.yaml": one for one in said}
        raise InventoryError([_at_cell(draft, by_file, problem) for problem in error.problems]) from None


def _at_cell(draft: Draft, by_file: dict[str, Said], problem: Problem) -> Problem:
    file, _, place = problem.where.partition(":")
    said = by_file.get(file)
    text = draft.text(file.removeprefix("inventory/")) if said else None
    if said is None or text is None or not place:
        return problem
    document = draft.document(file.removeprefix("inventory/"))
    paths = [path for path in document.places if document.where(path) == problem.where]
    cell = said.cell(max(paths, key=len)) if paths else None
    return Problem(f"{cell} ({problem.where})", problem.what, problem.hint) if cell else problem


def _data(draft: Draft, slug: str) -> dict[str, Any]:
    found = draft.data(f"sites/{slug}.yaml")
    return found if isinstance(found, dict) else {}


class _Sites:
    """The sites that the workbook speaks of, by slug and by name, with what is proposed for them."""

    def __init__(self, folder: Path, known: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.known = known
        self.said: dict[str, Said] = {}
        self.names = {str(at(site, ("name", "vi"))): slug for slug, site in known.items()}
        self.numbers = {int(n): slug for slug, site in known.items() if (n := site.get("number")) is not None}
        self.dials = {
            str(host["runs"]["videoconf"]["number"])
            for site in known.values()
            for host in (site.get("hosts") or {}).values()
            if at(host, ("runs", "videoconf", "number")) is not MISSING
        }
        self.units = {unit for slug, site in known.items() for unit in (slug, *(site.get("units") or {}))}

    def open(self, row: Row) -> list[Problem]:
        """Take up a row of sheet Sites."""
        name, kind = str(row.values["name_vi"]), str(row.values["kind"])
        slug = str(row.values.get("slug") or self.names.get(name) or "")
        if not slug:
            wanted = proposal.slug_of(name)
            if not wanted:
                return [Problem(row.cell("name_vi"), "no slug can be made of this name", "fill slug")]
            if wanted in self.units or wanted in self.said:
                other = at(self.known.get(wanted), ("name", "vi"))
                whose = f", {other}" if isinstance(other, str) else ""
                return [
                    Problem(row.cell("name_vi"), f"the slug {wanted} is another site's{whose}", "fill slug")
                ]
            slug = wanted
        if slug in self.said:
            return [Problem(row.cell("slug"), f"site {slug} stands here twice", "keep one row")]
        if not (self.folder / "layers" / "kinds" / f"{kind}.yaml").is_file():
            kinds = sorted(path.stem for path in (self.folder / "layers" / "kinds").glob("*.yaml"))
            return [Problem(row.cell("kind"), f"there is no kind {kind!r}", f"kinds: {', '.join(kinds)}")]
        said = self.said[slug] = Said(slug)
        self.names[name] = slug
        below = layers(self.folder, kind)
        old = self.known.get(slug, {})
        values = dict(row.values)
        values.pop("slug", None)
        problems = self._number(row, slug, values, old)
        lines, hosts = proposal.open_lines(below), proposal.endpoints(below)
        names = {"inet": lines[0] if lines else "inet0"} | ({"endpoint": hosts[0]} if hosts else {})
        if hosts and "dial_number" not in values and at(old, _dial(hosts[0])) is MISSING:
            values["dial_number"] = proposal.free_dial(int(str(values["number"])), self.dials)
        if "dial_number" in values:
            self.dials.add(str(values["dial_number"]))
        return problems + fill(said, Row(row.sheet, row.number, values, row.cells), names)

    def _number(self, row: Row, slug: str, values: dict[str, Value], old: dict[str, Any]) -> list[Problem]:
        if "number" not in values and "number" in old:
            values["number"] = old["number"]
        if "number" not in values:
            values["number"] = proposal.free_number(self.numbers)
        number = int(str(values["number"]))
        owner = self.numbers.setdefault(number, slug)
        if owner != slug:
            free = proposal.free_number(self.numbers)
            return [Problem(row.cell("number"), f"number {number} is already {owner}'s", f"{free} is free")]
        if number >= CENTRAL_NUMBER:
            return [Problem(row.cell("number"), f"number {number} stands for Central", "take a free one")]
        return []

    def add(self, row: Row) -> list[Problem]:
        """Take up a row of another sheet."""
        name = str(row.values["site"])
        slug = name if name in self.said or name in self.known else self.names.get(name)
        if slug is None:
            hint = "write its slug or its Vietnamese name as on sheet Sites"
            return [Problem(row.cell("site"), f"there is no site {name!r}", hint)]
        return fill(self.said.setdefault(slug, Said(slug)), row, {})


def _dial(host: str) -> Path_:
    return "hosts", host, "runs", "videoconf", "number"


def _write(draft: Draft, said: Said, old: dict[str, Any] | None) -> None:
    """A new file with what no layer says; or edits of the old one where it says something else."""
    name = f"sites/{said.slug}.yaml"
    kind = str(said.values.get(("kind",), (old or {}).get("kind", "")))
    merged = over(layers(draft.folder, kind), old or {})
    edits: list[Edit] = []
    for path, value in said.values.items():
        own = path[0] in {"number", "kind", "name"}
        if at(merged, path) != value or (own and old is None):
            edits.append(Put(path, value))
            edits += _other_leads(merged, path, said)
    if old is not None:
        if edits:
            draft.edit(name, *edits)
        return
    fresh: dict[str, Any] = {}
    for edit in edits:
        assert isinstance(edit, Put)
        put_data(fresh, edit.path, edit.value)
    order = list(dict.fromkeys(["number", "kind", "name", *Site.model_fields]))
    draft.create(name, {key: fresh[key] for key in order if key in fresh})


def _other_leads(merged: dict[str, Any], path: Path_, said: Said) -> list[Edit]:
    """A port that is given another use loses what a lower layer or the file said of it."""
    if len(path) != 5 or path[0] != "devices" or path[2] != "ports" or path[4] not in _LEADS:
        return []
    old = at(merged, path[:4])
    keys = [*_LEADS, "probe", "far_port", "carries"] if isinstance(old, dict) else []
    return [Put((*path[:4], key), None) for key in keys if key in old and (*path[:4], key) not in said.values]
