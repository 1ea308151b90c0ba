"""Everything that one device is told, in one value: what templates of `templates/<platform>/` read.

Neutral of any vendor, and complete: a template looks nothing up elsewhere and computes nothing. Interfaces
and ports bear the inventory's names (`vlan10`, `trunk0`, `tslcd-a`, `e1`); :meth:`Wanted.socket` says what
the device calls them. On Debian systems packet filter, address translation, leases, time, logs and accounts
have other owners (`docs/architecture.md`), and their templates leave those parts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lienthong.model.intent import DeviceIntent, Forwarding, Rule, SegmentPlan, Tunnel
from lienthong.model.secret import SecretRef


@dataclass(frozen=True)
class Account:
    """A local account, which also works when no AAA server answers. Login over SSH is by key."""

    name: str
    public_key: str
    """One line as in `authorized_keys`, e.g. `ssh-ed25519 AAAA… comment`; empty while none is known."""
    secret: SecretRef | None
    """Password for the console and for when keys are not enough; never the way the tool logs in."""


@dataclass(frozen=True)
class AaaServer:
    """A server that is asked before the local accounts are."""

    address: IPv4Address
    protocol: str
    """`tacacs` (RFC 8907) or `radius` (RFC 2865)."""
    key: SecretRef


@dataclass(frozen=True)
class SnmpUser:
    """The one SNMPv3 user, authPriv: SHA-256 where there is one, else SHA; AES-128 (RFC 3414, 3826, 7860)."""

    name: str
    auth: SecretRef
    priv: SecretRef


@dataclass(frozen=True)
class ManagementPlane:
    """How the device itself may be reached and what it tells others about itself."""

    hostname: str
    domain: str
    networks: tuple[IPv4Network, ...]
    """From where SSH and SNMP are answered; from nowhere else."""
    source: str
    """The interface whose address the device speaks from, in the inventory's words, e.g. `vlan40`."""
    accounts: tuple[Account, ...]
    idle_s: int
    """A login without a key pressed is ended after this many seconds."""
    banner: str
    """One line of ASCII."""
    aaa: tuple[AaaServer, ...]
    snmp: SnmpUser | None
    """None while nobody on the side watches by SNMP."""
    syslog: tuple[IPv4Address, ...]
    ntp: tuple[IPv4Address, ...]
    resolvers: tuple[IPv4Address, ...]


@dataclass(frozen=True)
class Leases:
    """What a gateway does about DHCP in one segment: it leases by itself, or relays to `servers`."""

    segment: SegmentPlan
    servers: tuple[IPv4Address, ...]
    """Empty: it leases addresses itself."""
    resolvers: tuple[IPv4Address, ...]


@dataclass(frozen=True)
class Wanted:
    """What one device must be told."""

    node: str
    device: DeviceIntent
    plane: ManagementPlane
    sockets: Mapping[str, str]
    """Inventory's name of a port or line → the device's own, e.g. `e1` → `GigabitEthernet1/0/1`."""
    segments: tuple[SegmentPlan, ...]
    """The segments of its side at its site."""
    inbound: tuple[Rule, ...]
    """What may come in to the device itself; anything else is dropped."""
    forward: tuple[Rule, ...]
    """What may pass a gateway; anything else is dropped and logged. Replies pass where state is kept."""
    forwarding: Forwarding
    leases: tuple[Leases, ...]
    tunnels: tuple[Tunnel, ...] = ()
    """WireGuard links that the device ends itself; on Debian systems a deploy makes them."""
    secure_ports: int = 2
    """Port security: most Ethernet addresses on an access port of one host or probe."""

    def socket(self, name: str) -> str:
        """What the device calls a port or line of the inventory; the same where nothing else is said."""
        return self.sockets.get(name, name)
