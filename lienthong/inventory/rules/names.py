"""Rules of names: of sockets and lines, which become interfaces, and of what DNS leads to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lienthong.errors import Problem
from lienthong.inventory.rules.running import Path_, seat
from lienthong.model.site import Province, Site

Where = Callable[[Path_], str]
#: Interfaces that the plan, the kernel or the lab gives these names. `all` and `default` are sysctl's.
RESERVED = re.compile(r"vlan[0-9]*|t[ab](c|[0-9]+)|trunk0|br-.*|wg.*|ovs-.*|lo|mgmt0|all|default")


def check(site: Site, province: Province, where: Where) -> Iterator[Problem]:  # noqa: ARG001 - a rule's shape
    """Every name of one site means one thing."""
    ports = [
        ("devices", name, "ports", port) for name, device in site.devices.items() for port in device.ports
    ]
    for path in (*ports, *(("uplinks", line) for line in site.uplinks)):
        if RESERVED.fullmatch(path[-1]):
            yield Problem(
                where(path),
                f"{path[-1]} cannot be the name of a {'socket' if len(path) > 2 else 'line'}",
                "the tool or the system has an interface of that name: choose e.g. e5 or inet0",
            )
    yield from _cables(site, where)
    yield from _dns(site, where)


def _cables(site: Site, where: Where) -> Iterator[Problem]:
    """A label is on one cable; a cable between switches is written at both ends, with the same label."""
    labels: dict[str, tuple[str, str]] = {}
    for name, device in site.devices.items():
        for socket, port in device.ports.items():
            if port.cable is None:
                continue
            first = labels.setdefault(port.cable, (name, socket))
            if first not in {(name, socket), (port.device, port.far_port)}:
                yield Problem(
                    where(("devices", name, "ports", socket, "cable")),
                    f"label {port.cable} is already on the cable at {' '.join(first)}",
                    "every cable of a site has a label of its own",
                )
            beside = site.devices.get(port.device or "")
            far = beside.ports.get(port.far_port or "") if beside is not None else None
            # said once for both ends
            if far is not None and far.cable not in {None, port.cable} and name < str(port.device):
                yield Problem(
                    where(("devices", name, "ports", socket, "cable")),
                    f"the cable to {port.device} has label {port.cable} here, {far.cable} there",
                    "read it off both ends again",
                )


def _dns(site: Site, where: Where) -> Iterator[Problem]:
    """A system's name must not be that of another computer of its side: `<name>.<site>.<side>.<domain>`."""
    for name, system in site.systems.items():
        here = seat(site, "hosts", system.host) if system.host in site.hosts else None
        for group in ("devices", "hosts"):
            if here is None or name == system.host or name not in getattr(site, group):
                continue
            there = seat(site, group, name)
            if there is not None and there[0] is here[0]:
                yield Problem(
                    where(("systems", name)),
                    f"the name {name} would lead to {system.host} as a system and to {name} as a computer",
                    "rename the system, or let it run there",
                )
