"""An inventory of two sites in which every field of every model says something, as plain data."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from lienthong.errors import InventoryError, Problem
from lienthong.inventory import load, parse
from lienthong.inventory.rules import check
from lienthong.model.site import Inventory, Province, Site
from lienthong.services import discover

ROOT = Path(__file__).resolve().parents[1]
OFFICE, DISTRICT = "tinh-uy", "loc-ninh"
Path_ = tuple[str | int, ...]
#: Laid over the district; together with the office nothing of the models is left unsaid.
MORE = """
parent: tinh-uy
succeeds: [loc-ninh-cu]
valid: {from: "2025-07-01", until: "2999-12-31"}
units:
  loc-ninh-cu:
    kind: board
    name: {vi: Xã A, en: Commune A}
    valid: {from: "1991-01-01", until: "2025-06-30"}
    parent: tinh-uy
    succeeds: [xa-cu]
  xa-cu: {kind: board, name: {vi: Xã B, en: Commune B}, valid: {until: "1990-12-31"}}
buildings: {main: {name: Trụ sở, address: 1 Hùng Vương, rooms: {r-one: {name: Phòng, floor: 2}}}}
segments: {net-dmz: {side: net, zone: dmz}, backup: {side: wan, zone: backup}}
uplinks:
  inet0:
    contract: {number: HD-01, from: "2025-01-01", until: "2999-01-01"}
    bandwidth_mbps: 200
    address6: "2001:db8::2/64"
    gateway6: "2001:db8::1"
devices:
  gw-wan:
    platform: mikrotik-routeros
    model: MikroTik hEX S
    sockets: {trunk0: ether2}
    firmware: 7.14.3
    runs: {dhcp: {relay: [10.0.4.10]}}
    serial: FGT0001
    asset: {code: TS-1, owner: loc-ninh, keeper: Tổ CNTT, room: main/r-one, importance: high, state: in-use,
            purchased: "2024-01-01", supported_until: "2999-01-01"}
  sw-wan:
    ports:
      e20: {device: sw-two, far_port: e1, cable: C-1, carries: [users, management]}
      e21: {host: vault}
      e22: {host: meeting-eye}
      e23: {host: arc}
      e19: {host: packages}
  sw-two:
    handed_over: {agent: {agent_server: 10.0.1.20}}
    role: switch
    side: wan
    platform: linux-sw
    id: 3
    ports: {e1: {device: sw-wan, far_port: e20, carries: [users, management]}}
  sw-net: {ports: {e20: {host: www}, e21: {host: time}}}
hosts:
  srv:
    model: R350
    firmware: Debian 12
    serial: S-1
    asset: {code: TS-2}
    handed_over: {agent: {agent_server: 10.0.1.20}}
    runs: {database: {engine: postgresql}}
  vault:
    segment: backup
    id: 10
    runs:
      scan: {signature_days: 5}
      backup:
        sources: app
        hour: 2
        rpo_hours: 20
        keep_daily: 3
        keep_monthly: 4
        drill_days: 9
        gap_min: 7
        copies:
          - name: tape
            place: tinh-uy/archive
            medium: tape
            offline: true
            immutable: true
            max_age_days: 20
          - {name: disk, place: loc-ninh/main, medium: disk}
  arc:
    segment: servers
    id: 30
    runs:
      archive:
        scanners:
          front-desk: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHEI0/CgSyiQ3J5hkeGxtr+BsyLMNpt67oOpzqlw4dO"
        max_mb: 200
        minutes: 30
        memory_mb: 2000
        hour: 21
        replica_hours: 30
  packages:
    segment: servers
    id: 31
    runs: {mirror: {packages: [linux-image-amd64], max_age_days: 20, valid_days: 40}}
  meeting-eye:
    segment: conference
    id: 21
    platform: yealink
    mac: "00:15:65:12:34:56"
    runs: {videoconf: {role: endpoint, number: "1105"}}
  www:
    segment: net-dmz
    id: 10
    public: 203.0.113.22
    runs: {portal: {updates: updates, redirect: true, ban_after: 6, ban_s: 600}}
  time:
    segment: net-management
    id: 12
    runs:
      ntp: {upstream: [198.51.100.123]}
      dns: {forward_outside: internet-dns, blocked: [bad.example], doh: true}
clients:
  printer:
    segment: users
    id: 201
    mac: "52:54:00:00:00:01"
    model: HP M404
    serial: S-2
    asset: {code: TS-3}
systems:
  letters:
    name: {vi: Đơn thư, en: Letters}
    level: 2
    host: srv
    owner: loc-ninh
    reached_by: [{zone: users, sites: own, proto: tcp, ports: [8443], why: công việc}]
    reaches:
      - {node: tinh-uy-svc-wan, proto: tcp, ports: [443], why: documents}
      - {service: backup, ports: [443], why: copies}
      - {outside: central-wan, ports: [443], why: Central}
    backup: {paths: [/srv/documents], databases: [letters], rpo_hours: 24, keep_months: 12}
    watch: [{port: 443, path: /documents, every_s: 60}]
"""
PROVINCE_MORE = """
aaa: {login: {side: wan, address: 10.0.4.20, protocol: tacacs}}
"""
OFFICE_MORE = """
devices:
  gw-wan: {runs: {dhcp: {lease_s: 3600}}}
  sw-wan: {ports: {e23: {host: arc}}}
hosts:
  arc: {segment: servers, id: 30, runs: {archive: {replicates: true}}}
  svc-wan:
    runs:
      logs: {retention_months: 24}
      monitoring: {interval_s: 10, retention_days: 60}
      flows: {retention_days: 30, max_gb: 5}
      ca: {life_days: 20, revoked: ["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}
"""


@cache
def _whole() -> dict[str, Any]:
    loaded = load(ROOT / "inventory")

    def plain(model: BaseModel) -> Any:
        return model.model_dump(mode="json", by_alias=True, exclude_none=True)

    sites = {slug: plain(loaded.sites[slug]) for slug in (OFFICE, DISTRICT)}
    _lay(sites[DISTRICT], yaml.safe_load(MORE))
    _lay(sites[OFFICE], yaml.safe_load(OFFICE_MORE))
    del sites[DISTRICT]["devices"]["gw-wan"]["runs"]["dns"]  # it is gear with a software of its own
    province = plain(loaded.province)
    _lay(province, yaml.safe_load(PROVINCE_MORE))
    return {"province": province, "sites": sites}


def _lay(below: dict[str, Any], above: dict[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _lay(below[key], value)
        else:
            below[key] = value


def whole() -> dict[str, Any]:
    """`{"province": …, "sites": {slug: …}}`, a copy for the caller to spoil."""
    return copy.deepcopy(_whole())


def loaded(data: dict[str, Any]) -> Inventory:
    """What `load` makes of such data, all rules included.

    Raises:
        InventoryError: as `load` does.
    """

    def where(path: Path_) -> str:
        return "inventory/sites/x.yaml:1:1"

    problems: list[Problem] = []
    sites = {}
    province = parse(Province, data["province"], where, ("province",))
    for value in data["sites"].values():
        try:
            site = parse(Site, value, where, ())
        except InventoryError as error:
            problems += error.problems
            continue
        sites[site.slug] = site
    inventory = Inventory(province=province, sites=dict(sorted(sites.items())))
    problems += check(inventory, dict.fromkeys(sites, where), where, whole=not problems)
    if problems:
        raise InventoryError(problems)
    return inventory


@dataclass(frozen=True)
class Spot:
    """A place a value is written in."""

    path: Path_
    is_key: bool
    fields: tuple[str, ...]
    """`Model.field` of everything above it, the nearest last"""


def spots(data: dict[str, Any]) -> Iterator[Spot]:
    """Every place of such data in which a scalar, or a key of the writer's own, is written."""
    yield from _spots(Province, data["province"], ("province",), ())
    for slug, value in data["sites"].items():
        yield Spot(("sites", slug, "slug"), False, ("Site.slug",))
        yield from _spots(Site, {k: v for k, v in value.items() if k != "slug"}, ("sites", slug), ())


def _bare(kind: Any) -> Any:
    """A type without its constraints and without `| None`."""
    while get_origin(kind) in {Annotated, Union, UnionType}:
        kind = next(argument for argument in get_args(kind) if argument is not NoneType)
    return kind


def _spots(kind: Any, value: Any, path: Path_, names: tuple[str, ...]) -> Iterator[Spot]:
    kind = _bare(kind)
    arguments = [_bare(argument) for argument in get_args(kind)]
    prefix = ""
    if len(path) > 1 and path[-2] == "runs":
        kind, prefix = discover()[str(path[-1])].params, f"{path[-1]}."
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
        for field, info in kind.model_fields.items():
            key = info.alias or field
            if key in value:
                name = f"{prefix}{kind.__name__}.{field}"
                yield from _spots(info.annotation, value[key], (*path, key), (*names, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield Spot((*path, key), True, names)
            yield from _spots(arguments[1] if arguments else Any, item, (*path, key), names)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _spots(arguments[0] if arguments else Any, item, (*path, index), names)
    else:
        yield Spot(path, False, names)


def fields() -> set[str]:
    """`Model.field` of every field that the models know; of a service `<service>.Params.<field>`."""
    found: set[str] = set()

    def walk(kind: Any, prefix: str = "") -> None:
        kind = _bare(kind)
        for argument in get_args(kind):
            walk(argument)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for field, info in kind.model_fields.items():
                found.add(f"{prefix}{kind.__name__}.{field}")
                walk(info.annotation)

    for model in (Province, Site):
        walk(model)
    for service, module in discover().items():
        walk(module.params, f"{service}.")
    return found


def put(data: dict[str, Any], path: Path_, is_key: bool, new: str) -> None:
    """Write `new` in a place; a key is renamed wherever its site speaks of it."""
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if not is_key:
        inner[path[-1]] = new
        if path[-1] == "slug" and path[0] == "sites":
            _rename(data["sites"], str(path[1]), new, prefixes=True)
        return
    old = str(path[-1])
    items = [(new if key == old else key, value) for key, value in inner.items()]
    inner.clear()
    inner.update(items)
    _rename(data["sites"][path[1]] if path[0] == "sites" else data["sites"], old, new, prefixes=False)


def _rename(value: Any, old: str, new: str, *, prefixes: bool) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        if item == old and key not in {"slug", "kind"}:
            value[key] = new
        elif prefixes and isinstance(item, str) and item.startswith((f"{old}-", f"{old}/")):
            value[key] = new + item[len(old) :]
        else:
            _rename(item, old, new, prefixes=prefixes)
