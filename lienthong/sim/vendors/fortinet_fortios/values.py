"""Values as the FortiGate reads them: what it takes, how it shows it, and what it says to all others.

Wording of refusals: recorded outputs of FortiOS 7 in netdriver's tests
(https://github.com/OpenSecFlow/netdriver, its tests of the plug-in `fortinet`) and transcripts of FortiOS
7.0.3; the return codes are those of the Administration Guide's page "CLI error codes".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Interface

from lienthong.sim.vendors.fortinet_fortios.tree import Kept, quoted

#: (table, name) → whether there is such an entry.
Known = Callable[[str, str], bool]


class Refused(Exception):
    """What the device prints instead of doing it."""


def unknown(word: str) -> Refused:
    """A word that does not belong here."""
    return Refused(f"\ncommand parse error before '{word}'\nCommand fail. Return code -61\n")


def wrong(word: str, said: str, code: int) -> Refused:
    """A value that is of the right kind and cannot be."""
    return Refused(f"{said}\n\nvalue parse error before '{word}'\nCommand fail. Return code {code}\n")


def incomplete() -> Refused:
    """Something is missing at the end of the line."""
    return Refused("\nincomplete command in the end\nCommand fail. Return code -160\n")


def take(attribute: str, spec: str, words: list[str], known: Known) -> str | None:
    """A value as `show` prints it; None where it is the default and is not printed.

    Raises:
        Refused: the device does not take it.
    """
    kind, *rest = spec.split(" ")
    if not words:
        raise incomplete()
    several = kind in {"options", "refs", "hosts", "ports"}
    pairs = {"host-mask", "subnet"}
    if len(words) > 1 and not several and kind not in pairs:
        raise unknown(words[1])
    if kind in {"option", "options"}:
        return _option(rest, words, several)
    if kind == "int":
        return _number(attribute, rest, words[0])
    if kind in {"text", "free", "name"}:
        return _text(kind, int(rest[0]), words[0])
    if kind == "secret":
        if len(words[0]) > int(rest[0]):
            raise _too_long(words[0], int(rest[0]))
        return Kept(words[0])
    if kind in {"ref", "refs"}:
        tables = " ".join(rest).split("|")
        for word in words:
            if not any(known(table, word) for table in tables):
                raise wrong(word, "entry not found in datasource", -3)
        return " ".join(quoted(word) for word in dict.fromkeys(words))
    if kind == "key":
        if not re.fullmatch(
            r"(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]{40,}=*(?: .*)?", words[0]
        ):
            raise wrong(words[0], "Invalid SSH public key.", -651)
        return quoted(words[0])
    return _address(kind, words)


def _option(rest: list[str], words: list[str], several: bool) -> str | None:
    choices = rest if several else rest[1:]
    for word in words:
        if word not in choices:
            raise unknown(word)
    if several:
        return " ".join(choice for choice in choices if choice in words)  # in its own order
    return None if words[0] == rest[0] else words[0]


def _number(attribute: str, rest: list[str], word: str) -> str | None:
    low, high, default = map(int, rest)
    if not re.fullmatch(r"-?\d+", word):
        raise unknown(word)
    if not low <= int(word) <= high:
        raise wrong(word, f"node_check_object fail! for {attribute} {word}", -651)
    return None if int(word) == default else str(int(word))


def _text(kind: str, most: int, word: str) -> str | None:
    if len(word) > most:
        raise _too_long(word, most)
    # Refused in names and comments, not in messages; seen in published sessions, wording from memory.
    if kind != "free" and re.search(r"[<>()#'\"]", word):
        raise wrong(word, "The string contains XSS vulnerability characters", -173)
    return quoted(word) if word else None


def _too_long(word: str, most: int) -> Refused:
    return wrong(word, f"string value is too long. the size is {len(word)}, the limit is {most}", -1)


def _address(kind: str, words: list[str]) -> str | None:
    try:
        if kind == "host":
            return str(IPv4Address(words[0]))
        if kind == "hosts":
            return " ".join(quoted(str(IPv4Address(word))) for word in words)
        if kind == "mask":
            return str(IPv4Network(f"0.0.0.0/{words[0]}").netmask)
        if kind in {"host-mask", "subnet"}:
            return _with_mask(kind, words)
        if kind == "host6":
            return str(IPv6Address(words[0]))
        if kind == "prefix6":
            return str(IPv6Interface(words[0]))
        if kind == "ports":
            return " ".join(map(_ports, words))
    except (AddressValueError, ValueError):
        raise wrong(words[0], "invalid ip address", -8) from None
    raise AssertionError(f"no such kind: {kind}")


def _with_mask(kind: str, words: list[str]) -> str | None:
    """An address and its mask, also typed as `10.0.0.1/24`; without one the line is not complete (7.0.3)."""
    if len(words) == 1 and "/" in words[0]:
        words = words[0].split("/")
    if len(words) == 1:
        raise incomplete()
    if len(words) > 2:
        raise unknown(words[2])
    mask = IPv4Network(f"0.0.0.0/{words[1]}").netmask
    address = IPv4Address(words[0])
    if kind == "subnet":
        # Host bits are taken off, as in `set subnet 10.0.0.1 255.255.255.0`.
        address = IPv4Network(f"{address}/{mask}", strict=False).network_address
        if int(mask) == 0:
            return None
    return f"{address} {mask}"


def _ports(word: str) -> str:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
    if found is None:
        raise unknown(word)
    low, high = int(found[1]), int(found[2] or found[1])
    if not 0 < low <= high <= 65535:
        raise wrong(word, f"node_check_object fail! for portrange {word}", -650)
    return word
