"""What other sites need to know of a site, as plain data that JSON can keep.

Rules across the province read summaries only, so that a site which did not change need not be read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from lienthong.inventory.rules.claims import Claim, claims
from lienthong.inventory.rules.needs import Need, Offer, needs, offers
from lienthong.inventory.rules.running import Path_, Running, running
from lienthong.model.site import Province, Site
from lienthong.model.words import AssetState

__all__ = ["Path_", "Summary", "UnitLine", "summarise"]

#: A day after which something is no longer so: (ISO date, what has ended, path).
Deadline = tuple[str, str, Path_]
#: (slug, parent or "", succeeds, from or "", until or "", path)
UnitLine = tuple[str, str, tuple[str, ...], str, str, Path_]
#: What a service promises: (promise, value, path), e.g. ("log months", 12, …).
Promise = tuple[str, int, Path_]
_PROMISES = {"retention_months": "log months", "rpo_hours": "rpo hours"}


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


def summarise(site: Site, province: Province) -> Summary:  # noqa: ARG001 - what a summary may need one day
    """The summary of one site that parsed; what is wrong within it, its own rules say."""
    services = running(site)
    return Summary(
        slug=site.slug,
        number=site.number,
        kind=site.kind,
        hub=site.hub,
        nodes=len(site.devices) + len(site.hosts),
        claims=tuple(claims(site, services)),
        needs=tuple(dict.fromkeys(needs(site, services))),
        offers=tuple(offers(site, services)),
        deadlines=tuple(_deadlines(site)),
        units=tuple(_units(site)),
        promises=tuple(_promises(site, services)),
    )


def _promises(site: Site, services: tuple[Running, ...]) -> Iterator[Promise]:
    for one in services:
        for key, what in _PROMISES.items():
            value = getattr(one.params, key, None)
            if value is not None:
                yield what, int(value), (*one.path, key)
    for name, system in site.systems.items():
        if system.backup is not None:
            yield "rpo hours", system.backup.rpo_hours, ("systems", name, "backup", "rpo_hours")


def _deadlines(site: Site) -> Iterator[Deadline]:
    for group in ("devices", "hosts", "clients"):
        for name, thing in getattr(site, group).items():
            asset = thing.asset
            if asset is None or asset.supported_until is None or asset.state is AssetState.RETIRED:
                continue
            path: Path_ = (group, name, "asset", "supported_until")
            yield asset.supported_until.isoformat(), f"the maker's support of {name}", path
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
