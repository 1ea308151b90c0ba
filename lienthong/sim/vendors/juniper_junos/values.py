"""Types of values: what a statement takes, how the device keeps it, and how it refuses another.

Refusals as Junos prints them: a number out of its range is told with the range (seen in many logs of the
Junos XML protocol), the rest is `invalid value`; a word that is none of a list is a `syntax error`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address

SYNTAX = "syntax error."
_BARE = re.compile(r"[A-Za-z0-9_./:@,+=*<>^~-]+")
_PORT = r"(?:ge|mge|xe|et|fe)-\d+/\d+/\d+|ae\d+|irb|lo0|me0|vme|fxp0|st0|em\d"
#: Names of ports: "Standard Firewall Filter Match Conditions for IPv4 Traffic".
PORTS = {
    "bootpc": 68, "bootps": 67, "domain": 53, "ftp": 21, "http": 80, "https": 443, "ntp": 123,
    "radius": 1812, "snmp": 161, "snmptrap": 162, "ssh": 22, "syslog": 514, "tacacs": 49,
    "telnet": 23, "tftp": 69, "dhcp": 67,
}  # fmt: skip
_PROTOCOLS = "tcp|udp|icmp|icmp6|icmpv6|ospf|igmp|esp|ah|gre|pim|vrrp|sctp|rsvp|egp|ipip|ipv6|hop-by-hop"
_ICMP = (
    "echo-request|echo-reply|unreachable|time-exceeded|parameter-problem|redirect|router-advertisement|"
    "router-solicit|neighbor-advertisement|neighbor-solicit|packet-too-big|destination-unreachable|"
    "source-quench|mask-request|mask-reply|timestamp|timestamp-reply|info-request|info-reply|"
    "membership-query|membership-report|membership-termination"
)
_FACILITIES = (
    "any|authorization|change-log|conflict-log|daemon|dfc|external|firewall|ftp|interactive-commands|"
    "kernel|ntp|pfe|security|user|match"
)


class Refused(Exception):
    """A line that is not taken; `at` is the number of the word that is wrong."""

    def __init__(self, what: str, at: int = 0) -> None:
        super().__init__(what)
        self.what, self.at = what, at


def quoted(value: str) -> str:
    """As it stands in a configuration."""
    if _BARE.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split(text: str) -> list[str]:
    """Words of a line: what is quoted is one.

    Raises:
        Refused: a quote without its end.
    """
    words: list[str] = []
    for found in re.finditer(r'\s*("(?:[^"\\]|\\.)*"|[^\s"]+|"|\Z)', text):
        word = found[1]
        if word == '"':
            raise Refused("error: missing closing quote", len(words))
        if word:
            words.append(re.sub(r"\\(.)", r"\1", word[1:-1]) if word[0] == '"' else word)
    return words


def _text(pattern: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return check


def _port(value: str) -> str:
    low, _, high = value.partition("-")
    known = value in PORTS or (low.isdigit() and int(low) < 65536 and (not high or high.isdigit()))
    return _text(r".+" if known else r"(?!)")(value)


def _prefix(value: str) -> str:
    if "/" not in value:
        value += "/128" if ":" in value else "/32"
    return str(IPv6Interface(value) if ":" in value else IPv4Interface(value))


def _network(value: str) -> str:
    """Bits of the host are cut off; it is no network else."""
    value = _prefix(value)
    return str(IPv6Network(value, strict=False) if ":" in value else IPv4Network(value, strict=False))


def _four(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: check(_text(r"[^:]+")(value))


def _six(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: check(_text(r".*:.*")(value))


def _area(value: str) -> str:
    return str(IPv4Address(int(value) if value.isdigit() else value))


def _plain(value: str) -> str:
    """Rules for passwords: "Password Requirements" (CLI User Guide)."""
    if len(value) < 6:
        raise Refused("error: minimum password length is 6")
    if value.islower() or value.isdigit() or value.isupper():
        raise Refused("error: require change of case, digits or punctuation")
    return hashed(value)


def hashed(value: str) -> str:
    """`$6$…`, made of the value alone."""
    if value.startswith("$"):
        return value
    digest = hashlib.sha512(value.encode()).hexdigest()
    return f"$6${digest[:8]}${digest[8:94]}"


def enciphered(value: str) -> str:
    """`$9$…`: not what Junos makes of it, but as long, and without the value."""
    if value.startswith("$9$"):
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()
    return "$9$" + (digest * (1 + len(value) // 16))[: 12 + 4 * len(value)]


def _long(value: str) -> str:
    """ "authentication-password", "privacy-password": at least eight characters."""
    if len(value) < 8:
        raise Refused("error: authentication/privacy password must be at least 8 characters")
    return enciphered(value)


def _key(value: str) -> str:
    words = value.split()
    if len(words) < 2 or not re.fullmatch(r"(?:ssh|ecdsa)-\S+", words[0]):
        raise Refused("error: invalid ssh key")  # from memory
    return value


_TYPES: dict[str, Callable[[str], str]] = {
    "word": _text(r"\S+"), "text": _text(r"[^\x00-\x1f]*"), "name": _text(r"[^\s]{1,255}"),
    "host": _text(r"[A-Za-z0-9._-]{1,255}"), "user": _text(r"[A-Za-z0-9._-]{1,64}"),
    "vname": _text(r"[A-Za-z][A-Za-z0-9._-]{0,254}"), "address": _text(r"[A-Za-z0-9.:_-]+"),
    "member": _text(r"all|[A-Za-z][A-Za-z0-9._-]*|\d{1,4}(?:-\d{1,4})?"),
    "ip": lambda value: str(ip_address(value)), "ip4": lambda value: str(IPv4Address(value)),
    "net": _network, "net4": _four(_network), "net6": _six(_network),
    "if4": _four(_prefix), "if6": _six(_prefix),
    "hop": lambda value: value if re.fullmatch(_PORT + r"\.\d+", value) else str(ip_address(value)),
    "port": _port, "area": _area, "mac": _text(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"),
    "iface": _text(_PORT), "ifl": _text(rf"(?:{_PORT})(?:\.\d+)?|all"),
    "protocol": _text(rf"{_PROTOCOLS}|\d{{1,3}}"), "icmp": _text(rf"{_ICMP}|\d{{1,3}}"),
    "facility": _text(_FACILITIES), "service": _text(r"[a-z0-9-]+"),
    "hash": _text(r"\$[156]\$\S+|\*"), "plain": _plain, "crypt": enciphered, "long": _long, "sshkey": _key,
    "term": _text("term"),
}  # fmt: skip


def take(kind: str, value: str, at: int) -> str:
    """A value as it is kept.

    Raises:
        Refused: it is none of this type.
    """
    limits = re.fullmatch(r"(\d+)\.\.(\d+)", kind)
    try:
        if limits:
            if not value.isdigit():
                raise Refused(f"error: invalid value: '{value}' is no number", at)
            if not int(limits[1]) <= int(value) <= int(limits[2]):
                raise Refused(f"error: Value {value} is not within range ({limits[1]}..{limits[2]})", at)
            return str(int(value))
        if "|" in kind:
            if value not in kind.split("|"):
                raise Refused(SYNTAX, at)
            return value
        return _TYPES[kind](value)
    except Refused as refused:
        raise Refused(refused.what, at) from None
    except ValueError:
        raise Refused(f"error: invalid value: '{value}' for {kind}", at) from None
