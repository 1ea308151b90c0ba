"""Words of an IOS configuration line: how the device spells what was typed in another way. Pure.

A secret that IOS shows as it was typed becomes its name again, and one that changed is noticed. What it
shows hashed or encrypted (types 5 to 9: accounts, or anything under `service password-encryption`) is equal
to whatever is intended in its place: a change of such a secret is *not* noticed (:class:`Sealed`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

#: Ends the description of every interface that the plan makes, so that one it no longer wants is known.
MARK = "(lienthong)"
#: Begins the name of every object that the plan makes: list, pool, server, VLAN, SNMP group.
OWN = "lienthong"
OTHER = "<other secret>"
CRYPTED = "<encrypted secret>"
#: What denies the rest at the end of a list; before anything else it would hide what follows.
REST = ("deny ip any any log", "deny ipv6 any any log", "deny any log", "deny any")
MISPLACED = " (before others)"

_SECRET = re.compile(
    r"(username \S+ (?:privilege \d+ )?(?:secret|password)|ip ospf message-digest-key \d+ md5|key"
    r"|snmp-server user \S+ \S+ v3) (.+)"
)
_TOKENS = re.compile(r"<(?:secret [^<>]+|other secret|encrypted secret)>")
#: "Cisco IOS Security Command Reference", `permit (IP)`: names that are shown in the place of numbers.
_PORTS = {
    "tcp": {
        "echo": 7, "discard": 9, "daytime": 13, "chargen": 19, "ftp-data": 20, "ftp": 21, "telnet": 23,
        "smtp": 25, "time": 37, "whois": 43, "tacacs": 49, "domain": 53, "gopher": 70, "finger": 79,
        "www": 80, "hostname": 101, "pop2": 109, "pop3": 110, "sunrpc": 111, "ident": 113, "nntp": 119,
        "msrpc": 135, "bgp": 179, "irc": 194, "pim-auto-rp": 496, "exec": 512, "login": 513, "cmd": 514,
        "lpd": 515, "talk": 517, "uucp": 540, "klogin": 543, "kshell": 544,
    },
    "udp": {
        "echo": 7, "discard": 9, "time": 37, "nameserver": 42, "tacacs": 49, "domain": 53, "bootps": 67,
        "bootpc": 68, "tftp": 69, "sunrpc": 111, "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138,
        "netbios-ss": 139, "snmp": 161, "snmptrap": 162, "xdmcp": 177, "dnsix": 195, "mobile-ip": 434,
        "pim-auto-rp": 496, "isakmp": 500, "biff": 512, "who": 513, "syslog": 514, "talk": 517, "rip": 520,
        "non500-isakmp": 4500,
    },
}  # fmt: skip
_BY_NUMBER = {proto: {str(number): name for name, number in names.items()} for proto, names in _PORTS.items()}


class Sealed(str):
    """A line with secrets. Hashed without them; equal where none that can be read differs."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return False
        mine, theirs = _TOKENS.findall(self), _TOKENS.findall(other)
        return _masked(self) == _masked(other) and all(
            one == two or CRYPTED in (one, two) for one, two in zip(mine, theirs, strict=True)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(_masked(self))


class Mine(str):
    """A heading under which the plan's mark was found. Equal to the same words without it."""

    __slots__ = ()


def _masked(word: str) -> str:
    return _TOKENS.sub(OTHER, word)


def sealed(word: str) -> str:
    """The line as one that holds a secret, where it does."""
    found = _SECRET.fullmatch(word)
    if found is None:
        return word
    start, rest = found[1], found[2]
    if start.startswith("snmp-server user "):
        return Sealed(word)
    if start == "key" and rest.split()[0].isdigit() and len(rest.split()) == 1:
        return word  # the heading of a key in a key chain
    kind = re.match(r"([05-9]) ", rest)
    shown = rest[2:] if kind else rest
    if start.startswith("username ") and _TOKENS.fullmatch(shown) is None:
        return word  # attributes, no secret
    if kind and kind[1] != "0":
        shown = CRYPTED
    elif _TOKENS.fullmatch(shown) is None:
        shown = OTHER
    return Sealed(f"{start} {shown}")


def hidden(word: str) -> str:
    """A foreign line without what in it is a secret and no word says so."""
    return re.sub(r"^(snmp-server (?:community|host \S+(?: version \S+)?)) \S+", rf"\1 {OTHER}", word)


def numbers(word: str) -> str:
    """An entry of a list with the numbers of ports that it shows as names."""
    names = next((table for proto, table in _PORTS.items() if f" {proto} " in f"{word} "), None)
    if names is None:
        return word
    return re.sub(
        r"\b(eq|gt|lt|neq|range) (\S+)(?: (\S+))?",
        lambda found: " ".join(str(names.get(part, part)) for part in found.groups() if part),
        word,
    )


def names(word: str) -> str:
    """An entry of a list with the names that the device shows for numbers of ports."""
    table = next((found for proto, found in _BY_NUMBER.items() if f" {proto} " in f"{word} "), None)
    if table is None:
        return word

    def shown(found: re.Match[str]) -> str:
        two = found[1] == "range"
        rest = [table.get(found[2], found[2]), *([found[3]] if found[3] else [])]
        if two and found[3]:
            rest[1] = table.get(found[3], found[3])
        return " ".join([found[1], *rest])

    return re.sub(r"\b(eq|gt|lt|neq|range) (\d+)(?: (\d+))?", shown, word)


def rest_of(heading: str) -> str:
    """What denies the rest in a list of that heading; a list for translation takes no `log`."""
    if heading.startswith("ip access-list standard "):
        return "deny any" if heading.endswith("-nat") else "deny any log"
    return "deny ipv6 any any log" if heading.startswith("ipv6 ") else "deny ip any any log"


def plain(word: str) -> str:
    """A description that cannot be taken for a question or a call for help."""
    return re.sub(r"[^ -~]", ".", word).replace("?", ".").replace("[", "(").replace("]", ")")


def vlan_list(text: str) -> list[int]:
    """`10,20-23` as numbers; nothing of `none`, everything of `all`."""
    if text == "none":
        return []
    if text == "all":
        return list(range(1, 4095))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def key_hash(key: str) -> str | None:
    """What IOS keeps of a public key: `ssh-rsa` and the MD5 of it. None for a kind it does not know.

    "Secure Shell Configuration Guide", SSHv2 enhancements for RSA keys: `key-hash` takes the type and hash.
    """
    words = key.split()
    if len(words) < 2 or words[0] != "ssh-rsa":
        return None
    try:
        raw = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return f"ssh-rsa {hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()}"
