"""Rules of sockets, cables, trunks and platforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lienthong.errors import Problem
from lienthong.inventory.rules.summary import Path_
from lienthong.model.gear import Device, Port
from lienthong.model.site import Province, Segment, Site
from lienthong.model.words import Role, Side, Zone

Where = Callable[[Path_], str]


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:  # noqa: ARG001 - a rule's shape
    """Every socket of one site leads where it can, and back."""
    cabled: dict[str, str] = {}
    for name, device in site.devices.items():
        if device.role is Role.GATEWAY and device.ports:
            yield Problem(
                where(("devices", name, "ports")),
                "a gateway's cabling is said at the switch",
                "write it among the ports of the switch, and take it away here",
            )
        for port_name, port in device.ports.items():
            kind = next((k for k in ("device", "host", "segment") if getattr(port, k) is not None), None)
            if kind is None:
                continue
            target = getattr(port, kind)
            place = ("devices", name, "ports", port_name, kind)
            known = getattr(site, f"{kind}s")
            if target not in known:
                hint = f"{kind}s: {', '.join(known) or 'none'}"
                yield Problem(where(place), f"no {kind} {target!r} in this site", hint)
                continue
            side = _side(site, port)
            if side is None:
                continue  # a host in a segment that does not exist
            if side is not device.side:
                yield Problem(
                    where(place),
                    f"{target} is on the {side} side and {name} on the {device.side} side",
                    "the two sides share nothing",
                )
                continue
            far = site.devices.get(port.device) if port.device else None
            if far is not None:
                yield from _trunk(site, (name, port_name), port, far, where)
            if port.segment is None and (far is None or far.role is Role.GATEWAY):
                other = cabled.setdefault(target, f"{name} {port_name}")
                if other != f"{name} {port_name}":
                    hint = "it has one socket: take one of the two away"
                    yield Problem(where(place), f"{target} is already cabled to {other}", hint)
    for name in site.hosts:
        if name not in cabled:
            yield Problem(
                where(("hosts", name)),
                f"{name} is cabled to no switch",
                f"give a switch a port with host: {name}",
            )
    for name, device in site.devices.items():
        if device.role is Role.GATEWAY and name not in cabled:
            hint = f"give a switch of the {device.side} side a port with device: {name}"
            yield Problem(where(("devices", name)), f"{name} is cabled to no switch", hint)
        elif device.role is Role.SWITCH and not _leads_out(site, name):
            hint = "give it a trunk port to the gateway, or to a switch that has one"
            yield Problem(where(("devices", name)), f"no trunk leads from {name} to its gateway", hint)
    yield from _rings(site, where)


def _side(site: Site, port: Port) -> Side | None:
    """The side of what a port leads to; None for a host in a segment that does not exist."""
    if port.device is not None:
        return site.devices[port.device].side
    host = site.hosts[port.host] if port.host is not None else None
    segment = site.segments.get(host.segment if host is not None else port.segment or "")
    return segment.side if segment is not None else None


def _leads_out(site: Site, name: str) -> bool:
    beyond = {far for port in site.devices[name].ports.values() if port.device in site.devices
              for far in _beyond(site, name, str(port.device))}  # fmt: skip
    side = site.devices[name].side
    gateways = [far for far, one in site.devices.items() if one.role is Role.GATEWAY and one.side is side]
    return not gateways or any(far in beyond for far in gateways)


def _trunk(site: Site, near: tuple[str, str], port: Port, far: Device, where: Where) -> Iterator[Problem]:
    name, port_name = near
    place: Path_ = ("devices", name, "ports", port_name)
    mine = _of_side(site, str(port.device))
    for segment in port.carries or ():
        if segment not in mine:
            yield Problem(
                where((*place, "carries")),
                f"no segment {segment!r} on the {far.side} side of this site",
                f"segments: {', '.join(mine)}",
            )
    carried = set(mine if port.carries is None else port.carries)
    missing = sorted(_needed(site, name, str(port.device)) - carried)
    if missing:
        yield Problem(
            where((*place, "carries") if port.carries is not None else place),
            f"the trunk to {port.device} does not carry {', '.join(missing)}, which it needs",
            "add it to carries, or leave carries out to carry every segment of the side",
        )
    if far.role is Role.GATEWAY:
        if port.far_port is not None:
            yield Problem(
                where((*place, "far_port")),
                "a gateway's end of a trunk has no name here",
                "take far_port away",
            )
        return
    back = far.ports.get(port.far_port) if port.far_port is not None else None
    if port.far_port is None:
        yield Problem(where(place), f"{port.device} is a switch: which of its ports?", "say far_port")
    elif back is None or back.device != name or back.far_port != port_name:
        yield Problem(
            where((*place, "far_port")),
            f"{port.device} {port.far_port} does not lead back to {name} {port_name}",
            f"write there: {port.far_port}: {{device: {name}, far_port: {port_name}}}",
        )
    elif set(mine if back.carries is None else back.carries) != carried and (
        near < (str(port.device), port.far_port)  # once for both ends
    ):
        yield Problem(
            where(place),
            f"the trunk between {name} {port_name} and {port.device} {port.far_port} "
            "does not carry the same segments at both ends",
            "write the same carries at both ends",
        )


def _needed(site: Site, near: str, far: str) -> set[str]:
    """Segments used by what lies beyond a trunk; none where the gateway lies there: it needs nothing here."""
    beyond = _beyond(site, near, far)
    if any(site.devices[name].role is Role.GATEWAY for name in beyond):
        return set(_of_side(site, far)) if site.devices[far].role is Role.GATEWAY else set()
    mine = _of_side(site, far)
    needed = {name for name, segment in mine.items() if segment.zone is Zone.MANAGEMENT}
    for name in beyond:
        for port in site.devices[name].ports.values():
            host = site.hosts.get(port.host) if port.host is not None else None
            segment = host.segment if host is not None else port.segment
            if segment in mine:
                needed.add(segment)
    return needed


def _of_side(site: Site, device: str) -> dict[str, Segment]:
    side = site.devices[device].side
    return {name: segment for name, segment in site.segments.items() if segment.side is side}


def _beyond(site: Site, near: str, far: str) -> set[str]:
    """Devices that are reached from `near` by way of its trunk to `far`."""
    found, waiting = {near}, [far]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [
                port.device for port in site.devices[name].ports.values() if port.device in site.devices
            ]
    return found - {near}


def _rings(site: Site, where: Where) -> Iterator[Problem]:
    """Nothing here breaks a loop of switches (no spanning tree is configured), so there may be none."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while above.get(name, name) != name:
            name = above[name]
        return name

    for name, device in sorted(site.devices.items()):
        for port_name, port in sorted(device.ports.items()):
            far = site.devices.get(port.device or "")
            # a cable between switches is written at both ends; it counts once
            if (
                far is None
                or far.role is Role.GATEWAY
                or (port.device or "", port.far_port or "") < (name, port_name)
            ):
                continue
            one, other = top(name), top(str(port.device))
            if one == other:
                yield Problem(
                    where(("devices", name, "ports", port_name)),
                    f"the cable from {name} {port_name} to {port.device} closes a ring of switches",
                    "take one cable of the ring out of the inventory and off the switch",
                )
            above[one] = other
