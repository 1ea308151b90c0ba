"""Words of a VRP configuration line: how the device spells what was typed in another way. Pure.

A secret is shown encrypted with a salt, so what is shown is never what was typed. Such a line is a
:class:`Sealed`: equal to any other that differs in the secret alone. A changed secret is therefore not
noticed on these devices; whoever changes one takes the line away by hand, or changes the account's name.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

#: Ends the description of every section that the plan makes, so that one it no longer wants is known.
MARK = "(lienthong)"
#: Begins the name of every object that the plan makes: ACL, address pool, key, server template.
OWN = "lienthong"
OTHER = "<other secret>"

#: What stands before a secret. `password` may already have lost its next word to the veil.
_SECRET = re.compile(
    r"(local-user \S+ password|ospf authentication-mode (?:md5|hmac-md5|hmac-sha256) \d+"
    r"|(?:hwtacacs|radius)[- ]server shared-key|snmp-agent usm-user v3 \S+ authentication-mode \S+"
    r"|snmp-agent usm-user v3 \S+ privacy-mode \S+) (.+)"
)
_FORM = {"local-user": "irreversible-cipher"}
#: Command reference, "ACL Configuration Commands", `rule`: names shown in place of numbers.
_PORTS = {
    "tcp": {
        "ftp-data": 20, "ftp": 21, "telnet": 23, "smtp": 25, "time": 37, "whois": 43, "tacacs": 49,
        "domain": 53, "gopher": 70, "finger": 79, "www": 80, "pop3": 110, "sunrpc": 111, "nntp": 119,
        "bgp": 179, "irc": 194, "exec": 512, "login": 513, "cmd": 514, "lpd": 515,
    },
    "udp": {
        "time": 37, "nameserver": 42, "dns": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "sunrpc": 111,
        "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138, "snmp": 161, "snmptrap": 162, "syslog": 514,
        "rip": 520,
    },
}  # fmt: skip
#: Where rules are numbered from; the last rule of a list, which denies, comes after all of them.
_FIRST_RULE, _RULES, LAST_RULE = 100, 59_000, 60_000


class Sealed(str):
    """A line that ends in a secret. Equal and hashed without it."""

    __slots__ = ()

    @property
    def masked(self) -> str:
        return re.sub(r"<[^<>]*>$", OTHER, self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sealed):
            return self.masked == other.masked
        return isinstance(other, str) and self.masked == str(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.masked)


class Mine(str):
    """A heading under which the plan's mark was found. Equal to the same words without it."""

    __slots__ = ()


def sealed(word: str) -> str:
    """The line with whatever is shown of its secret replaced, where it holds one."""
    found = _SECRET.fullmatch(word)
    if found is None:
        return word
    form = _FORM.get(word.split()[0], "cipher")
    name = re.search(r"<secret [^<>]+>", found[2])
    return Sealed(f"{found[1]} {form} {name[0] if name else OTHER}")


def ports(word: str) -> str:
    """A rule with the numbers of ports that it shows as names."""
    names = next((table for proto, table in _PORTS.items() if f" {proto} " in f"{word} "), {})
    return re.sub(
        r"(?<=-port )(eq|gt|lt|range) (\S+)(?: (\S+))?",
        lambda found: " ".join(str(names.get(part, part)) for part in found.groups() if part),
        word,
    ) if names else word  # fmt: skip


def six(word: str) -> str:
    """An IPv6 address in the capitals in which the device shows it."""
    return " ".join(part.upper() if ":" in part else part for part in word.split())


def plain(word: str) -> str:
    """A description that cannot be taken for a question or a call for help."""
    return word.replace("?", ".").replace("[", "(").replace("]", ")")


def vlan_list(words: Iterable[str]) -> list[int]:
    """`10 20 to 23` as numbers."""
    found: list[int] = []
    until = False
    for word in words:
        if word == "to":
            until = True
        elif until:
            found += range(found[-1] + 1, int(word) + 1)
            until = False
        else:
            found.append(int(word))
    return found


def numbered(rules: Iterable[str]) -> list[str]:
    """Rules of one list with their numbers: each from its own words, so that a new one moves no other.

    Args:
        rules: `permit …`, `deny …`, and `description …` for the rule before it.
    """
    found: list[str] = []
    used: dict[int, str] = {}
    number = 0
    for rule in rules:
        if rule.startswith("description "):
            if f"rule {number} {rule}" not in found and not any(
                one.startswith(f"rule {number} description ") for one in found
            ):
                found.append(f"rule {number} {rule}")
            continue
        number = LAST_RULE if rule.split()[0] == "deny" else _FIRST_RULE + zlib.crc32(rule.encode()) % _RULES
        while used.get(number, rule) != rule:
            number += 1
        if number not in used:
            used[number] = rule
            found.append(f"rule {number} {rule}")
    return found
