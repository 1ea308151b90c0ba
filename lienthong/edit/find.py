"""What an officer may name: a site, a device, a host, a client."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from lienthong.errors import LienThongError
from lienthong.model.site import Inventory


@dataclass(frozen=True)
class Named:
    """One thing of the inventory."""

    site: str
    group: str
    """devices, hosts or clients; empty for the site itself"""
    short: str = ""

    @property
    def node(self) -> str:
        """Full name, `<site>-<short>`; the slug for a site."""
        return f"{self.site}-{self.short}" if self.short else self.site


GROUPS = ("devices", "hosts", "clients")


def named(inventory: Inventory, name: str) -> Named:
    """The thing of that name: a slug, a full node name, or `site/short` where names are alike.

    Raises:
        LienThongError: there is none, or there are two.
    """
    everything = [Named(slug, "") for slug in inventory.sites]
    for slug, site in inventory.sites.items():
        everything += [Named(slug, group, short) for group in GROUPS for short in getattr(site, group)]
    found = [one for one in everything if name in {one.node, f"{one.site}/{one.short}"}]
    if len(found) > 1:
        ways = ", ".join(sorted(f"{one.site}/{one.short}" for one in found))
        raise LienThongError(f"{name} may be several things", hint=f"say which: {ways}")
    if not found:
        close = get_close_matches(name, [one.node for one in everything], 3)
        hint = f"did you mean {', '.join(close)}?" if close else "say a site's slug or a node's full name"
        raise LienThongError(f"no site, device, host or client {name!r} in the inventory", hint=hint)
    return found[0]
