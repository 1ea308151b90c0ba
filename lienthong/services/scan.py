"""Looks for malware in what a vault fetches, before it is kept."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, ServiceContext

NAME = "scan"
#: Debian packages beyond the base of every system. Its signatures come by bundle, never from here.
PACKAGES: tuple[str, ...] = ("clamav",)


class Params(Model):
    """How old what it knows may be."""

    signature_days: Int = Field(default=7, ge=1, le=60, description="signatures are at most this old")


def contribute(ctx: ServiceContext) -> Contribution:
    """It works on files of its own host."""
    return Contribution()
