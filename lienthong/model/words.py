"""The closed vocabularies of a site, and the string types a value of the inventory may have.

A value of the inventory can never become a line of configuration, a shell command or a template:
every free text goes through :data:`Text`, every name through :data:`Slug`.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Strict, StringConstraints, WithJsonSchema


class Side(StrEnum):
    """One of the two networks of a site that never meet."""

    WAN = "wan"
    NET = "net"


class Zone(StrEnum):
    """What a segment is for; the policy matrix speaks of zones."""

    USERS = "users"
    SERVERS = "servers"
    CONFERENCE = "conference"
    SCAN = "scan"
    MANAGEMENT = "management"
    BACKUP = "backup"
    DMZ = "dmz"
    WIFI = "wifi"


class Role(StrEnum):
    """What a device does in the network of a site."""

    GATEWAY = "gateway"
    SWITCH = "switch"


class UplinkKind(StrEnum):
    """Where a line of a gateway leads to."""

    TSLCD = "tslcd"
    LEASED = "leased"
    INTERNET = "internet"


#: Lines of the WAN side: they lead to the office, and get their addresses from the site's number.
WAN_LINES = frozenset({UplinkKind.TSLCD, UplinkKind.LEASED})


class Importance(StrEnum):
    """How much is lost with an asset."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AssetState(StrEnum):
    """Where an asset stands in its life."""

    IN_USE = "in-use"
    SPARE = "spare"
    REPAIR = "repair"
    RETIRED = "retired"


class Reach(StrEnum):
    """From where a system may be reached, seen from the site it stands in."""

    OWN = "own"
    OFFICE = "office"
    ALL = "all"


class Target(StrEnum):
    """Where a verb acts. Lab and live are never confused."""

    LAB = "lab"
    LIVE = "live"


#: VLAN id of every zone on each side (mission: the matrix). 999 is the parking VLAN.
VLANS: dict[tuple[Side, Zone], int] = {
    (Side.WAN, Zone.USERS): 10,
    (Side.WAN, Zone.SERVERS): 20,
    (Side.WAN, Zone.CONFERENCE): 30,
    (Side.WAN, Zone.SCAN): 35,
    (Side.WAN, Zone.MANAGEMENT): 40,
    (Side.WAN, Zone.BACKUP): 50,
    (Side.NET, Zone.USERS): 100,
    (Side.NET, Zone.DMZ): 110,
    (Side.NET, Zone.WIFI): 120,
    (Side.NET, Zone.MANAGEMENT): 140,
    (Side.NET, Zone.BACKUP): 150,
}
PARKING_VLAN = 999

# Markers of templates, shells, formats and vendor comments that no honest name of a place needs.
_FORBIDDEN = re.compile(r"[\"'`\\$%{}<>|;&^~!#?*\[\]]")
#: Marks on one letter beyond what NFC composes; Vietnamese needs none of them.
MOST_MARKS = 3
_FLOOD = re.compile("m" * (MOST_MARKS + 1))
#: Bidirectional controls, and letters that are written from the right (UAX 9): both move their neighbours.
_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "R", "AL"}


#: What nearly every text is made of; anything else takes the long way and learns what is wrong with it.
#: The two ranges are precomposed Latin letters, which NFC leaves alone; Vietnamese is written in them.
_EDGE = r"A-Za-z0-9.,/()+=@:_\-À-ɏḀ-ỿ"
_USUAL = re.compile(f"[{_EDGE}](?:[{_EDGE} ]*[{_EDGE}])?")


def _plain(value: str) -> str:
    return value if _USUAL.fullmatch(value) else _checked(value)


def _checked(value: str) -> str:
    """What stands for a sign (U+037E for `;`, U+FF5B for `{`) is judged as that: some output is in ASCII."""
    value = unicodedata.normalize("NFC", value)
    for char in value:
        if unicodedata.bidirectional(char) in _BIDI:
            raise ValueError(
                f"character U+{ord(char):04X}, which turns the direction of text, is not allowed"
            )
        if (
            char != " " and not char.isprintable()
        ):  # controls, blanks of other kinds, what Unicode has not given
            raise ValueError(f"character U+{ord(char):04X} is not allowed in a text")
    found = _FORBIDDEN.search(unicodedata.normalize("NFKC", value))
    if found:
        raise ValueError(f"character {found.group()!r} is not allowed in a text")
    if value != value.strip():
        raise ValueError("a text neither begins nor ends with a space")
    if _FLOOD.search("".join("m" if unicodedata.combining(c) else "." for c in value)):
        raise ValueError(f"no letter has more than {MOST_MARKS} marks")
    return value


#: One line of human text: letters of any script that is written from the left, digits, spaces and
#: `. , : / ( ) + - _ = @`.
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120),
    AfterValidator(_plain),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 120,
            "pattern": r"^(?! )[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069"
            r"\"'`\\$%{}<>|;&^~!#?*\[\]]*[^ ]$",
        }
    ),
]

#: A name that is also a host name label (RFC 1123), at most 20 characters so that ids stay short.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")]

#: A role handed over by Central, and a variable of it, as Ansible names them.
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

#: An interface name as Linux allows it, at most 15 characters.
PortName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,13}[a-z0-9]$")]

#: What a device calls one of its ports, e.g. `GigabitEthernet1/0/1`, `ge-0/0/0`, `ether1`, `port1`.
SocketName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9/.:-]{0,39}$")]

#: A room: `building/room`, both slugs of the same site.
RoomRef = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?/[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")
]

#: A serial number or an asset code: no spaces, at most 40 characters.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,39}$")]

#: An Ethernet address, lower case, with colons (IEEE 802).
Mac = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]

#: An absolute path on a system: no spaces, no `..`, nothing a shell would read.
AbsolutePath = Annotated[
    str, StringConstraints(pattern=r"^(/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$", max_length=200)
]

#: A DNS domain, lower case.
Domain = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$", max_length=120)
]


def _written(value: object) -> object:
    if isinstance(value, int | float | bytes):
        raise ValueError("an address is written with its dots or colons, e.g. 10.0.0.1 or fd00::1")
    return value


#: Pydantic alone would read `true` as 1, `"5"` as 5 and the address `5` as 0.0.0.5.
Int = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Address4 = Annotated[IPv4Address, BeforeValidator(_written)]
Address6 = Annotated[IPv6Address, BeforeValidator(_written)]
Interface4 = Annotated[IPv4Interface, BeforeValidator(_written)]
Interface6 = Annotated[IPv6Interface, BeforeValidator(_written)]
Network4 = Annotated[IPv4Network, BeforeValidator(_written)]
Network6 = Annotated[IPv6Network, BeforeValidator(_written)]
