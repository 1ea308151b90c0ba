"""Reads `nft -j list ruleset`: what each chain lets pass, as sets to compare with the plan's. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses, summarize_address_range
from typing import Any

from lienthong.model.intent import Rule

Object = dict[str, Any]
ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Accept:
    """A rule that lets something pass. Empty sets mean any."""

    iif: frozenset[str]
    oif: frozenset[str]
    src: frozenset[IPv4Network]
    dst: frozenset[IPv4Network]
    proto: str
    """`tcp`, `udp`, `icmp`, `ospf`, or empty for any"""
    ports: frozenset[tuple[int, int]]

    @property
    def any_any(self) -> bool:
        """Whether it restricts neither who, nor whom, nor what."""
        return not (self.src or self.dst or self.proto or (self.iif and self.oif))

    def __str__(self) -> str:
        parts = [
            f"in {','.join(sorted(self.iif))}" if self.iif else "",
            f"out {','.join(sorted(self.oif))}" if self.oif else "",
            f"from {_join(self.src)}",
            f"to {_join(self.dst)}",
            self.proto or "any protocol",
            ",".join(str(a) if a == b else f"{a}-{b}" for a, b in sorted(self.ports)),
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class LiveRule:
    """One rule of the live ruleset."""

    table: str
    """family and name, `inet lienthong`"""
    chain: str
    comment: str
    verdict: str
    """`accept`, `drop`, `reject`, `jump NAME`, `masquerade`, `dnat`, or empty"""
    match: Accept
    strange: tuple[str, ...]
    """parts that are not understood, so that nothing hides in them"""


@dataclass(frozen=True)
class Hook:
    """A base chain: where it hangs, and what happens to what no rule takes."""

    table: str
    chain: str
    hook: str
    kind: str
    policy: str


def hooks(ruleset: Iterable[Object]) -> list[Hook]:
    """Every base chain."""
    return [
        Hook(f"{c['family']} {c['table']}", c["name"], c["hook"], c.get("type", ""), c.get("policy", ""))
        for entry in ruleset
        if (c := entry.get("chain")) and "hook" in c
    ]


def rules(ruleset: Iterable[Object]) -> list[LiveRule]:
    """Every rule in order."""
    return [_rule(entry["rule"]) for entry in ruleset if "rule" in entry]


def accepts(ruleset: Iterable[Object], chain: str, table: str = "inet lienthong") -> list[LiveRule]:
    """The rules of one chain that let something pass."""
    return [r for r in rules(ruleset) if (r.table, r.chain) == (table, chain) and r.verdict == "accept"]


def expected(rule: Rule) -> Accept:
    """What a rule of the plan must look like on the node."""
    return Accept(
        frozenset(rule.iif),
        frozenset(rule.oif),
        _set(rule.src),
        _set(rule.dst),
        rule.flow.proto,
        frozenset(rule.flow.ports),
    )


def _set(networks: Iterable[IPv4Network]) -> frozenset[IPv4Network]:
    found = frozenset(collapse_addresses(networks))
    return frozenset() if ANYWHERE in found else found


def _rule(raw: Object) -> LiveRule:
    found: dict[str, Any] = {"iif": set(), "oif": set(), "src": set(), "dst": set(), "ports": set()}
    proto, verdict = "", ""
    strange: list[str] = []
    for part in raw.get("expr", []):
        name, value = next(iter(part.items()))
        if name in {"accept", "drop", "reject", "masquerade", "dnat", "return"}:
            verdict = name
        elif name in {"jump", "goto"}:
            verdict = f"{name} {value['target']}"
        elif name == "match":
            proto = _match(value, found, proto, strange)
        elif name not in {"counter", "limit", "mangle", "log"}:
            strange.append(name)
    match = Accept(
        frozenset(found["iif"]),
        frozenset(found["oif"]),
        _set(found["src"]),
        _set(found["dst"]),
        proto,
        frozenset(found["ports"]),
    )
    table = f"{raw['family']} {raw['table']}"
    return LiveRule(table, raw["chain"], raw.get("comment", ""), verdict, match, tuple(strange))


def _match(value: Object, found: dict[str, Any], proto: str, strange: list[str]) -> str:
    left, right = value["left"], value["right"]
    if value.get("op") not in {"==", "in"}:
        strange.append(f"{value.get('op')}")
        return proto
    meta = left.get("meta", {}).get("key") if isinstance(left, dict) else None
    payload = left.get("payload", {}) if isinstance(left, dict) else {}
    word = (payload.get("protocol"), payload.get("field"))
    if meta in {"iifname", "oifname"}:
        found[meta[:3]] |= set(_items(right))
    elif isinstance(right, str) and right.startswith("@"):
        strange.append(right)  # a set that is filled by somebody else, e.g. fail2ban
    elif word in {("ip", "saddr"), ("ip", "daddr")}:
        networks = {network for item in _items(right) for network in _networks(item)}
        found["src" if word[1] == "saddr" else "dst"] |= networks
    elif word[1] == "dport":
        proto = str(word[0])
        found["ports"] |= {_span(item) for item in _items(right)}
    elif word == ("icmp", "type"):
        proto = "icmp" if set(_items(right)) == {"echo-request"} else "icmp-other"
    elif word == ("ip", "protocol") or meta == "l4proto":
        proto = {"89": "ospf"}.get(str(right), str(right))
    else:
        strange.append(str(meta or word[1] or left))
    return proto


def _items(right: Any) -> list[Any]:
    if isinstance(right, dict) and "set" in right:
        return list(right["set"])
    return list(right) if isinstance(right, list) else [right]


def _networks(item: Any) -> list[IPv4Network]:
    if isinstance(item, dict) and "prefix" in item:
        return [IPv4Network(f"{item['prefix']['addr']}/{item['prefix']['len']}")]
    if isinstance(item, dict) and "range" in item:
        low, high = item["range"]
        return list(summarize_address_range(IPv4Address(low), IPv4Address(high)))
    return [IPv4Network(str(item))]


def _span(item: Any) -> tuple[int, int]:
    if isinstance(item, dict) and "range" in item:
        return int(item["range"][0]), int(item["range"][1])
    return int(item), int(item)


def _join(networks: frozenset[IPv4Network]) -> str:
    return ",".join(str(network) for network in sorted(networks)) or "any"
