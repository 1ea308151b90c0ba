"""What a site keeps and what it loses, by comparing its plan before with its plan after. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import WAN_LINES
from lienthong.secrets.names import SUFFIX, needs


@dataclass(frozen=True)
class View:
    """A plan, and what is worked out of it once for all sites."""

    plan: ProvincePlan

    @cached_property
    def secrets(self) -> dict[str, dict[tuple[str, str], str]]:
        """For each site the names of its secrets and of the vault files they lie in: both carry its slug."""
        found: dict[str, dict[tuple[str, str], str]] = {slug: {} for slug in self.plan.sites}
        for need in needs(self.plan):
            slug, side = need.identity.site, need.identity.side
            if slug is not None:
                family, owner = need.ref.split("/", 1)
                what = f"{family} {owner.removeprefix(slug).lstrip('-')}".strip()
                found[slug]["secret", what] = str(need.ref)
                found[slug]["vault file", side.value] = f"{need.identity.label}{SUFFIX}"
        return found


Kind = Literal["same", "changed", "closed", "new", "joined"]


@dataclass(frozen=True)
class Aspect:
    """One thing that can be said of a site, before and after; None where it is not there."""

    group: str
    """`slug`, `number`, `node name`, `dns name`, `address`, `prefix`, `vlan`, `line`, `dial number` …"""
    of: str
    """Which one of the group: a segment, a device, a line; empty where there is one."""
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Fate:
    """What becomes of one site."""

    fate: Kind
    before: str | None
    after: str | None
    province: str
    """The province it belonged to before."""
    kept: tuple[Aspect, ...]
    changed: tuple[Aspect, ...]

    def of(self, group: str) -> list[Aspect]:
        """What changes in one group, and was there before and is there after."""
        return [one for one in self.changed if one.group == group and one.before and one.after]


def fate(before: tuple[View, str] | None, after: tuple[View, str] | None, joined: bool = False) -> Fate:
    """Compare a site of one plan with the same place in another; None where it is not there."""
    old = facts(*before) if before else {}
    new = facts(*after) if after else {}
    aspects = [Aspect(*key, old.get(key), new.get(key)) for key in sorted({*old, *new})]
    changed = tuple(one for one in aspects if one.before != one.after)
    kind: Kind = "closed" if after is None else "new" if before is None else "changed" if changed else "same"
    home = before or after
    assert home is not None
    return Fate(
        "joined" if joined and before and after else kind,
        before[1] if before else None,
        after[1] if after else None,
        home[0].plan.name,
        tuple(one for one in aspects if one.before == one.after),
        changed,
    )


def facts(view: View, slug: str) -> dict[tuple[str, str], str]:
    """Everything about a site that somebody outside it may have written down, by group and name."""
    site = view.plan.sites[slug]
    said = site.site
    found = {
        ("slug", ""): slug,
        ("number", ""): str(said.number),
        ("kind", ""): said.kind,
        ("level", ""): str(said.level),
        ("name", ""): said.name.vi,
    }
    for segment in site.segments.values():
        found["prefix", segment.name] = str(segment.prefix)
        found["vlan", segment.name] = str(segment.vlan)
        if segment.prefix6:
            found["prefix6", segment.name] = str(segment.prefix6)
    for node in site.nodes.values():
        found |= _node(node)
    for line in site.uplinks:
        if line.kind in WAN_LINES:
            if line.address is not None:
                found["line", line.name] = f"{line.address} to {line.peer}, hand-off VLAN {line.vlan}"
            else:
                found["line", line.name] = "trunk of every site's line"
        else:
            found["line", line.name] = f"{line.address} to {line.peer}, by {line.provider}"
    return found | view.secrets[slug]


def _node(node: Node) -> dict[tuple[str, str], str]:
    found = {
        ("node name", node.short): node.name,
        ("dns name", node.short): node.fqdn,
        ("address", node.short): str(node.address),
    }
    if node.address6:
        found["address6", node.short] = str(node.address6)
    for name in node.names:
        label = name.split(".", 1)[0]
        found["dns name", f"{label} ({node.short})"] = name
    if node.device is not None and node.device.router_id is not None:
        found["router id", node.short] = str(node.device.router_id)
    if len(node.tunnels) == 1:
        found["tunnel", node.short] = str(node.tunnels[0].address)
    if "videoconf" in node.services:
        number = getattr(node.services["videoconf"].params, "number", None)
        if number:
            found["dial number", node.short] = number
    return found
