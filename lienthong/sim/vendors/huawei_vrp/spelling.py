"""What a command of a simulated VRP device is and how it is stored: names, masks, ports, lists of VLANs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Protocol

from lienthong.sim.vendors.huawei_vrp.config import Config

Path = tuple[str, ...]
_NAMES = {
    "tcp": {21: "ftp", 23: "telnet", 25: "smtp", 49: "tacacs", 53: "domain", 80: "www", 179: "bgp"},
    "udp": {53: "dns", 67: "bootps", 68: "bootpc", 69: "tftp", 123: "ntp", 161: "snmp", 162: "snmptrap",
            514: "syslog"},
}  # fmt: skip


class Refusal(Exception):
    """The device says no; the text is what it prints."""


class Device(Protocol):
    """What an effect sees of a box."""

    @property
    def running(self) -> Config: ...

    @property
    def routed(self) -> frozenset[str]: ...

    @property
    def switched(self) -> frozenset[str]: ...

    @property
    def link_type(self) -> str: ...

    def salt(self) -> str: ...


@dataclass(frozen=True)
class Call:
    """One command: on which box, in which view, its words."""

    box: Device
    path: Path
    words: list[str]


Effect = Callable[[Call], str | None]


def spelt(words: Sequence[str]) -> list[str]:
    """Words as the device stores them: names of interfaces joined, masks dotted, IPv6 in capitals."""
    found = list(words)
    if "ipv6" in found[:1]:
        found = [word.upper() if ":" in word else word for word in found]
    if found[:2] in (["ip", "address"], ["ip", "route-static"]) and len(found) > 3 - (found[1] == "address"):
        at = 3
        if at < len(found) and found[at].isdigit():
            found[at] = str(IPv4Network(f"0.0.0.0/{found[at]}").netmask)
    if found and found[0] == "rule":
        names = _NAMES.get(found[3] if len(found) > 3 else "", {})
        for index, word in enumerate(found):
            if word.isdigit() and found[index - 1] == "eq":
                found[index] = names.get(int(word), word)
            elif word == "0.0.0.0" and index and found[index - 2] in {"source", "destination"}:  # noqa: S104
                found[index] = "0"
    return found


def numbers(words: Sequence[str]) -> list[int]:
    """`10 20 to 22` as numbers."""
    found: list[int] = []
    for index, word in enumerate(words):
        if word == "to":
            continue
        if index and words[index - 1] == "to":
            found += range(found[-1] + 1, int(word) + 1)
        else:
            found.append(int(word))
    return found


def listed(vlans: Sequence[int]) -> str:
    """Numbers as the device joins them: three or more in a row become a range (two do as well)."""
    out: list[str] = []
    for vlan in sorted(set(vlans)):
        if out and int(out[-1].split()[-1]) == vlan - 1:
            out[-1] = f"{out[-1].split()[0]} to {vlan}"
        else:
            out.append(str(vlan))
    return " ".join(out)


def vlans_of(config: Config) -> list[int]:
    """VLANs that exist; 1 always does."""
    found = [1]
    for line in config.lines():
        if line.startswith("vlan batch "):
            found += numbers(line.split()[2:])
    return found


def need(yes: bool, text: str) -> None:
    if not yes:
        raise Refusal(f"Error: {text}")


def first(path: Path) -> str:
    return path[0].split()[1] if path and path[0].startswith("interface ") else ""
