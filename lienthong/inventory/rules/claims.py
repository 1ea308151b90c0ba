"""What a site takes for itself of things that exist once in the province."""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.inventory.rules.running import Path_, Running
from lienthong.model.asset import Asset
from lienthong.model.site import Site
from lienthong.services.videoconf import Params as Videoconf

#: A thing that exists once in the province: (space, key, path).
Claim = tuple[str, str, Path_]


def claims(site: Site, services: tuple[Running, ...]) -> Iterator[Claim]:
    """Number, names, addresses, serials: everything that no other site may have."""
    yield "number", str(site.number), ("number",)
    yield from _lines(site)
    yield from _things(site)
    for name, client in site.clients.items():
        yield "Ethernet address", client.mac, ("clients", name, "mac")
    for one in services:
        if isinstance(one.params, Videoconf):
            if one.params.number is not None:
                yield "dial number", one.params.number, (*one.path, "number")
            if one.params.role == "registrar":
                yield "registrar", one.side.value, (*one.path, "role")
    yield "unit", site.slug, ("slug",)
    for name in site.units:
        yield "unit", name, ("units", name)


def _lines(site: Site) -> Iterator[Claim]:
    """The address of each line, and its network as `<version> <first> <last> <gateway>` in decimal."""
    for name, uplink in site.uplinks.items():
        for address, gateway, key in (
            (uplink.address, uplink.gateway, "address"),
            (uplink.address6, uplink.gateway6, "address6"),
        ):
            if address is None or gateway is None:
                continue
            path = ("uplinks", name, key)
            net = address.network
            yield "address", str(address.ip), path
            spans = (address.version, int(net[0]), int(net[-1]), int(gateway))
            yield "line network", " ".join(map(str, spans)), path


def _things(site: Site) -> Iterator[Claim]:
    for group in ("devices", "hosts", "clients"):
        for name, thing in getattr(site, group).items():
            if group != "clients":
                # `a-b` + `c` and `a` + `b-c` are both a-b-c
                yield "node", f"{site.slug}-{name}", (group, name)
            if thing.serial is not None:
                yield "serial", thing.serial, (group, name, "serial")
            asset: Asset | None = thing.asset
            if asset is not None and asset.code is not None:
                yield "asset code", asset.code, (group, name, "asset", "code")
