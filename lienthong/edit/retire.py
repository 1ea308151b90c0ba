"""Takes a device, host, client or site out of the inventory, with everything that speaks of it alone."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.edit.draft import Draft
from lienthong.edit.find import Named
from lienthong.edit.keys import forget
from lienthong.edit.layers import MISSING, SiteFile
from lienthong.edit.mentions import Mention, of_building, of_node, of_unit
from lienthong.edit.splice import Put, Take
from lienthong.errors import LienThongError
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Device, Inventory, Site, Unit
from lienthong.model.words import Role


def retire(draft: Draft, inventory: Inventory, plan: ProvincePlan, thing: Named) -> list[str]:
    """Put the change into the draft; what it does, a sentence each.

    Raises:
        LienThongError: something hangs on the thing, or names it, that must be moved first.
    """
    if not thing.group:
        return _site(draft, inventory, plan, thing.site)
    site = inventory.sites[thing.site]
    file = SiteFile(draft, site.slug, site.kind)
    done: list[str] = []
    if thing.group == "clients":
        file.retract(("clients", thing.short))
        return [f"client {thing.node} is no longer known"]
    _refuse(thing.node, _mentions(draft, inventory, thing.node, done))
    if thing.group == "devices":
        _refuse(thing.node, hanging(site, thing.short))
    done += _free_ports(file, site, thing.short)
    if thing.group == "hosts":
        for name, system in site.systems.items():
            if system.host == thing.short:
                file.retract(("systems", name))
                done.append(f"system {name}, which ran on it, is taken out")
    file.retract((thing.group, thing.short))
    done.append(f"{thing.node} is taken out")
    return done + _forget(draft, plan, [thing.node])


def _refuse(what: str, reasons: Sequence[object]) -> None:
    if reasons:
        lines = "".join(f"\n  {reason}" for reason in reasons)
        raise LienThongError(
            f"{what} cannot be retired yet; these depend on it:{lines}",
            hint="move or retire them first; nothing was written",
        )


def _mentions(draft: Draft, inventory: Inventory, node: str, done: list[str]) -> list[Mention]:
    """Take out what systems reach there; what a service needs there is left to the officer."""
    left: list[Mention] = []
    gone: dict[tuple[str, str], list[int]] = {}
    for mention in of_node(inventory, node):
        if mention.path[0] == "systems":
            gone.setdefault((mention.site, str(mention.path[1])), []).append(int(mention.path[3]))
        else:
            left.append(mention)
    if left:
        return left
    for (slug, system), indexes in gone.items():
        site = inventory.sites[slug]
        other = SiteFile(draft, slug, site.kind)
        path = ("systems", system, "reaches")
        if other.own(path) is MISSING:  # the list is a layer's: the site says it anew without these
            rest = [
                reach.model_dump(mode="json", exclude_none=True)
                for index, reach in enumerate(site.systems[system].reaches)
                if index not in indexes
            ]
            other.edit(Put(path, rest))
        else:
            other.edit(*(Take((*path, index)) for index in sorted(indexes, reverse=True)))
        done.append(f"system {system} of {slug} no longer reaches it")
    return []


def hanging(site: Site, short: str) -> list[str]:
    """What stands on a gateway or a switch, each in words; empty when it may go."""
    device = site.devices[short]
    found = [f"line {name} ends on it" for name, line in site.uplinks.items() if line.device == short]
    for name, port in device.ports.items():
        if port.host is not None:
            found.append(f"host {port.host} is on its port {name}")
        elif port.segment is not None and not port.probe:
            found.append(f"its port {name} is open to segment {port.segment}")
    same = {name: one for name, one in site.devices.items() if one.side is device.side}
    gateways = [name for name, one in same.items() if one.role is Role.GATEWAY]
    if gateways == [short]:
        served = [name for name, segment in site.segments.items() if segment.side is device.side]
        found += [f"segment {name} has no other gateway" for name in served]
        return found
    for name in sorted(set(same) - {short} - _reached(same, gateways, short)):
        found.append(f"{same[name].role} {name} is cabled through it")
    return found


def _reached(devices: dict[str, Device], gateways: Sequence[str], without: str) -> set[str]:
    """The devices that still have a way to a gateway when one of them is gone."""
    cables: set[frozenset[str]] = {
        frozenset({name, port.device})
        for name, device in devices.items()
        for port in device.ports.values()
        if port.device is not None
    }
    cables = {cable for cable in cables if without not in cable}
    # a gateway on its own is cabled to nothing, and that too is a reason to stop
    found, waiting = set[str](), [name for name in gateways if any(name in cable for cable in cables)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for cable in cables if name in cable for other in cable]
    return found


def _free_ports(file: SiteFile, site: Site, short: str) -> list[str]:
    done = []
    for name, device in site.devices.items():
        for socket, port in device.ports.items():
            if name != short and short in {port.device, port.host}:
                here = ("devices", name, "ports", socket)
                for key in ("device", "host", "far_port", "carries", "cable"):
                    if getattr(port, key) is not None:
                        file.retract((*here, key))
                file.edit(Put((*here, "unused"), True))
                done.append(f"port {socket} of {site.slug}-{name} is unused, so it will be shut")
    return done


def _forget(draft: Draft, plan: ProvincePlan, nodes: Sequence[str]) -> list[str]:
    gone = forget(draft, [plan.nodes[name] for name in nodes])
    return [f"the host key of {name} is no longer trusted" for name in gone]


def _site(draft: Draft, inventory: Inventory, plan: ProvincePlan, slug: str) -> list[str]:
    site = inventory.sites[slug]
    if site.hub:
        raise LienThongError(
            f"{slug} is the office where every TSLCD line ends", hint="another site must be the hub first"
        )
    nodes = list(plan.sites[slug].nodes)
    elsewhere = [m for node in nodes for m in of_node(inventory, node) if m.site != slug]
    elsewhere += [m for m in of_building(inventory, slug) if m.site != slug]
    units: dict[str, Unit] = {slug: site.own_unit(), **site.units}
    heirs: dict[str, str] = {}
    for name in units:
        for mention in of_unit(inventory, name):
            if mention.site != slug:
                if mention.path[-1] == "succeeds":
                    heirs.setdefault(name, mention.site)
                else:
                    elsewhere.append(mention)
    _refuse(slug, elsewhere)
    done = []
    for name, heir in heirs.items():
        said = units[name].model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        SiteFile(draft, heir, inventory.sites[heir].kind).edit(Put(("units", name), said))
        done.append(
            f"unit {name}, which has ended, stays written in the units of {heir}, its successor's seat"
        )
    draft.delete(f"sites/{slug}.yaml")
    done.append(f"{slug} is taken out with {len(nodes)} systems; its number {site.number} is free")
    return done + _forget(draft, plan, nodes)
