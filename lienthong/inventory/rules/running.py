"""What runs in a site: each service with its validated parameters and the flows it declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from pydantic import BaseModel, ValidationError

from lienthong.model.site import Site
from lienthong.model.words import Side, Zone
from lienthong.services import FlowSpec, ServiceContext, discover

Path_ = tuple[str | int, ...]
#: No flow depends on the address of its node: `plan` resolves it. The plan of a wrong site may not exist yet.
_NOWHERE = IPv4Address(0)


@dataclass(frozen=True)
class Running:
    """One service on one node of a site."""

    path: Path_
    """e.g. ("hosts", "srv", "runs", "app")"""
    short: str
    side: Side
    zone: Zone
    service: str
    params: BaseModel
    flows: tuple[FlowSpec, ...]


def seat(site: Site, group: str, name: str) -> tuple[Side, Zone] | None:
    """Side and zone of a device or host; None when its segment does not exist."""
    if group == "devices":
        return site.devices[name].side, Zone.MANAGEMENT
    segment = site.segments.get(site.hosts[name].segment)
    return (segment.side, segment.zone) if segment is not None else None


def running(site: Site) -> tuple[Running, ...]:
    """Every service of a site that exists and whose parameters are valid; the rest the site's rules say.

    Several rules ask for the same site one after the other: the last answer is kept.
    """
    if _LAST and _LAST[0][0] is site:
        return _LAST[0][1]
    found = tuple(_running(site))
    _LAST[:] = [(site, found)]
    return found


_LAST: list[tuple[Site, tuple[Running, ...]]] = []


def _running(site: Site) -> Iterator[Running]:
    modules = discover()
    for group in ("devices", "hosts"):
        for name, thing in getattr(site, group).items():
            here = seat(site, group, name) if thing.runs else None
            if here is None:
                continue
            for service, raw in thing.runs.items():
                module = modules.get(service)
                if module is None:
                    continue
                try:
                    params = module.params.model_validate(raw)
                except ValidationError:
                    continue
                context = ServiceContext(site.slug, f"{site.slug}-{name}", here[0], _NOWHERE, params)
                flows = module.contribute(context).flows
                yield Running((group, name, "runs", service), name, *here, service, params, flows)
