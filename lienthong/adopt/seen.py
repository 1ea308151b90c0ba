"""What was seen of a device: the recording as typed values. Pure. What does not have its type is not kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from lienthong.facts import parse
from lienthong.facts.facts import FactMissing, Facts
from lienthong.facts.parse import OvsPort
from lienthong.model.words import Code, Mac, PortName, Slug, Text

Kind = Literal["gateway", "switch", "host"]
TEXT: TypeAdapter[str] = TypeAdapter(Text)
CODE: TypeAdapter[str] = TypeAdapter(Code)
PORT: TypeAdapter[str] = TypeAdapter(PortName)
SLUG: TypeAdapter[str] = TypeAdapter(Slug)
MAC: TypeAdapter[str] = TypeAdapter(Mac)
#: A whole node name, `<site>-<short>`: longer than either part.
NODE: TypeAdapter[str] = TypeAdapter(
    Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$")]
)
#: What makers leave in a field they did not fill in.
_UNFILLED = re.compile(
    r"(?i)to be filled.*|default string|not specified|not available|none|unknown|n/?a|0+|system .*|o\.e\.m\."
)
_FDB = re.compile(r"\s*(\d+)\s+(\d+)\s+([0-9a-f:]{17})\s+\d+\s*")


@dataclass(frozen=True)
class Seen:
    """One device. Every text has passed a type of the model; None is: not told, or not fit to be kept."""

    kind: Kind
    hostname: str | None
    legs: tuple[tuple[str, IPv4Interface], ...]
    """(interface, address), without loopback networks and interfaces that are not the plan's"""
    macs: Mapping[str, str]
    ports: Mapping[str, OvsPort]
    fdb: tuple[tuple[str, int, str], ...]
    """(port, VLAN, Ethernet address) that a bridge has learnt"""
    neighbours: Mapping[str, frozenset[IPv4Address]]
    """addresses by Ethernet address"""
    lldp: Mapping[str, str]
    """name of the system at the other end, by interface"""
    gateways: tuple[IPv4Address, ...]
    """next hops of default routes"""
    running: frozenset[str]
    """services and timers that are active, with their suffix"""
    model: str | None
    serial: str | None
    firmware: str | None
    system: str | None
    """the operating system in its own words"""
    refused: tuple[str, ...] = ()
    """what the device said that no type of the model takes: names of the fields, never their values"""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    """text of configuration files by section, read by :mod:`lienthong.adopt.services`"""


def seen(facts: Facts, beside: tuple[str, ...] = ()) -> Seen:
    """Type what the device said.

    Args:
        beside: interfaces that are not the plan's (the lab's `mgmt0`).

    Raises:
        FactMissing: the answer is not what `look.py` gives.
    """
    try:
        return _seen(facts, beside)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
        raise FactMissing("the device's answer makes no sense", hint="was it changed on its way?") from None


def keep(kind: TypeAdapter[str], value: object) -> str | None:
    """The value if the type takes it as it stands, else None."""
    try:
        return kind.validate_python(value, strict=True)
    except ValidationError:
        return None


def _seen(facts: Facts, beside: tuple[str, ...]) -> Seen:
    refused: list[str] = []

    def kept(what: str, kind: TypeAdapter[str], value: str | None) -> str | None:
        if value is None or value == "" or _UNFILLED.fullmatch(value):
            return None
        found = keep(kind, value)
        if found is None:
            refused.append(what)
        return found

    ports = _ports(facts, refused)
    routes = facts.text("forwarding").strip() == "1"
    dmi = _json(facts, "dmi") or {}
    maker, product = (str(dmi.get(name, "")).strip() for name in ("sys_vendor", "product_name"))
    made = " ".join(part for part in (maker, product) if part and not _UNFILLED.fullmatch(part))
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', facts.text("os"), re.M)
    links = [link for link in _json(facts, "addresses") if link and link["ifname"] not in beside]
    return Seen(
        kind=("gateway" if routes else "switch") if ports or routes else "host",
        hostname=kept("hostname", NODE, facts.text("hostname").strip().split(".")[0]),
        legs=tuple(
            (link["ifname"], IPv4Interface(f"{one['local']}/{one['prefixlen']}"))
            for link in links
            if _named(link["ifname"], refused)
            for one in link.get("addr_info", [])
            if one["family"] == "inet" and not IPv4Address(one["local"]).is_loopback
        ),
        macs={
            link["ifname"]: mac
            for link in links
            if keep(PORT, link["ifname"]) and (mac := keep(MAC, link.get("address")))
        },
        ports=ports,
        fdb=tuple(_fdb(facts)),
        neighbours=_neighbours(_json(facts, "neighbours")),
        lldp=_lldp(_json(facts, "lldp")),
        gateways=tuple(
            dict.fromkeys(IPv4Address(r["gateway"]) for r in _json(facts, "routes") if "gateway" in r)
        ),
        running=frozenset(
            unit for unit, state in parse.units(facts.text("units")).items() if state.active == "active"
        ),
        model=kept("model", TEXT, made),
        serial=kept("serial", CODE, str(dmi.get("product_serial") or dmi.get("chassis_serial") or "")),
        firmware=kept("firmware", TEXT, str(dmi.get("bios_version") or "")),
        system=kept("operating system", TEXT, name[1] if name else None),
        refused=tuple(dict.fromkeys(refused)),
        settings={part: said.out for part, said in facts.sections.items() if said.rc == 0},
    )


def _json(facts: Facts, section: str) -> Any:
    """What a section says; an empty list where it was not run or failed."""
    found = facts.sections.get(section)
    if found is None or found.rc or not found.out.strip():
        return []
    return json.loads(found.out)


def _named(name: str, refused: list[str]) -> bool:
    if name == "lo" or keep(PORT, name) is not None:
        return True
    refused.append("name of an interface")
    return False


def _ports(facts: Facts, refused: list[str]) -> dict[str, OvsPort]:
    tables = [_json(facts, f"ovs_{name}") for name in ("bridges", "ports", "interfaces")]
    if not all(tables):
        return {}
    found = parse.ovs(*tables)
    good = {name: port for name, port in found.items() if port.name != port.bridge and keep(PORT, name)}
    if len(good) < sum(port.name != port.bridge for port in found.values()):
        refused.append("name of a port")
    return good


def _fdb(facts: Facts) -> list[tuple[str, int, str]]:
    section, table = facts.sections.get("fdb"), _json(facts, "ovs_interfaces")
    if section is None or not table:
        return []
    name_of: dict[tuple[str, int], str] = {}
    bridge_of = _ports(facts, [])
    rows = [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
    for row in rows:
        if isinstance(row["ofport"], int) and row["name"] in bridge_of:
            name_of[bridge_of[row["name"]].bridge, row["ofport"]] = row["name"]
    found, bridge = [], ""
    for line in section.out.splitlines():
        if line.startswith("bridge "):
            bridge = line[7:].strip()
        elif (entry := _FDB.fullmatch(line)) and (bridge, int(entry[1])) in name_of:
            found.append((name_of[bridge, int(entry[1])], int(entry[2]), entry[3]))
    return found


def _neighbours(table: Any) -> dict[str, frozenset[IPv4Address]]:
    found: dict[str, set[IPv4Address]] = {}
    for row in table:
        if (mac := keep(MAC, row.get("lladdr"))) and "FAILED" not in row.get("state", []):
            found.setdefault(mac, set()).add(IPv4Address(row["dst"]))
    return {mac: frozenset(addresses) for mac, addresses in found.items()}


def _lldp(told: Any) -> dict[str, str]:
    """`lldpcli -f json0`: one name an interface, and only of interfaces that have one neighbour."""
    found: dict[str, list[str]] = {}
    for part in told.get("lldp", []) if isinstance(told, dict) else []:
        for link in part.get("interface", []):
            for chassis in link.get("chassis", []):
                name = keep(NODE, str(chassis["name"][0]["value"]).split(".")[0])
                if name and keep(PORT, link.get("name")):
                    found.setdefault(link["name"], []).append(name)
    return {port: names[0] for port, names in found.items() if len(names) == 1}
