"""What other sites need to know of a site, as plain data that JSON can keep.

Rules across the province read summaries only, so that a site which did not change need not be read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Any, cast

from pydantic import ValidationError

from lienthong.model.asset import Asset
from lienthong.model.site import Province, Site
from lienthong.model.words import Side
from lienthong.plan import addressing
from lienthong.services import Ends, ServiceContext, discover

Path_ = tuple[str | int, ...]

#: A thing that exists once in the province: (space, key, path).
Claim = tuple[str, str, Path_]
#: A thing that somebody else must have: (kind, name, side or "", who needs it, path).
Need = tuple[str, str, str, str, Path_]
#: A thing this site has: (kind, name, side or "").
Offer = tuple[str, str, str]
#: A day after which something is no longer so: (ISO date, what has ended, path).
Deadline = tuple[str, str, Path_]
#: (slug, parent or "", succeeds, from or "", until or "", path)
UnitLine = tuple[str, str, tuple[str, ...], str, str, Path_]
#: What a service promises: (promise, value, path), e.g. ("log months", 12, …).
Promise = tuple[str, int, Path_]


@dataclass(frozen=True)
class Summary:
    """One site as the others see it."""

    slug: str
    number: int
    kind: str
    hub: bool
    nodes: int
    claims: tuple[Claim, ...]
    needs: tuple[Need, ...]
    offers: tuple[Offer, ...]
    deadlines: tuple[Deadline, ...]
    units: tuple[UnitLine, ...]
    promises: tuple[Promise, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain lists and strings for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Summary:
        """The way back.

        Raises:
            KeyError, TypeError, ValueError: that is no summary.
        """

        def deep(value: Any) -> Any:
            return tuple(deep(item) for item in value) if isinstance(value, list) else value

        return cls(**{name: deep(data[name]) for name in cls.__dataclass_fields__})


def summarise(site: Site, province: Province) -> Summary:
    """The summary of one valid site."""
    services = list(_services(site, province))
    return Summary(
        slug=site.slug,
        number=site.number,
        kind=site.kind,
        hub=site.hub,
        nodes=len(site.devices) + len(site.hosts),
        claims=tuple(_claims(site)),
        needs=tuple(dict.fromkeys([need for found, _ in services for need in found] + list(_needs(site)))),
        offers=tuple(_offers(site)),
        deadlines=tuple(_deadlines(site)),
        units=tuple(_units(site)),
        promises=tuple(promise for _, found in services for promise in found),
    )


def _assets(site: Site) -> Iterator[tuple[Path_, Any]]:
    for group in ("devices", "hosts", "clients"):
        for name, thing in getattr(site, group).items():
            yield (group, name), thing


def _claims(site: Site) -> Iterator[Claim]:
    yield "number", str(site.number), ("number",)
    for name, uplink in site.uplinks.items():
        for key in ("address", "address6"):
            address = getattr(uplink, key)
            if address is not None:
                yield "address", str(address.ip), ("uplinks", name, key)
    for path, thing in _assets(site):
        if thing.serial is not None:
            yield "serial", thing.serial, (*path, "serial")
        asset: Asset | None = thing.asset
        if asset is not None and asset.code is not None:
            yield "asset code", asset.code, (*path, "asset", "code")
    for name, client in site.clients.items():
        yield "Ethernet address", client.mac, ("clients", name, "mac")
    for name, host in site.hosts.items():
        number = host.runs.get("videoconf", {}).get("number")
        if number is not None:
            yield "dial number", str(number), ("hosts", name, "runs", "videoconf", "number")
    yield "unit", site.slug, ("slug",)
    for name in site.units:
        yield "unit", name, ("units", name)


def _side(site: Site, group: str, name: str) -> Side | None:
    if group == "devices":
        return site.devices[name].side
    segment = site.segments.get(site.hosts[name].segment)
    return segment.side if segment else None


def _offers(site: Site) -> Iterator[Offer]:
    for group in ("devices", "hosts"):
        for name, thing in getattr(site, group).items():
            side = _side(site, group, name)
            if side is not None:
                yield "node", f"{site.slug}-{name}", side.value
                for service in thing.runs:
                    yield "service", service, side.value
    for name in site.buildings:
        yield "building", f"{site.slug}/{name}", ""


def _services(site: Site, province: Province) -> Iterator[tuple[list[Need], list[Promise]]]:
    """What the services of a site need of others, and what they promise."""
    modules = discover()
    for group in ("devices", "hosts"):
        for name, thing in getattr(site, group).items():
            side = _side(site, group, name) if thing.runs else None
            if side is None:
                continue
            for service, raw in thing.runs.items():
                module = modules.get(service)
                path: Path_ = (group, name, "runs", service)
                if module is None:
                    continue  # said by the site's own rules
                try:
                    params = module.params.model_validate(raw)
                except ValidationError:
                    continue  # likewise
                address: IPv4Address = addressing.block(province, side, site.number)[1]
                context = ServiceContext(site.slug, f"{site.slug}-{name}", side, address, params)
                needs = [
                    need
                    for flow in module.contribute(context).flows
                    for need in _of_ends((flow.src, flow.dst), side, service, path)
                ]
                yield needs, [(what, value, (*path, key)) for key, (what, value) in _promised(params)]


def _of_ends(ends: tuple[Ends, ...], side: Side, who: str, path: Path_) -> Iterator[Need]:
    for end in ends:
        for kind in ("node", "service", "outside"):
            wanted = getattr(end, kind)
            if wanted is not None and wanted != "internet":
                yield kind, wanted, side.value, who, path


_PROMISES = {"retention_months": "log months", "rpo_hours": "rpo hours"}


def _promised(params: object) -> Iterator[tuple[str, tuple[str, int]]]:
    for key, what in _PROMISES.items():
        value = getattr(params, key, None)
        if value is not None:
            yield key, (what, int(value))


def _needs(site: Site) -> Iterator[Need]:
    for name, system in site.systems.items():
        path: Path_ = ("systems", name)
        segment = site.segments.get(site.hosts[system.host].segment) if system.host in site.hosts else None
        if segment is not None:
            for index, reach in enumerate(system.reaches):
                for kind in ("node", "service", "outside"):
                    wanted = getattr(reach, kind)
                    if wanted is not None:
                        yield kind, wanted, segment.side.value, name, (*path, "reaches", index)
            if system.backup is not None:
                yield "service", "backup", segment.side.value, name, (*path, "backup")
        if system.owner is not None:
            yield "unit", system.owner, "", name, (*path, "owner")
    for name, host in site.hosts.items():
        for index, copy in enumerate(host.runs.get("backup", {}).get("copies", ())):
            if isinstance(copy, dict) and isinstance(copy.get("place"), str):
                at: Path_ = ("hosts", name, "runs", "backup", "copies", index, "place")
                yield "building", copy["place"], "", name, at
    for path, thing in _assets(site):
        if thing.asset is not None and thing.asset.owner is not None:
            yield "unit", thing.asset.owner, "", str(path[-1]), (*path, "asset", "owner")


def _deadlines(site: Site) -> Iterator[Deadline]:
    for path, thing in _assets(site):
        if thing.asset is not None and thing.asset.supported_until is not None:
            day = thing.asset.supported_until.isoformat()
            yield day, f"the maker's support of {path[-1]}", (*path, "asset", "supported_until")
    for name, uplink in site.uplinks.items():
        if uplink.contract is not None and uplink.contract.until is not None:
            day = uplink.contract.until.isoformat()
            yield day, f"the contract of line {name}", ("uplinks", name, "contract", "until")
    if site.valid.until is not None:
        yield site.valid.until.isoformat(), "the use of this site", ("valid", "until")


def _units(site: Site) -> Iterator[UnitLine]:
    for slug, unit in ((site.slug, site.own_unit()), *site.units.items()):
        path = cast(Path_, () if slug == site.slug else ("units", slug))
        since = unit.valid.since.isoformat() if unit.valid.since else ""
        until = unit.valid.until.isoformat() if unit.valid.until else ""
        yield slug, unit.parent or "", tuple(unit.succeeds), since, until, path
