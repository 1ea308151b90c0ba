"""By what an IOS device is managed, read from its lines; and what of a line the guard asks."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv4Network

from lienthong.platforms import Line, Lines, Reach
from lienthong.platforms.dialects.ios_words import vlan_list

_PORT = re.compile(r"interface (\S+)")
_ANYWHERE = IPv4Network("0.0.0.0/0")
_ALL = frozenset(range(1, 4095))
_FIRST_LINES = "line vty 0 4"
#: A login below this level only looks on.
CONFIGURES = 15


def interfaces(line: Line) -> frozenset[str]:
    """Interfaces named by a line, as its section or as an argument."""
    head = _PORT.fullmatch(line[0])
    if head:
        return frozenset({head[1]})
    return frozenset(re.findall(r"(?:interface|passive-interface|ntp source) (\S+)", line[-1]))


def vlans(line: Line) -> frozenset[int]:
    """VLANs that a line lets a port carry."""
    found = re.fullmatch(r"switchport (?:access|trunk allowed) vlan (\S+)", line[-1])
    return frozenset(vlan_list(found[1])) if found and line[0].startswith("interface ") else frozenset()


def reach(lines: Lines) -> Reach:
    """Addresses, VLANs of ports, routes, SSH with its list and accounts."""
    ports: dict[str, list[str]] = {}
    for line in lines:
        head = _PORT.fullmatch(line[0])
        if head and len(line) == 2:
            ports.setdefault(head[1], []).append(line[1])
    down = {name for name, words in ports.items() if "shutdown" in words}
    open_ports = {
        name: words
        for name, words in ports.items()
        if name not in down and name.partition(".")[0] not in down
    }
    single = {line[0] for line in lines if len(line) == 1}
    return Reach(
        addresses={name: found for name, words in open_ports.items() if (found := _addresses(words))},
        carried={name: vlans for name, words in open_ports.items() if (vlans := _carried(words))},
        tag={name: tag for name, words in open_ports.items() if (tag := _tag(name, words))},
        routes=frozenset(_routes(single)),
        dynamic=any(line[0].startswith(("router ospf ", "router bgp ", "router eigrp ")) for line in lines),
        ssh=_ssh(lines),
        logins=_logins(lines),
        users=frozenset(_users(lines, single)),
        local=_local(lines, single),
    )


def _addresses(words: list[str]) -> tuple[IPv4Interface, ...]:
    found = [re.match(r"ip address ([\d.]+) ([\d.]+)", word) for word in words]
    return tuple(IPv4Interface(f"{one[1]}/{one[2]}") for one in found if one)


def _carried(words: list[str]) -> frozenset[int]:
    if "switchport mode trunk" in words:
        allowed = [word for word in words if word.startswith("switchport trunk allowed vlan ")]
        return frozenset(vlan_list(allowed[0].split()[-1])) if allowed else _ALL
    if any(word.startswith("switchport") for word in words):
        access = [word for word in words if word.startswith("switchport access vlan ")]
        return frozenset({int(access[0].split()[-1]) if access else 1})
    return frozenset()


def _tag(name: str, words: list[str]) -> int:
    found = next((one for one in words if one.startswith("encapsulation dot1Q ")), None)
    if found:
        return int(found.split()[2])
    return int(name[4:]) if re.fullmatch(r"Vlan\d+", name) else 0


def _routes(single: set[str]) -> list[IPv4Network]:
    found = [re.match(r"ip route ([\d.]+) ([\d.]+) ", word) for word in single]
    default = [_ANYWHERE for word in single if word.startswith("ip default-gateway ")]
    return [*default, *(IPv4Network(f"{one[1]}/{one[2]}") for one in found if one)]


def _ssh(lines: Lines) -> bool:
    """Whether the lines for logins take SSH; they do where nothing is said."""
    said = [line[-1].split()[2:] for line in lines if line[0] == _FIRST_LINES and
            line[-1].startswith("transport input ")]  # fmt: skip
    return not said or "ssh" in said[0] or "all" in said[0]


def _logins(lines: Lines) -> tuple[IPv4Network, ...]:
    """Where the list of the lines lets in; one that is not there, or empty, limits nothing."""
    lists = [match[1] for line in lines if line[0] == _FIRST_LINES
             and (match := re.match(r"access-class (\S+) in", line[-1]))]  # fmt: skip
    if not lists:
        return (_ANYWHERE,)
    entries = [line[-1] for line in lines if len(line) == 2 and line[0].startswith("ip access-list ")
               and line[0].split()[-1] == lists[0] and line[-1].startswith(("permit ", "deny "))]  # fmt: skip
    if not entries:
        return (_ANYWHERE,)
    return tuple(network for entry in entries if (network := _network(entry)) is not None)


def _network(entry: str) -> IPv4Network | None:
    found = re.match(r"permit (?:ip |tcp )?(?:host )?(\S+)(?: ([\d.]+))?", entry)
    if found is None:
        return None
    if found[1] == "any":
        return _ANYWHERE
    return IPv4Network(f"{found[1]}/{found[2] or 32}", strict=False)


def _users(lines: Lines, single: set[str]) -> list[str]:
    """Accounts with a key that configure."""
    keyed = {line[1].split()[1] for line in lines if line[0] == "ip ssh pubkey-chain" and len(line) == 3}
    return [name for name in keyed if f"username {name} privilege {CONFIGURES}" in single]


def _local(lines: Lines, single: set[str]) -> bool:
    """Whether the local accounts may log in, at least when nobody else answers."""
    if "aaa new-model" not in single:
        return (_FIRST_LINES, "login") not in lines
    methods = [word.split()[3:] for word in single if word.startswith("aaa authentication login default ")]
    return not methods or "local" in methods[0] or "local-case" in methods[0]
