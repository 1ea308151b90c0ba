"""What a site needs that somebody else must have, and what it has for others."""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.inventory.rules.running import Path_, Running, seat
from lienthong.model.site import Site
from lienthong.model.words import WAN_LINES, Side
from lienthong.plan.policy import INTERNET
from lienthong.services.backup import Params as Backup
from lienthong.services.dns import Params as Dns

#: A thing that somebody else must have: (kind, name, side or "", who needs it, path).
Need = tuple[str, str, str, str, Path_]
#: A thing this site has: (kind, name, side or "").
Offer = tuple[str, str, str]
#: What makes documents that a vault can fetch (`lienthong.services.backup`).
FETCHED = ("app", "portal")
ORDER = ("first", "second")


def offers(site: Site, services: tuple[Running, ...]) -> Iterator[Offer]:
    """Nodes, services, buildings; of the office also the lines that it meets others with."""
    for group in ("devices", "hosts"):
        for name in getattr(site, group):
            here = seat(site, group, name)
            if here is not None:
                yield "node", f"{site.slug}-{name}", here[0].value
    for one in services:
        yield "service", one.service, one.side.value
        if isinstance(one.params, Dns):
            yield "resolver", f"{site.slug}-{one.short}", one.side.value
        if isinstance(one.params, Backup):
            yield "vault of", one.params.sources, one.side.value
    for name in site.buildings:
        yield "building", f"{site.slug}/{name}", ""
    if site.hub:
        for index, _ in enumerate(_wan_lines(site)):
            yield "office line", ORDER[index], Side.WAN.value


def needs(site: Site, services: tuple[Running, ...]) -> Iterator[Need]:
    """Everything of others that something in this site speaks of."""
    for one in services:
        yield from _of_service(one)
    yield from _of_systems(site, services)
    for group in ("devices", "hosts", "clients"):
        for name, thing in getattr(site, group).items():
            if thing.asset is not None and thing.asset.owner is not None:
                yield "unit", thing.asset.owner, "", name, (group, name, "asset", "owner")
    if not site.hub:
        for index, line in enumerate(_wan_lines(site)):
            yield "office line", ORDER[index], Side.WAN.value, line, ("uplinks", line)


def _wan_lines(site: Site) -> list[str]:
    """Names of the lines to the office in the order in which both ends count them, at most two."""
    return sorted(name for name, line in site.uplinks.items() if line.kind in WAN_LINES)[: len(ORDER)]


def _of_service(one: Running) -> Iterator[Need]:
    for flow in one.flows:
        for end in (flow.src, flow.dst):
            for kind in ("node", "service", "outside"):
                wanted = getattr(end, kind)
                # The Internet as a source is a matter of the site's own rules; nobody is sent to all of it.
                if wanted is not None and not (wanted == INTERNET and end is flow.src):
                    yield kind, wanted, one.side.value, one.service, _said(one, wanted)
    if isinstance(one.params, Dns) and one.params.forward_node is not None:
        path = (*one.path, "forward_node")
        yield "resolver", one.params.forward_node, one.side.value, one.service, path
    if isinstance(one.params, Backup):
        for index, copy in enumerate(one.params.copies):
            yield "building", copy.place, "", copy.name, (*one.path, "copies", index, "place")


def _said(one: Running, wanted: str) -> Path_:
    """The parameter by which a service came to need something; the service itself when none says it."""
    key = next((key for key, value in one.params if value == wanted), None)
    return (*one.path, key) if key is not None else one.path


def _of_systems(site: Site, services: tuple[Running, ...]) -> Iterator[Need]:
    for name, system in site.systems.items():
        path: Path_ = ("systems", name)
        here = seat(site, "hosts", system.host) if system.host in site.hosts else None
        if here is not None:
            side = here[0].value
            for index, reach in enumerate(system.reaches):
                for kind in ("node", "service", "outside"):
                    wanted = getattr(reach, kind)
                    if wanted is not None:
                        yield kind, wanted, side, name, (*path, "reaches", index, kind)
            if system.backup is not None:
                for one in services:
                    if one.short == system.host and one.service in FETCHED:
                        yield "vault of", one.service, side, name, (*path, "backup")
        if system.owner is not None:
            yield "unit", system.owner, "", name, (*path, "owner")
