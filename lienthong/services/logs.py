"""The side's log collector: RELP over mutual TLS from every node, and onward to Central."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int, Slug
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "logs"
RELP_TLS = 2514
#: The program on a collector that holds what was collected (templates/hosts/logs/store.py).
STORE = "/usr/local/sbin/lienthong-store"


class Params(Model):
    """What a site says of its collector."""

    central: Slug = Field(description="outside system that gets everything too, e.g. central-wan")
    retention_months: Int = Field(default=12, ge=1, le=120, description="events are kept so many months")


def contribute(ctx: ServiceContext) -> Contribution:
    """Every node of the side sends here; here sends to Central."""
    params = ctx.params
    assert isinstance(params, Params)
    relp = ((RELP_TLS, RELP_TLS),)
    return Contribution(
        flows=(
            FlowSpec(Ends(everyone=True), Ends(here=True), "tcp", relp, "logs to the collector"),
            FlowSpec(Ends(here=True), Ends(outside=params.central), "tcp", relp, "logs onward to Central"),
        ),
        names=("logs",),
    )
