"""Whether a box can be managed, from its running configuration alone: path, lists, SSH, accounts, keys."""

from __future__ import annotations

import base64
import re
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.vendors.huawei_vrp.config import Config
from lienthong.sim.vendors.huawei_vrp.spelling import numbers

SSH = 22


def answers(config: Config, managed: IPv4Interface, source: IPv4Address) -> bool:
    """SSH from `source` reaches the box at `managed`."""
    carrier = _carrier(config, managed.ip)
    return (
        carrier is not None
        and _carried(config, carrier, local=source in managed.network)
        and _comes_in(config, carrier, managed, source)
        and _served(config, source)
    )


def keys(config: Config, user: str) -> list[str]:
    """Keys by which a user comes in, as `authorized_keys` has them."""
    lines = config.lines()
    modes = [line.split()[-1] for line in lines if line.startswith(f"ssh user {user} authentication-type ")]
    named = [line.split()[-1] for line in lines if line.startswith(f"ssh user {user} assign rsa-key ")]
    account = config.lines(("aaa",))
    service = any(re.match(rf"local-user {re.escape(user)} service-type .*\bssh\b", line) for line in account)
    if not modes or modes[0] not in {"rsa", "all"} or not named or not service:
        return []
    for head, words in config.sections("rsa peer-public-key "):
        if head.split()[2] == named[0]:
            return [_openssh(words)]
    return []


def _carrier(config: Config, address: IPv4Address) -> str | None:
    down = {head.split()[1] for head, lines in config.sections("interface ") if "shutdown" in lines}
    for head, lines in config.sections("interface "):
        name = head.split()[1]
        if name in down or name.partition(".")[0] in down:
            continue
        for line in lines:
            found = re.match(r"ip address (\S+) (\S+)", line)
            if found and IPv4Address(found[1]) == address:
                tagged = any(line.startswith("dot1q termination vid ") for line in lines)
                return name if "." not in name or tagged else None
    return None


def _carried(config: Config, carrier: str, local: bool) -> bool:
    """An interface of a VLAN is up with a port of it; whoever is not in the VLAN comes by a trunk."""
    if not carrier.startswith("Vlanif"):
        return True
    vlan = int(carrier[6:])
    for _, lines in config.sections("interface "):
        if "shutdown" in lines:
            continue
        if local and f"port default vlan {vlan}" in lines:
            return True
        if "port link-type trunk" in lines and any(
            vlan in numbers(line.split()[4:])
            for line in lines
            if line.startswith("port trunk allow-pass vlan ")
        ):
            return True
    return False


def _comes_in(config: Config, carrier: str, managed: IPv4Interface, source: IPv4Address) -> bool:
    """The way there and back: its lists, and a route where the source lies elsewhere."""
    if source in managed.network:
        return _passes(config, carrier, source, managed.ip)
    # neighbours are where OSPF runs with a key; all else is passive
    active = [
        (head.split()[1], lines)
        for head, lines in config.sections("interface ")
        if any(line.startswith("ospf authentication-mode ") for line in lines)
        and any(line.startswith("ospf enable ") for line in lines)
    ]
    up = [name for name, lines in active if "shutdown" not in lines and _addressed(lines)]
    if any(_passes(config, name, source, managed.ip) for name in up):
        return True
    if not active and managed.ip == managed.network[1]:
        return True  # a gateway on the bench, before it has lines
    for line in config.lines():
        found = re.match(r"ip route-static (\S+) (\S+) (\S+)", line)
        if found and source in IPv4Interface(f"{found[1]}/{found[2]}").network:
            return _passes(config, carrier, source, managed.ip)
    return False


def _addressed(lines: list[str]) -> bool:
    return any(line.startswith("ip address ") for line in lines)


def _passes(config: Config, name: str, source: IPv4Address, target: IPv4Address) -> bool:
    spelt = re.compile(r"traffic-filter (?:inbound acl name (\S+)|acl (\S+) inbound)")
    found = [spelt.fullmatch(line) for line in config.lines((f"interface {name}",))]
    filters = [one[1] or one[2] for one in found if one]
    if name.startswith("Vlanif"):
        whole = f"traffic-filter vlan {name[6:]} inbound acl name "
        filters += [line.split()[-1] for line in config.lines() if line.startswith(whole)]
    for one in filters:
        rules = next((lines for head, lines in config.sections(f"acl name {one} ")), [])
        if not _permits(rules, source, target, otherwise=True):
            return False
    return True


def _permits(rules: list[str], source: IPv4Address, target: IPv4Address, otherwise: bool) -> bool:
    """The first rule that fits a packet to SSH decides, in the order of numbers."""
    found = [re.match(r"rule (\d+) (permit|deny)(.*)", rule) for rule in rules]
    for rule in sorted((one for one in found if one), key=lambda one: int(one[1])):
        text = rule[3]
        proto = re.match(r" (ip|tcp|udp|icmp|ospf)\b", text)
        if proto and proto[1] not in {"ip", "tcp"}:
            continue
        if " tcp-flag established" in text or " source-port " in text:
            continue
        port = re.search(r"destination-port (eq|range) (\S+)(?: (\d+))?", text)
        if port and not _port(port[1], port[2], port[3]):
            continue
        if _end(text, "source", source) and _end(text, "destination", target):
            return rule[2] == "permit"
    return otherwise


def _port(how: str, first: str, last: str | None) -> bool:
    if how == "eq":
        return first == str(SSH)
    return first.isdigit() and last is not None and int(first) <= SSH <= int(last)


def _end(text: str, word: str, address: IPv4Address) -> bool:
    found = re.search(rf"\b{word} ([\d.]+) ([\d.]+)", text)
    if found is None:
        return True
    wild = int(IPv4Address(found[2])) if "." in found[2] else 0
    return int(address) & ~wild == int(IPv4Address(found[1])) & ~wild


def _served(config: Config, source: IPv4Address) -> bool:
    """STelnet runs, and the VTY lines take SSH from there. A list without a rule limits nothing."""
    if "stelnet server enable" not in config.lines():
        return False
    lines = config.lines(("user-interface vty 0 4",))
    if "authentication-mode aaa" not in lines or "protocol inbound telnet" in lines:
        return False
    for line in lines:
        found = re.fullmatch(r"acl (\d+) inbound", line)
        if found:
            rules = [rules for head, rules in config.sections("acl ") if found[1] in head.split()]
            if rules and any(re.match(r"rule \d+ (?:permit|deny)", rule) for rule in rules[0]):
                return _permits(rules[0], source, source, otherwise=False)
    return True


def _openssh(words: list[str]) -> str:
    if words and words[0].startswith(("ssh-", "ecdsa-")):
        return "".join(words)
    digits = "".join(word.rjust(len(word) + len(word) % 2, "0") for line in words for word in line.split())
    raw = bytes.fromhex(digits)
    integers, at = [], _inside(raw, 0)[0]
    while at < len(raw):
        start, size = _inside(raw, at)
        integers.append(raw[start : start + size])
        at = start + size
    parts = [b"ssh-rsa", *reversed(integers[:2])]
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-rsa {base64.b64encode(blob).decode()}"


def _inside(raw: bytes, at: int) -> tuple[int, int]:
    """(start, length) of the content of a DER element."""
    size = raw[at + 1]
    if size < 0x80:
        return at + 2, size
    count = size & 0x7F
    return at + 2 + count, int.from_bytes(raw[at + 2 : at + 2 + count], "big")
