"""The archive of a site: what scanners drop becomes searchable documents, each with its hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from lienthong.model.site import Model
from lienthong.model.words import Flag, Int, Slug, Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "archive"
SFTP = ((22, 22),)
#: Debian packages beyond the base of every system.
PACKAGES: tuple[str, ...] = ("ocrmypdf", "tesseract-ocr-eng", "tesseract-ocr-vie")
#: An SSH public key without a comment; scanners often know RSA only.
ScannerKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{60,1400}={0,2}$"
    ),
]


class Params(Model):
    """Who may drop scans, what one of them may cost, and whether other archives are copied here."""

    scanners: dict[Slug, ScannerKey] = Field(
        default_factory=dict, description="public key of each scanner of the site's scan segment"
    )
    max_mb: Int = Field(default=500, ge=1, le=4000, description="the largest scan that is taken, megabytes")
    minutes: Int = Field(
        default=60, ge=1, le=720, description="a scan that takes longer than this is rejected"
    )
    memory_mb: Int = Field(
        default=3000, ge=1000, le=64000, description="memory for making a document of a scan, megabytes"
    )
    hour: Int = Field(
        default=20, ge=0, le=23, description="hour of the day at which every file is hashed, UTC"
    )
    replicates: Flag = Field(
        default=False, description="it fetches a copy of every other archive of its side"
    )
    replica_hours: Int = Field(default=26, ge=1, le=720, description="a copy is at most this old")


def contribute(ctx: ServiceContext) -> Contribution:
    """Scanners of the site put; who replicates opens the connection, nothing opens one to it."""
    params = ctx.params
    assert isinstance(params, Params)
    flows = [
        FlowSpec(Ends(zone=Zone.SCAN, near=True), Ends(here=True), "tcp", SFTP, "scans are dropped by SFTP")
    ]
    if params.replicates:
        flows.append(
            FlowSpec(Ends(here=True), Ends(service=NAME), "tcp", SFTP, "copies of archives are fetched")
        )
    return Contribution(flows=tuple(flows), names=("archive",))
