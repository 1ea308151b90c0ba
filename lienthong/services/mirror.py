"""Debian packages for a side that has no way to Debian: a signed snapshot, served by HTTPS to that side only.

What is served comes as a bundle (`lienthong mirror fetch`, `lienthong bundle`, `lienthong mirror publish`);
the host itself fetches nothing from anywhere.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "mirror"
PORT = 8543
#: The web server is in the base of every system, and so is `gpgv`: apt needs it.
PACKAGES: tuple[str, ...] = ("nginx-light",)

#: Name of a package (Debian Policy, 5.6.1).
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,80}$")]


class Params(Model):
    """What is served beyond what the inventory needs, and how old it may be."""

    packages: tuple[PackageName, ...] = Field(
        default=(), description="further packages of a snapshot, e.g. linux-image-amd64"
    )
    max_age_days: Int = Field(default=14, ge=1, le=90, description="a served snapshot is at most this old")
    valid_days: Int = Field(
        default=30, ge=2, le=180, description="systems refuse a snapshot that is older (Valid-Until), days"
    )


def contribute(ctx: ServiceContext) -> Contribution:
    """Every system of the side fetches here; here fetches nowhere."""
    ports = ((PORT, PORT),)
    return Contribution(
        flows=(FlowSpec(Ends(everyone=True), Ends(here=True), "tcp", ports, "packages"),),
        names=("mirror",),
    )
