"""Whether a value is one, and how the device writes it down; its words for a refusal.

The texts are those of the console of 7.x, as support threads and captured sessions show them, e.g.
forum.mikrotik.com "input does not match any value of interface", "value of pvid out of range (1..4094)".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from ipaddress import AddressValueError, ip_address, ip_interface, ip_network

from lienthong.sim.vendors.mikrotik_routeros.grammar import Field
from lienthong.sim.vendors.mikrotik_routeros.words import Refused

_TIME = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_UNITS = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_PORTS = re.compile(r"!?\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*")

#: Name of a menu, or `interface` → names there.
Names = Callable[[str], Collection[str]]


def written(key: str, field: Field, value: str, names: Names) -> str:
    """A value as the device keeps it.

    Raises:
        Refused: it is none.
    """
    kind = field.kind
    if kind == "text" or not value:
        return value
    if kind in _CHECKED:
        try:
            return _CHECKED[kind](value)
        except (ValueError, AddressValueError):
            raise Refused(f"invalid value for argument {key}") from None
    if kind == "yesno":
        return _one(key, {"true": "yes", "false": "no"}.get(value, value), ("yes", "no"))
    if kind in ("iface", "ifaces"):
        for name in value.split(",") if kind == "ifaces" else (value.removeprefix("!"),):
            _one(key, name, names("interface"))
        return value
    if kind.startswith("@"):
        _one(key, value.removeprefix("!"), names(kind[1:]))
        return value
    if kind.startswith("{"):
        known = kind[1:-1].split(",")
        said = [word for word in value.split(",") if word]
        for word in said:
            _one(key, word.removeprefix("!"), known)
        return ",".join(said)
    if ".." in kind:
        return _number(key, kind, value)
    return _one(key, value, kind.split("|"))


def _one(key: str, value: str, known: Collection[str]) -> str:
    if value not in known:
        raise Refused(f"input does not match any value of {key}")
    return value


def _number(key: str, kind: str, value: str) -> str:
    low, high = map(int, kind.split(".."))
    if not value.isdigit():
        raise Refused(f"invalid value for argument {key}")
    if not low <= int(value) <= high:
        raise Refused(f"value of {key} out of range ({low}..{high})")
    return str(int(value))


def _ids(value: str) -> str:
    for part in value.split(","):
        first, _, last = part.partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise ValueError(value)
        if not 1 <= int(first) <= int(last or first) <= 4094:
            raise Refused("value of vlan-range out of range (1..4094)")
    return value


def _ports(value: str) -> str:
    if _PORTS.fullmatch(value) is None:
        raise ValueError(value)
    for number in re.findall(r"\d+", value):
        if int(number) > 65535:
            raise Refused("value of range-end out of range (0..65535)")
    return value


def _net(value: str) -> str:
    """A host stands without its length in rules, as exports of 7.x show."""
    bare = value.removeprefix("!")
    network = ip_network(bare, strict=False)
    text = str(network) if "/" in bare or network.prefixlen < network.max_prefixlen else bare
    return value[: len(value) - len(bare)] + text


def _nets(value: str) -> str:
    return ",".join(str(ip_network(part, strict=False)) for part in value.split(","))


def _address(value: str) -> str:
    return str(ip_interface(value))


def seconds(text: str) -> float:
    """`1h30m`, `190ms`, `600` or `00:10:00` in seconds.

    Raises:
        ValueError: it is no time.
    """
    if text.isdigit():
        return float(text)
    if re.fullmatch(r"\d+:\d\d:\d\d", text):
        hours, minutes, rest = map(int, text.split(":"))
        return hours * 3600.0 + minutes * 60 + rest
    found = _TIME.fullmatch(text)
    if found is None or not text:
        raise ValueError(text)
    *whole, milli = (int(part or 0) for part in found.groups())
    return sum(count * unit for count, (unit, _) in zip(whole, _UNITS, strict=True)) + milli / 1000


def _time(value: str) -> str:
    """As the device prints it: the largest units first, whatever was typed."""
    total = seconds(value)
    rest, milli = int(total), round(total % 1 * 1000)
    words = []
    for unit, letter in _UNITS:
        if rest >= unit:
            words.append(f"{rest // unit}{letter}")
            rest %= unit
    return "".join(words) + (f"{milli}ms" if milli else "") or "0s"


_CHECKED: dict[str, Callable[[str], str]] = {
    "ip": lambda value: str(ip_address(value)),
    "address": _address,
    "net": _net,
    "nets": _nets,
    "ip6net": _net,
    "ids": _ids,
    "ports": _ports,
    "time": _time,
}
