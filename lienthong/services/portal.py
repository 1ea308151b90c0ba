"""The public web server in the DMZ: TLS only, and the documents the Internet-side vault pulls."""

from __future__ import annotations

from pydantic import Field

from lienthong.model.site import Model
from lienthong.model.words import Flag, Int, Slug
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "portal"
HTTP = ((80, 80),)
HTTPS = ((443, 443),)
#: Debian packages that only this service needs, beyond those every node has.
PACKAGES: tuple[str, ...] = (
    "fail2ban",
    "libnginx-mod-http-modsecurity",
    "modsecurity-crs",
    "python3-systemd",
)


class Params(Model):
    """Where the server may fetch its updates, nowhere else; and what it does with those it refuses."""

    updates: Slug | None = Field(default=None, description="outside system with the updates")
    redirect: Flag = Field(default=False, description="answer on port 80 too, only to send on to 443")
    ban_after: Int = Field(
        default=20,
        ge=5,
        le=1000,
        description="refused requests within a minute after which a client is banned",
    )
    ban_s: Int = Field(default=3600, ge=60, le=604800, description="how long it stays banned, seconds")


def contribute(ctx: ServiceContext) -> Contribution:
    """443 from the Internet by the public address; updates from one listed system."""
    params = ctx.params
    assert isinstance(params, Params)
    internet = Ends(outside="internet")
    flows = [FlowSpec(internet, Ends(here=True), "tcp", HTTPS, "the public portal")]
    if params.redirect:
        flows.append(FlowSpec(internet, Ends(here=True), "tcp", HTTP, "sends on to the portal's 443"))
    if params.updates:
        web = ((80, 80), (443, 443))
        flows.append(FlowSpec(Ends(here=True), Ends(outside=params.updates), "tcp", web, "updates"))
    return Contribution(flows=tuple(flows), names=("www",))
