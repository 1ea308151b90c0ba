"""Junos: which lines of a device are the plan's to change.

Owned are ports, legs, VLANs, routes, lines of OSPF, servers and accounts that the plan names, single values
it gives, and all that is called `lienthong…`. Servers of others stay, and so does a port or route that the
plan no longer has. What the device adds by itself (`uid` of an account) and what it lets a port have beside
(`storm-control`, `ether-options`) is nobody's business here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lienthong.model.words import PARKING_VLAN, VLANS
from lienthong.platforms import Line

_IDS = "|".join(str(one) for one in sorted({*VLANS.values(), PARKING_VLAN}))
_OURS = re.compile(
    rf"set (?:vlans vlan(?:{_IDS}) (?:vlan-id|description|l3-interface) "
    r"|firewall family inet6? filter lienthong-|policy-options prefix-list lienthong-"
    r"|access address-assignment pool lienthong-|system services dhcp-local-server group lienthong-"
    r"|forwarding-options dhcp-relay (?:server-)?group lienthong-"
    r"|system login class lienthong |system authentication-order "
    r"|snmp (?:v3 usm local-engine user lienthong |v3 vacm \S+(?: \S+)* lienthong |view lienthong )"
    r"|system (?:host-name|domain-name|login message) |system services (?:telnet|ftp|web-management http)\b"
    r"|system services ssh (?:protocol-version|root-login) "
    r"|security forwarding-options family (?:mpls|inet6) mode "
    r"|interfaces lo0 unit 0 family inet6? filter input )"
)
#: A line is owned where the plan has one of the same place: the same pattern with the same groups.
_PLACES = tuple(
    re.compile(one)
    for one in (
        r"set interfaces (\S+) (?:description |disable$|(?:flexible-)?vlan-tagging$|native-vlan-id "
        r"|unit 0 (?:description |family ethernet-switching(?:$| interface-mode | vlan )))",
        r"set interfaces (?!lo0 )(\S+) unit (\d+) (?:description |disable$|vlan-id "
        r"|family inet6? (?:address |filter input |dhcp))",
        r"set interfaces (lo0) unit 0 family inet (address) ",
        r"set routing-options (?:rib inet6\.0 )?static route (\S+) ",
        r"set (routing-options router-id) ",
        r"set protocols ospf area \S+ interface (\S+)(?: |$)",
        r"set system login user (\S+) (?:class|authentication) ",
        r"set switch-options interface (\S+) interface-mac-limit ",
        r"set system ((?:tacplus|radius)-server \S+) (?:secret|source-address) ",
        r"set system syslog host (\S+) [a-z-]+ "
        r"(?:any|emergency|alert|critical|error|warning|notice|info|none)$",
        r"set system (syslog|ntp) source-address ",
    )
)


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    return (
        line in intended
        or _OURS.match(line[0]) is not None
        or not _places(line[0]).isdisjoint(_named(intended))
    )


def _places(text: str) -> frozenset[tuple[object, ...]]:
    found = ((number, pattern.match(text)) for number, pattern in enumerate(_PLACES))
    return frozenset((number, *match.groups()) for number, match in found if match)


@lru_cache(maxsize=8)
def _named(intended: frozenset[Line]) -> frozenset[tuple[object, ...]]:
    return frozenset(place for line in intended for place in _places(line[0]))
