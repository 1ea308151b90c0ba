"""Whether SSH from somewhere reaches the FortiGate: what follows from its running configuration, and no more.

The other ends are as they should be: the switch carries the site's VLANs on the trunk, the office answers
on both lines with the right key. What the FortiGate must do for it: have the address on an interface that
is up, answer SSH there, trust the source, drop it by no local-in policy, let it through to that interface
by a firewall policy when it comes in by another (Fortinet Community 369268), and know a way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.sim.vendors.fortinet_fortios.tree import Tree

_SSH = 22
_WELL_KNOWN = {"ALL": range(65536), "ALL_TCP": range(65536), "SSH": range(22, 23)}


def open_legs(running: Tree) -> dict[str, Tree]:
    """Interfaces that are up, with what carries them."""
    legs = running.entries("system interface")
    return {name: leg for name, leg in legs.items() if _open(leg, legs)}


def _open(leg: Tree, legs: Mapping[str, Tree]) -> bool:
    if leg.words("status") == ["down"]:
        return False
    parent = leg.words("interface")
    return not parent or (parent[0] in legs and _open(legs[parent[0]], legs))


def neighbours(running: Tree) -> dict[str, IPv4Address]:
    """Interfaces by which OSPF has found the office → its address there."""
    ospf = running.part("config router ospf") or Tree()
    networks = [IPv4Network(net.net("prefix")) for net in ospf.entries("network").values()]
    legs = open_legs(running)
    found = {}
    for one in ospf.entries("ospf-interface").values():
        name = one.words("interface")[0]
        leg = legs.get(name)
        keyed = one.words("authentication") == ["message-digest"] and bool(one.entries("md5-keys"))
        if leg is None or not leg.value("ip") or not keyed or name in ospf.words("passive-interface"):
            continue
        address = IPv4Interface(leg.net("ip"))
        if address.network.prefixlen == 31 and any(address.ip in net for net in networks):
            found[name] = next(one for one in address.network if one != address.ip)
    return found


def answers(running: Tree, managed: IPv4Interface, source: IPv4Address) -> bool:
    """Whether SSH from there is answered at the address by which the FortiGate is managed."""
    legs = open_legs(running)
    target = next((name for name, leg in legs.items() if leg.words("ip")[:1] == [str(managed.ip)]), None)
    if target is None or "ssh" not in legs[target].words("allowaccess"):
        return False
    if not any(_trusts(admin, source) for admin in running.entries("system admin").values()):
        return False
    if source in IPv4Interface(legs[target].net("ip")).network:
        return _taken(running, target, source)
    return any(
        _passes(running, way_in, target, source) and _taken(running, way_in, source)
        for way_in in _ways(running, legs, source)
    )


def _trusts(admin: Tree, source: IPv4Address) -> bool:
    """Whether somebody may log in from there by key; without trusted hosts from everywhere."""
    if not any(item.startswith("set ssh-public-key") for item in admin.items):
        return False
    hosts = [item for item in admin.items if item.startswith("set trusthost")]
    nets = [IPv4Network(admin.net(item.removeprefix("set "))) for item in hosts]
    return not nets or any(source in net for net in nets)


def _ways(running: Tree, legs: Mapping[str, Tree], source: IPv4Address) -> list[str]:
    """Interfaces by which the source comes in and the answer goes back."""
    found = []
    for route in running.entries("router static").values():
        net = IPv4Network(route.net("dst"))
        device = (route.words("device") or [""])[0]
        if (
            source in net
            and device in legs
            and legs[device].value("ip")
            and route.words("status") != ["disable"]
        ):
            found.append(device)
    return [*dict.fromkeys([*neighbours(running), *found])]


def _speaks(running: Tree, policy: Tree, source: IPv4Address) -> bool:
    """Whether a policy is about SSH from there."""
    if policy.words("status") == ["disable"]:
        return False
    services = running.entries("firewall service custom")
    ports = [
        span
        for name in policy.words("service")
        for span in ([_WELL_KNOWN[name]] if name in _WELL_KNOWN else _spans(services.get(name)))
    ]
    addresses = running.entries("firewall address")
    nets = [
        IPv4Network(addresses.get(name, Tree()).net("subnet"))
        for name in policy.words("srcaddr")
        if name == "all" or name in addresses
    ]
    return any(_SSH in span for span in ports) and any(source in net for net in nets)


def _spans(service: Tree | None) -> list[range]:
    if service is None:
        return []
    pairs = [word.partition("-") for word in service.words("tcp-portrange")]
    return [range(int(low), int(high or low) + 1) for low, _, high in pairs]


def _taken(running: Tree, way_in: str, source: IPv4Address) -> bool:
    """The first local-in policy that fits decides; without one `allowaccess` does."""
    for policy in running.entries("firewall local-in-policy").values():
        if policy.words("intf")[0] in {way_in, "any"} and _speaks(running, policy, source):
            return policy.words("action") == ["accept"]
    return True


def _passes(running: Tree, way_in: str, target: str, source: IPv4Address) -> bool:
    """The first firewall policy that fits decides; without one nothing passes."""
    for policy in running.entries("firewall policy").values():
        ins, outs = policy.words("srcintf"), policy.words("dstintf")
        if {way_in, "any"} & set(ins) and {target, "any"} & set(outs) and _speaks(running, policy, source):
            return policy.words("action") == ["accept"]
    return False
