"""What the plan makes of the network: interfaces, VLANs, prefixes, addresses, cables, lines, services."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from lienthong.export.check import Record, Value
from lienthong.export.names import slugify, unique_slug, with_slug
from lienthong.model.intent import Node, ProvincePlan, SitePlan, SwitchPort
from lienthong.model.site import Inventory
from lienthong.model.words import PARKING_VLAN, Side
from lienthong.plan import addressing
from lienthong.plan.gear import LAN

HANDOFF = "tslcd"
PORT = "eth0"
POOL_ROLES = ("pool", "site block", "point to point", "provider line")


def network(inventory: Inventory, plan: ProvincePlan) -> Iterator[tuple[str, Record]]:
    """Every object of the network, in no particular order."""
    names = {slug: with_slug(site.name.vi, slug) for slug, site in inventory.sites.items()}
    yield from _roles(plan)
    yield from _pools(inventory)
    yield (
        "vlan-groups",
        {"name": HANDOFF, "slug": HANDOFF, "description": "hand-off of each site at the office"},
    )
    hub = next(slug for slug, site in inventory.sites.items() if site.hub)
    for slug, site in plan.sites.items():
        common: dict[str, Value] = {"tenant": names[slug]}
        yield "vlan-groups", {"name": slug, "slug": slug, "description": names[slug]}
        yield from _vlans(site, names, hub)
        yield from _blocks(inventory, site, names[slug])
        for node in site.nodes.values():
            for name, record in _node(node, hub):
                yield name, {**record, **(common if name == "ip-addresses" else {})}
        for short, client in sorted(site.site.clients.items()):
            device = f"{slug}-{short}"
            yield "interfaces", _socket(device, PORT, "other")
            mac: Record = {"mac_address": client.mac, "device": device, "interface": PORT, "is_primary": True}
            yield "mac-addresses", mac
        yield from _cables(site, common)
        yield from _lines(site, names[slug])
        yield from _systems(site)


def _roles(plan: ProvincePlan) -> Iterator[tuple[str, Record]]:
    zones = {segment.zone.value for site in plan.sites.values() for segment in site.segments.values()}
    for name in (*sorted(zones), *POOL_ROLES):
        yield "roles", {"name": name, "slug": slugify(name), "weight": 1000}


def _pools(inventory: Inventory) -> Iterator[tuple[str, Record]]:
    province = inventory.province
    for name in ("wan_pool", "net_pool", "link_pool", "wan_pool6", "net_pool6"):
        pool = getattr(province, name)
        if pool is not None:
            yield "prefixes", _prefix(pool, "pool", description=name, status="container")


def _prefix(prefix: IPv4Network | IPv6Network, role: str, **more: Value) -> Record:
    return {"prefix": str(prefix), "status": "active", "role": role, **more}


def _in_site(name: str) -> dict[str, Value]:
    return {"tenant": name, "scope_type": "dcim.site", "scope_name": name}


def _vlans(site: SitePlan, names: dict[str, str], hub: str) -> Iterator[tuple[str, Record]]:
    slug = site.site.slug
    here: Record = {"site": names[slug], "tenant": names[slug], "status": "active"}
    for segment in site.segments.values():
        said: Record = {"group": slug, "vid": segment.vlan, "name": segment.name, "role": segment.zone.value}
        yield "vlans", {**said, **here, "description": f"{segment.side} side"}
        vlan: dict[str, Value] = {"vlan_group": slug, "vlan": segment.vlan, "description": segment.name}
        for prefix in (segment.prefix, segment.prefix6):
            if prefix is not None:
                yield "prefixes", _prefix(prefix, segment.zone.value, **_in_site(names[slug]), **vlan)
    parking: Record = {"group": slug, "vid": PARKING_VLAN, "name": "parking", **here}
    yield "vlans", {**parking, "description": "ports that are not used"}
    for line in site.uplinks:
        if line.vlan is not None:
            handoff: Record = {"group": HANDOFF, "vid": line.vlan, "name": slug, "site": names[hub]}
            yield "vlans", {**handoff, "tenant": names[slug], "status": "active"}
    if site.site.hub:
        vid = addressing.handoff_vlan(addressing.CENTRAL_NUMBER)
        yield "vlans", {"group": HANDOFF, "vid": vid, "name": "central", **here}


def _blocks(inventory: Inventory, site: SitePlan, name: str) -> Iterator[tuple[str, Record]]:
    province, number = inventory.province, site.site.number
    for side in Side:
        block = addressing.block(province, side, number)
        said: dict[str, Value] = {"description": f"{side} side", "status": "container"}
        yield "prefixes", _prefix(block, "site block", **_in_site(name), **said)
    for line in site.uplinks:
        if line.address is not None:
            role = "point to point" if line.vlan is not None else "provider line"
            yield "prefixes", _prefix(line.address.network, role, **_in_site(name), description=line.name)
    for node in site.nodes.values():
        for tunnel in node.tunnels if not site.site.hub else ():
            prefix = tunnel.address.network
            yield "prefixes", _prefix(prefix, "point to point", **_in_site(name), description=tunnel.name)


def _node(node: Node, hub: str) -> Iterator[tuple[str, Record]]:
    """The interfaces of a node and their addresses."""
    made: dict[str, dict[str, Value]] = {}

    def port(name: str, kind: str, **more: Value) -> None:
        made.setdefault(name, _socket(node.name, name, kind)).update(more)

    if node.device is None:
        segment = node.segment
        port(PORT, "other", mode="access", vlan_group=node.site, untagged_vlan=segment.vlan)
        yield "ip-addresses", _address(node, PORT, f"{node.address}/{segment.prefix.prefixlen}", True)
        if node.address6 is not None:
            yield "ip-addresses", _address(node, PORT, f"{node.address6}/64", True)
    else:
        for bridge in node.device.bridges:
            port(bridge.name, "bridge")
            for one in bridge.ports:
                port(
                    one.name, "virtual" if one.internal else "other", **_switched(one, bridge.name, node.site)
                )
        for interface in node.device.interfaces:
            physical = interface.name not in made and interface.name != "lo"
            port(
                interface.name,
                "other" if physical else str(made.get(interface.name, {}).get("type", "virtual")),
            )
            made[interface.name].setdefault("description", interface.description)
            primary = interface.address.ip == node.address
            loopback = interface.name == "lo"
            yield "ip-addresses", _address(node, interface.name, str(interface.address), primary, loopback)
            if primary and node.address6 is not None:
                yield "ip-addresses", _address(node, interface.name, f"{node.address6}/64", True)
        for tunnel in node.tunnels:
            port(
                tunnel.name, "virtual", description="tunnel to the office" if node.site != hub else "tunnels"
            )
            yield "ip-addresses", _address(node, tunnel.name, str(tunnel.address), False)
    for record in made.values():
        yield "interfaces", {key: value for key, value in record.items() if value != ""}


def _socket(device: str, name: str, kind: str) -> dict[str, Value]:
    return {"device": device, "name": name, "type": kind, "enabled": True, "mgmt_only": False}


def _switched(port: SwitchPort, bridge: str, site: str) -> dict[str, Value]:
    """A port of a bridge; the office's `br-a` and `br-b` carry hand-off VLANs, every other the site's own."""
    said: dict[str, Value] = {"bridge": bridge, "enabled": port.enabled, "description": port.description}
    said["vlan_group"] = site if bridge == LAN else HANDOFF
    if port.trunk:
        return said | {"mode": "tagged", "tagged_vlans": ",".join(map(str, sorted(port.vlans)))}
    return said | {"mode": "access", "untagged_vlan": port.vlans[0]}


def _address(node: Node, interface: str, address: str, primary: bool, loopback: bool = False) -> Record:
    said: dict[str, Value] = {"address": address, "status": "active", "device": node.name}
    said |= {"interface": interface}
    if primary:
        said |= {"is_primary": True, "dns_name": node.fqdn}
    if loopback:
        said |= {"role": "loopback"}
    return said


def _cables(site: SitePlan, common: Record) -> Iterator[tuple[str, Record]]:
    for cable in site.cables:
        near = cable.a.removeprefix(f"{site.site.slug}-")
        label = site.site.devices[near].ports[cable.a_port].cable
        record: dict[str, Value] = {
            "side_a_device": cable.a,
            "side_a_type": "dcim.interface",
            "side_a_name": cable.a_port,
            "side_b_device": cable.b,
            "side_b_type": "dcim.interface",
            "side_b_name": cable.b_port,
            "status": "connected",
            **common,
        }
        yield "cables", record | ({"label": label} if label else {})


def _lines(site: SitePlan, name: str) -> Iterator[tuple[str, Record]]:
    slug = site.site.slug
    for line, uplink in sorted(site.site.uplinks.items()):
        provider = uplink.provider[:100].rstrip()
        yield "providers", {"name": provider, "slug": unique_slug(provider, "")}
        yield "circuit-types", {"name": uplink.kind.value, "slug": uplink.kind.value}
        cid = f"{slug}-{line}"
        said = f"cost {uplink.cost}" + (", spare" if uplink.spare else "")
        record: dict[str, Value] = {"cid": cid, "provider": provider, "type": uplink.kind.value}
        record |= {"status": "active", "tenant": name, "description": said}
        if uplink.bandwidth_mbps is not None:
            record["commit_rate"] = uplink.bandwidth_mbps * 1000
        if uplink.contract is not None:
            record["comments"] = f"contract {uplink.contract.number}"
            if uplink.contract.since:
                record["install_date"] = uplink.contract.since.isoformat()
            if uplink.contract.until:
                record["termination_date"] = uplink.contract.until.isoformat()
        yield "circuits", record
        end = {"circuit": cid, "term_side": "A", "termination_type": "dcim.site", "termination_name": name}
        yield "circuit-terminations", {**end, "description": f"{slug}-{uplink.device} {line}"}


def _systems(site: SitePlan) -> Iterator[tuple[str, Record]]:
    for slug, system in sorted(site.site.systems.items()):
        ports = {port for reached in system.reached_by if reached.proto == "tcp" for port in reached.ports}
        ports |= {watch.port for watch in system.watch}
        if ports:
            record: dict[str, Value] = {"parent_object_type": "dcim.device", "name": slug, "protocol": "tcp"}
            record |= {
                "parent": f"{site.site.slug}-{system.host}",
                "ports": ",".join(map(str, sorted(ports))),
            }
            yield "services", {**record, "description": f"{system.name.vi} / {system.name.en}"[:200]}
