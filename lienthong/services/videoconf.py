"""Video conferencing: one registrar for all sites, and the endpoints that register with it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lienthong.model.site import Model
from lienthong.model.words import Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "videoconf"
#: SIP over TLS (RFC 3261, 26.2): the keys of the media travel in it (RFC 4568), so nothing else is spoken.
SIPS = ((5061, 5061),)
RTP = ((10000, 20000),)


class Params(Model):
    """Registrar or endpoint; an endpoint has a number that others dial."""

    role: Literal["registrar", "endpoint"] = Field(
        description="the one registrar, or an endpoint that registers with it"
    )
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$")] | None = Field(
        default=None, description="dial number: 1000 plus the number of the site"
    )

    @model_validator(mode="after")
    def _number(self) -> Self:
        if (self.role == "endpoint") != (self.number is not None):
            raise ValueError("an endpoint has a number, a registrar has none")
        return self


def contribute(ctx: ServiceContext) -> Contribution:
    """Signalling from conference segments to the registrar; media among conference segments."""
    params = ctx.params
    assert isinstance(params, Params)
    if params.role == "endpoint":
        return Contribution()
    conference = Ends(zone=Zone.CONFERENCE)
    # The registrar calls an endpoint on the connection that the endpoint opened (RFC 5923): it opens none.
    flows = (
        FlowSpec(conference, Ends(here=True), "tcp", SIPS, "SIP over TLS to the registrar"),
        FlowSpec(conference, conference, "udp", RTP, "media between endpoints"),
    )
    return Contribution(flows=flows, names=("sip",))
