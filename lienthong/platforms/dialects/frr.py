"""FRR 8.4 by vtysh: what `show running-config` prints is what was typed, but for a few defaults.

Owned are: on interfaces that the plan addresses or shuts, and on those that bear a name only the plan
gives, the commands below; under `router ospf` the commands below, where the plan routes; the BFD profile of
our name; static routes with our tag, and every route to a prefix that the plan routes. All else stays as it
was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Interface, IPv4Network

from lienthong.model.words import VLANS
from lienthong.platforms import Dialect, Line, Lines, Reach
from lienthong.platforms.dialects.leaves import leaves

#: Marks the static routes that the plan owns, so that one it no longer wants can be told from a foreign one.
ROUTE_TAG = 227
PROFILE = "profile lienthong"

#: Names of the architecture: a segment, a site's line at the hub, Central's, a line, a switch port. A section
#: of such a name that the plan no longer has is one that it made and has to take away.
_OURS = re.compile(
    rf"interface (?:vlan(?:{'|'.join(str(vlan) for vlan in sorted(set(VLANS.values())))})"
    r"|t[ab][0-9]{1,4}|tac|tslcd-[a-z]|inet[0-9]|e[0-9]{1,2})"
)
_ON_INTERFACE = ("description ", "ip address ", "ipv6 address ", "ip ospf ", "shutdown")
_ROUTE = ("ip route ", "ipv6 route ")
_ON_OSPF = ("ospf router-id ", "passive-interface ", "redistribute ", "network ", "default-information ")
#: A new value replaces the old one without a moment in between.
_REPLACED = (
    "description",
    "ip ospf authentication",
    "ip ospf bfd profile",
    "ip ospf cost",
    "ip ospf dead-interval",
    "ip ospf hello-interval",
    "ip ospf network",
    "ospf router-id",
    "detect-multiplier",
    "transmit-interval",
    "receive-interval",
)
#: What FRR takes after `no` where it does not take the whole line.
_SHORT_NO = ("description", "ip ospf message-digest-key 1", "ip ospf bfd profile")
_PREAMBLE = ("Building configuration", "Current configuration", "frr version ", "frr defaults ")
_FORWARDING: Line = ("ip forwarding",)


def parse(text: str) -> Lines:
    """The leaves of a running configuration, each under its headings."""
    found = [line for line in leaves(text) if not line[0].startswith(_PREAMBLE)]
    if ("no ip forwarding",) not in found:
        found.append(_FORWARDING)  # on is the default and is not printed
    return tuple(found)


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    head = line[0]
    if line in intended:
        return True
    if head.startswith(_ROUTE):
        return f" tag {ROUTE_TAG}" in head or head.split()[2] in {
            other[0].split()[2] for other in intended if other[0].startswith(_ROUTE)
        }
    if head == "bfd":
        return len(line) > 2 and line[1] == PROFILE
    planned = any(other[0] == head for other in intended)
    left = not planned and _OURS.fullmatch(head) is not None
    if len(line) == 1:
        return left  # a section of which nothing is there but its name
    if len(line) != 2 or not (planned or left):
        return False
    if line[1].startswith("ipv6 address ") and planned:
        # Somebody else's IPv6 stays while the plan has none there.
        return any(other[0] == head and other[-1].startswith("ipv6 address ") for other in intended)
    if head.startswith("interface "):
        return line[1].startswith(_ON_INTERFACE)
    return head == "router ospf" and line[1].startswith(_ON_OSPF)


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """What to type in configuration mode: sections first, each left again; then single lines.

    Within a section what goes is taken away first. Routes are added first, so that a route that only changes
    its next hop is never missing.
    """
    typed: list[str] = []
    headings = dict.fromkeys(line[:-1] for line in (*added, *removed) if len(line) > 1)
    for heading in headings:
        mine = [line[-1] for line in added if line[:-1] == heading]
        gone = [line[-1] for line in removed if line[:-1] == heading]
        if heading == ("bfd", PROFILE) and not mine:
            typed += ["bfd", f"no {PROFILE}", "exit"]
            continue
        replaced = {key for key in map(_key, mine) if key}
        typed += heading
        typed += [_no(line) for line in gone if _key(line) not in replaced]
        typed += mine
        typed += ["exit"] * len(heading)
        if not mine and _OURS.fullmatch(heading[0]) and any(line.startswith("description ") for line in gone):
            # Every section of ours has a description, so this one leaves. Of an interface that is not there
            # any more ospfd keeps its lines whatever `no` says; of one that is there FRR refuses this.
            typed.append(f"no {heading[0]}")
    typed += [line[0] for line in added if len(line) == 1]
    typed += [_no(line[0]) for line in removed if len(line) == 1]
    return tuple(typed)


def interfaces(line: Line) -> frozenset[str]:
    """Interfaces named by a line, as its section or as an argument."""
    words = {word for part in line for word in part.split()[1:]}
    if line[0].startswith("interface "):
        return frozenset({line[0].split()[1]})
    return frozenset(words if line[0].startswith(("ip route ", "router ospf")) else ())


def vlans(line: Line) -> frozenset[int]:  # noqa: ARG001
    """None: FRR switches nothing."""
    return frozenset()


def reach(lines: Lines) -> Reach:
    """Addresses of interfaces that are not shut, and routes; logins are the baseline's."""
    down = {line[0] for line in lines if line[-1] == "shutdown"}
    addresses: dict[str, tuple[IPv4Interface, ...]] = {}
    for line in lines:
        if len(line) == 2 and line[1].startswith("ip address ") and line[0] not in down:
            name = line[0].split()[1]
            addresses[name] = (*addresses.get(name, ()), IPv4Interface(line[1].split()[2]))
    return Reach(
        addresses=addresses,
        carried={},
        tag={},
        routes=frozenset(
            IPv4Network(line[0].split()[2])
            for line in lines
            if line[0].startswith("ip route ") and "/" in line[0]
        ),
        dynamic=any(line[0] == "router ospf" for line in lines),
    )


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """OSPF neighbours that are full; none where ospfd does not run."""
    said = ask("show ip ospf neighbor json")
    try:
        neighbours = json.loads(said[said.index("{") :]).get("neighbors", {})
    except ValueError:
        return frozenset()
    return frozenset(
        f"{one['ifaceName'].partition(':')[0]} ospf {router} full"
        for router, found in neighbours.items()
        for one in found
        if str(one.get("nbrState", one.get("state", ""))).startswith("Full")
    )


def _key(line: str) -> str | None:
    return next((key for key in _REPLACED if line == key or line.startswith(f"{key} ")), None)


def _no(line: str) -> str:
    if line.startswith("no "):
        return line[3:]
    return f"no {next((key for key in _SHORT_NO if line.startswith(f'{key} ')), line)}"


#: vtysh says most refusals with `%`, ospfd some without. That an interface is there and its section cannot be
#: dropped is none: its lines have been taken away one by one, and what were left would be seen afterwards.
ERRORS = (
    r"^%(?! Configuration failed\.\s+Error type: validation\s+Error description: only inactive).*",
    r"^OSPF: Key .*", r"^Must remove .*", r"^Please .*", r"^Invalid .*", r"^Can't .*",
)  # fmt: skip

FRR = Dialect(
    name="frr",
    device_type="cisco_ios",
    account="network",
    show="show running-config",
    errors=ERRORS,
    save="write memory",
    saved="[OK]",
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    reach=reach,
    health=health,
)
