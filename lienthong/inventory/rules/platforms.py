"""Whether a device can do what its site asks of it, by its platform and its model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.site import Device, Province, Site
from lienthong.model.words import WAN_LINES, Role
from lienthong.platforms import Platform, discover, find, names

Where = Callable[[Path_], str]

#: Services that a device without Debian has of its own, and the capability that says so.
BUILT_IN = {"dhcp": "dhcp-server"}


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:  # noqa: ARG001 - a rule's shape
    """Every device whose platform is unknown, cannot do what is asked, or whose ports have no names there."""
    for name, device in site.devices.items():
        kind = find(device.platform)
        if kind is None:
            yield Problem(
                where(("devices", name, "platform")),
                f"no platform {device.platform!r}",
                f"{_nearest(device.platform, names())}; platforms are files of lienthong/platforms",
            )
            continue
        wanted = needs(site, name, device)
        lacking = sorted(wanted - kind.able(device.model))
        if lacking:
            what = f"{device.platform} ({device.model})" if device.model else device.platform
            yield Problem(
                where(("devices", name, "platform")),
                f"{what} cannot do what {name} needs here: {', '.join(lacking)}",
                f"a {device.role} of this site needs {', '.join(sorted(wanted))}",
            )
        yield from _sockets(site, name, device, kind, where)
        yield from _services(name, device, kind, where)
    yield from _endpoints(site, where)


def _endpoints(site: Site, where: Where) -> Iterator[Problem]:
    """A host that is no Debian system is an endpoint; one that fetches its file says its address."""
    for name, host in site.hosts.items():
        if host.platform is None:
            continue
        kind = find(host.platform)
        if kind is None or "conference" not in kind.capabilities:
            known = [name for name, one in discover().items() if "conference" in one.capabilities]
            yield Problem(
                where(("hosts", name, "platform")),
                f"no platform {host.platform!r} that is an endpoint",
                f"platforms of endpoints: {', '.join(known)}; a Debian system says none",
            )
            continue
        if host.runs.get("videoconf", {}).get("role") != "endpoint" or len(host.runs) > 1:
            yield Problem(
                where(("hosts", name, "platform")),
                f"{name} is a {kind.name}: it is a conference endpoint and runs nothing else",
                "give it runs: {videoconf: {role: endpoint, number: ...}} and no other service",
            )
        if "ztp" in kind.capabilities and host.mac is None:
            yield Problem(
                where(("hosts", name)),
                f"{name} fetches its configuration by its Ethernet address, which is not given",
                'read it off the label: mac: "00:15:65:12:34:56"',
            )
    yield from _twice(site, where)


def _twice(site: Site, where: Where) -> Iterator[Problem]:
    """An Ethernet address is one computer's."""
    seen = {client.mac: name for name, client in site.clients.items()}
    for name, host in site.hosts.items():
        if host.mac is None:
            continue
        other = seen.setdefault(host.mac, name)
        if other != name:
            yield Problem(
                where(("hosts", name, "mac")),
                f"{name} has the Ethernet address of {other}",
                "read it off both labels again",
            )


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1, 0.0)
    return f"did you mean {close[0]}" if close else "there is none of a name like that"


def needs(site: Site, name: str, device: Device) -> frozenset[str]:
    """What the site asks of one of its devices, in the words of `platforms.CAPABILITIES`."""
    wanted = {"vlans", "trunk", "ipv4", "static", "plane"}
    if device.role is Role.SWITCH:
        return frozenset({*wanted, "switching", "ports-off"})
    wanted |= {"routing", "policy"}
    lines = [line for line in site.uplinks.values() if line.device == name]
    if any(line.kind in WAN_LINES for line in lines):
        wanted |= {"ospf", "bfd"}
        if site.hub:
            wanted.add("hub")
    if any(line.kind not in WAN_LINES for line in lines):
        wanted |= {"nat", "wireguard"}  # the office manages that side through a tunnel
    if any(line.address6 is not None for line in lines):
        wanted.add("ipv6")
    dhcp = device.runs.get("dhcp")
    if dhcp is not None:
        wanted.add("dhcp-relay" if dhcp.get("relay") else "dhcp-server")
    return frozenset(wanted)


def _sockets(site: Site, name: str, device: Device, kind: Platform, where: Where) -> Iterator[Problem]:
    if kind.debian:
        return
    named = {**kind.hardware(device.model).sockets, **device.sockets}
    used = list(device.ports)
    if device.role is Role.GATEWAY:
        used += ["trunk0", *(line for line, uplink in site.uplinks.items() if uplink.device == name)]
    missing = [port for port in used if port not in named]
    if missing:
        yield Problem(
            where(("devices", name)),
            f"what {name} calls {', '.join(missing)} is not known: {_model(device, kind)}",
            f"say it under sockets, e.g. sockets: {{{missing[0]}: GigabitEthernet0/1}}",
        )
    seen: dict[str, str] = {}
    for port in used:
        socket = named.get(port)
        if socket is None:
            continue
        if socket in seen:
            yield Problem(
                where(("devices", name, "sockets", port)),
                f"{name} has {socket} for both {seen[socket]} and {port}",
                "a socket is one port of the inventory",
            )
        seen.setdefault(socket, port)


def _model(device: Device, kind: Platform) -> str:
    if device.model is None:
        return "its model is not given"
    if kind.hardware(device.model).sockets:
        return f"{device.model} has no such port"
    return f"{kind.name} does not know the ports of {device.model}"


def _services(name: str, device: Device, kind: Platform, where: Where) -> Iterator[Problem]:
    if kind.debian:
        return
    for service in device.runs:
        if BUILT_IN.get(service) not in kind.able(device.model):
            yield Problem(
                where(("devices", name, "runs", service)),
                f"{name} is a {kind.name} and cannot run {service}",
                f"take it away here with {service}: null, and let a host of the site run it",
            )
