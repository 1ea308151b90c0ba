"""Rules of services and information systems: who runs them, who may reach them, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.site import Host, Province, Site, System
from lienthong.model.words import VLANS, UplinkKind, Zone
from lienthong.plan.policy import is_never
from lienthong.services import discover

Where = Callable[[Path_], str]


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:  # noqa: ARG001 - a rule's shape
    """Services, systems and endpoints of one site."""
    for name, device in site.devices.items():
        yield from _runs(("devices", name), device.runs, where)
    for name, host in site.hosts.items():
        yield from _runs(("hosts", name), host.runs, where)
        yield from _public(site, name, host, where)
        yield from _copies(site, name, host, where)
    for name, system in site.systems.items():
        yield from _system(site, name, system, where)


def _runs(owner: Path_, runs: dict[str, dict[str, Any]], where: Where) -> Iterator[Problem]:
    known = discover()
    for service, params in runs.items():
        here: Path_ = (*owner, "runs", service)
        if service not in known:
            yield Problem(where(here), f"no service {service!r}", f"services: {', '.join(known)}")
            continue
        try:
            known[service].params.model_validate(params)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                message = item["msg"].removeprefix("Value error, ")
                at = ".".join(str(part) for part in item["loc"])
                yield Problem(where((*here, *item["loc"])), f"{service}{'.' if at else ''}{at}: {message}")


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
        yield Problem(place, f"{name} has a public address and is not in a DMZ", "move it to a dmz segment")
    lines = [line for line in site.uplinks.values() if line.kind is UplinkKind.INTERNET and line.address]
    if not any(line.address is not None and host.public == line.address.ip for line in lines):
        known = ", ".join(str(line.address.ip) for line in lines if line.address) or "none"
        yield Problem(place, f"no Internet line of this site has {host.public}", f"there are: {known}")


def _copies(site: Site, name: str, host: Host, where: Where) -> Iterator[Problem]:
    """Copies that are declared stand in more than one building, the vault's own place counted."""
    copies = host.runs.get("backup", {}).get("copies")
    if not copies or not all(
        isinstance(copy, dict) and isinstance(copy.get("place"), str) for copy in copies
    ):
        return
    here = f"{site.slug}/{host.asset.room.split('/')[0]}" if host.asset and host.asset.room else None
    places = {copy["place"] for copy in copies} | ({here} if here else {f"{site.slug}/?"})
    buildings = {place for place in places if not place.endswith("/?")}
    if len(buildings) < 2:
        yield Problem(
            where(("hosts", name, "runs", "backup", "copies")),
            f"every copy of {name} stands in one place, {', '.join(sorted(buildings))}",
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
            where((*here, "host")), f"no host {system.host!r} in this site", f"hosts: {', '.join(site.hosts)}"
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
        elif is_never(segment.side, segment.side, reached.zone, segment.zone):
            yield Problem(place, f"{reached.zone} never reaches {segment.zone}", "the matrix forbids it")
