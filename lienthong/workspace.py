"""Finds the content beside the engine and loads it: inventory, plan, target, secrets.

Content (`inventory/hosts.py`, `deploys/`, `checks/`) starts here too, so that plain pyinfra,
Ansible and pytest see exactly what `lienthong` sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.errors import LienThongError
from lienthong.root import find_root

if TYPE_CHECKING:  # what a verb does not use it does not wait for
    from lienthong.model.intent import Node, ProvincePlan, SitePlan
    from lienthong.model.secret import KeyStore
    from lienthong.model.site import Inventory
    from lienthong.target import Access


@dataclass(frozen=True)
class Workspace:
    """One checkout and one target; everything is loaded when first asked for."""

    root: Path
    asked_target: str | None = None

    @cached_property
    def inventory(self) -> Inventory:
        from lienthong.inventory import load

        return load(self.root / "inventory")

    @cached_property
    def plan(self) -> ProvincePlan:
        from lienthong.plan.build import build

        platforms = self.access.platforms if self._has_target else {}
        return build(twinned(self.inventory, platforms) if platforms else self.inventory)

    @property
    def _has_target(self) -> bool:
        """Verbs about the inventory alone work without any target."""
        try:
            return self.access is not None
        except LienThongError:
            return False

    @cached_property
    def access(self) -> Access:
        from lienthong.target import resolve

        return resolve(self.root, self.asked_target)

    @cached_property
    def secrets(self) -> KeyStore:
        from lienthong.secrets import store

        return store(self.access, lambda: self.plan)

    def site(self, slug: str) -> SitePlan:
        """The plan of one site.

        Raises:
            LienThongError: no such site.
        """
        try:
            return self.plan.sites[slug]
        except KeyError:
            raise LienThongError(
                f"no site {slug!r} in the inventory",
                hint=f"there are: {', '.join(self.plan.sites)}",
            ) from None

    def node(self, name: str) -> Node:
        """One node by its full name.

        Raises:
            LienThongError: no such node.
        """
        try:
            return self.plan.nodes[name]
        except KeyError:
            raise LienThongError(f"no node {name!r} in the inventory") from None

    def reachable(self) -> list[Node]:
        """Every node that this target has."""
        return [node for node in self.plan.nodes.values() if self.access.reaches(node)]


def twinned(inventory: Inventory, platforms: Mapping[str, tuple[str, str | None]]) -> Inventory:
    """The same inventory with other gear: (platform, model) by full name of a device. Never for live."""
    sites = dict(inventory.sites)
    for name, (kind, model) in platforms.items():
        for slug, site in inventory.sites.items():
            short = name.removeprefix(f"{slug}-")
            if name.startswith(f"{slug}-") and short in site.devices:
                new = sites[slug].devices[short].model_copy(update={"platform": kind, "model": model})
                devices = {**sites[slug].devices, short: new}
                sites[slug] = sites[slug].model_copy(update={"devices": devices})
    return inventory.model_copy(update={"sites": sites})


def open_twin(inventory: Inventory) -> dict[str, tuple[str, str | None]]:
    """What stands in for gear of vendors: the platform of this project with the same role, told the same.

    The names of ports and lines are the inventory's on both, so nothing else changes.
    """
    from lienthong.model.words import Role
    from lienthong.platforms import platform

    stands_in = {Role.GATEWAY: "linux-gw", Role.SWITCH: "linux-sw"}
    return {
        f"{slug}-{short}": (stands_in[device.role], None)
        for slug, site in inventory.sites.items()
        for short, device in site.devices.items()
        if not platform(device.platform).debian
    }


_workspaces: dict[tuple[Path, str | None], Workspace] = {}


def workspace(root: Path | None = None, target: str | None = None) -> Workspace:
    """The workspace of this process (cached): what content calls."""
    key = (find_root(root), target)
    if key not in _workspaces:
        _workspaces[key] = Workspace(*key)
    return _workspaces[key]
