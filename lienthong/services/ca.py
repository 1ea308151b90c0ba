"""The side's issuing authority: nodes renew their certificates there by themselves (RFC 7030, 4.2.2)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from lienthong.model.site import Model
from lienthong.model.words import Int
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "ca"
PORT = 8443
#: Nothing beyond the base image.
PACKAGES: tuple[str, ...] = ()

#: SHA-256 of a public key, as `openssl pkey -pubin -outform der | sha256sum` prints it.
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Params(Model):
    """How long certificates live, and which keys get none any more."""

    life_days: Int = Field(default=30, ge=2, le=30, description="life of a certificate, days")
    revoked: tuple[Fingerprint, ...] = Field(
        default=(), description="SHA-256 of public keys (DER) that are refused, e.g. of a stolen system"
    )


def contribute(ctx: ServiceContext) -> Contribution:
    """Every node of the side renews here."""
    ports = ((PORT, PORT),)
    return Contribution(
        flows=(FlowSpec(Ends(everyone=True), Ends(here=True), "tcp", ports, "certificate renewal"),),
        names=("ca",),
    )
