"""What a reorganisation says: its date, its decision, and the changes in their order."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lienthong.errors import InventoryError, Problem
from lienthong.inventory import parse
from lienthong.inventory.yamlfile import Document, read
from lienthong.model.base import Bilingual, Day, Model
from lienthong.model.system import Level
from lienthong.model.words import Slug, Text

Number = Annotated[int, Field(ge=0, le=2999)]
Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,200}$")]


class Place(Model):
    """What becomes of a place whose own unit ended: it closes, or stays under a slug of its own."""

    close: bool = Field(default=False, description="the place is given up; its file goes")
    slug: Slug | None = Field(default=None, description="the place stays, and is called this")
    name: Bilingual | None = Field(default=None, description="full name of the place that stays")
    kind: Slug | None = Field(default=None, description="kind of the place that stays; default: as before")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.close is (self.slug is not None):
            raise ValueError("say close: true, or the slug under which the place stays")
        if self.slug is not None and self.name is None:
            raise ValueError("a place that stays has a name")
        return self


class Rename(Model):
    """A unit is called otherwise, or is of another kind; with a new slug it succeeds its old self."""

    unit: Slug = Field(description="a site, or a unit that has its seat at one")
    to: Slug | None = Field(default=None, description="new slug; default: the same")
    name: Bilingual | None = Field(default=None, description="new full name")
    kind: Slug | None = Field(default=None, description="new kind")
    level: Level | None = Field(default=None, description="new security level of the site")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.to or self.name or self.kind or self.level):
            raise ValueError("say what is new: to, name, kind or level")
        return self


class Merge(Model):
    """Several units end and one begins, at one of the places."""

    units: Annotated[tuple[Slug, ...], Field(min_length=2)] = Field(description="units that end")
    into: Slug = Field(description="slug of the new unit")
    name: Bilingual = Field(description="full name of the new unit")
    kind: Slug = Field(description="kind of the new unit")
    level: Level | None = Field(default=None, description="security level; default: by the layers")
    parent: Slug | None = Field(default=None, description="unit above; default: the one above the first")
    seat: Slug = Field(description="site where the new unit sits")
    places: dict[Slug, Place] = Field(
        default_factory=dict, description="what becomes of the other units' places"
    )


class Part(Model):
    """One of the units that follow a split."""

    slug: Slug = Field(description="slug of the new unit")
    name: Bilingual = Field(description="full name")
    kind: Slug | None = Field(default=None, description="kind; default: that of the split unit")
    level: Level | None = Field(default=None, description="security level; default: by the layers")
    parent: Slug | None = Field(default=None, description="unit above; default: the one above the split unit")
    seat: Slug | None = Field(default=None, description="site where it sits")
    new: dict[str, Any] | None = Field(
        default=None, description="a new site: number, uplinks …, as in a site's file"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.seat is None) is (self.new is None):
            raise ValueError("say seat: SITE, or new: {number: …, uplinks: …}")
        return self


class Split(Model):
    """A unit ends and several begin."""

    unit: Slug = Field(description="unit that ends")
    into: Annotated[tuple[Part, ...], Field(min_length=2)] = Field(description="units that begin")
    place: Place | None = Field(default=None, description="its place, where none of the parts sits there")


class Convert(Model):
    """A district becomes communes: a split whose parts are all of one new kind."""

    unit: Slug = Field(description="unit that ends, e.g. a district")
    kind: Slug = Field(description="kind of every part, e.g. commune")
    into: Annotated[tuple[Part, ...], Field(min_length=1)] = Field(description="units that begin")
    place: Place | None = Field(default=None, description="its place, where none of the parts sits there")


class Move(Model):
    """A unit comes under another, or takes its seat elsewhere."""

    unit: Slug = Field(description="a site, or a unit that has its seat at one")
    parent: Slug | None = Field(default=None, description="unit above it from now on")
    seat: Slug | None = Field(default=None, description="site where a unit without a site sits from now on")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.parent is None and self.seat is None:
            raise ValueError("say parent or seat")
        return self


class End(Model):
    """A unit ends and nothing follows it; another keeps its records."""

    unit: Slug = Field(description="unit that ends")
    records: Slug = Field(description="unit that takes over its records")
    place: Place | None = Field(default=None, description="what becomes of its place, if it had one")


class Office(Model):
    """What the joining province's own office becomes: there is one hub."""

    kind: Slug = Field(description="e.g. district: an office with a server")
    name: Bilingual | None = Field(default=None, description="new full name")
    level: Level | None = Field(default=None, description="security level; default: by the layers")


class Join(Model):
    """Two inventories become one."""

    inventory: Folder = Field(description="folder of the other inventory, seen from the plan's file")
    into: Literal["this", "other"] = Field(
        description="whose pools, domain and layers hold from now on; the other side's sites come in"
    )
    renumbers: Literal["this", "other"] | None = Field(
        default=None, description="whose sites give way when a number is taken; default: those that come in"
    )
    numbers: dict[Slug, Number] = Field(default_factory=dict, description="new number of a site, by hand")
    numbers_from: Number = Field(default=100, description="otherwise the first free number from here on")
    prefix: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,5}$")] = Field(
        description="put with a hyphen before a slug that is taken"
    )
    office: Office = Field(description="what the office of the side that comes in becomes")


CHANGES = ("rename", "merge", "split", "convert", "move", "end", "join")


class Change(Model):
    """One change; exactly one of its keys."""

    rename: Rename | None = None
    merge: Merge | None = None
    split: Split | None = None
    convert: Convert | None = None
    move: Move | None = None
    end: End | None = None
    join: Join | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in CHANGES) != 1:
            raise ValueError(f"a change says exactly one of {', '.join(CHANGES)}")
        return self

    @property
    def kind(self) -> str:
        """Which of the changes it is."""
        return next(name for name in CHANGES if getattr(self, name) is not None)


class Reorganisation(Model):
    """A whole plan."""

    day: Day = Field(alias="date", description="first day on which it holds")
    decision: Text = Field(description="what orders it: number, date, issuer")
    changes: Annotated[tuple[Change, ...], Field(min_length=1)] = Field(description="in this order")

    @property
    def last_day(self) -> date:
        """The last day of what ends."""
        return self.day - timedelta(days=1)


def read_plan(path: Path) -> tuple[Reorganisation, Document]:
    """A plan, and where each of its values stands.

    Raises:
        InventoryError: it cannot be read, or is not a plan; each problem with file:line:column.
    """
    document = read(path, path.name)
    if not isinstance(document.value, dict):
        raise InventoryError([Problem(document.where(()), "a plan is a mapping", "date, decision, changes")])
    return parse(Reorganisation, document.value, document.where, ()), document
