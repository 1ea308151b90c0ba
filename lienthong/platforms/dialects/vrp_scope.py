"""What of a VRP configuration is the plan's to change.

The plan's are: objects whose name begins with `lienthong`; sections whose description ends in the plan's
mark; on sections that it addresses, the commands below; single values that it gives a value of its own
(`sysname`, the ACL of the VTY lines, the attributes of its accounts); lists of servers that it fills (time,
logs, names), as a whole; routes with its tag and to its prefixes; and services that must not run. All else
is foreign.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lienthong.platforms import Line
from lienthong.platforms.dialects.vrp_words import OWN, Mine

#: Marks static routes that the plan owns; also the number of its OSPF process.
TAG = 227

OWN_SECTION = re.compile(
    rf"acl (?:ipv6 )?name {OWN}\S* (?:number )?\S+|ip pool {OWN}\S*|rsa peer-public-key {OWN}\S*"
    rf"|(?:hwtacacs|radius)[- ]server template {OWN}|ospf {TAG}"
)
#: Commands of an interface or port that a section of the plan has for itself.
_ON_INTERFACE = (
    "description ", "ip address ", "ipv6 ", "ospf ", "shutdown", "port link-type ", "port default ",
    "port trunk ", "undo port trunk allow-pass vlan 1", "port-security ", "traffic-filter ", "dhcp select ",
    "dhcp relay ", "dot1q termination vid ", "arp broadcast enable", "nat outbound ", "nat server ",
    "undo portswitch",
)  # fmt: skip
#: Lists of which the plan names every member, where it names one.
_WHOLE = ("ntp-service unicast-server ", "ntp unicast-server ", "info-center loghost ", "dns server ")
#: What a device that is managed by SSH must not serve.
_NEVER = re.compile(
    r"(?:telnet (?:ipv6 )?|http |http secure-|ftp )server enable|ssh server compatible-ssh1x enable"
)
#: A value that takes the place of the one before it: what of the line names the place.
_PLACE = re.compile(
    r"sysname|ssh server-source|header login information|dns domain|snmp-agent acl"
    r"|snmp-agent sys-info version"
    r"|snmp-agent group v3 \S+|snmp-agent usm-user v3 \S+ (?:group|authentication-mode|privacy-mode)"
    r"|ssh user \S+ (?:authentication-type|assign|service-type)|ntp(?:-service)? source-interface"
    r"|local-user \S+ (?:password|privilege level|level|service-type)"
    r"|description|ip address(?! .* sub$)|ospf (?:cost|timer hello|network-type|authentication-mode|enable)"
    r"|ospf bfd min-tx-interval|port link-type|port default vlan|port-security (?:max-mac-num|maximum)"
    r"|traffic-filter (?:inbound (?:ipv6 )?acl|acl(?: ipv6)?)|dhcp select|dot1q termination vid"
    r"|authentication-mode|authentication-scheme|(?:hwtacacs|radius)[- ]server(?= \S+$)"
    r"|idle-timeout|protocol inbound|user privilege level|acl(?= \S+ inbound)|router-id|gateway-list|network"
    r"|rule \d+ description|rule \d+|ip route-static \S+ \S+ \S+|ipv6 route-static \S+ \S+ \S+"
)


def place(word: str) -> str | None:
    """What a single value stands in the place of; None for a member of a list, which replaces nothing."""
    found = _PLACE.match(word)
    if found is None or (found.end() < len(word) and word[found.end()] != " "):
        return None
    return found[0]


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    if line in intended:
        return True
    head = line[0]
    if OWN_SECTION.fullmatch(head):
        return True
    heads, places, routes = _seen(intended)
    if len(line) == 1:
        return _owns_global(head, places, routes)
    if head.startswith("interface "):
        if isinstance(head, Mine) and head not in heads:
            return _whole(head) or line[1].startswith(_ON_INTERFACE)
        return head in heads and len(line) == 2 and line[1].startswith(_ON_INTERFACE)
    if head.startswith("vlan "):
        return (isinstance(head, Mine) or head in heads) and line[-1].startswith(("description ", "name "))
    if head == "aaa" and len(line) == 3 and line[1] == f"authentication-scheme {OWN}":
        return True
    if re.fullmatch(rf"(?:hwtacacs|radius)[- ]server {OWN}", line[-1]):
        return True  # it asks a template of ours
    spot = place(line[-1])
    return spot is not None and (*line[:-1], spot) in places


def _owns_global(word: str, places: frozenset[Line], routes: frozenset[str]) -> bool:
    if word.startswith(("ip route-static ", "ipv6 route-static ")):
        return f" tag {TAG}" in word or _prefix(word) in routes
    if word.startswith("vlan batch ") or re.fullmatch(r"vlan \d+|interface \S+", word):
        return isinstance(word, Mine)
    if word.startswith("traffic-filter ") and f" acl name {OWN}" in word:
        return True
    if _NEVER.fullmatch(word):
        return True
    if word.startswith(_WHOLE):
        return any(word.startswith(spot[0]) for spot in places if spot[0].endswith(" "))
    spot = place(word)
    return spot is not None and (spot,) in places


def _whole(head: str) -> bool:
    """A section that is taken away altogether when the plan wants it no longer."""
    return re.fullmatch(r"interface (?:Vlanif\d+|LoopBack\d+|\S+\.\d+)", head) is not None


def _prefix(word: str) -> str:
    return " ".join(word.split()[:4])


@lru_cache(maxsize=8)
def _seen(intended: frozenset[Line]) -> tuple[frozenset[str], frozenset[Line], frozenset[str]]:
    """(headings, places of single values and beginnings of whole lists, prefixes of routes)"""
    heads = frozenset(line[0] for line in intended if len(line) > 1)
    places: set[Line] = set()
    routes: set[str] = set()
    for line in intended:
        spot = place(line[-1])
        if spot is not None:
            places.add((*line[:-1], spot))
        if len(line) == 1:
            places |= {(whole,) for whole in _WHOLE if line[0].startswith(whole)}
            if "route-static " in line[0]:
                routes.add(_prefix(line[0]))
    return heads, frozenset(places), frozenset(routes)
