"""A window: where it is, whom it is for, until when, and what the server of it is told. Pure."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from lienthong.errors import LienThongError
from lienthong.model.endpoint import EndpointWanted
from lienthong.model.intent import Node, ProvincePlan, SegmentPlan
from lienthong.ztp.files import Files

PORT = 8443
MOST_MINUTES = 240
#: Typed on a touch panel: no letter that looks like another or like a digit.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
TOKEN_CHARS = 20
#: The gateway knows who its neighbours are; the endpoint's Ethernet address must be the inventory's.
NEIGHBOURS = "/proc/self/net/arp"


@dataclass(frozen=True)
class Place:
    """Where a window is opened."""

    node: Node
    segment: SegmentPlan
    address: IPv4Address
    interface: str


@dataclass(frozen=True)
class Guest:
    """One endpoint that is let in."""

    wanted: EndpointWanted
    files: Files
    token: str = field(repr=False)

    def url(self, address: IPv4Address, port: int) -> str:
        """What is typed on the endpoint. It is a password: shown to the officer and to nobody else."""
        return f"https://{address}:{port}/{self.token}/"


@dataclass(frozen=True)
class Window:
    """One opening of a site."""

    site: str
    place: Place
    guests: tuple[Guest, ...]
    until: int
    """Seconds since the epoch."""
    port: int = PORT

    @property
    def address(self) -> IPv4Address:
        return self.place.address

    @property
    def interface(self) -> str:
        return self.place.interface

    @property
    def source(self) -> IPv4Network:
        """From where it answers: the conference segment alone."""
        return self.place.segment.prefix


def token() -> str:
    """99 bits that are good for one window."""
    return "".join(secrets.choice(_LETTERS) for _ in range(TOKEN_CHARS))


def place(plan: ProvincePlan, site: str, segment: SegmentPlan) -> Place:
    """The Debian system that has a leg in the segment: the gateway, else a host that stands in it.

    Raises:
        LienThongError: there is none.
    """
    nodes = [node for node in plan.sites[site].nodes.values() if node.debian and node.side is segment.side]
    for node in nodes:
        if node.is_gateway:
            return Place(node, segment, segment.gateway, segment.interface)
    for node in nodes:
        if node.device is None and node.segment == segment:
            return Place(node, segment, node.address, "eth0")
    raise LienThongError(
        f"{site}: no Debian system has a leg in {segment.name}, so nothing can hand out files there",
        hint="put a host into that segment for as long as it takes, or type the settings on the endpoint",
    )


def told(window: Window, neighbours: str | None = NEIGHBOURS) -> str:
    """What `templates/ztp/server.py` reads: passwords stand in it, tokens only as hashes."""
    endpoints = [
        {
            "node": guest.wanted.node,
            "mac": guest.wanted.mac,
            "token": hashlib.sha256(guest.token.encode()).hexdigest(),
            "open": guest.files.open,
            "once": guest.files.once,
        }
        for guest in window.guests
    ]
    return json.dumps(
        {
            "address": str(window.address),
            "port": window.port,
            "source": str(window.source),
            "until": window.until,
            "neighbours": neighbours,
            "endpoints": endpoints,
        }
    )


def chosen(found: Sequence[EndpointWanted], site: str, asked: Sequence[str]) -> list[EndpointWanted]:
    """The endpoints that were asked for, by short or full name.

    Raises:
        LienThongError: one of them fetches no files here.
    """
    names = {one.node.removeprefix(f"{site}-"): one for one in found}
    wrong = [name for name in asked if name.removeprefix(f"{site}-") not in names]
    if wrong or not found:
        what = f"{wrong[0]} is no endpoint of {site} that fetches its configuration" if wrong else site
        raise LienThongError(
            what if wrong else f"{site} has no endpoint that fetches its configuration",
            hint=f"there are: {', '.join(names)}" if names else "such a host says platform: yealink or poly",
        )
    return [names[name.removeprefix(f"{site}-")] for name in asked] if asked else list(found)
