"""An information system: what it is, who may reach it and why, what is kept of it, what is watched."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lienthong.model.base import Bilingual, Model
from lienthong.model.words import AbsolutePath, Int, Reach, Slug, Text, Zone

PortNumber = Annotated[Int, Field(ge=1, le=65535)]
Level = Annotated[Int, Field(ge=1, le=5)]


class ReachedBy(Model):
    """Who may open connections to a system, beyond what the matrix opens anyway."""

    zone: Zone = Field(description="zone of the same side they come from")
    sites: Reach = Field(default=Reach.OWN, description="own: this site; office: the hub; all: every site")
    proto: Literal["tcp", "udp"] = Field(default="tcp", description="transport protocol")
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1)] = Field(description="ports of the system")
    why: Text = Field(description="reason that stands beside every rule that follows from it")


class Reaches(Model):
    """What a system itself must reach; exactly one of node, service, outside."""

    node: Slug | None = Field(default=None, description="full name of a node of the same side")
    service: Slug | None = Field(default=None, description="every node of the side that runs it")
    outside: Slug | None = Field(default=None, description="a system of others, from the province's file")
    proto: Literal["tcp", "udp"] = Field(default="tcp", description="transport protocol")
    ports: Annotated[tuple[PortNumber, ...], Field(min_length=1)] = Field(description="ports over there")
    why: Text = Field(description="reason that stands beside every rule that follows from it")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.node is not None) + (self.service is not None) + (self.outside is not None) != 1:
            raise ValueError("say exactly one of node, service, outside")
        return self


class Kept(Model):
    """What is backed up of a system, and what is promised."""

    paths: tuple[AbsolutePath, ...] = Field(default=(), description="folders with documents")
    databases: tuple[Slug, ...] = Field(default=(), description="databases, dumped consistently")
    rpo_hours: Annotated[Int, Field(ge=1, le=720)] = Field(
        default=26, description="the newest good copy is at most this many hours old"
    )
    keep_months: Annotated[Int, Field(ge=1, le=240)] = Field(
        default=12, description="the oldest copy is at least this many months old"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.paths and not self.databases:
            raise ValueError("name paths or databases")
        return self


class Watch(Model):
    """One thing that monitoring asks of a system."""

    port: PortNumber = Field(description="TCP port that must answer")
    path: AbsolutePath | None = Field(default=None, description="page that must answer 200 over TLS")
    every_s: Annotated[Int, Field(ge=10, le=3600)] = Field(
        default=60, description="seconds between questions"
    )


class System(Model):
    """A system of information (hệ thống thông tin), such as the complaint software."""

    name: Bilingual = Field(description="what officers call it")
    level: Level | None = Field(default=None, description="security level (cấp độ); default: the site's")
    host: Slug = Field(description="host of this site it runs on")
    owner: Slug | None = Field(default=None, description="unit that answers for it; default: the site's own")
    reached_by: tuple[ReachedBy, ...] = Field(default=(), description="who may open connections to it")
    reaches: tuple[Reaches, ...] = Field(default=(), description="what it must reach itself")
    backup: Kept | None = Field(default=None, description="what the vault of the side keeps of it")
    watch: tuple[Watch, ...] = Field(default=(), description="what monitoring asks of it")
