"""What an asset register must know of a thing, wherever it stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lienthong.model.base import Day, Model
from lienthong.model.words import AssetState, Code, Importance, Int, Mac, RoomRef, Slug, Text


class Asset(Model):
    """The eight fields that control INV-01 asks for. Each may be unknown; the control then says so."""

    code: Code | None = Field(default=None, description="inventory number on its label")
    owner: Slug | None = Field(default=None, description="unit that answers for it; default: the site's own")
    keeper: Text | None = Field(default=None, description="person or post that keeps it")
    room: RoomRef | None = Field(default=None, description="building/room of this site where it stands")
    importance: Importance | None = Field(default=None, description="how much is lost with it")
    state: AssetState | None = Field(default=None, description="where it is in its life")
    purchased: Day | None = Field(default=None, description="day of purchase")
    supported_until: Day | None = Field(default=None, description="last day of the maker's support")

    def missing(self) -> tuple[str, ...]:
        """Names of the fields nobody has filled in."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is None)


class Client(Model):
    """A workstation, printer or phone: known by name and address, not managed by this tool."""

    segment: Slug = Field(description="segment it is plugged into")
    mac: Mac = Field(description="Ethernet address, e.g. 52:54:00:12:34:56")
    id: Annotated[Int, Field(ge=200, le=249)] | None = Field(
        default=None, description="last octet of the address it is always leased; any of .100 to .199 without"
    )
    model: Text | None = Field(default=None, description="maker and model")
    serial: Code | None = Field(default=None, description="serial number by the maker")
    asset: Asset | None = Field(default=None, description="the asset register's fields")


class Room(Model):
    """A room of a building."""

    name: Text = Field(description="as on the door")
    floor: Annotated[Int, Field(ge=-5, le=60)] = Field(default=1, description="storey; 1 is the ground floor")


class Building(Model):
    """A building of a site. Copies of a backup count as apart when their buildings differ."""

    name: Text = Field(description="what people call it")
    address: Text | None = Field(default=None, description="postal address")
    rooms: dict[Slug, Room] = Field(default_factory=dict, description="rooms that hold equipment")
