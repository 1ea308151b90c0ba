"""Leases addresses .100 to .199 in every segment of the site and side that says `dhcp`."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Address4, Int, Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "dhcp"


class Params(Model):
    """How leases are given."""

    lease_s: Int = Field(default=43200, ge=300, le=604800, description="lease time, seconds")
    relay: tuple[Address4, ...] = Field(
        default=(), description="servers that are asked instead; the gateway then only relays"
    )


def contribute(ctx: ServiceContext) -> Contribution:
    """The plan opens port 67 on the gateway in each segment with `dhcp`; here only the way to a server."""
    params = ctx.params
    assert isinstance(params, Params)
    if not params.relay:
        return Contribution()
    return Contribution(
        flows=(FlowSpec(Ends(here=True), Ends(zone=Zone.SERVERS), "udp", ((67, 67),), "leases by relay"),)
    )
