"""By what a RouterOS device is managed, read from its lines for the guard."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.platforms import Lines, Reach
from lienthong.platforms.dialects.routeros_menus import NAMED, PORT
from lienthong.platforms.dialects.routeros_words import Item, item

ANY = IPv4Network("0.0.0.0/0")
SSH = 22
_OWN = "/ip address print terse without-paging"
#: Groups that are there from the start and may log in by SSH and configure.
_FULL = frozenset({"full", "write"})


def reach(lines: Lines) -> Reach:
    """Addresses, VLANs, routes, SSH and accounts."""
    items = [one for line in lines if (one := item(line[0])) is not None]
    live = [one for one in items if one.get("disabled") != "yes"]
    shut = {one.which for one in items if one.path == PORT and one.get("disabled") == "yes"}
    down = shut | {one.get("name") for one in items if one.get("disabled") == "yes"}
    service = _setting(items, "/ip service", "ssh")
    return Reach(
        addresses=_addresses(live, down),
        carried=_carried(live, down),
        tag={one.get("name"): _tag(one, "vlan-id") for one in live if one.path == "/interface vlan"},
        routes=frozenset(
            network
            for one in live
            if one.path == "/ip route" and one.get("routing-table") in ("", "main")
            for network in _networks(one.get("dst-address"))
        ),
        dynamic=any(one.path == "/routing ospf interface-template" for one in live),
        ssh=service.get("disabled", "no") != "yes",
        logins=_logins(live, service.get("address", "")),
        users=_users(live),
        local=True,  # local accounts are asked before RADIUS always
    )


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """OSPF neighbours that are full; where the console names no interface, the one that lies beside them."""
    said = ask("/routing ospf neighbor print without-paging")
    blocks = re.split(r"(?m)^ *\d+ ", said)
    full = [block for block in blocks if re.search(r'\bstate="?Full\b', block)]
    beside = re.findall(r"\baddress=(\S+) .*?\binterface=(\S+)", ask(_OWN) if full else "")
    found = set()
    for block in full:
        address = re.search(r"\baddress=([\d.]+)", block)
        named = re.search(r"\binterface=(\S+)", block)
        if address is not None:
            name = named[1] if named is not None else _beside(beside, address[1])
            found.add(f"{name} ospf {address[1]} full".strip())
    return frozenset(found)


def _beside(own: Sequence[tuple[str, str]], address: str) -> str:
    for text, name in own:
        with suppress(ValueError):
            if IPv4Address(address) in IPv4Interface(text).network:
                return name
    return ""


def _setting(items: Sequence[Item], path: str, which: str) -> dict[str, str]:
    return {
        key: value
        for one in items
        if one.verb == "set" and one.path == path and one.which == which
        for key, value in one.values.items()
    }


def _addresses(live: Sequence[Item], down: set[str]) -> dict[str, tuple[IPv4Interface, ...]]:
    found: dict[str, tuple[IPv4Interface, ...]] = {}
    for one in live:
        name = one.get("interface")
        if one.path == "/ip address" and name not in down:
            with suppress(ValueError):
                found[name] = (*found.get(name, ()), IPv4Interface(one.get("address")))
    return found


def _carried(live: Sequence[Item], down: set[str]) -> dict[str, frozenset[int]]:
    """Port → VLANs: tagged on the port itself, or by the bridge that it belongs to."""
    found: dict[str, set[int]] = {}
    bridges = {one.get("name") for one in live if one.path == "/interface bridge"}
    for one in live:
        if one.path == "/interface vlan" and one.get("interface") not in bridges:
            found.setdefault(one.get("interface"), set()).add(_tag(one, "vlan-id"))
        elif one.path == "/interface bridge port" and one.get("frame-types") != "admit-only-vlan-tagged":
            # A port that admits tagged frames only is no untagged member of its pvid (MikroTik, Bridging).
            found.setdefault(one.get("interface"), set()).add(_tag(one, "pvid"))
    tagged: set[str] = set()
    for one in live:
        if one.path == "/interface bridge vlan":
            for port in filter(None, (one.get("tagged") + "," + one.get("untagged")).split(",")):
                tagged.add(port)
                found.setdefault(port, set()).update(ids(one.get("vlan-ids")))
    return {port: frozenset(ids) for port, ids in found.items() if port not in down | bridges}


def _tag(one: Item, key: str) -> int:
    """A VLAN; the first where nothing is said."""
    return int(one.get(key)) if one.get(key).isdecimal() else 1


def ids(text: str) -> set[int]:
    """Numbers and ranges, of VLANs or ports."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found.update(range(int(first), min(int(last or first), 65535) + 1))
    return found


def _networks(text: str) -> list[IPv4Network]:
    """Networks of a list; what is none, such as a range or `!10.0.0.0/8`, is left out."""
    found = []
    for part in text.split(","):
        with suppress(ValueError):
            found.append(IPv4Network(part, strict=False))
    return found


def _logins(live: Sequence[Item], service: str) -> tuple[IPv4Network, ...]:
    """What the service lets in, and our own chain where it is in force.

    Foreign rules are not judged: they lie behind ours.
    """
    allowed = _networks(service) if service else [ANY]
    rules = [one for one in live if one.path == "/ip firewall filter"]
    if not any(one.get("chain") == "input" and one.get("jump-target").startswith(NAMED) for one in rules):
        return tuple(allowed)
    passed = [
        network
        for one in rules
        if one.get("chain").startswith(f"{NAMED}-input")
        and one.get("action") == "accept"
        and not one.get("connection-state")
        and one.get("protocol") in ("", "tcp")
        and _covers(one.get("dst-port"))
        and not one.get("src-address-list")
        for network in (_networks(one.get("src-address")) if one.get("src-address") else [ANY])
    ]
    return tuple(
        dict.fromkeys(
            min(a, b, key=_length) for a in allowed for b in passed if a.subnet_of(b) or b.subnet_of(a)
        )
    )


def _length(network: IPv4Network) -> int:
    return -network.prefixlen


def _covers(ports: str) -> bool:
    return not ports or SSH in ids(ports)


def _users(live: Sequence[Item]) -> frozenset[str]:
    """Accounts with a key, in a group that may come in by SSH and write."""
    groups = _FULL | {
        one.get("name")
        for one in live
        if one.path == "/user group" and {"ssh", "write"} <= set(one.get("policy").split(","))
    }
    keys = {one.get("user") for one in live if one.path == "/user ssh-keys"}
    return frozenset(
        one.get("name")
        for one in live
        if one.path == "/user" and one.get("group") in groups and one.get("name") in keys
    )
