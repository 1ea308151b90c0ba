"""By what a Junos device is managed, read from its lines; and what of a line the guard asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Interface, IPv4Network

from lienthong.platforms import Line, Lines, Reach

_OPEN = IPv4Network("0.0.0.0/0")
_LO0 = re.compile(r"set interfaces lo0 unit 0 family inet filter input (\S+)$")
#: Classes whose users may configure ("Login Classes Overview", User Access and Authentication Guide).
_CONFIGURES = "super-user|lienthong"


def interfaces(line: Line) -> frozenset[str]:
    """The interface that a line is about, with its unit where it is a leg."""
    found = re.match(
        r"set (?:interfaces|switch-options interface|protocols \S+ area \S+ interface) "
        r"([^\s.]+)(?:(?: unit |\.)(\d+))?(?: |$)",
        line[0],
    )
    if not found:
        return frozenset()
    return frozenset({found[1], f"{found[1]}.{found[2]}"} if found[2] else {found[1]})


def vlans(line: Line) -> frozenset[int]:
    """The VLAN that a line puts on a port."""
    found = re.search(r"(?: vlan members vlan|^set interfaces \S+ unit \d+ vlan-id )(\d+)$", line[0])
    return frozenset({int(found[1])} if found else ())


def reach(lines: Lines) -> Reach:
    """Legs that are up, VLANs of open ports and of units, and who may come in by SSH."""
    texts = [line[0] for line in lines]
    down = {found[1] for found in _all(r"set interfaces (\S+(?: unit \d+)?) disable$", texts)}
    ids = {found[1]: int(found[2]) for found in _all(r"set vlans (\S+) vlan-id (\d+)$", texts)}
    tag = {f[2]: ids[f[1]] for f in _all(r"set vlans (\S+) l3-interface (\S+)$", texts) if f[1] in ids}
    addresses: dict[str, tuple[IPv4Interface, ...]] = {}
    carried: dict[str, frozenset[int]] = {}
    for leg in _all(
        r"set interfaces (\S+) unit (\d+) (?:family inet address ([\d./]+)|vlan-id (\d+)$)", texts
    ):
        name = f"{leg[1]}.{leg[2]}"
        if {leg[1], f"{leg[1]} unit {leg[2]}"} & down:
            continue
        if leg[3]:
            addresses[name] = (*addresses.get(name, ()), IPv4Interface(leg[3]))
        else:
            tag[name] = int(leg[4])
            carried[leg[1]] = carried.get(leg[1], frozenset()) | {int(leg[4])}
    for port in _all(r"set interfaces (\S+) unit 0 family ethernet-switching vlan members (\S+)$", texts):
        if not {port[1], f"{port[1]} unit 0"} & down:
            number = ids.get(port[2], int(port[2]) if port[2].isdigit() else 0)
            carried[port[1]] = carried.get(port[1], frozenset()) | {number}
    known = {found[1] for found in _all(r"set system login user (\S+) authentication ", texts)}
    users = {found[1] for found in _all(rf"set system login user (\S+) class (?:{_CONFIGURES})$", texts)}
    route = r"set routing-options static route (\d\S+) (?:qualified-)?next-hop "
    return Reach(
        addresses, carried, tag,
        frozenset(IPv4Network(found[1]) for found in _all(route, texts)),
        any(True for _ in _all(r"set protocols ospf area \S+ interface \S+ (?!passive$)", texts)),
        ssh=any(re.match(r"set system services ssh\b", one) for one in texts),
        logins=tuple(_logins(texts)), users=frozenset(users & known),
        # Whatever the authentication order says: when no server answers, passwords are looked up locally
        # (Juniper, Authentication Order for RADIUS, TACACS+, and Local Password).
        local=True,
    )  # fmt: skip


def _all(pattern: str, texts: Iterable[str]) -> Iterator[re.Match[str]]:
    compiled = re.compile(pattern)
    return (found for one in texts if (found := compiled.match(one)))


def _logins(texts: Sequence[str]) -> Iterator[IPv4Network]:
    """Sources of the terms that let SSH in, where a filter stands before the device."""
    applied = next((found[1] for one in texts if (found := _LO0.match(one))), None)
    if applied is None:
        yield _OPEN
        return
    terms: dict[str, list[str]] = {}
    for found in _all(rf"set firewall family inet filter {re.escape(applied)} term (\S+) (.+)", texts):
        terms.setdefault(found[1], []).append(found[2])
    for said in terms.values():
        if _lets_ssh_in(said):
            yield from _sources(said, texts)


def _lets_ssh_in(said: Sequence[str]) -> bool:
    def values(kind: str) -> list[str]:
        return [found[1] for found in _all(rf"from {kind} (\S+)", said)]

    ports, protocols = values("(?:destination-)?port"), values("protocol")
    return (
        "then accept" in said
        and set(protocols) <= {"tcp", "6"}
        and (not ports or any(_is_ssh(port) for port in ports))
        and not any(re.match(r"from (?:tcp-established|source-port|icmp-type)", one) for one in said)
    )


def _is_ssh(port: str) -> bool:
    low, _, high = port.partition("-")
    return port == "ssh" or (low.isdigit() and int(low) <= 22 <= int(high if high.isdigit() else low))


def _sources(said: Sequence[str], texts: Sequence[str]) -> list[IPv4Network]:
    """Networks of a term, less those it leaves out; all where it names none."""
    named = [(found[1], bool(found[2])) for found in _all(r"from source-address ([\d./]+)( except)?$", said)]
    for listed in _all(r"from source-prefix-list (\S+)( except)?$", said):
        entry = rf"set policy-options prefix-list {re.escape(listed[1])} (\d[\d./]+)$"
        named += [(found[1], bool(listed[2])) for found in _all(entry, texts)]
    left = [IPv4Network(net) for net, without in named if not without] or [_OPEN]
    for gone in (IPv4Network(net) for net, without in named if without):
        left = [part for net in left for part in _less(net, gone)]
    return left


def _less(net: IPv4Network, gone: IPv4Network) -> Iterable[IPv4Network]:
    if gone.subnet_of(net):
        return () if gone == net else net.address_exclude(gone)
    return () if net.subnet_of(gone) else (net,)


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """Neighbours of OSPF that are full; a device without OSPF says that it has none."""
    said = ask("show ospf neighbor")
    rows = re.findall(r"^(\d[\d.]+)\s+(\S+)\s+Full\s", said, re.MULTILINE)
    return frozenset(f"{interface} ospf {address} full" for address, interface in rows)
