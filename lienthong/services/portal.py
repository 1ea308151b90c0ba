"""The public web server in the DMZ: TLS only, and the documents the Internet-side vault pulls."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Slug
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "portal"
HTTPS = ((443, 443),)


class Params(Model):
    """Where the server may fetch its updates; nowhere else."""

    updates: Slug | None = Field(default=None, description="outside system with the updates")


def contribute(ctx: ServiceContext) -> Contribution:
    """443 from the Internet by the public address; updates from one listed system."""
    params = ctx.params
    assert isinstance(params, Params)
    flows = [FlowSpec(Ends(outside="internet"), Ends(here=True), "tcp", HTTPS, "the public portal")]
    if params.updates:
        web = ((80, 80), (443, 443))
        flows.append(FlowSpec(Ends(here=True), Ends(outside=params.updates), "tcp", web, "updates"))
    return Contribution(flows=tuple(flows), names=("www",))
