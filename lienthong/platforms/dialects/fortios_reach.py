"""By what a FortiGate is managed, read from its lines alone.

SSH reaches an address when `allowaccess` of its interface says so, a trusted host of the account fits, no
local-in policy drops it, and, where it comes in by another interface, a firewall policy lets it through to
that one (Fortinet Community, "Accessing the FortiGate administrative GUI/CLI", 369268).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network

from lienthong.platforms import Lines, Reach
from lienthong.platforms.dialects.fortios_scope import LAST, ours
from lienthong.platforms.dialects.fortios_text import key, words

ANYWHERE = IPv4Network("0.0.0.0/0")
_SSH_PORT = 22


@dataclass
class _Tables:
    """Values of entries: table → entry → attribute → words."""

    found: dict[str, dict[str, dict[str, list[str]]]] = field(default_factory=dict)

    def of(self, table: str) -> Mapping[str, Mapping[str, list[str]]]:
        return self.found.get(f"config {table}", {})


def reach(lines: Lines) -> Reach:
    """See :class:`lienthong.platforms.Reach`; an address that no SSH answers at is none to manage by."""
    tables = _Tables()
    for line in lines:
        if len(line) >= 2 and line[1].startswith("edit "):
            entry = tables.found.setdefault(line[0], {}).setdefault(key(line[1]), {})
            if len(line) == 3 and line[2].startswith("set "):
                entry[line[2].split()[1]] = words(line[2])[2:]
    legs = tables.of("system interface")
    open_ = {name: leg for name, leg in legs.items() if _up(leg, legs)}
    answering = {name: leg for name, leg in open_.items() if "ssh" in leg.get("allowaccess", ())}
    carried: dict[str, frozenset[int]] = {}
    for leg in open_.values():
        if _vlan(leg):
            port = leg.get("interface", [""])[0]
            carried[port] = carried.get(port, frozenset()) | {_vlan(leg)}
    admins = _admins(tables)
    return Reach(
        addresses={name: (address,) for name, leg in answering.items() for address in _address(leg)},
        silent={
            name: (address,)
            for name, leg in open_.items()
            if name not in answering
            for address in _address(leg)
        },
        carried=carried,
        tag={name: _vlan(leg) for name, leg in legs.items() if _vlan(leg)},
        routes=frozenset(
            net
            for route in tables.of("router static").values()
            if route.get("status") != ["disable"]
            for net in _net(route.get("dst", ["0.0.0.0/0"]))
        ),
        dynamic=any(line[:2] == ("config router ospf", "config network") for line in lines),
        ssh=bool(answering),
        logins=_logins(tables, answering, admins),
        users=frozenset(admins),
        local=True,
    )


def _up(leg: Mapping[str, list[str]], legs: Mapping[str, Mapping[str, list[str]]]) -> bool:
    parent = legs.get(leg.get("interface", [""])[0], {})
    return ["down"] not in (leg.get("status"), parent.get("status"))


def _address(leg: Mapping[str, list[str]]) -> Iterator[IPv4Interface]:
    with suppress(ValueError):
        if "ip" in leg:
            yield IPv4Interface("/".join(leg["ip"]))


def _vlan(leg: Mapping[str, list[str]]) -> int:
    told = "".join(leg.get("vlanid", ()))
    return int(told) if told.isdecimal() else 0


def _admins(tables: _Tables) -> dict[str, list[IPv4Network]]:
    """Accounts that may configure and have a key, with from where each may come."""
    return {
        name: [
            net
            for what, value in entry.items()
            if what.startswith("trusthost")
            for net in _net(value)
        ]
        or [ANYWHERE]
        for name, entry in tables.of("system admin").items()
        if entry.get("accprofile") == ["super_admin"]
        and any(what.startswith("ssh-public-key") for what in entry)
    }  # fmt: skip


def _logins(
    tables: _Tables,
    answering: Mapping[str, Mapping[str, list[str]]],
    admins: Mapping[str, list[IPv4Network]],
) -> tuple[IPv4Network, ...]:
    found = [ANYWHERE]
    for trusted in admins.values():  # whoever it is that logs in must be trusted
        found = _both(found, trusted)
    policies = tables.of("firewall local-in-policy").values()
    drops = [one for one in policies if one.get("action", ["deny"]) == ["deny"] and _ssh(tables, one)]
    if any(set(one.get("intf", ())) & {*answering, "any"} for one in drops):
        lets = [one for one in policies if one.get("action") == ["accept"] and _ssh(tables, one)]
        found = _both(found, [net for one in lets for net in _sources(tables, one)])
    near = [address.network for leg in answering.values() for address in _address(leg)]
    through = [
        net
        for name, one in tables.of("firewall policy").items()
        # Ours stand before all others, and end with one that drops the rest.
        if (ours(name) or str(LAST) not in tables.of("firewall policy"))
        and one.get("action") == ["accept"] and one.get("status") != ["disable"] and _ssh(tables, one)
        and set(one.get("dstintf", ())) & {*answering, "any"}
        for net in _sources(tables, one)
    ]  # fmt: skip
    return tuple(_both(found, [*near, *through]))


def _both(one: list[IPv4Network], other: list[IPv4Network]) -> list[IPv4Network]:
    """What lies in both."""
    found = [a if a.subnet_of(b) else b for a in one for b in other if a.overlaps(b)]
    return list(dict.fromkeys(found))


def _ssh(tables: _Tables, policy: Mapping[str, list[str]]) -> bool:
    """Whether a policy speaks of SSH."""
    services = tables.of("firewall service custom")
    for name in policy.get("service", ()):
        if name in {"ALL", "ALL_TCP", "SSH"}:
            return True
        for pair in services.get(name, {}).get("tcp-portrange", ()):
            low, _, high = pair.partition(":")[0].partition("-")
            if low.isdecimal() and (high or low).isdecimal() and int(low) <= _SSH_PORT <= int(high or low):
                return True
    return False


def _sources(tables: _Tables, policy: Mapping[str, list[str]]) -> Iterator[IPv4Network]:
    addresses = tables.of("firewall address")
    for name in policy.get("srcaddr", ()):
        if name == "all":
            yield ANYWHERE
        elif "subnet" in addresses.get(name, {}):
            yield from _net(addresses[name]["subnet"])


def _net(value: list[str]) -> Iterator[IPv4Network]:
    """One, or none where a device says what is no network."""
    with suppress(ValueError):
        yield IPv4Network("/".join(value), strict=False)
