"""Computers of a site: gateways, switches, hosts, and the sockets and lines between them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from lienthong.model.asset import Asset
from lienthong.model.base import Day, Model
from lienthong.model.words import (
    WAN_LINES,
    Address4,
    Address6,
    Code,
    Flag,
    Int,
    Interface4,
    Interface6,
    Mac,
    PortName,
    Role,
    RoleName,
    Side,
    Slug,
    SocketName,
    Text,
    UplinkKind,
)

Runs = dict[Slug, dict[str, Any]]
#: A value that is given to a role of others: plain, and never a template.
Given = Flag | Int | Text | tuple[Int | Text, ...]
HandedOver = dict[RoleName, dict[RoleName, Given]]


class Port(Model):
    """One socket of a switch. It leads to exactly one of: a device, a host, a segment, nowhere."""

    device: Slug | None = Field(default=None, description="trunk to this device of the same side")
    far_port: PortName | None = Field(
        default=None, description="socket at the other end, where that is a switch of this site"
    )
    carries: tuple[Slug, ...] | None = Field(
        default=None, description="segments on the trunk; default: all of the side"
    )
    host: Slug | None = Field(default=None, description="access port of this host")
    segment: Slug | None = Field(default=None, description="open access port in this segment")
    unused: Flag = Field(default=False, description="shut, and in the parking VLAN")
    probe: Flag = Field(default=False, description="kept free for a test device; the lab puts a probe here")
    cable: Code | None = Field(default=None, description="label on the cable")

    @model_validator(mode="after")
    def _one(self) -> Self:
        chosen = (self.device is not None) + (self.host is not None) + (self.segment is not None)
        if chosen + self.unused != 1:
            raise ValueError("a port says exactly one of device, host, segment, unused")
        if self.probe and self.segment is None:
            raise ValueError("a probe port is in a segment")
        if self.device is None and (self.carries is not None or self.far_port is not None):
            raise ValueError("only a trunk to a device says carries or far_port")
        return self


class Device(Model):
    """A gateway or a switch, on one side."""

    role: Role = Field(description="gateway or switch")
    side: Side = Field(description="wan: Party network on TSLCD; net: Internet")
    platform: Slug = Field(description="how it is configured: a file in lienthong/platforms")
    model: Text | None = Field(default=None, description="maker and model")
    firmware: Text | None = Field(default=None, description="version that is meant to run")
    serial: Code | None = Field(
        default=None, description="serial number by the maker; unique in the province"
    )
    id: Annotated[Int, Field(ge=1, le=9)] = Field(description="last octet of its management address")
    ports: dict[PortName, Port] = Field(default_factory=dict, description="sockets of a switch")
    sockets: dict[PortName, SocketName] = Field(
        default_factory=dict,
        description="what the device itself calls a port or line, e.g. trunk0: GigabitEthernet0/0/0;"
        " needed where its model is not known to the platform",
    )
    runs: Runs = Field(default_factory=dict, description="services on it, with their parameters")
    handed_over: HandedOver = Field(
        default_factory=dict, description="roles of Central that run on it, with their variables"
    )
    asset: Asset | None = Field(default=None, description="the asset register's fields")


class Host(Model):
    """A computer with one leg in one segment: a server, or a conference endpoint."""

    segment: Slug = Field(description="segment its leg is in")
    id: Annotated[Int, Field(ge=10, le=99)] = Field(description="last octet of its address")
    public: Address4 | None = Field(
        default=None, description="address it is seen under on the Internet; only in a DMZ"
    )
    platform: Slug | None = Field(
        default=None,
        description="how it is configured where it is no Debian system: a file in lienthong/platforms",
    )
    mac: Mac | None = Field(
        default=None,
        description="Ethernet address on its label; needed where it fetches its configuration itself",
    )
    model: Text | None = Field(default=None, description="maker and model")
    firmware: Text | None = Field(default=None, description="system or firmware that is meant to run")
    serial: Code | None = Field(
        default=None, description="serial number by the maker; unique in the province"
    )
    runs: Runs = Field(default_factory=dict, description="services on it, with their parameters")
    handed_over: HandedOver = Field(
        default_factory=dict, description="roles of Central that run on it, with their variables"
    )
    asset: Asset | None = Field(default=None, description="the asset register's fields")


class Contract(Model):
    """What the provider has signed."""

    number: Code = Field(description="number of the contract")
    since: Day | None = Field(default=None, alias="from", description="first day")
    until: Day | None = Field(default=None, description="last day; validate speaks of lines past it")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Uplink(Model):
    """A line from a gateway outwards. WAN lines get derived addresses, Internet lines carry theirs."""

    kind: UplinkKind = Field(description="tslcd, leased (both to the office) or internet")
    device: Slug = Field(description="gateway it ends on")
    provider: Text = Field(description="who runs it")
    contract: Contract | None = Field(default=None, description="contract with the provider")
    bandwidth_mbps: Annotated[Int, Field(ge=1, le=400_000)] | None = Field(
        default=None, description="contracted rate, Mbit/s, the slower direction"
    )
    spare: Flag = Field(default=False, description="carries traffic only when the others are down")
    cost: Annotated[Int, Field(ge=1, le=65535)] = Field(
        default=10, description="OSPF cost (RFC 2328); the lowest is used"
    )
    address: Interface4 | None = Field(default=None, description="given by the provider, with its prefix")
    gateway: Address4 | None = Field(default=None, description="the provider's end")
    address6: Interface6 | None = Field(default=None, description="given by the provider, with its prefix")
    gateway6: Address6 | None = Field(default=None, description="the provider's end")

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        if self.kind is UplinkKind.INTERNET and (self.address is None or self.gateway is None):
            raise ValueError("an Internet uplink needs address and gateway")
        if self.kind in WAN_LINES and (self.address or self.gateway or self.address6 or self.gateway6):
            raise ValueError(f"a {self.kind} uplink takes its address from the site's number")
        if (self.address6 is None) is not (self.gateway6 is None):
            raise ValueError("address6 and gateway6 are given together")
        return self
