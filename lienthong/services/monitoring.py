"""Prometheus of the side; every node has an exporter that only Prometheus may ask."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "monitoring"
NODE_EXPORTER = 9100


class Params(Model):
    """How often Prometheus looks, and how long it keeps."""

    interval_s: Int = Field(default=5, ge=1, le=300, description="seconds between two looks")
    retention_days: Int = Field(default=30, ge=1, le=3650, description="days that samples are kept")


def contribute(ctx: ServiceContext) -> Contribution:
    """Prometheus asks the exporter of every node of its side, and pings it."""
    ports = ((NODE_EXPORTER, NODE_EXPORTER),)
    return Contribution(
        flows=(
            FlowSpec(Ends(here=True), Ends(everyone=True), "tcp", ports, "metrics"),
            FlowSpec(Ends(here=True), Ends(everyone=True), "icmp", (), "reachability"),
        ),
        names=("metrics",),
    )
