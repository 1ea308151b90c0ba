"""What of a site answers on the Internet, against what the site declares. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address

from lienthong.audit.traffic import DNS_QUERY, INTERNET, NTP_QUERY, SIP_OPTIONS
from lienthong.model.intent import SitePlan
from lienthong.model.words import UplinkKind

#: A port: `tcp` or `udp`, and its number.
Door = tuple[str, int]

#: Beyond the well-known ones (RFC 6335, 6: 0 to 1023): data bases, remote desktops, proxies, management, file
#: sharing, exporters.
HIGHER = (
    1080, 1194, 1433, 1434, 1521, 1723, 1883, 1900, 2049, 2082, 2083, 2181, 2222, 2375, 2376, 2379, 2514,
    3000, 3128, 3260, 3268, 3306, 3389, 3690, 4369, 4443, 4460, 4505, 4506, 4786, 4848, 5000, 5001, 5060,
    5061, 5222, 5432, 5555, 5601, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6443, 6514, 7001, 7547,
    8000, 8008, 8080, 8081, 8089, 8181, 8291, 8443, 8728, 8729, 8834, 8888, 9000, 9042, 9090, 9093, 9100,
    9115, 9200, 9300, 9418, 9443, 10000, 10050, 10051, 11211, 15672, 27017, 28017, 50000, 50070,
)  # fmt: skip
TCP_PORTS: tuple[int, ...] = (*range(1, 1024), *HIGHER)
#: A service by UDP only answers what it understands; SNMP is asked for sysDescr with the community `public`.
UDP_QUESTIONS: Mapping[int, str] = {
    53: DNS_QUERY,
    123: NTP_QUERY,
    161: "302602010104067075626c6963a019020101020100020100300e300c06082b060102010101000500",
    5060: SIP_OPTIONS.format(src="192.0.2.1", port=5060).encode("ascii").hex(),
}


def public(site: SitePlan) -> tuple[IPv4Address, ...]:
    """The addresses by which the site is met on the Internet."""
    return tuple(
        uplink.address.ip
        for uplink in site.uplinks
        if uplink.kind is UplinkKind.INTERNET and uplink.address is not None
    )


def declared(site: SitePlan) -> frozenset[Door]:
    """What the site lets anybody on the Internet ask."""
    return frozenset(
        (flow.proto, port)
        for flow in site.flows
        if flow.src.label == INTERNET
        for low, high in flow.ports
        for port in range(low, high + 1)
    )


def tries(site: SitePlan) -> list[Door]:
    """Every port that is tried on each address: the usual ones and all that are declared."""
    doors = {("tcp", port) for port in TCP_PORTS} | {("udp", port) for port in UDP_QUESTIONS}
    return sorted(doors | {door for door in declared(site) if door[0] == "tcp"})


def targets(address: IPv4Address, doors: Iterable[Door]) -> list[list[str | int]]:
    """The same as the probe's verb `reach` takes them."""
    return [
        [proto, str(address), port, *([UDP_QUESTIONS[port]] if proto == "udp" else [])]
        for proto, port in doors
    ]


def undeclared(site: SitePlan, doors: Sequence[Door], outcomes: Sequence[str]) -> list[Door]:
    """Ports that answer and are declared by nobody."""
    allowed = declared(site)
    return [
        door
        for door, outcome in zip(doors, outcomes, strict=True)
        if outcome in {"open", "garbled"} and door not in allowed
    ]


def weak(ciphers: Iterable[str]) -> list[str]:
    """Suites of TLS 1.2 (OpenSSL's names) that lack forward secrecy or authentication (RFC 9325, 4.2)."""
    return sorted(
        name
        for name in ciphers
        if not (name.startswith("ECDHE-") and ("-GCM-" in name or "CHACHA20" in name or "-CCM" in name))
    )
