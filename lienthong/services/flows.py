"""The side's collector of flow records: its gateways tell by IPFIX who spoke with whom, and how much."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "flows"
#: Of IANA, for IPFIX over UDP (RFC 7011, 10.3.4).
IPFIX = 4739
#: Debian packages beyond the base: where the records are kept, and on every gateway that is Debian.
PACKAGES: tuple[str, ...] = ("nfdump",)
GATEWAY_PACKAGES: tuple[str, ...] = ("pmacct",)
#: Where nfcapd writes; what is here is at least `FRESH_S` seconds young.
NEW = "/srv/flows/new"
FRESH_S = 600
#: nfcapd shows nothing of a file before it is whole, so that this is part of how late a flow is seen.
ROTATE_S = 30


class Params(Model):
    """How long flow records are kept, and how much room they may take."""

    retention_days: Int = Field(default=90, ge=1, le=3650, description="days that flow records are kept")
    max_gb: Int = Field(
        default=20,
        ge=1,
        le=10000,
        description="the oldest go earlier where all take more than this, gigabytes",
    )


def contribute(ctx: ServiceContext) -> Contribution:
    """Every gateway of the side sends here. Nobody answers."""
    gateways = Ends(everyone=True, gear=True, gateways=True)
    return Contribution(
        flows=(
            FlowSpec(gateways, Ends(here=True), "udp", ((IPFIX, IPFIX),), "flow records of gateways (IPFIX)"),
        ),
        names=("flows",),
    )
