"""What the inventory says: the province and its sites, as an IT officer writes them.

Every model is frozen and refuses unknown keys. Nothing here is derived; `lienthong.plan` derives.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lienthong.model.words import Domain, PortName, Role, Side, Slug, Text, UplinkKind, Zone


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bilingual(Model):
    """A name that officers read, in Vietnamese and in English."""

    vi: Text
    en: Text


class Segment(Model):
    """A VLAN with an IPv4 prefix; its number and prefix derive from the site's number and the zone."""

    side: Side
    zone: Zone
    dhcp: bool = Field(default=False, description="the gateway leases addresses .100 to .199 here")


class Port(Model):
    """One socket of a switch. It leads to exactly one of: a device, a host, a segment, nowhere."""

    device: Slug | None = Field(default=None, description="trunk to this device of the same side")
    host: Slug | None = Field(default=None, description="access port of this host")
    segment: Slug | None = Field(default=None, description="open access port in this segment")
    unused: bool = Field(default=False, description="shut, and in the parking VLAN")
    probe: bool = Field(default=False, description="kept free for a test device; the lab puts a probe here")

    @model_validator(mode="after")
    def _one(self) -> Self:
        chosen = [self.device is not None, self.host is not None, self.segment is not None, self.unused]
        if sum(chosen) != 1:
            raise ValueError("a port says exactly one of device, host, segment, unused")
        if self.probe and self.segment is None:
            raise ValueError("a probe port is in a segment")
        return self


class Device(Model):
    """A gateway or a switch, on one side."""

    role: Role
    side: Side
    platform: Slug
    model: Text | None = None
    serial: Text | None = None
    id: Annotated[int, Field(ge=1, le=9)] = Field(description="last octet of its management address")
    ports: dict[PortName, Port] = Field(default_factory=dict)
    runs: dict[Slug, dict[str, Any]] = Field(default_factory=dict, description="service: parameters")


class Uplink(Model):
    """A line from a gateway outwards. TSLCD lines get derived addresses, Internet lines carry theirs."""

    kind: UplinkKind
    device: Slug
    provider: Text
    cost: Annotated[int, Field(ge=1, le=65535)] = 10
    address: IPv4Interface | None = None
    gateway: IPv4Address | None = None

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        if self.kind is UplinkKind.INTERNET and (self.address is None or self.gateway is None):
            raise ValueError("an Internet uplink needs address and gateway")
        if self.kind is UplinkKind.TSLCD and (self.address or self.gateway):
            raise ValueError("a TSLCD uplink takes its address from the site's number")
        return self


class Host(Model):
    """A computer with one leg in one segment."""

    segment: Slug
    id: Annotated[int, Field(ge=10, le=99)] = Field(description="last octet of its address")
    runs: dict[Slug, dict[str, Any]] = Field(default_factory=dict, description="service: parameters")


class Site(Model):
    """One place with a network of its own. Its kind is a value: the kinds are files of the inventory."""

    slug: Slug
    number: Annotated[int, Field(ge=0, le=2999)] = Field(description="the address plan grows from it")
    name: Bilingual
    kind: Slug
    level: Annotated[int, Field(ge=1, le=5)] = Field(description="security level (cấp độ)")
    hub: bool = Field(default=False, description="the provincial office: every TSLCD line ends here")
    segments: dict[Slug, Segment] = Field(default_factory=dict)
    devices: dict[Slug, Device] = Field(default_factory=dict)
    uplinks: dict[PortName, Uplink] = Field(default_factory=dict)
    hosts: dict[Slug, Host] = Field(default_factory=dict)


class Outside(Model):
    """A system of somebody else that a flow leads to, on one side."""

    side: Side
    address: IPv4Address
    name: Text


class Province(Model):
    """What all sites share; `inventory/layers/province.yaml` and what lies under it."""

    slug: Slug
    name: Bilingual
    domain: Domain
    wan_pool: IPv4Network = Field(description="WAN side: a /21 for each site number")
    net_pool: IPv4Network = Field(description="Internet side: a /21 for each site number")
    link_pool: IPv4Network = Field(description="point-to-point /31 of the TSLCD lines and tunnels")
    outside: dict[Slug, Outside] = Field(default_factory=dict)


class Inventory(Model):
    """The province and all its sites, sorted by slug."""

    province: Province
    sites: dict[Slug, Site]
