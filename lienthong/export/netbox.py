"""The whole inventory as objects of NetBox's bulk import, with natural keys and in the order of import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from lienthong.export.check import Objects, Record, Value
from lienthong.export.kinds import KINDS
from lienthong.export.names import UNKNOWN, both, maker_and_model, slugify, unique_slug, with_slug
from lienthong.export.network import network
from lienthong.export.shape import Kind
from lienthong.export.spelling import one_spelling
from lienthong.model.asset import Asset
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory, Site, Unit
from lienthong.model.words import AssetState, Role, Zone

#: Colours of Material Design, as NetBox's own palette has them.
ROLES = {
    "gateway": "f44336",
    "switch": "2196f3",
    "server": "4caf50",
    "conference endpoint": "9c27b0",
    "client": "9e9e9e",
}
STATES = {
    None: "active",
    AssetState.IN_USE: "active",
    AssetState.SPARE: "inventory",
    AssetState.REPAIR: "offline",
    AssetState.RETIRED: "decommissioning",
}
HOST_PLATFORM = "linux"


def export(inventory: Inventory, plan: ProvincePlan, scopes: bool = True) -> Objects:
    """Every object by kind. The same inventory gives the same objects in the same order.

    Args:
        inventory: what is said.
        plan: what follows from it.
        scopes: whether prefixes name their site, which NetBox takes from March 2026 on.
    """
    found: dict[str, list[Record]] = {kind.name: [] for kind in KINDS}
    made = [*_units(inventory), *_places(inventory), *_things(inventory), *network(inventory, plan)]
    for name, record in one_spelling(made):
        if name == "prefixes" and not scopes:
            record = {key: value for key, value in record.items() if not key.startswith("scope_")}
        found[name].append(record)
    for kind in KINDS:
        once = {tuple(sorted(record.items())): record for record in found[kind.name]}  # makers, types, kinds
        found[kind.name] = sorted(once.values(), key=lambda record: _place(kind, record))
    return found


def _place(kind: Kind, record: Record) -> tuple[str, ...]:
    """Buildings before their rooms, bridges before their ports, primary addresses last; then by key."""
    later = "parent" in record or "bridge" in record or any(name in record for name in kind.last)
    values = (record.get(key, "") for keys in kind.keys for key in keys)
    return (str(int(later)), *(f"{value:010}" if isinstance(value, int) else value for value in values))


def tenant(inventory: Inventory, unit: str) -> str:
    """The name of a unit as a tenant."""
    return with_slug(inventory.units()[unit][1].name.vi, unit)


def site_name(site: Site) -> str:
    """The name of a site."""
    return with_slug(site.name.vi, site.slug)


def _units(inventory: Inventory) -> Iterator[tuple[str, Record]]:
    for slug, (_, unit) in inventory.units().items():
        yield "tenant-groups", {"name": unit.kind, "slug": unit.kind}
        yield (
            "tenants",
            _filled(
                name=with_slug(unit.name.vi, slug),
                slug=slug,
                group=unit.kind,
                description=both(unit.name),
                comments=_life(unit),
            ),
        )


def _life(unit: Unit) -> str:
    said = [
        f"from {unit.valid.since}" if unit.valid.since else "",
        f"until {unit.valid.until}" if unit.valid.until else "",
        f"under {unit.parent}" if unit.parent else "",
        f"succeeds {', '.join(unit.succeeds)}" if unit.succeeds else "",
    ]
    return "; ".join(part for part in said if part)


def _places(inventory: Inventory) -> Iterator[tuple[str, Record]]:
    province = inventory.province
    region = province.name.vi[:100]
    yield "regions", _filled(name=region, slug=province.slug, description=both(province.name))
    for slug, site in inventory.sites.items():
        name = site_name(site)
        yield "site-groups", {"name": site.kind, "slug": site.kind}
        address = next((one.address for one in site.buildings.values() if one.address), "")
        yield (
            "sites",
            _filled(
                name=name,
                slug=slug,
                status="decommissioning" if site.valid.until else "active",
                region=region,
                group=site.kind,
                tenant=tenant(inventory, slug),
                facility=f"number {site.number}",
                description=both(site.name),
                physical_address=address or "",
            ),
        )
        for short, building in sorted(site.buildings.items()):
            above = with_slug(building.name, short)
            yield (
                "locations",
                _filled(
                    site=name, name=above, slug=short, status="active", description=building.address or ""
                ),
            )
            for inner, room in sorted(building.rooms.items()):
                yield (
                    "locations",
                    _filled(
                        site=name,
                        parent=above,
                        name=with_slug(room.name, f"{short}/{inner}"),
                        slug=f"{short}-{inner}",
                        status="active",
                        description=f"storey {room.floor}",
                    ),
                )


def _things(inventory: Inventory) -> Iterator[tuple[str, Record]]:
    for role, colour in ROLES.items():
        yield "device-roles", {"name": role, "slug": slugify(role), "color": colour, "vm_role": False}
    for slug, site in inventory.sites.items():
        for short, device in sorted(site.devices.items()):
            role = "gateway" if device.role is Role.GATEWAY else "switch"
            yield from _thing(inventory, slug, short, role, device.platform, device)
        for short, host in sorted(site.hosts.items()):
            endpoint = host.runs.get("videoconf", {}).get("role") == "endpoint"
            role = "conference endpoint" if endpoint else "server"
            yield from _thing(inventory, slug, short, role, HOST_PLATFORM, host)
        for short, client in sorted(site.clients.items()):
            yield from _thing(inventory, slug, short, "client", None, client)


def _thing(
    inventory: Inventory, slug: str, short: str, role: str, platform: str | None, thing: object
) -> Iterator[tuple[str, Record]]:
    site = inventory.sites[slug]
    asset: Asset = getattr(thing, "asset", None) or Asset()
    firmware = getattr(thing, "firmware", None)
    maker, model = maker_and_model(getattr(thing, "model", None), role)
    yield "manufacturers", {"name": maker, "slug": unique_slug(maker, "")}
    if platform is not None:
        yield "platforms", {"name": platform, "slug": platform}
    yield (
        "device-types",
        _filled(
            manufacturer=maker,
            model=model,
            slug=unique_slug(model, maker),
            u_height=0,
            description="the inventory does not say what it is" if maker == UNKNOWN else "",
        ),
    )
    said = {
        "firmware": firmware,
        "keeper": asset.keeper,
        "importance": asset.importance,
        "purchased": asset.purchased,
        "supported until": asset.supported_until,
    }
    yield (
        "devices",
        _filled(
            name=f"{slug}-{short}"[:64],
            role=role,
            manufacturer=maker,
            device_type=model,
            platform=platform or "",
            tenant=tenant(inventory, asset.owner or slug),
            serial=getattr(thing, "serial", None) or "",
            asset_tag=asset.code or "",
            status=STATES[asset.state],
            site=site_name(site),
            location=_room(site, asset.room),
            description=_zone(site, thing),
            comments="; ".join(f"{key} {_plain(value)}" for key, value in said.items() if value is not None),
        ),
    )


def _room(site: Site, room: str | None) -> str:
    if room is None:
        return ""
    building, inner = room.split("/")
    return with_slug(site.buildings[building].rooms[inner].name, room)


def _zone(site: Site, thing: object) -> str:
    segment = site.segments.get(str(getattr(thing, "segment", "")))
    side, zone = (segment.side, segment.zone) if segment else (getattr(thing, "side", ""), Zone.MANAGEMENT)
    return f"{side} side, {zone}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _filled(**values: Value) -> Record:
    """Without what is empty: NetBox takes an absent field for its default."""
    return {key: value for key, value in values.items() if value != ""}
