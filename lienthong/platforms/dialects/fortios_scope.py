"""What of a FortiGate's configuration the plan owns.

Owned are: entries whose name begins with `lt-`, accounts with the plan's mark, entries of numbered tables
in the range below, what the plan says of an interface that it addresses and of an account that it names,
and single values in sections that it addresses. What the device adds by itself (`uuid`, `snmp-index`) and
what else somebody said of a thing stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from lienthong.platforms import Line
from lienthong.platforms.dialects.fortios_text import Mine, key

PREFIX = "lt-"
#: Numbers of our entries; FortiOS counts its own from 1, and takes up to 4294967294.
FIRST, COUNT = 2_270_000_000, 10_000_000
#: The first of the policies that drop what no other took; all that let something pass stand before it.
LAST = 2_280_000_000

LOCAL_IN = "config firewall local-in-policy"
POLICY = "config firewall policy"
#: Tables of which an entry with our name or number is ours with everything in it but what the device adds.
_OURS = frozenset(
    {
        "config firewall address",
        "config firewall service custom",
        "config firewall vip",
        POLICY,
        LOCAL_IN,
        "config router static",
        "config router static6",
        "config system dhcp server",
        "config user tacacs+",
        "config user radius",
        "config user group",
    }
)
#: Tables within a section.
_NESTED = {
    "config router ospf": frozenset({"config ospf-interface", "config network"}),
    "config system ntp": frozenset({"config ntpserver"}),
}
ADMINS = "config system admin"
#: Stands in our accounts, so that one that the plan no longer has can be told from a foreign one.
MARK = 'set comments "lienthong"'
_ADDED = frozenset({"uuid", "snmp-index", "policyid", "global-label", "reserved-address", "tos-mask"})
#: Values that are ours wherever the plan has the entry.
_VALUES: Mapping[str, frozenset[str]] = {
    "config system interface": frozenset(
        [
            "mode",
            "ip",
            "allowaccess",
            "description",
            "status",
            "interface",
            "vlanid",
            "bfd",
            "bfd-desired-min-tx",
            "bfd-detect-mult",
            "bfd-required-min-rx",
            "dhcp-relay-service",
            "dhcp-relay-ip",
        ]
    ),
    ADMINS: frozenset(
        [
            "accprofile",
            "comments",
            "vdom",
            "ssh-public-key1",
            "ssh-public-key2",
            "ssh-public-key3",
            "password",
            "remote-auth",
            "wildcard",
            "remote-group",
        ]
    )
    | {f"trusthost{number}" for number in range(1, 11)},
    "config system snmp user": frozenset(
        ["status", "security-level", "auth-proto", "auth-pwd", "priv-proto", "priv-pwd", "queries"]
    ),
}
#: Values that are ours in a section that the plan addresses.
_SINGLE: Mapping[str, frozenset[str]] = {
    "config system global": frozenset(
        ["admin-ssh-password", "admin-ssh-v1", "admin-telnet", "admintimeout", "hostname", "pre-login-banner"]
    ),
    'config system replacemsg admin "pre_admin-disclaimer-text"': frozenset({"buffer"}),
    "config system console": frozenset({"output"}),
    "config system dns": frozenset({"primary", "secondary"}),
    "config system ntp": frozenset({"ntpsync", "type", "source-ip"}),
    "config system snmp sysinfo": frozenset({"status"}),
    "config router ospf": frozenset({"router-id"}),
    "config log setting": frozenset({"local-in-deny-unicast", "fwpolicy-implicit-log"}),
    "config log syslogd setting": frozenset({"status", "server", "source-ip"}),
    **{
        f"config log syslogd{number} setting": frozenset({"status", "server", "source-ip"})
        for number in (2, 3, 4)
    },
}
#: Said of one of our policies that stands where it has no effect, or the wrong one.
MISPLACED = "misplaced"
#: Said of our policies when the first that is not ours stands before them: `behind 17`.
BEHIND = "behind "


def number(head: str, words: str) -> int:
    """The number of the entry of a table that is known by these words."""
    if words == "last":
        return LAST
    base = LAST + 1 if words.startswith("last ") else FIRST
    return base + crc32(f"{head}\n{words}".encode()) % (COUNT - 1)


def ours(name: str) -> bool:
    """Whether an entry's name or number is one that only the plan gives."""
    if name.isdecimal():
        return FIRST <= int(name) < LAST + COUNT
    return name.startswith(PREFIX)


@dataclass(frozen=True)
class _Planned:
    """What the intended lines speak of."""

    heads: frozenset[str]
    entries: frozenset[Line]
    interfaces: frozenset[str]


@lru_cache(maxsize=16)
def _planned(intended: frozenset[Line]) -> _Planned:
    entries = frozenset(line for line in intended if line[-1].startswith("edit "))
    return _Planned(
        heads=frozenset(line[0] for line in intended),
        entries=entries,
        interfaces=frozenset(key(line[1]) for line in entries if line[0] == "config system interface"),
    )


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    if line in intended:
        return True
    planned = _planned(intended)
    head, last = line[0], line[-1]
    value = last.split()[1] if last.startswith(("set ", "append ")) else ""
    if head in {POLICY, LOCAL_IN} and len(line) == 2 and last.startswith(BEHIND):
        return head in planned.heads
    if value in _ADDED or any(part.split()[-1] in _ADDED for part in line[2:-1]):
        return False
    if last.startswith("append passive-interface ") and head in planned.heads:
        return key(last.removeprefix("append ")) in planned.interfaces or ours(
            key(last.removeprefix("append "))
        )
    if len(line) == 2 and head in _SINGLE:
        return head in planned.heads and value in _SINGLE[head]
    if len(line) > 2 and line[1] in _NESTED.get(head, ()):
        return ours(key(line[2]))
    if len(line) < 2 or not line[1].startswith("edit "):
        return False
    name = key(line[1])
    if head in _OURS:
        return ours(name)
    mine = ours(name) or isinstance(line[1], Mine)
    if head in _VALUES and (mine or line[:2] in planned.entries):
        if len(line) == 2:
            return mine
        if head == "config system interface" and line[2] == "config ipv6":
            return ours(name) and value in {"ip6-address", "ip6-allowaccess"}
        return len(line) == 3 and value in _VALUES[head]
    return False
