"""Rules of services and information systems: who runs them, who may reach them, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from lienthong.errors import Problem
from lienthong.inventory.complaint import complaint
from lienthong.inventory.rules.needs import FETCHED
from lienthong.inventory.rules.running import Path_, running
from lienthong.model.site import Host, Province, Site, System
from lienthong.model.words import VLANS, Side, UplinkKind, Zone
from lienthong.plan.policy import INTERNET, is_never
from lienthong.services import discover
from lienthong.services.backup import Params as Backup

Where = Callable[[Path_], str]


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:  # noqa: ARG001 - a rule's shape
    """Services, systems and endpoints of one site."""
    public: dict[object, str] = {}
    for name, device in site.devices.items():
        yield from _runs(("devices", name), device.runs, where)
    for name, host in site.hosts.items():
        yield from _runs(("hosts", name), host.runs, where)
        yield from _public(site, name, host, where)
        other = public.setdefault(host.public or name, name)
        if other != name:
            what = f"{name} has the public address of {other}"
            yield Problem(where(("hosts", name, "public")), what, "one host answers under an address")
    yield from _exposed(site, where)
    yield from _copies(site, where)
    for name, system in site.systems.items():
        yield from _system(site, name, system, where)


def _runs(owner: Path_, runs: dict[str, dict[str, Any]], where: Where) -> Iterator[Problem]:
    known = discover()
    for service, raw in runs.items():
        here: Path_ = (*owner, "runs", service)
        if service not in known:
            yield Problem(where(here), f"no service {service!r}", f"services: {', '.join(known)}")
            continue
        model = known[service].params
        try:
            model.model_validate(raw)
        except ValidationError as error:
            yield from (
                _parameter(service, model, item, here, where) for item in error.errors(include_url=False)
            )


def _parameter(service: str, model: type[BaseModel], item: Any, here: Path_, where: Where) -> Problem:
    """One wrong parameter of a service, said as the inventory's other errors are said."""
    what, hint = complaint(item, model, ".".join(str(part) for part in (service, *item["loc"])))
    return Problem(where((*here, *item["loc"])), what, hint)


def _exposed(site: Site, where: Where) -> Iterator[Problem]:
    """What the Internet comes to stands in a DMZ: the matrix has no other cell for it."""
    for one in running(site):
        if not any(flow.src.outside == INTERNET for flow in one.flows):
            continue
        if is_never(Side.NET, one.side, INTERNET, one.zone):
            yield Problem(
                where(one.path),
                f"{one.service} is open to the Internet, and {one.short} stands in "
                f"{one.zone} of the {one.side} side",
                "the matrix never opens that: run it on a host of a dmz segment",
            )
    for name, host in site.hosts.items():
        segment = site.segments.get(host.segment)
        endpoint = host.runs.get("videoconf", {}).get("role") == "endpoint"
        if endpoint and segment is not None and segment.zone is not Zone.CONFERENCE:
            yield Problem(
                where(("hosts", name, "segment")),
                f"{name} is a conference endpoint and stands in {segment.zone}, where nobody calls it",
                "move it to a conference segment",
            )


def _public(site: Site, name: str, host: Host, where: Where) -> Iterator[Problem]:
    if host.public is None:
        return
    place = where(("hosts", name, "public"))
    segment = site.segments.get(host.segment)
    if "videoconf" in host.runs:
        yield Problem(
            place,
            f"{name} is a conference endpoint and has the public address {host.public}",
            "an endpoint is reached through the registrar only; take public away",
        )
    elif segment is not None and segment.zone is not Zone.DMZ:
        yield Problem(
            place,
            f"{name} has a public address and is not in a DMZ",
            "move it to a dmz segment, or take public away",
        )
    lines = [line for line in site.uplinks.values() if line.kind is UplinkKind.INTERNET and line.address]
    if not any(line.address is not None and host.public == line.address.ip for line in lines):
        known = ", ".join(str(line.address.ip) for line in lines if line.address) or "none"
        yield Problem(place, f"no Internet line of this site has {host.public}", f"there are: {known}")


def _copies(site: Site, where: Where) -> Iterator[Problem]:
    """Copies that are declared stand in more than one building, the vault's own place counted."""
    for one in running(site):
        if not isinstance(one.params, Backup) or not one.params.copies:
            continue
        asset = getattr(site, str(one.path[0]))[one.short].asset
        buildings = {copy.place for copy in one.params.copies}
        if asset is not None and asset.room is not None:
            buildings.add(f"{site.slug}/{asset.room.split('/')[0]}")
        if len(buildings) < 2:
            yield Problem(
                where((*one.path, "copies")),
                f"every copy of {one.short} stands in one place, {', '.join(sorted(buildings))}",
                "put one copy into another building, and say in asset.room where the vault itself is",
            )


def _system(site: Site, name: str, system: System, where: Where) -> Iterator[Problem]:
    here: Path_ = ("systems", name)
    if system.level is not None and system.level > site.level:
        yield Problem(
            where((*here, "level")),
            f"{name} has level {system.level}, its site only {site.level}",
            "a site is protected at the level of its highest system",
        )
    host = site.hosts.get(system.host)
    if host is None:
        yield Problem(
            where((*here, "host")),
            f"no host {system.host!r} in this site",
            f"hosts: {', '.join(site.hosts) or 'none'}",
        )
        return
    segment = site.segments.get(host.segment)
    if segment is None:
        return
    for index, reached in enumerate(system.reached_by):
        place = where((*here, "reached_by", index, "zone"))
        if (segment.side, reached.zone) not in VLANS:
            zones = ", ".join(zone for side, zone in VLANS if side is segment.side)
            what = f"the {segment.side} side has no zone {reached.zone}, so it cannot reach {name}"
            yield Problem(place, what, f"zones of this side: {zones}")
    runs = set(host.runs) & set(FETCHED)
    if system.backup is not None and not runs:
        yield Problem(
            where((*here, "backup")),
            f"no vault can fetch from {system.host}: it runs neither {' nor '.join(FETCHED)}",
            f"let {system.host} run one of them, or take backup away",
        )
