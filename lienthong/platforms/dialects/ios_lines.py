"""IOS configuration text as lines: headings by indentation, banners whole, lists taken apart.

The numbers that newer releases show before entries of lists are dropped: entries are compared by their
words, so that lists of old and new devices, and after a restart, are the same. The last entry of a list of
the plan denies the rest; where others stand behind it, it is shown as misplaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Interface, IPv6Network

from lienthong.platforms import Line, Lines
from lienthong.platforms.dialects.ios_words import (
    MARK,
    MISPLACED,
    OTHER,
    OWN,
    REST,
    Mine,
    Sealed,
    hidden,
    key_hash,
    numbers,
    plain,
    sealed,
    vlan_list,
)

_NOISE = re.compile(
    r"!.*|end|exit|exit-address-family|Building configuration.*|Current configuration ?:.*|version \S+"
    r"|(?:\S.*: )?%[A-Z0-9_]+-[0-7]-[A-Z0-9_]+: .*"  # of the log, where somebody lets it into a login
    r"|no ip address|switchport port-security maximum 1|switchport access vlan 1|ip ospf cost 1"
)
_BANNER = re.compile(r"(banner \S+) (\^C|.)(.*)")
_LIST = re.compile(r"(?:ip access-list (?:standard|extended)|ipv6 access-list) \S+")
_ROUTE = re.compile(r"ip route (?!vrf )(\S+ \S+ \S+)((?: .*)?)")
#: Not printed, because it is the default ("Configuration Fundamentals", `exec-timeout`).
_IDLE = "exec-timeout 10 0"
_LINES = re.compile(r"line (?:con 0|vty \d+ \d+)")
_TRUNK = "switchport trunk allowed vlan "
_GROUP = re.compile(rf"snmp-server group ({OWN}-(\S+)) v3 priv .*")


def parse(text: str) -> Lines:
    """The leaves of `show running-config`, each under its headings."""
    found = list(_spelt(_tree(text)))
    for head in dict.fromkeys(line[0] for line in found):
        if _LINES.fullmatch(head) and not any(
            line[0] == head and line[-1].startswith("exec-timeout ") for line in found
        ):
            found.append((head, _IDLE))
    # Users of SNMP are in no configuration (`snmp-server user`); the plan makes group and user together, and
    # the group bears the user's name.
    groups = [match for line in found if (match := _GROUP.fullmatch(line[0]))]
    found += [
        (sealed(f"snmp-server user {one[2]} {one[1]} v3 auth sha <encrypted secret> priv aes 128"
                " <encrypted secret>"),)
        for one in groups
    ]  # fmt: skip
    marked = {line[0] for line in found if len(line) == 2 and _marked(line[1])}
    pools = _pools(found)
    return tuple(dict.fromkeys(_own(line, marked, pools) for line in _last(found)))


def intended(text: str) -> Lines:
    """The lines of a rendered template."""
    found: list[Line] = []
    for line in _tree(text):
        last = line[-1]
        if last.startswith("description "):
            last = plain(last)
        elif last.startswith("key-hash "):
            known = key_hash(last.removeprefix("key-hash "))
            if known is None:
                continue  # what day 0 made of it stays
            last = f"key-hash {known}"
        found.append((*line[:-1], last))
    return tuple(dict.fromkeys(_spelt(found)))


def _marked(word: str) -> bool:
    return word.startswith(f"name {OWN}-") or (word.startswith("description ") and word.endswith(MARK))


def _own(line: Line, marked: set[str], pools: list[IPv4Network]) -> Line:
    if line[0] in marked:
        return (Mine(line[0]), *line[1:])
    if line[0].startswith("ip dhcp excluded-address "):
        words = line[0].split()
        if any(IPv4Address(words[3]) in pool for pool in pools if _is_address(words[3])):
            return (Mine(line[0]),)
    return line


def _is_address(word: str) -> bool:
    return re.fullmatch(r"\d+\.\d+\.\d+\.\d+", word) is not None


def _pools(lines: Iterable[Line]) -> list[IPv4Network]:
    return [
        IPv4Network("/".join(line[1].split()[1:3]))
        for line in lines
        if line[0].startswith(f"ip dhcp pool {OWN}-") and line[-1].startswith("network ")
    ]


def _last(lines: list[Line]) -> Iterator[Line]:
    """Lines with the entry that denies the rest of a list of the plan marked where it is not the last."""
    last = {line[0]: line for line in lines if _LIST.fullmatch(line[0]) and f" {OWN}-" in line[0]}
    for line in lines:
        if line[-1] in REST and last.get(line[0], line) != line:
            yield (*line[:-1], line[-1] + MISPLACED)
        else:
            yield line


def _tree(text: str) -> Iterator[Line]:
    """Every line that heads no others, under its headings; a banner is one line."""
    path: list[tuple[int, str]] = []
    pending: Line | None = None
    banner: tuple[str, str, list[str]] | None = None
    for raw in text.splitlines():
        word = raw.strip()
        if banner is not None:
            start, end, held = banner
            if end in raw:
                yield (f"{start} " + "\\n".join([*held, raw.partition(end)[0]]).strip("\\n"),)
                banner = None
            else:
                held.append(raw)
            continue
        if not word or _NOISE.fullmatch(word):
            if raw.startswith("!"):
                path.clear()
            continue
        opened = _BANNER.fullmatch(raw)
        if opened:
            if pending:
                yield pending
            pending = None
            path.clear()
            if opened[2] in opened[3]:
                yield (f"{opened[1]} {opened[3].partition(opened[2])[0]}",)
            else:
                banner = (opened[1], opened[2], [opened[3]])
            continue
        indent = len(raw) - len(raw.lstrip(" "))
        while path and path[-1][0] >= indent:
            path.pop()
        parents = tuple(heading for _, heading in path)
        if pending and pending != parents:
            yield pending
        pending = (*parents, word)
        path.append((indent, word))
    if pending:
        yield pending


def _spelt(lines: Iterable[Line]) -> Iterator[Line]:
    """Each line as the template spells it, taken apart where it joins several."""
    known = list(lines)
    trunks: dict[Line, list[str]] = {}
    for line in known:
        if line[-1].startswith(_TRUNK) and len(line) > 1:
            # A long list goes on in further lines that add to it.
            trunks.setdefault(line[:-1], []).append(line[-1].split()[-1])
    for line in known:
        head, last = line[0], line[-1]
        if len(line) == 1:
            yield from _single(last)
            continue
        if re.fullmatch(r"vlan [\d,-]+", head):
            for vlan in vlan_list(head[5:]):
                yield (f"vlan {vlan}",)
                yield (f"vlan {vlan}", last)
            continue
        if _LIST.fullmatch(head):
            last = numbers(re.sub(r"^(?:sequence )?\d+ | sequence \d+$", "", last))
        elif last.startswith(_TRUNK):
            if line[:-1] not in trunks:
                continue
            vlans = {vlan for part in trunks.pop(line[:-1]) for vlan in vlan_list(part)}
            last = f"{_TRUNK}{','.join(map(str, sorted(vlans))) or 'none'}"
        elif last.startswith("key-hash "):
            last = " ".join(last.split()[:3])  # without what somebody called it
        elif last == "spanning-tree portfast edge":
            last = "spanning-tree portfast"
        elif re.match(r"ipv6 address \S+/\d+", last):
            words = last.split()
            last = " ".join([*words[:2], str(IPv6Interface(words[2])), *words[3:]])
        yield (*line[:-1], sealed(last))


def _single(word: str) -> Iterator[Line]:
    if re.fullmatch(r"interface \S+", word):
        return  # a section of which nothing is there but its name
    if re.fullmatch(r"vlan [\d,-]+", word):
        yield from ((f"vlan {vlan}",) for vlan in vlan_list(word[5:]))
        return
    if word.startswith("ip name-server ") and not word.startswith("ip name-server vrf "):
        yield from ((f"ip name-server {server}",) for server in word.split()[2:])
        return
    word = re.sub(r"^ip domain-name ", "ip domain name ", word)
    word = re.sub(r"^logging (?=\d+\.)", "logging host ", word)
    route = _ROUTE.fullmatch(word)
    if route:
        word = f"ip route {route[1]}{_tail(route[2])}"
    elif re.match(r"ipv6 route \S+/\d+ ", word):
        parts = word.split()
        word = " ".join(["ipv6 route", str(IPv6Network(parts[2])), *(part.lower() for part in parts[3:])])
    if word.startswith("snmp-server "):
        word = hidden(word)
    one = sealed(word)
    account = re.fullmatch(r"(username \S+) privilege (\d+) (secret .+)", one)
    if account and isinstance(one, Sealed):
        yield (f"{account[1]} privilege {account[2]}",)
        yield (Sealed(f"{account[1]} {account[3]}"),)
        return
    yield (one if OTHER in one or isinstance(one, Sealed) else word,)


def _tail(words: str) -> str:
    """Distance, tag and name of a route in one order."""
    tag = re.search(r" tag \d+", words)
    name = re.search(r" name \S+", words)
    rest = words
    for found in (tag, name):
        rest = rest.replace(found[0], "") if found else rest
    return ("" if rest == " 1" else rest) + (tag[0] if tag else "") + (name[0] if name else "")
