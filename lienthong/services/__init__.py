"""What a site can run, one file a service, found by looking: nothing lists them.

A service module has `NAME`, a pydantic model `Params` and `contribute(ctx) -> Contribution`.
A service that runs on a host also has `deploys/<name>.py` and `checks/test_<name>.py`. If it needs Debian
packages that not every system has, it names them: `PACKAGES = ("ocrmypdf", "tesseract-ocr-vie")`; those that
it needs on every gateway of its side that is Debian, `GATEWAY_PACKAGES`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address

from pydantic import BaseModel

from lienthong.model.words import Side, Zone


@dataclass(frozen=True)
class Ends:
    """A set of ends a service speaks of, resolved by `plan`: exactly one of the first six fields is set."""

    zone: Zone | None = None
    """every segment of that zone on the service's own side, in `sites`"""
    service: str | None = None
    """every node of the side that runs this service"""
    node: str | None = None
    """a node by full name"""
    outside: str | None = None
    """a system of others, by its name in the province file; `internet` is the Internet"""
    everyone: bool = False
    """every node of the side"""
    here: bool = False
    """the node that runs the service"""
    gear: bool = False
    """with `everyone`: only gateways and switches"""
    gateways: bool = False
    """with `gear`: only gateways"""
    near: bool = False
    """with `zone` or `everyone`: only of the service's own site"""
    site: str | None = None
    """with `zone`: only of that site"""


@dataclass(frozen=True)
class FlowSpec:
    """A flow as a service declares it: ports are numbers or inclusive ranges."""

    src: Ends
    dst: Ends
    proto: str
    ports: tuple[tuple[int, int], ...]
    reason: str


@dataclass(frozen=True)
class ServiceContext:
    """Where a service stands, and its validated parameters."""

    site: str
    node: str
    side: Side
    address: IPv4Address
    params: BaseModel


@dataclass(frozen=True)
class Contribution:
    """What declaring a service yields."""

    flows: tuple[FlowSpec, ...] = ()
    names: tuple[str, ...] = ()
    """short DNS names that lead to the node, e.g. `ntp`"""


@dataclass(frozen=True)
class ServiceModule:
    """A discovered service."""

    name: str
    params: type[BaseModel]
    contribute: Callable[[ServiceContext], Contribution] = field(repr=False)
    packages: tuple[str, ...] = ()
    """Debian packages that it needs; in the lab those of `lienthong/lab/packages.txt` are everywhere."""
    gateway_packages: tuple[str, ...] = ()
    """what it needs on every gateway of its side that is Debian"""


@cache
def discover() -> dict[str, ServiceModule]:
    """Every service module of this package, by name."""
    found: dict[str, ServiceModule] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        packages = getattr(module, "PACKAGES", ())
        beyond = getattr(module, "GATEWAY_PACKAGES", ())
        found[module.NAME] = ServiceModule(module.NAME, module.Params, module.contribute, packages, beyond)
    return dict(sorted(found.items()))
