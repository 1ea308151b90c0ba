"""Everything that a conference endpoint with a software of its own is told, in one value.

Neutral of any maker: the lines of Cisco RoomOS and the files that Yealink and Poly fetch come from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.model.secret import SecretRef

#: What would end a value in one of the three forms: a quote, an escape, markup, a comment, a new line.
_ENDS = frozenset("\"'\\<>&#%;")


@dataclass(frozen=True)
class Dscp:
    """Marks of what an endpoint sends (RFC 4594): decimal, as all three makers write them."""

    audio: int = 46
    """EF"""
    video: int = 34
    """AF41"""
    signalling: int = 24
    """CS3"""


@dataclass(frozen=True)
class EndpointWanted:
    """One endpoint. Neutral values only: no maker's word, no default of one."""

    node: str
    platform: str
    model: str | None
    mac: str | None
    """Lower case, with colons; needed where the endpoint fetches its file by it."""
    display: str
    """What the others see when it calls."""
    number: str
    """Dialled by the others, and the name of its account at the registrar."""
    realm: str
    """Domain of the address `number@realm`, which is also the realm of the digest (RFC 3261)."""
    password: SecretRef
    registrar: IPv4Address | None
    """None while nobody runs one: the endpoint then has no telephony at all."""
    address: IPv4Interface
    gateway: IPv4Address
    domain: str
    """DNS domain that it completes names with."""
    resolvers: tuple[IPv4Address, ...]
    ntp: tuple[IPv4Address, ...]
    syslog: tuple[IPv4Address, ...]
    networks: tuple[IPv4Network, ...]
    """From where it may be managed."""
    rtp: tuple[int, int]
    """First and last UDP port of media: what the packet filter lets pass."""
    vlan: int | None = None
    """Tag of its segment; None on an access port, where the switch does it."""
    dscp: Dscp = field(default_factory=Dscp)
    standby_min: int = 10
    """Without a call the screens go dark after so many minutes."""
    idle_min: int = 10
    """A login without a key pressed is ended after so many minutes."""

    def __post_init__(self) -> None:
        for text in (self.display, self.number, self.realm, self.domain):
            if not text.isprintable() or _ENDS & set(text):
                raise ValueError(f"{self.node}: {text!r} cannot stand in an endpoint's configuration")

    @property
    def uri(self) -> str:
        """Its SIP address, without `sip:`."""
        return f"{self.number}@{self.realm}"
