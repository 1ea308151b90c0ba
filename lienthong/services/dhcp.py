"""Leases addresses .100 to .199 in every segment of the site and side that says `dhcp`."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, ServiceContext

NAME = "dhcp"


class Params(Model):
    """Lease time in seconds."""

    lease_s: Int = Field(default=43200, ge=300, le=604800, description="lease time, seconds")


def contribute(ctx: ServiceContext) -> Contribution:
    """Nothing of its own: the plan opens port 67 on the gateway in each segment with `dhcp`."""
    return Contribution()
