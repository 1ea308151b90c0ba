"""What is typed to bring an IOS device from some lines to others, in an order that it accepts.

First what stands in the way of an addition; then additions in the order of the intent, each section entered
once, what goes in it before what comes; then what only goes, users of an object before the object. A value
that is replaced is typed over. In a list what comes is typed before what goes, and the entry that denies the
rest is typed anew behind it: without it the list denies all the same, only unlogged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Interface
from itertools import groupby

from lienthong.platforms import Line
from lienthong.platforms.dialects.ios_scope import TAG, place
from lienthong.platforms.dialects.ios_words import CRYPTED, MARK, MISPLACED, OTHER, OWN, REST, rest_of

#: Users before what they use.
_GOING = (
    "line ", "ip nat ", "interface ", "router ", "snmp-server user ", "snmp-server group ", "ip ssh pubkey",
    "aaa authorization ", "aaa authentication ", "aaa group ", "aaa new-model", "username ", "tacacs server ",
    "radius server ", "ip dhcp pool ", "ip dhcp ", "ip access-list ", "ipv6 access-list ", "vlan ",
)  # fmt: skip
_MIDDLE = 2
#: Without AAA lines ask for a password of their own, which nobody has set, and nobody comes in any more.
_LOGINS = ("line vty 0 4", "login local", "exit", "line vty 5 15", "login local", "exit")
_CHAIN = "ip ssh pubkey-chain"
_LISTS = ("ip access-list ", "ipv6 access-list ")
#: What of a line is typed after `no` where it is not the whole line.
_UNDONE: tuple[tuple[str, str], ...] = (
    (r"(ip ospf message-digest-key \d+) .*", r"\1"),
    (r"(snmp-server user \S+ \S+ v3) .*", r"\1"),
    (r"(snmp-server group \S+ v3 priv)(?: .*)?", r"\1"),
    (r"(ip route \S+ \S+ \S+).*", r"\1"),
    (r"(ipv6 route \S+ \S+).*", r"\1"),
    (r"(banner \S+) .*", r"\1"),
    (r"(description|hostname|bfd interval|key|switchport (?:mode|access vlan|trunk (?:allowed|native) vlan"
     r"|port-security (?:maximum|violation))|aaa authentication login \S+|aaa authorization exec \S+) .*",
     r"\1"),
)  # fmt: skip
#: `no` of these means never, or none, and not as it was before.
_DEFAULT = ("exec-timeout ", "transport input ")
#: Sections that are taken away as one, and lines that each of them has. An interface that was there before
#: the plan marked it keeps its address when the mark goes.
_SIGNS = (
    (rf"ip access-list (?:standard|extended) {OWN}-|ipv6 access-list {OWN}-", ("permit |deny ",)),
    (rf"ip dhcp pool {OWN}-", ("network ",)),
    (rf"(?:tacacs|radius) server {OWN}-", ("address ipv4 ",)),
    (rf"aaa group server \S+ {OWN}$", ("server name ",)),
    (rf"router ospf {TAG}$", ("router-id ",)),
    (r"interface (?:Vlan\d+|Loopback\d+|\S+\.\d+)$", (rf"description .*{re.escape(MARK)}$", "ip address ")),
)
#: Goes last of its section, in this order: what the others that go stand on.
_LATE = ("switchport port-security", "switchport mode ", "ip ospf 227 ", "encapsulation ")


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """(to remove, to add) → what to type in configuration mode."""
    gone = [line for line in removed if line not in added]
    taken = {(*line[:-1], spot) for line in added for spot in [place(line[-1])] if spot}
    gone = [line for line in gone if (*line[:-1], place(line[-1])) not in taken]
    typed: list[str] = []
    for line in _in_the_way(removed, added):
        typed += [*line[:-1], f"no {line[-1]}", "exit"]
        gone = [one for one in gone if one != line]
    visited: set[Line] = set()
    shut = {line[:-1] for line in added if line[-1] == "shutdown"} - {
        line[:-1] for line in added if line[-1] != "shutdown"
    }  # what only closes goes with what goes: management may come by it while the rest is typed
    for heading, lines in _runs([line for line in added if line[:-1] not in shut]):
        mine = [] if heading in visited else [line[-1] for line in gone if line[:-1] == heading]
        visited.add(heading)
        typed += _section(heading, mine, lines)
    left = [line for line in gone if line[:-1] not in visited or len(line) == 1]
    left += [(*heading, "shutdown") for heading in shut]
    typed += _leaving(left, {line[0] for line in added}, shut)
    return tuple(typed)


def _in_the_way(removed: Sequence[Line], added: Sequence[Line]) -> list[Line]:
    """Addresses that an interface gives up and another gets: the device refuses to have both."""
    coming = [(line[0], one) for line in added for one in [_address(line)] if one]
    return [
        line
        for line in removed
        for mine in [_address(line)]
        if mine and any(head != line[0] and one.network.overlaps(mine.network) for head, one in coming)
    ]


def _address(line: Line) -> IPv4Interface | None:
    found = re.fullmatch(r"ip address (\S+) (\S+)", line[-1]) if len(line) == 2 else None
    return IPv4Interface(f"{found[1]}/{found[2]}") if found else None


def _runs(added: Sequence[Line]) -> Iterator[tuple[Line, list[str]]]:
    """Sections with what is added in them, in the order of their first line; single lines in place."""
    sections: dict[Line, list[str]] = {}
    for line in added:
        if len(line) > 1:
            sections.setdefault(line[:-1], []).append(line[-1])
    for heading, lines in groupby(added, key=lambda line: line[:-1]):
        if not heading:
            yield heading, [line[-1] for line in lines]
        elif heading in sections:
            yield heading, sections.pop(heading)


def _section(heading: Line, gone: Sequence[str], added: Sequence[str]) -> list[str]:
    words = [word for line in added for word in _typed(line)]
    if not heading:
        return words
    going = [word for line in sorted(gone, key=_late) for word in _undo(line)]
    leave = ["exit"] * len(heading)
    if heading[0] == _CHAIN:
        # Never without a key, and never with more than the two that a user may have.
        return [*heading, *going[1:], *words, *going[:1], *leave]
    if not heading[0].startswith(_LISTS):
        opens = [word for word in going if word == "no shutdown"]  # once all the rest is as it must be
        return [*heading, *[word for word in going if word not in opens], *words, *opens, *leave]
    rest = rest_of(heading[0])
    misplaced = [word.removesuffix(MISPLACED) for word in going if word.endswith(MISPLACED)]
    going = [word for word in going if not word.endswith(MISPLACED)]
    entries = [word for word in words if word not in REST]
    if not words:
        return [*heading, *going, *leave]
    there = not any(word in REST for word in words)
    return [*heading, *([f"no {rest}"] if there else misplaced), *entries, rest, *going, *leave]


def _leaving(gone: Sequence[Line], staying: set[str], shut: set[Line]) -> list[str]:
    """What only goes: whole sections where the plan had made them, else line by line."""
    vlans = {line[0] for line in gone if re.fullmatch(r"vlan \d+", line[0]) and len(line) == 1}
    accounts = {line[0].split()[1] for line in gone if re.match(r"username \S+ privilege ", line[0])}
    typed: list[tuple[int, list[str]]] = []
    for line in gone:
        if len(line) == 1:
            account = re.match(r"username (\S+) ", line[0])
            if account and account[1] in accounts:
                if " privilege " in line[0]:
                    typed.append((_rank(line[0]), [f"no username {account[1]}"]))
                continue
            typed.append((_rank(line[0]), list(_undo(line[0]))))
            if line[0] == "aaa new-model":
                typed.append((_rank(line[0]), list(_LOGINS)))
    for heading in reversed(dict.fromkeys(line[:-1] for line in gone if len(line) > 1)):
        head = heading[0]
        if head in vlans:
            continue  # goes with its VLAN
        mine = [line for line in gone if line[:-1] == heading]
        if head not in staying and _made(head, mine):
            typed.append((_rank(head), [f"no {head}"]))
            continue
        if head == _CHAIN:
            going = [f"no {line[-1]}" for line in mine]
        else:
            closing = [line for line in mine if heading in shut and line[-1] == "shutdown"]
            going = [
                word
                for line in sorted([one[-1] for one in mine if one not in closing], key=_late)
                for word in _undo(line)
            ] + [line[-1] for line in closing]
        typed.append((_rank(head), [*heading, *going, *["exit"] * len(heading)]))
    return [line for _, lines in sorted(typed, key=lambda one: one[0]) for line in lines]


def _made(head: str, lines: Sequence[Line]) -> bool:
    """Whether the plan made the section and it goes altogether: what no such section is without goes."""
    signs = next((signs for start, signs in _SIGNS if re.match(start, head)), None)
    if signs is None or head.startswith(_LISTS):
        # A list goes with the entry that denies the rest, one of addresses with its last entry.
        return signs is not None and any(line[-1].removesuffix(MISPLACED) in REST for line in lines)
    return all(any(re.match(sign, line[-1]) for line in lines) for sign in signs)


def _late(line: str) -> int:
    # the bare `switchport port-security` is what the numbers of it stand on
    return next((at + 1 for at, start in enumerate(_LATE) if line.startswith(start)), 0)


def _rank(word: str) -> int:
    word = word.removeprefix("no ")
    return next((rank for rank, start in enumerate(_GOING) if word.startswith(start)), _MIDDLE)


def _typed(line: str) -> list[str]:
    if OTHER in line or CRYPTED in line:
        return []  # what the device encrypted cannot be typed again
    if line.startswith("banner "):
        kind, _, text = line.removeprefix("banner ").partition(" ")
        return [f"banner {kind} ~{text}~"]
    return [line]


def _undo(line: str) -> Iterator[str]:
    if line.startswith("no "):
        yield line[3:]
    elif line.startswith(_DEFAULT):
        yield f"default {' '.join(line.split()[:-1]) if line.startswith('transport') else 'exec-timeout'}"
    else:
        yield f"no {_undone(line)}"


def _undone(line: str) -> str:
    for pattern, text in _UNDONE:
        found = re.fullmatch(pattern, line)
        if found:
            return found.expand(text)
    return line
