"""Parsers of what commands print; each takes text or JSON and gives a typed value. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any


@dataclass(frozen=True)
class Listener:
    """A socket that waits for others."""

    proto: str
    address: str
    """`*` for any; an interface bound to is kept: `0.0.0.0%vlan10`"""
    port: int
    process: str
    """name of the program, empty if the kernel's own"""

    @property
    def local(self) -> bool:
        """Only the system itself can reach it."""
        bare, _, interface = self.address.partition("%")
        return bare.startswith("127.") or bare in {"[::1]", "::1"} or interface == "lo"


@dataclass(frozen=True)
class Unit:
    """A unit as systemd sees it now."""

    load: str
    active: str
    sub: str


@dataclass(frozen=True)
class Account:
    """An account; `state` is what its password is: `locked`, `empty` or `set`."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    state: str
    keys: tuple[str, ...]
    """options and type of each key that opens it"""

    @property
    def may_log_in(self) -> bool:
        """A person or a program can get a session by it."""
        closed = self.shell.rsplit("/", 1)[-1] in {"nologin", "false", "sync"}
        return not closed and (self.state != "locked" or bool(self.keys))


@dataclass(frozen=True)
class Certificate:
    """A certificate file of the tool's own CA."""

    path: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    ends: datetime


@dataclass(frozen=True)
class TimeSource:
    """A server that chronyd asks; `state` is `*` for the one it follows."""

    mode: str
    state: str
    address: str
    reach: int


@dataclass(frozen=True)
class Time:
    """chronyd's own account of itself."""

    stratum: int
    reference: str
    offset_s: float
    leap: str
    sources: tuple[TimeSource, ...]


@dataclass(frozen=True)
class TimeProof:
    """How chronyd makes sure that an answer is a server's; `mode` is `NTS`, `SK` (a symmetric key) or `-`."""

    address: str
    mode: str
    cookies: int
    """what it has left to ask with, of eight (RFC 8915, 5.7)"""


@dataclass(frozen=True)
class OvsPort:
    """A port of an Open vSwitch bridge with what decides who may use it."""

    name: str
    bridge: str
    tag: int | None
    trunks: frozenset[int]
    mode: str | None
    up: bool
    internal: bool


def sshd(text: str) -> dict[str, str]:
    """`sshd -T`."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            found[word.lower()] = f"{found[word.lower()]} {rest}" if word.lower() in found else rest
    return found


def sysctl(text: str) -> dict[str, str]:
    """`sysctl -a`."""
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    return {name.strip(): value.strip() for name, value in pairs}


def units(text: str) -> dict[str, Unit]:
    """`systemctl list-units --plain --no-legend`."""
    found = {}
    for line in text.splitlines():
        parts = line.replace("●", " ").split(None, 4)
        if len(parts) >= 4:
            found[parts[0]] = Unit(*parts[1:4])
    return found


def listeners(text: str) -> tuple[Listener, ...]:
    """`ss -H -lntup`; raw sockets are not among them."""
    found = set()
    for line in text.splitlines():
        parts = line.split(None, 6)
        if len(parts) < 6:
            continue
        address, _, port = parts[4].rpartition(":")
        if not port.isdigit():
            continue
        program = re.search(r'\(\("([^"]*)"', parts[6]) if len(parts) > 6 else None
        found.add(Listener(parts[0], address, int(port), program.group(1) if program else ""))
    return tuple(sorted(found, key=lambda seen: (seen.proto, seen.port, seen.address, seen.process)))


def accounts(passwd: str, shadow: str, keys: str) -> tuple[Account, ...]:
    """`/etc/passwd` with the collector's digests of `/etc/shadow` and of the authorised keys."""
    states = {
        parts[0]: parts[1] for parts in (line.split(":") for line in shadow.splitlines()) if len(parts) > 1
    }
    opened: dict[str, list[str]] = {}
    for line in keys.splitlines():
        name, kind, options = line.split("\t", 2)
        opened.setdefault(name, []).append(f"{kind} {options}".strip())
    found = []
    for line in passwd.splitlines():
        parts = line.split(":")
        if len(parts) == 7:
            name, _, uid, gid, _, home, shell = parts
            state = states.get(name, "locked")
            found.append(Account(name, int(uid), int(gid), home, shell, state, tuple(opened.get(name, ()))))
    return tuple(found)


def certificates(text: str) -> tuple[Certificate, ...]:
    """The collector's lines, each with what openssl printed of a certificate."""
    found = []
    for line in text.splitlines():
        seen = json.loads(line)
        fields = dict(part.split("=", 1) for part in seen["text"].splitlines() if re.match(r"^\w+=", part))
        names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", seen["text"])
        ends = datetime.strptime(fields["notAfter"], "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
        found.append(
            Certificate(seen["path"], fields.get("subject", ""), fields.get("issuer", ""), tuple(names), ends)
        )
    return tuple(found)


def time(tracking: str, sources: str) -> Time:
    """`chronyc -c tracking` and `chronyc -c sources`."""
    parts = tracking.strip().split(",")
    found = []
    for line in sources.splitlines():
        row = line.split(",")
        if len(row) > 5:
            found.append(TimeSource(row[0], row[1], row[2], int(row[5], 8)))
    return Time(int(parts[2]), parts[1], float(parts[4]), parts[-1], tuple(found))


def time_proofs(text: str) -> tuple[TimeProof, ...]:
    """`chronyc -c authdata`."""
    rows = (line.split(",") for line in text.splitlines())
    return tuple(TimeProof(row[0], row[1], int(row[8])) for row in rows if len(row) > 8)


def ovs(bridges: Any, ports: Any, interfaces: Any) -> dict[str, OvsPort]:
    """Three tables as `ovs-vsctl -f json list` gives them."""
    owner: dict[str, str] = {}
    for bridge in _rows(bridges):
        for uuid in _set(bridge["ports"]):
            owner[str(uuid)] = str(bridge["name"])
    states = {str(row["name"]): row for row in _rows(interfaces)}
    found = {}
    for port in _rows(ports):
        name = str(port["name"])
        interface = states.get(name, {})
        tags, modes = _set(port["tag"]), _set(port["vlan_mode"])
        found[name] = OvsPort(
            name=name,
            bridge=owner.get(str(port["_uuid"]), ""),
            tag=int(tags[0]) if tags else None,
            trunks=frozenset(int(vlan) for vlan in _set(port["trunks"])),
            mode=str(modes[0]) if modes else None,
            up=interface.get("admin_state") == "up",
            internal=interface.get("type") == "internal",
        )
    return found


def _rows(table: Any) -> list[dict[str, Any]]:
    return [
        {name: _plain(value) for name, value in zip(table["headings"], row, strict=True)}
        for row in table["data"]
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
        return value[1]
    return value


def _set(value: Any) -> list[Any]:
    """OVSDB writes a set of one as the value itself."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "set":
        return [_plain(item) for item in value[1]]
    return [value]


def ospf_neighbours(seen: Any) -> list[dict[str, Any]]:
    """`show ip ospf neighbor json`; a list of neighbours in place of a mapping by router id."""
    if not isinstance(seen, dict):
        return []
    table = seen.get("neighbors", seen)
    return [dict(entry, routerId=router) for router, entries in table.items() for entry in entries]


def within(address: str, networks: tuple[Any, ...]) -> bool:
    """Whether an address (with or without a length) lies in one of some networks."""
    if ":" in address:
        return False
    bare = IPv4Address(address.split("/")[0])
    return any(bare in network for network in networks)
