"""The time server of a side."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Address4
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "ntp"
NTP = ((123, 123),)
#: Network Time Security: where a client gets its keys by TLS (RFC 8915, 6).
NTS_KE = ((4460, 4460),)


class Params(Model):
    """Where the server takes its own time from; without any it keeps the side together by itself."""

    upstream: tuple[Address4, ...] = Field(default=(), description="time servers it asks itself")


def contribute(ctx: ServiceContext) -> Contribution:
    """Every node of the side asks it for the time, and for the keys by which the answers are believed."""
    return Contribution(
        flows=(
            FlowSpec(Ends(everyone=True), Ends(here=True), "udp", NTP, "time"),
            FlowSpec(Ends(everyone=True), Ends(here=True), "tcp", NTS_KE, "keys for the time"),
        ),
        names=("ntp",),
    )
