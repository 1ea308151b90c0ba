"""Whether a box can be managed, from its running configuration alone: path, lists, SSH, accounts, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.platforms.dialects.ios_words import key_hash, numbers, vlan_list
from lienthong.sim.vendors.cisco_ios.config import Config

SSH = 22
_HOST = str(IPv4Address(0))


def answers(config: Config, managed: IPv4Interface, source: IPv4Address) -> bool:
    """SSH from `source` reaches the box at `managed`."""
    addresses = {name: found for name, words in _open(config) for found in [_address(words)] if found}
    carrier = next((name for name, one in addresses.items() if one.ip == managed.ip), None)
    if carrier is None or not _carried(config, carrier):
        return False
    ways = [carrier] if source in addresses[carrier].network else _ways(config, addresses, source)
    return any(_passes(config, way, source, managed.ip) for way in ways) and _served(config, source)


def keys(config: Config, user: str, known: list[str]) -> list[str]:
    """Keys of `known` by which a user comes in, as `authorized_keys` has them; the device keeps hashes."""
    if not any(re.match(rf"username {re.escape(user)} ", line) for line in config.lines()):
        return []
    held = {
        " ".join(line.split()[1:3])
        for line in config.lines(("ip ssh pubkey-chain", f"username {user}"))
        if line.startswith("key-hash ")
    }
    return [key for key in known if hashed(key) in held]


def hashed(key: str) -> str:
    """A key's kind and hash. Releases that know Ed25519 keep it in the same way (17.9 and later)."""
    found = key_hash("ssh-rsa " + key.split()[1])
    assert found is not None
    return f"{key.split()[0]} {found.split()[1]}"


def _open(config: Config) -> Iterator[tuple[str, list[str]]]:
    """Interfaces that are not shut, nor the line that they are cut from."""
    found = {head.split()[1]: lines for head, lines in config.sections("interface ")}
    for name, lines in found.items():
        if "shutdown" not in lines and "shutdown" not in found.get(name.partition(".")[0], []):
            yield name, lines


def _address(lines: list[str]) -> IPv4Interface | None:
    found = next(
        (one for line in lines if (one := re.fullmatch(r"ip address ([\d.]+) ([\d.]+)", line))), None
    )
    return IPv4Interface(f"{found[1]}/{found[2]}") if found else None


def _carried(config: Config, carrier: str) -> bool:
    """An interface of a VLAN is up with the VLAN and an open trunk or port of it."""
    if not carrier.startswith("Vlan"):
        return True
    vlan = int(carrier[4:])
    if not any(vlan in vlan_list(head[5:]) for head, _ in config.sections("vlan ") if head[5].isdigit()):
        return False
    return any(vlan in carries(lines) for _, lines in _open(config) if any("switchport" in x for x in lines))


def carries(lines: list[str]) -> list[int]:
    """VLANs that a port carries to the rest of the network: those of its trunk."""
    if "switchport mode trunk" not in lines:
        return []
    allowed = [line.split()[-1] for line in lines if line.startswith("switchport trunk allowed vlan ")]
    return [vlan for part in allowed for vlan in vlan_list(part)] if allowed else list(range(1, 4095))


def _ways(config: Config, addresses: dict[str, IPv4Interface], source: IPv4Address) -> list[str]:
    """Interfaces by which there is a way to `source`, and by which it therefore comes."""
    routing = "ip routing" in config.lines() or any(
        line.endswith("ip address") or line.startswith("ip address ")
        for _, lines in config.sections("interface GigabitEthernet")
        for line in lines
    )  # a switch does not route unless told
    hops: list[IPv4Address] = []
    for line in config.lines():
        route = re.match(r"ip route ([\d.]+) ([\d.]+) ([\d.]+)", line)
        if route and routing and source in IPv4Network(f"{route[1]}/{route[2]}"):
            hops.append(IPv4Address(route[3]))
        default = re.match(r"ip default-gateway ([\d.]+)", line)
        if default and not routing:
            hops.append(IPv4Address(default[1]))
    found = [name for name, one in addresses.items() if any(hop in one.network for hop in hops)]
    passive = {line.split()[1] for _, lines in config.sections("router ospf ") for line in lines
               if line.startswith("passive-interface ")}  # fmt: skip
    active = {line.split()[2] for _, lines in config.sections("router ospf ") for line in lines
              if line.startswith("no passive-interface ")}  # fmt: skip
    for name, lines in _open(config):
        hears = name in active or not passive & {name, "default"}
        if name in addresses and hears and any(re.match(r"ip ospf \d+ area ", line) for line in lines):
            found.append(name)
    return found


def _passes(config: Config, way: str, source: IPv4Address, to: IPv4Address) -> bool:
    """The list on the way in lets SSH pass; one that is not there, or has no entry, lets all pass."""
    groups = [line.split()[2] for line in config.lines((f"interface {way}",))
              if re.match(r"ip access-group \S+ in$", line)]  # fmt: skip
    if not groups:
        return True
    entries = config.lines((f"ip access-list extended {groups[0]}",))
    rules = [numbers(re.sub(r"^\d+ ", "", line)) for line in entries]
    rules = [line for line in rules if not line.startswith("remark ")]
    verdict = next((rule for rule in rules if _fits(rule, source, to)), None)
    return not rules or (verdict is not None and verdict.startswith("permit "))


def _fits(rule: str, source: IPv4Address, to: IPv4Address) -> bool:
    """Whether the first packet of a login by SSH is of an entry."""
    words = rule.split()[1:]
    if words.pop(0) not in {"tcp", "ip"}:
        return False
    for address, port in ((source, None), (to, SSH)):
        if not _within(words, address):
            return False
        if words and words[0] in {"eq", "range", "gt", "lt", "neq"} and not _port(words, port):
            return False
    return "established" not in words


def _within(words: list[str], address: IPv4Address) -> bool:
    first = words.pop(0)
    if first == "any":
        return True
    second = words.pop(0)
    if first == "host":
        return IPv4Address(second) == address
    wild = int(IPv4Address(second)) ^ 0xFFFFFFFF
    return int(IPv4Address(first)) & wild == int(address) & wild


def _port(words: list[str], port: int | None) -> bool:
    kind, low = words.pop(0), int(words.pop(0))
    high = int(words.pop(0)) if kind == "range" else low
    if port is None:
        return kind == "neq" or (kind == "gt" and low < 49152)  # a client's own port is a high one
    return {"eq": port == low, "range": low <= port <= high, "gt": port > low, "lt": port < low,
            "neq": port != low}[kind]  # fmt: skip


def _served(config: Config, source: IPv4Address) -> bool:
    """Some line for logins takes SSH from there, with an account to log in by."""
    for head, lines in config.sections("line vty "):
        said = [line.split()[2:] for line in lines if line.startswith("transport input ")]
        if said and not {"ssh", "all"} & set(said[0]):
            continue
        if "aaa new-model" not in config.lines() and "login local" not in lines:
            continue
        lists = [line.split()[1] for line in lines if line.startswith("access-class ")]
        if head and (not lists or _permitted(config, lists[0], source)):
            return True
    return False


def _permitted(config: Config, name: str, source: IPv4Address) -> bool:
    """A list of addresses lets in; one that is not there lets all in."""
    entries = config.lines((f"ip access-list standard {name}",))
    for line in entries:
        words = re.sub(r"^\d+ ", "", line).split()
        if words[0] != "remark" and _within([*words[1:], _HOST], source):
            return words[0] == "permit"
    return not entries
