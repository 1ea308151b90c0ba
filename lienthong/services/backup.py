"""A vault: pulls documents from the servers of its own side, encrypts and keeps them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from lienthong.model.site import Model
from lienthong.model.words import Flag, Int, Slug
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "backup"
PLACE = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?/[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"


class Copy(Model):
    """A further copy of the repository, beside the vault's own disk."""

    name: Slug = Field(description="what people call it")
    place: Annotated[str, StringConstraints(pattern=PLACE)] = Field(
        description="site/building where it stands"
    )
    medium: Literal["disk", "tape", "object"] = Field(description="what it is written to")
    offline: Flag = Field(
        default=False,
        description="attached under /media/lienthong/<name> while it is written, and by nobody else",
    )
    max_age_days: Int = Field(default=31, ge=1, le=366, description="its newest state is at most this old")
    immutable: Flag = Field(default=False, description="cannot be rewritten, even by its own administrator")


class Params(Model):
    """What is pulled, how often, and how long it is kept."""

    sources: Literal["portal", "app"] = Field(description="every node of the side that runs this service")
    hour: Int = Field(default=2, ge=0, le=23, description="hour of the day, UTC")
    gap_min: Int = Field(
        default=1,
        ge=0,
        le=1440,
        description="a new document is fetched soon, so many minutes after the last fetch at the earliest; "
        "0: only at `hour`",
    )
    rpo_hours: Int = Field(default=26, ge=1, le=720, description="the newest good copy is at most this old")
    keep_daily: Int = Field(default=14, ge=1, le=366, description="days of which one copy is kept")
    keep_monthly: Int = Field(default=12, ge=0, le=120, description="months of which one copy is kept")
    drill_days: Int = Field(
        default=7, ge=2, le=180, description="a restore of all, every hash compared, is at most this old"
    )
    copies: tuple[Copy, ...] = Field(default=(), description="copies elsewhere; 3-2-1 asks for two")


def contribute(ctx: ServiceContext) -> Contribution:
    """The vault opens the connection; nothing opens one to it."""
    params = ctx.params
    assert isinstance(params, Params)
    return Contribution(
        flows=(
            FlowSpec(Ends(here=True), Ends(service=params.sources), "tcp", ((22, 22),), "the vault pulls"),
        ),
        names=("vault",),
    )
