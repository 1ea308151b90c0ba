"""Video conferencing: one registrar for all sites, and the endpoints that register with it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lienthong.model.site import Model
from lienthong.model.words import Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "videoconf"
SIP = ((5060, 5060),)
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
    """Signalling between conference segments and the registrar; media among conference segments."""
    params = ctx.params
    assert isinstance(params, Params)
    if params.role == "endpoint":
        return Contribution()
    conference = Ends(zone=Zone.CONFERENCE)
    flows = [
        FlowSpec(conference, Ends(here=True), proto, SIP, "SIP to the registrar") for proto in ("udp", "tcp")
    ]
    flows += [
        FlowSpec(Ends(here=True), conference, proto, SIP, "SIP from the registrar")
        for proto in ("udp", "tcp")
    ]
    flows.append(FlowSpec(conference, conference, "udp", RTP, "media between endpoints"))
    return Contribution(flows=tuple(flows), names=("sip",))
