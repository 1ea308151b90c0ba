"""By what a VRP device is managed, read from its lines; and what of a line the guard asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.platforms import Line, Lines, Reach
from lienthong.platforms.dialects.vrp_words import vlan_list
from lienthong.platforms.undo import Rejected

_PORT = re.compile(r"interface (\S+)")
#: A login below this level only looks on ("User Login Configuration Commands", `local-user privilege level`).
CONFIGURES = 3


def interfaces(line: Line) -> frozenset[str]:
    """Interfaces named by a line, as its section or as an argument."""
    head = _PORT.fullmatch(line[0])
    if head:
        return frozenset({head[1]})
    named = re.findall(r"(?:interface|silent-interface|source-interface) (\S+)", line[-1])
    return frozenset(named)


def vlans(line: Line) -> frozenset[int]:
    """VLANs that a line lets a port carry."""
    found = re.fullmatch(r"port (?:default|trunk allow-pass) vlan (.+)", line[-1])
    return (
        frozenset(vlan_list(found[1].split())) if found and line[0].startswith("interface ") else frozenset()
    )


def reach(lines: Lines) -> Reach:
    """Addresses, VLANs of ports, routes, SSH with its list and accounts."""
    down = {line[0].split()[1] for line in lines if line[-1] == "shutdown" and _PORT.fullmatch(line[0])}
    addresses: dict[str, tuple[IPv4Interface, ...]] = {}
    carried: dict[str, frozenset[int]] = {}
    tag: dict[str, int] = {}
    for line in lines:
        head = _PORT.fullmatch(line[0])
        if head is None or len(line) != 2:
            continue
        name = head[1]
        if name in down or name.partition(".")[0] in down:
            continue
        address = re.match(r"ip address (\S+) (\S+)", line[1])
        if address:
            addresses[name] = (*addresses.get(name, ()), IPv4Interface(f"{address[1]}/{address[2]}"))
        termination = re.fullmatch(r"dot1q termination vid (\d+)", line[1])
        if termination:
            tag[name] = int(termination[1])
        elif name.startswith("Vlanif"):
            tag[name] = int(name[6:])
        if vlans(line):
            carried[name] = carried.get(name, frozenset()) | vlans(line)
    single = {line[0] for line in lines if len(line) == 1}
    return Reach(
        addresses=addresses,
        carried=carried,
        tag=tag,
        routes=frozenset(_routes(single)),
        dynamic=any(line[0].startswith("ospf ") for line in lines),
        ssh="stelnet server enable" in single,
        logins=_logins(lines),
        users=frozenset(_users(lines, single)),
        local=_local(lines),
    )


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """Neighbours that are full, by interface. A model without OSPF does not know the command: none."""
    try:
        said = ask("display ospf peer brief")
    except Rejected:
        return frozenset()
    found = re.findall(r"(?m)^ *[\d.]+ +([A-Za-z]\S*) +([\d.]+) +Full *\r?$", said)
    return frozenset(f"{name} ospf {neighbour} full" for name, neighbour in found)


def _routes(single: set[str]) -> list[IPv4Network]:
    found = [re.match(r"ip route-static ([\d.]+) ([\d.]+) ", word) for word in single]
    return [IPv4Network(f"{one[1]}/{one[2]}") for one in found if one]


def _logins(lines: Lines) -> tuple[IPv4Network, ...]:
    """Where the list of the VTY lines lets in; one that is not there or has no rule limits nothing."""
    numbers = [
        found[1]
        for line in lines
        if line[0] == "user-interface vty 0 4"
        for found in [re.fullmatch(r"acl (\S+) inbound", line[-1])]
        if found
    ]
    rules = [
        line[-1]
        for line in lines
        if len(line) == 2 and numbers and line[0].startswith("acl ") and numbers[0] in line[0].split()
        and re.match(r"rule \d+ (?:permit|deny)", line[-1])
    ]  # fmt: skip
    if not rules:
        return (IPv4Network("0.0.0.0/0"),)
    found = [re.fullmatch(r"rule \d+ permit source ([\d.]+) ([\d.]+)", rule) for rule in rules]
    return tuple(_network(one[1], one[2]) for one in found if one)


def _network(address: str, wildcard: str) -> IPv4Network:
    """An address with a wildcard, `0` being the host alone."""
    host = "." not in wildcard or not int(IPv4Address(wildcard))
    return IPv4Network(f"{address}/{'32' if host else wildcard}", strict=False)


def _users(lines: Lines, single: set[str]) -> list[str]:
    """Accounts with a key that configure."""
    keyed = {word.split()[2] for word in single if re.match(r"ssh user \S+ assign \S+ \S+", word)}
    account = {line[-1] for line in lines if line[0] == "aaa" and len(line) == 2}
    return [
        name
        for name in keyed
        if any(re.match(rf"local-user {re.escape(name)} service-type .*\bssh\b", word) for word in account)
        and any(
            found and int(found[1]) >= CONFIGURES
            for word in account
            for found in [re.match(rf"local-user {re.escape(name)} (?:privilege )?level (\d+)", word)]
        )
    ]


def _local(lines: Lines) -> bool:
    """Whether the scheme of the domain of officers ends with the local accounts."""
    scheme = next(
        (line[2].split()[1] for line in lines if line[:2] == ("aaa", "domain default_admin")
         and len(line) == 3 and line[2].startswith("authentication-scheme ")),
        "default",
    )  # fmt: skip
    modes = [line[2].split() for line in lines if line[:2] == ("aaa", f"authentication-scheme {scheme}")
             and len(line) == 3 and line[2].startswith("authentication-mode ")]  # fmt: skip
    return not modes or "local" in modes[0]
