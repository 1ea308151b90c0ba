"""Addresses from the number of a site: nobody moves when a site is added or removed.

Each side gives a site a /21, cut into eight /24; a zone always has the same place in it.
The eighth /24 is the infrastructure's: its first address is the gateway's loopback.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Network

from lienthong.model.site import Province
from lienthong.model.words import VLANS, Side, Zone

#: Place of a zone's /24 within the /21 of a site and side.
PLACES: dict[tuple[Side, Zone], int] = {
    (Side.WAN, Zone.USERS): 0,
    (Side.WAN, Zone.SERVERS): 1,
    (Side.WAN, Zone.CONFERENCE): 2,
    (Side.WAN, Zone.SCAN): 3,
    (Side.WAN, Zone.MANAGEMENT): 4,
    (Side.WAN, Zone.BACKUP): 5,
    (Side.NET, Zone.USERS): 0,
    (Side.NET, Zone.DMZ): 1,
    (Side.NET, Zone.WIFI): 2,
    (Side.NET, Zone.MANAGEMENT): 4,
    (Side.NET, Zone.BACKUP): 5,
}
SITE_BITS = 21
#: A /56 a site and side (RFC 6177): 256 segments, of which a VLAN id takes the place it names.
SITE_BITS6 = 56
INFRASTRUCTURE_PLACE = 7
#: Point-to-point links of one site in the link pool: TSLCD a and b, the Internet side's tunnel, one spare.
LINKS_PER_SITE = 4
#: Number that stands for Central at the hub; no site may have it.
CENTRAL_NUMBER = 2999
HANDOFF_BASE = 1000


def vlan_of(side: Side, zone: Zone) -> int:
    """VLAN id of a zone.

    Raises:
        KeyError: the side has no such zone.
    """
    return VLANS[side, zone]


def block(province: Province, side: Side, number: int) -> IPv4Network:
    """The /21 of a site on one side.

    Raises:
        ValueError: the pool is too small for that number.
    """
    pool = province.wan_pool if side is Side.WAN else province.net_pool
    size = 1 << (32 - SITE_BITS)
    first = int(pool.network_address) + number * size
    if first + size - 1 > int(pool.broadcast_address):
        raise ValueError(f"site number {number} does not fit into {pool}")
    return IPv4Network((first, SITE_BITS))


def prefix(province: Province, side: Side, zone: Zone, number: int) -> IPv4Network:
    """The /24 of a zone of a site."""
    start = int(block(province, side, number).network_address) + PLACES[side, zone] * 256
    return IPv4Network((start, 24))


def prefix6(province: Province, side: Side, zone: Zone, number: int) -> IPv6Network | None:
    """The /64 of a zone of a site: the site's /56 by its number, then the VLAN id; None without a pool.

    Raises:
        ValueError: the pool is too small for that number.
    """
    pool = province.wan_pool6 if side is Side.WAN else province.net_pool6
    if pool is None:
        return None
    first = int(pool.network_address) + (number << (128 - SITE_BITS6)) + (VLANS[side, zone] << 64)
    if first > int(pool.broadcast_address):
        raise ValueError(f"site number {number} does not fit into {pool}")
    return IPv6Network((first, 64))


def loopback(province: Province, side: Side, number: int) -> IPv4Address:
    """The gateway's loopback and OSPF router id."""
    return block(province, side, number).network_address + (INFRASTRUCTURE_PLACE * 256 + 1)


def link(province: Province, number: int, index: int) -> tuple[IPv4Interface, IPv4Interface]:
    """A /31 of the link pool (RFC 3021): (the hub's end, the site's end).

    `index` is 0 for TSLCD line a, 1 for line b, 2 for the Internet side's tunnel.

    Raises:
        ValueError: no such link, or the pool is too small.
    """
    if not 0 <= index < LINKS_PER_SITE:
        raise ValueError(f"a site has links 0 to {LINKS_PER_SITE - 1}, not {index}")
    first = province.link_pool.network_address + 2 * (number * LINKS_PER_SITE + index)
    if first + 1 not in province.link_pool:
        raise ValueError(f"site number {number} does not fit into {province.link_pool}")
    return IPv4Interface((first, 31)), IPv4Interface((first + 1, 31))


def handoff_vlan(number: int) -> int:
    """VLAN by which the provider hands a site's line to the hub."""
    return HANDOFF_BASE + number
