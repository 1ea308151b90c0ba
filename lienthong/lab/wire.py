"""Makes the namespaces of a lab and lays its cables; the machine's own network is not touched."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import subprocess
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import guest
from lienthong.lab.namespace import inside
from lienthong.lab.place import NETNS_DIR, OOB, Place
from lienthong.lab.topology import CENTRAL_WAN, INTERNET6, ISP, Line, Plug, Topology
from lienthong.model.words import UplinkKind

MANAGEMENT = "mgmt0"
BRIDGE = "mgmt"
_PARKING = "parking"
#: A machine may have been started without IPv6; its lab has none then, and the audit says that it saw none.
IPV6 = Path("/proc/sys/net/ipv6").is_dir()
_SIOCETHTOOL, _ETHTOOL_STXCSUM = 0x8946, 0x17


def build(place: Place, topology: Topology, dark: Collection[str] = ()) -> None:
    """Every namespace, every cable, and the addresses of what is not provisioned by the tool.

    Args:
        dark: systems that are not started: their cables lead to a socket without power.
    """
    names = [OOB, *(s.name for s in topology.systems), *(p.name for p in topology.probes)]
    ip(f"netns add {place.netns(name)}" for name in names)
    known = {line.link.a: line for line in topology.lines}
    lines = [_veth(place, link.a, link.b, known.get(link.a)) for link in topology.links]
    lines += [
        _veth(place, Plug(s.name, MANAGEMENT), Plug(OOB, _socket(topology, s.name))) for s in topology.systems
    ]
    ip(lines)
    ip(
        [
            f"link add {BRIDGE} type bridge",
            f"address add {topology.controller} dev {BRIDGE}",
            f"link set {BRIDGE} up",
            "link set lo up",
        ],
        place.netns(OOB),
    )
    _settle(place, OOB, [])
    for name in names[1:]:
        if name not in dark:
            _furnish(place, topology, name)
    _plug_management(place, topology, [system.name for system in topology.systems])


def renew(place: Place, topology: Topology, node: str) -> None:
    """Give a node a new, empty namespace; the other ends of its cables stay and lose their carrier meanwhile.

    The namespace outlives the computer in it. Were it kept, its addresses and rules would still be there
    after a reboot, and a configuration that was never saved would seem to survive.
    """
    old, parking = place.netns(node), place.netns(_PARKING)
    ports = sockets(topology, node)
    ip([f"netns add {parking}"])
    ip((f"link set {port} netns {parking}" for port in ports), old)
    ip([f"netns delete {old}", f"netns add {old}"])
    ip((f"link set {port} netns {old}" for port in ports), parking)
    ip([f"netns delete {parking}"])
    _furnish(place, topology, node)
    _plug_management(place, topology, [node])


def set_isolation(place: Place, topology: Topology, isolated: bool) -> None:
    """Keep the nodes' management ports apart, as a lab does; or let them meet, to prove the difference."""
    word = "on" if isolated else "off"
    names = (_socket(topology, system.name) for system in topology.systems)
    ip((f"link set {name} type bridge_slave isolated {word}" for name in names), place.netns(OOB))


def ip(lines: Iterable[str], netns: str | None = None) -> None:
    """Run `ip` once for many commands, in a namespace or from outside of all.

    Raises:
        Unreachable: one of them failed; none of those after it was tried.
    """
    text = "\n".join(lines)
    where = ["-n", netns] if netns else []
    done = subprocess.run(["ip", *where, "-batch", "-"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise Unreachable(f"ip: {done.stderr.strip()} (of {len(text.splitlines())} commands)")


def _veth(place: Place, a: Plug, b: Plug, line: Line | None = None) -> str:
    there = f"name {b.port} netns {place.netns(b.node)}"
    own = f"address {line.hardware} " if line is not None and line.kind is UplinkKind.INTERNET else ""
    return f"link add {a.port} {own}netns {place.netns(a.node)} type veth peer {there}"


def _socket(topology: Topology, node: str) -> str:
    """The bridge's port for a node: interface names end at 15 characters, so it is the address's number."""
    return f"m{int(topology.addresses[node]) - int(topology.management.network_address)}"


def _ports(topology: Topology, node: str) -> list[str]:
    return [plug.port for link in topology.links for plug in (link.a, link.b) if plug.node == node]


def sockets(topology: Topology, node: str) -> list[str]:
    """Every interface of a node of which the lab holds the other end."""
    return [*_ports(topology, node), MANAGEMENT]


def _furnish(place: Place, topology: Topology, node: str) -> None:
    """Bring a fresh namespace to where its computer (or, for probes, its user) finds it."""
    ports = _ports(topology, node)
    if any(system.kernel and system.name == node for system in topology.systems):
        ends = sockets(topology, node)
        ip(["link set lo up", *guest.cabled(ends, IPV6)], place.netns(node))
        _settle(place, node, ends)
        return
    lines = ["link set lo up", *(f"link set {port} up" for port in ports)]
    if node in topology.addresses:
        lines += [f"address add {topology.addresses[node]}/{topology.management.prefixlen} dev {MANAGEMENT}"]
        lines += [f"link set {MANAGEMENT} up"]
        ports = [*ports, MANAGEMENT]
    ip([*lines, *_addresses(topology, node)], place.netns(node))
    _settle(place, node, ports)


def _addresses(topology: Topology, node: str) -> list[str]:
    for probe in topology.probes:
        if probe.name == node:
            six = [f"address add {probe.address6} dev eth0 nodad"] if probe.address6 and IPV6 else []
            six += [f"route add default via {probe.gateway6}"] if probe.gateway6 and IPV6 else []
            own = [f"address add {probe.address} dev eth0", f"route add default via {probe.gateway}"]
            return [*own, *six]
    for end in topology.central:
        if end.name == node == CENTRAL_WAN:
            own = [f"address add {end.address} dev lo", f"address add {end.link} dev eth0"]
            return [*own, f"route add default via {end.gateway} src {end.address.ip}"]
        if end.name == node:
            return [f"address add {end.address} dev eth0", f"route add default via {end.gateway}"]
    return _provider(topology) if node == ISP else []


def _provider(topology: Topology) -> list[str]:
    net = topology.internet
    lines = ["link add lan type bridge", f"address add {net[1]}/{net.prefixlen} dev lan", "link set lan up"]
    lines += [f"address add {address}/{net.prefixlen} dev lan" for address in topology.answers.values()]
    lines += [f"link set {port} master lan" for port in _ports(topology, ISP) if port.startswith("lan")]
    lines += [f"address add {INTERNET6[1]}/{INTERNET6.prefixlen} dev lan nodad"] if IPV6 else []
    for line in topology.lines:
        if line.kind is UplinkKind.INTERNET:
            port = line.link.b.port
            lines.append(f"address add {line.provider_address} dev {port}")
            lines += [
                f"route add {network} via {line.neighbour6} dev {port}" for network in line.behind6 if IPV6
            ]
    return lines


def _settle(place: Place, node: str, ports: Sequence[str]) -> None:
    """What `ip` cannot say: forwarding as on a fresh system; checksums in software, for Open vSwitch."""
    with inside(NETNS_DIR / place.netns(node)):
        # A new namespace takes this over from the machine, which may well be a router.
        for key in ("ipv4/ip_forward", *(["ipv6/conf/all/forwarding"] if IPV6 else [])):
            Path("/proc/sys/net", key).write_text("1" if node == ISP else "0", encoding="ascii")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
            for port in ports:
                _checksum_in_software(handle, port)


def _plug_management(place: Place, topology: Topology, nodes: Sequence[str]) -> None:
    sockets = [_socket(topology, node) for node in nodes]
    lines = [f"link set {name} master {BRIDGE} up" for name in sockets]
    lines += [f"link set {name} type bridge_slave isolated on" for name in sockets]
    ip(lines, place.netns(OOB))
    _settle(place, OOB, sockets)


def _checksum_in_software(handle: socket.socket, port: str) -> None:
    value = array.array("I", [_ETHTOOL_STXCSUM, 0])
    address, _ = value.buffer_info()
    fcntl.ioctl(handle, _SIOCETHTOOL, struct.pack("16sP16x", port.encode(), address))
