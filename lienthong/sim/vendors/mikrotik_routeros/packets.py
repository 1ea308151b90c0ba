"""Whether a packet to SSH reaches the device: its address, its VLAN, the way back, filter, service."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.sim.vendors.mikrotik_routeros.store import Row, Store


@dataclass(frozen=True)
class Site:
    """What lies around the device: where its managers' packets come in."""

    address: IPv4Interface
    vlan: int
    """The tag of the management network outside."""
    uplinks: tuple[str, ...] = ()
    """Ports of which one leads there; empty: any."""


def reached(store: Store, site: Site, source: IPv4Address) -> bool:
    """Whether SSH from `source` is answered at the address by which the device is managed."""
    live = [row for row in store.rows("/ip address") if not row.off]
    own = next((row for row in live if _interface(row).ip == site.address.ip), None)
    if own is None or not _leads_out(store, site, own.get("interface")):
        return False
    inside = {
        row.get("interface"): _interface(row).network
        for row in live
        if row.get("interface") != "lo" and carried(store, row.get("interface"))
    }
    came_by = next((name for name, network in inside.items() if source in network), None)
    if came_by is None and not _way_back(store, inside, source):
        return False
    passed = _passes(store, "input", source, site.address.ip, came_by, 0)
    return _served(store, source) and passed is not False


def _leads_out(store: Store, site: Site, name: str) -> bool:
    """Whether an interface lies in the management network, at a port that leads there."""
    tags = [row for row in store.rows("/interface vlan") if row.get("name") == name]
    if any(int(row.get("vlan-id") or 1) != site.vlan for row in tags):
        return False
    return carried(store, name, None, site.uplinks)


def _interface(row: Row) -> IPv4Interface:
    return IPv4Interface(row.get("address"))


def carried(store: Store, name: str, vlan: int | None = None, ports: tuple[str, ...] = ()) -> bool:
    """Whether an interface is up: some open port, or one of `ports`, carries it."""
    for row in store.rows("/interface ethernet"):
        if row.get("name") == name:
            # A tag on a port that is in a bridge hears nothing (…/ROS/Layer2+misconfiguration).
            return not row.off and (vlan is None or not _in_a_bridge(store, name))
    for row in store.rows("/interface wireguard"):
        if row.get("name") == name:
            return not row.off
    for row in store.rows("/interface vlan"):
        if row.get("name") == name:
            return not row.off and carried(store, row.get("interface"), int(row.get("vlan-id") or 1), ports)
    for row in store.rows("/interface bridge"):
        if row.get("name") == name:
            return not row.off and _bridged(store, row, vlan, ports)
    return False


def _in_a_bridge(store: Store, name: str) -> bool:
    return any(row.get("interface") == name and not row.off for row in store.rows("/interface bridge port"))


def _bridged(store: Store, bridge: Row, vlan: int | None, only: tuple[str, ...]) -> bool:
    """Filtering, it gives its processor only what its table says (…/ROS/Bridge+VLAN+Table)."""
    name = bridge.get("name")
    ports = [
        row
        for row in store.rows("/interface bridge port")
        if row.get("bridge") == name
        and not row.off
        and carried(store, row.get("interface"))
        and (not only or row.get("interface") in only)
    ]
    if bridge.get("vlan-filtering") != "yes" or vlan is None:
        return bool(ports)
    table = [
        row
        for row in store.rows("/interface bridge vlan")
        if row.get("bridge") == name and not row.off and vlan in ids(row.get("vlan-ids"))
    ]
    tagged = {port for row in table for port in row.get("tagged").split(",")}
    untagged = {port for row in table for port in row.get("untagged").split(",")}
    if name not in tagged:
        return False
    return any(
        row.get("interface") in tagged | untagged or int(row.get("pvid") or 1) == vlan for row in ports
    )


def ids(text: str) -> set[int]:
    """`10,20-22` as numbers."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _way_back(store: Store, inside: dict[str, IPv4Network], source: IPv4Address) -> bool:
    for row in store.rows("/ip route"):
        if row.off or source not in IPv4Network(row.get("dst-address")):
            continue
        gateway = row.get("gateway")
        if gateway in store.names("interface"):
            return True
        if any(IPv4Address(gateway) in network for network in inside.values()):
            return True
    return any(
        not row.off and row.get("passive") != "yes" for row in store.rows("/routing ospf interface-template")
    )


def _served(store: Store, source: IPv4Address) -> bool:
    ssh = next(row for row in store.rows("/ip service") if row.get("name") == "ssh")
    networks = [IPv4Network(text) for text in ssh.get("address").split(",") if text and ":" not in text]
    return not ssh.off and (not ssh.get("address") or any(source in network for network in networks))


def _passes(
    store: Store, chain: str, source: IPv4Address, to: IPv4Address, came_by: str | None, depth: int
) -> bool | None:
    """What a chain says of a new connection to SSH: True, False, or None when it says nothing."""
    for row in store.rows("/ip firewall filter"):
        if row.off or row.get("chain") != chain or not _fits(store, row, source, to, came_by):
            continue
        action = row.get("action") or "accept"
        if action == "jump" and depth < 10:
            said = _passes(store, row.get("jump-target"), source, to, came_by, depth + 1)
            if said is not None:
                return said
        elif action == "accept":
            return True
        elif action in ("drop", "reject"):
            return False
        elif action == "return":
            return None
    return None


def _fits(store: Store, row: Row, source: IPv4Address, to: IPv4Address, came_by: str | None) -> bool:
    state = row.get("connection-state")
    if state and "new" not in state.split(","):
        return False
    if row.get("protocol") not in ("", "tcp") or row.get("src-port"):
        return False
    if row.get("dst-port") and 22 not in _ports(row.get("dst-port")):
        return False
    for key, address in (("src-address", source), ("dst-address", to)):
        text = row.get(key)
        if text and (address in IPv4Network(text.removeprefix("!"))) == text.startswith("!"):
            return False
        if row.get(f"{key}-list") and not _listed(store, row.get(f"{key}-list"), address):
            return False
    named = row.get("in-interface")
    if named and (came_by is None or named != came_by):
        return False
    return not row.get("in-interface-list") or came_by is None


def _listed(store: Store, name: str, address: IPv4Address) -> bool:
    return any(
        address in IPv4Network(row.get("address"))
        for row in store.rows("/ip firewall address-list")
        if row.get("list") == name and not row.off
    )


def _ports(text: str) -> set[int]:
    return ids(text)
