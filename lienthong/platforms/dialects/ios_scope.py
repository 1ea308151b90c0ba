"""What of an IOS configuration is the plan's to change.

The plan's are: objects whose name begins with `lienthong`; interfaces whose description ends in the plan's
mark, and VLANs that bear such a name; on sections that it addresses, the commands below; single values that
it gives a value of its own (`hostname`, what the lines take, the attributes of its accounts); lists of
servers that it fills (time, logs, names), as a whole; routes with its tag and to its prefixes. All else is
foreign, also a community of SNMP: it is a secret, so it cannot be taken away without being shown.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lienthong.platforms import Line
from lienthong.platforms.dialects.ios_words import OWN, Mine

#: Marks static routes that the plan owns; also the number of its OSPF process.
TAG = 227

OWN_SECTION = re.compile(
    rf"ip access-list (?:standard|extended) {OWN}-\S+|ipv6 access-list {OWN}-\S+|ip dhcp pool {OWN}-\S+"
    rf"|(?:tacacs|radius) server {OWN}-\S+|aaa group server \S+ {OWN}|router ospf {TAG}"
)
#: Commands of an interface or port that a section of the plan has for itself.
_ON_INTERFACE = (
    "description ", "ip address ", "ipv6 address ", "ip ospf ", "shutdown", "switchport ",
    "encapsulation dot1Q ", "ip access-group ", "ipv6 traffic-filter ", "ip helper-address ",
    "ip nat inside", "ip nat outside", "bfd interval ", "spanning-tree portfast", "spanning-tree bpduguard ",
)  # fmt: skip
#: Lists of which the plan names every member, where it names one.
_WHOLE = ("ntp server ", "logging host ", "ip name-server ")
#: A value that takes the place of the one before it: what of the line names the place.
_PLACE = re.compile(
    r"hostname|ip domain name|banner login|aaa authentication login \S+|aaa authorization exec \S+"
    r"|ip ssh version|ip http (?:secure-)?server|username \S+ (?:privilege|secret|password)"
    r"|ip default-gateway|logging source-interface|ntp source|snmp-server group \S+ v3"
    r"|snmp-server user \S+ \S+ v3|ip route \S+ \S+ \S+|ipv6 route \S+ \S+"
    rf"|ip nat inside source list {OWN}-nat"
    r"|description|ip address(?! .* secondary$)|encapsulation dot1Q"
    r"|ip ospf (?:cost|network|hello-interval|authentication|\d+)"
    r"|bfd interval|switchport mode|switchport access vlan|switchport trunk (?:allowed|native) vlan"
    r"|switchport port-security (?:maximum|violation)|exec-timeout|transport input|login authentication"
    r"|name|router-id|network|default-router|dns-server|address ipv4|key"
)
#: The same where what names the place stands at the end: an interface has one list a direction.
_DIRECTED = re.compile(r"(ip access-group|ipv6 traffic-filter|access-class) \S+ (in|out)(?: vrf-also)?")
_ON_OSPF = ("router-id ", "passive-interface ", "no passive-interface ", "network ")
_OSPF = f"router ospf {TAG}"


def place(word: str) -> str | None:
    """What a single value stands in the place of; None for a member of a list, which replaces nothing."""
    word = word.removeprefix("no ")
    directed = _DIRECTED.fullmatch(word)
    if directed:
        return f"{directed[1]} {directed[2]}"
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
        # Above a process or a list of the plan nothing is anybody else's, but timers of a process may be.
        return head != _OSPF or line[-1].startswith(_ON_OSPF)
    heads, places, routes, keyed = _seen(intended)
    if len(line) == 1:
        return _owns_global(head, places, routes)
    if head.startswith("interface "):
        return _owns_on_interface(line, heads, intended)
    if head.startswith("vlan "):
        return (isinstance(head, Mine) or head in heads) and line[-1].startswith("name ")
    if head == "ip ssh pubkey-chain":
        return line[:-1] in keyed
    spot = place(line[-1])
    return spot is not None and (*line[:-1], spot) in places


def _owns_on_interface(line: Line, heads: frozenset[str], intended: frozenset[Line]) -> bool:
    head = line[0]
    if isinstance(head, Mine) and head not in heads:
        return whole(head) or line[1].startswith(_ON_INTERFACE)
    if head not in heads or len(line) != 2 or not line[1].startswith(_ON_INTERFACE):
        return False
    if line[1].startswith("ipv6 address "):
        # Somebody else's IPv6 stays while the plan has none there.
        return any(one[0] == head and one[-1].startswith("ipv6 address ") for one in intended)
    return True


def _owns_global(word: str, places: frozenset[Line], routes: frozenset[str]) -> bool:
    if re.match(r"ip route (?!vrf )|ipv6 route (?!vrf )", word):
        return f" tag {TAG}" in word or prefix(word) in routes
    if re.match(r"vlan \d+$|ip dhcp excluded-address ", word):
        return isinstance(word, Mine)
    if word.startswith((f"ip nat inside source list {OWN}-nat ", f"snmp-server group {OWN}-")):
        return True
    if re.match(rf"snmp-server user \S+ {OWN}-\S+ v3", word):
        return True
    if word.startswith(_WHOLE):
        return any(word.startswith(spot[0]) for spot in places if spot[0].endswith(" "))
    spot = place(word)
    return spot is not None and (spot,) in places


def whole(head: str) -> bool:
    """A section that is taken away altogether when the plan wants it no longer."""
    return re.fullmatch(r"interface (?:Vlan\d+|Loopback\d+|\S+\.\d+)", head) is not None


def prefix(word: str) -> str:
    """What of a route says where it leads."""
    return " ".join(word.split()[: 4 if word.startswith("ip ") else 3])


@lru_cache(maxsize=8)
def _seen(
    intended: frozenset[Line],
) -> tuple[frozenset[str], frozenset[Line], frozenset[str], frozenset[Line]]:
    """(headings, places of single values and beginnings of whole lists, prefixes of routes, users' keys)"""
    heads = frozenset(line[0] for line in intended if len(line) > 1)
    places: set[Line] = set()
    routes: set[str] = set()
    keyed: set[Line] = set()
    for line in intended:
        spot = place(line[-1])
        if spot is not None:
            places.add((*line[:-1], spot))
        if len(line) == 1:
            places |= {(start,) for start in _WHOLE if line[0].startswith(start)}
            if re.match(r"ip(?:v6)? route ", line[0]):
                routes.add(prefix(line[0]))
        elif line[0] == "ip ssh pubkey-chain":
            keyed.add(line[:-1])
    return heads, frozenset(places), frozenset(routes), frozenset(keyed)
