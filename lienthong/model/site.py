"""What the inventory says: the province and its sites, as an IT officer writes them.

Every model is frozen and refuses unknown keys. Nothing here is derived; `lienthong.plan` derives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from lienthong.model.asset import Asset, Building, Client, Room
from lienthong.model.base import Bilingual, Day, Model, Validity
from lienthong.model.gear import Contract, Device, Host, Port, Uplink
from lienthong.model.system import Level, System
from lienthong.model.words import (
    Address4,
    Domain,
    Flag,
    Int,
    Network4,
    Network6,
    PortName,
    Side,
    Slug,
    Text,
    Zone,
)

__all__ = [
    "Aaa",
    "Asset",
    "Bilingual",
    "Building",
    "Client",
    "Contract",
    "Device",
    "Host",
    "Inventory",
    "Model",
    "Outside",
    "PolicyPack",
    "Port",
    "Province",
    "Room",
    "Segment",
    "Site",
    "System",
    "Unit",
    "Uplink",
    "Validity",
]


class Segment(Model):
    """A VLAN with a prefix; its number and prefix derive from the site's number and the zone."""

    side: Side = Field(description="wan: Party network on TSLCD; net: Internet")
    zone: Zone = Field(description="what it is for; the policy matrix speaks of zones")
    dhcp: Flag = Field(default=False, description="the gateway leases addresses .100 to .199 here")


class Unit(Model):
    """An organisation: provincial office, board, district, committee, commune. It has its seat at a site."""

    kind: Slug = Field(description="a file of layers/kinds, e.g. district")
    name: Bilingual = Field(description="full name")
    valid: Validity = Field(default=Validity(), description="the days on which it exists")
    parent: Slug | None = Field(default=None, description="unit above it")
    succeeds: tuple[Slug, ...] = Field(default=(), description="units whose duties and records it took over")


class Site(Model):
    """One place with a network of its own. Its kind is a value: the kinds are files of the inventory."""

    slug: Slug = Field(description="its short name; the name of the file")
    number: Annotated[Int, Field(ge=0, le=2999)] = Field(description="the address plan grows from it")
    name: Bilingual = Field(description="full name")
    kind: Slug = Field(description="a file of layers/kinds, e.g. district")
    level: Level = Field(description="security level (cấp độ)")
    hub: Flag = Field(default=False, description="the provincial office: every TSLCD line ends here")
    valid: Validity = Field(default=Validity(), description="the days on which the site is in use")
    parent: Slug | None = Field(default=None, description="unit above the site's own")
    succeeds: tuple[Slug, ...] = Field(default=(), description="units whose duties and records it took over")
    units: dict[Slug, Unit] = Field(
        default_factory=dict, description="units with their seat here, beside the site's own"
    )
    buildings: dict[Slug, Building] = Field(default_factory=dict, description="where things stand")
    segments: dict[Slug, Segment] = Field(default_factory=dict, description="VLANs")
    devices: dict[Slug, Device] = Field(default_factory=dict, description="gateways and switches")
    uplinks: dict[PortName, Uplink] = Field(default_factory=dict, description="lines to the outside")
    hosts: dict[Slug, Host] = Field(default_factory=dict, description="servers and conference endpoints")
    clients: dict[Slug, Client] = Field(
        default_factory=dict, description="known, but not managed by this tool"
    )
    systems: dict[Slug, System] = Field(default_factory=dict, description="information systems of the site")

    def own_unit(self) -> Unit:
        """The unit that the site itself stands for."""
        return Unit(
            kind=self.kind, name=self.name, valid=self.valid, parent=self.parent, succeeds=self.succeeds
        )


class Outside(Model):
    """A system of somebody else that a flow leads to, on one side."""

    side: Side = Field(description="side it is reached on")
    address: Address4 = Field(description="where it answers")
    name: Text = Field(description="what it is")


class Aaa(Model):
    """A server of one side that devices ask about logins before they look at their own accounts."""

    side: Side = Field(description="side it is reached on")
    address: Address4 = Field(description="where it answers")
    protocol: Literal["tacacs", "radius"] = Field(default="tacacs", description="RFC 8907 or RFC 2865")


class PolicyPack(Model):
    """Rules that Central or the province has handed down, with their version; they bind every site."""

    version: Text = Field(description="as the issuer numbers it")
    issuer: Text = Field(description="who handed it down")
    issued: Day = Field(description="its date")
    min_log_months: Annotated[Int, Field(ge=1, le=120)] | None = Field(
        default=None, description="collectors keep events at least this long"
    )
    max_rpo_hours: Annotated[Int, Field(ge=1, le=720)] | None = Field(
        default=None, description="no backup job may promise less"
    )


class Province(Model):
    """What all sites share; `inventory/layers/province.yaml` and what lies under it."""

    slug: Slug = Field(description="short name")
    name: Bilingual = Field(description="full name")
    domain: Domain = Field(description="DNS domain under which every node has its name")
    wan_pool: Network4 = Field(description="WAN side: a /21 for each site number")
    net_pool: Network4 = Field(description="Internet side: a /21 for each site number")
    link_pool: Network4 = Field(description="point-to-point /31 of the WAN lines and tunnels")
    wan_pool6: Network6 | None = Field(
        default=None, description="WAN side: a /56 for each site number (RFC 4193), a /64 a segment"
    )
    net_pool6: Network6 | None = Field(
        default=None, description="Internet side: a /56 for each site number, a /64 a segment"
    )
    outside: dict[Slug, Outside] = Field(default_factory=dict, description="systems of others")
    aaa: dict[Slug, Aaa] = Field(
        default_factory=dict, description="servers that devices of vendors ask about logins, in this order"
    )
    policies: dict[Slug, PolicyPack] = Field(default_factory=dict, description="policy packs in force")


class Inventory(Model):
    """The province and all its sites, sorted by slug."""

    province: Province
    sites: dict[Slug, Site]

    def units(self) -> Mapping[str, tuple[str, Unit]]:
        """Every unit by its slug, with the slug of the site where it has its seat."""
        found: dict[str, tuple[str, Unit]] = {}
        for slug, site in self.sites.items():
            found[slug] = (slug, site.own_unit())
            found |= {name: (slug, unit) for name, unit in site.units.items()}
        return found
