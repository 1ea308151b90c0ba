"""A resolver for its own site and side; knows every name of the side by itself."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lienthong.model.site import Model
from lienthong.model.words import Domain, Flag, Side, Slug, Zone
from lienthong.services import Contribution, Ends, FlowSpec, ServiceContext

NAME = "dns"
DNS = ((53, 53),)
#: Where browsers and systems look for DNS over HTTPS by themselves, by which names would pass the filter. The
#: first is the name by which Firefox asks whether it may (support.mozilla.org, canary domain); the next two
#: are Apple's relay.
DOH: tuple[str, ...] = (
    "use-application-dns.net",
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "chrome.cloudflare-dns.com",
    "cloudflare-dns.com",
    "dns.adguard-dns.com",
    "dns.google",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns64.dns.google",
    "doh.cleanbrowsing.org",
    "doh.opendns.com",
    "mozilla.cloudflare-dns.com",
    "one.one.one.one",
)


class Params(Model):
    """Where names that are not of this side are asked, and which are refused."""

    forward_node: Slug | None = Field(default=None, description="another node of the side that runs dns")
    forward_outside: Slug | None = Field(default=None, description="an outside system, e.g. internet-dns")
    blocked: tuple[Domain, ...] = Field(
        default=(), description="names that do not exist here, nor does anything below them"
    )
    doh: Flag = Field(
        default=False, description="let resolvers by HTTPS be found, by which names pass the filter"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.forward_node and self.forward_outside:
            raise ValueError("forward to a node or to an outside system, not to both")
        return self


def filtered(params: Params, side: Side) -> tuple[str, ...]:
    """Names that do not exist for those who ask; on the Internet side also resolvers by HTTPS."""
    return tuple(sorted({*params.blocked, *(DOH if side is Side.NET and not params.doh else ())}))


def contribute(ctx: ServiceContext) -> Contribution:
    """The site's segments and nodes ask here; here asks the next resolver."""
    params = ctx.params
    assert isinstance(params, Params)
    flows = [
        FlowSpec(Ends(zone=zone, near=True), Ends(here=True), proto, DNS, "names")
        for zone in Zone
        for proto in ("udp", "tcp")
    ]
    onward: Ends | None = None
    if params.forward_node:
        onward = Ends(node=params.forward_node)
    elif params.forward_outside:
        onward = Ends(outside=params.forward_outside)
    if onward:
        flows += [
            FlowSpec(Ends(here=True), onward, proto, DNS, "names of others") for proto in ("udp", "tcp")
        ]
    return Contribution(flows=tuple(flows), names=("dns",))
