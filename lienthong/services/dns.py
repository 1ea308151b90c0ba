"""A resolver for its own site and side; knows every name of the side by itself."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lienthong.model.site import Model
from lienthong.model.words import Domain, Slug, Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "dns"
DNS = ((53, 53),)


class Params(Model):
    """Where names that are not of this side are asked, and which are refused."""

    forward_node: Slug | None = Field(default=None, description="another node of the side that runs dns")
    forward_outside: Slug | None = Field(default=None, description="an outside system, e.g. internet-dns")
    blocked: tuple[Domain, ...] = Field(default=(), description="names answered with NXDOMAIN")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.forward_node and self.forward_outside:
            raise ValueError("forward to a node or to an outside system, not to both")
        return self


def contribute(ctx: ServiceContext) -> Contribution:
    """The site's segments and nodes ask here; here asks the next resolver."""
    params = ctx.params
    assert isinstance(params, Params)
    flows = [
        FlowSpec(Ends(zone=zone, near=True), Ends(here=True), proto, DNS, "names")
        for zone in Zone
        for proto in ("udp", "tcp")
    ]
    onward: Ends | None = None
    if params.forward_node:
        onward = Ends(node=params.forward_node)
    elif params.forward_outside:
        onward = Ends(outside=params.forward_outside)
    if onward:
        flows += [
            FlowSpec(Ends(here=True), onward, proto, DNS, "names of others") for proto in ("udp", "tcp")
        ]
    return Contribution(flows=tuple(flows), names=("dns",))
