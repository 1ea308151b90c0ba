"""A vault: pulls documents from the servers of its own side, encrypts and keeps them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lienthong.model.site import Model
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "backup"


class Params(Model):
    """What is pulled, how often, and how long it is kept."""

    sources: Literal["portal", "app"] = Field(description="every node of the side that runs this service")
    hour: int = Field(default=2, ge=0, le=23, description="hour of the day, UTC")
    rpo_hours: int = Field(default=26, ge=1, le=720, description="the newest good copy is at most this old")
    keep_daily: int = Field(default=14, ge=1, le=366)
    keep_monthly: int = Field(default=12, ge=0, le=120)


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
