"""The time server of a side."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Address4
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "ntp"


class Params(Model):
    """Where the server takes its own time from; without any it keeps the side together by itself."""

    upstream: tuple[Address4, ...] = Field(default=(), description="time servers it asks itself")


def contribute(ctx: ServiceContext) -> Contribution:
    """Every node of the side asks it for the time."""
    return Contribution(
        flows=(FlowSpec(Ends(everyone=True), Ends(here=True), "udp", ((123, 123),), "time"),),
        names=("ntp",),
    )
