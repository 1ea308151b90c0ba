"""Leases: which the inventory reserves, whose devices it knows, which Kea has given (its memfile). Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from lienthong.model.intent import SegmentPlan
from lienthong.model.site import Site

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
#: Kea's state of a lease that is held; 1 is declined, 2 reclaimed.
HELD = "0"


@dataclass(frozen=True)
class Lease:
    """An address that somebody holds."""

    address: IPv4Address
    mac: str
    vlan: int
    until_s: int
    """seconds since 1970"""


def reservations(site: Site, segment: SegmentPlan) -> list[dict[str, str]]:
    """The clients of a segment that always get the same address, as Kea wants them."""
    found = []
    for name, client in sorted(site.clients.items()):
        if client.segment == segment.name and client.id is not None:
            address = segment.prefix.network_address + client.id
            found.append({"hw-address": client.mac, "ip-address": str(address), "hostname": name})
    return found


def known(site: Site) -> tuple[str, ...]:
    """The Ethernet addresses that the inventory has of the site's things."""
    macs = {client.mac for client in site.clients.values()}
    macs |= {host.mac for host in site.hosts.values() if host.mac is not None}
    return tuple(sorted(macs))


def held(texts: Iterable[str], now_s: float) -> tuple[Lease, ...]:
    """What is leased now, from Kea's files, the older first: the last word on an address counts."""
    last: dict[IPv4Address, Lease] = {}
    for text in texts:
        for row in csv.reader(text.splitlines()):
            try:
                lease = Lease(IPv4Address(row[0]), row[1].lower(), int(row[5]), int(row[4]))
                lasting = int(row[3]) > 0 and row[9] == HELD
            except (AddressValueError, ValueError, IndexError):
                continue  # the head, and a line that is being written
            last.pop(lease.address, None)
            if lasting and _MAC.fullmatch(lease.mac):
                last[lease.address] = lease
    return tuple(lease for _, lease in sorted(last.items()) if lease.until_s > now_s)
