"""Prometheus of the side: exporters and SNMPv3 that only it may ask, systems seen from outside, alerts."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "monitoring"
NODE_EXPORTER = 9100
SNMP = 161


class Params(Model):
    """How often Prometheus looks, and how long it keeps."""

    interval_s: Int = Field(default=5, ge=1, le=300, description="seconds between two looks")
    retention_days: Int = Field(default=30, ge=1, le=3650, description="days that samples are kept")


def contribute(ctx: ServiceContext) -> Contribution:
    """Prometheus asks the exporter of every node of its side, gear by SNMP, and pings all.

    What an information system wants watched is a flow of that system (`lienthong.plan.systems`).
    """
    return Contribution(
        flows=(
            FlowSpec(
                Ends(here=True), Ends(everyone=True), "tcp", ((NODE_EXPORTER, NODE_EXPORTER),), "metrics"
            ),
            FlowSpec(
                Ends(here=True), Ends(everyone=True, gear=True), "udp", ((SNMP, SNMP),), "SNMPv3 of gear"
            ),
            FlowSpec(Ends(here=True), Ends(everyone=True), "icmp", (), "reachability"),
        ),
        names=("metrics",),
    )
