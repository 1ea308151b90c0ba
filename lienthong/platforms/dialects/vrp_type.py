"""What is typed to bring a VRP device from some lines to others, in an order that it accepts.

First what stands in the way of an addition; then additions in the order of the intent, each section entered
once, what goes in it before what comes; then what only goes, users of an object before the object. A value
that is replaced is typed over; rules of a list are added before others are taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Interface
from itertools import groupby

from lienthong.platforms import Line
from lienthong.platforms.dialects.vrp_keys import typed as key_lines
from lienthong.platforms.dialects.vrp_scope import TAG, place
from lienthong.platforms.dialects.vrp_words import LAST_RULE, MARK, OTHER, OWN

#: Users before what they use.
_GOING = (
    "user-interface ", "traffic-filter ", "interface ", "ospf ", "snmp-agent usm-user ", "snmp-agent group ",
    "snmp-agent ", "snmp-agent", "ssh user ", "aaa", "rsa ", "hwtacacs", "radius", "ip pool ", "acl ",
    "vlan ",
)  # fmt: skip
_USERS = 1
#: What of a line is typed after `undo` where it is not its place.
_UNDONE: tuple[tuple[str, str], ...] = (
    (r"acl \S+ inbound", "acl inbound"),
    (r"header login information .*", "header login"),
    (r"(ssh user \S+ assign \S+) .*", r"\1"),
    (r"(snmp-agent usm-user v3 \S+)(?: .*)?", r"\1"),
    (r"(snmp-agent group v3 \S+ \S+)(?: .*)?", r"\1"),
    (r"(hwtacacs[- ]server|radius[- ]server) \S+", r"\1"),
    (r"(acl (?:ipv6 )?name \S+) .*", r"\1"),
    (r"(rule \d+) (?:permit|deny) .*", r"\1"),
    (r"((?:ip|ipv6) address|ospf enable|ospf bfd|traffic-filter|dhcp select|gateway-list"
     r"|snmp-agent sys-info)( .*)", r"\1\2"),
)  # fmt: skip
#: Sections that are taken away as one, and lines that each of them has. An interface that was there before
#: the plan marked it keeps its address when the mark goes.
_SIGNS = (
    (rf"acl (?:ipv6 )?name {OWN}", (rf"rule {LAST_RULE} ",)),
    (rf"ip pool {OWN}", ("network ",)),
    (rf"rsa peer-public-key {OWN}", ()),
    (rf"(?:hwtacacs|radius)[- ]server template {OWN}", (r"\S+ (?:server )?shared-key ",)),
    (rf"ospf {TAG}$", ("router-id ",)),
    (r"interface (?:Vlanif\d+|LoopBack\d+|\S+\.\d+)$", (rf"description .*{re.escape(MARK)}$", "ip address ")),
)
_SCHEME = f"authentication-scheme {OWN}"
#: Goes last of its section: what the others that go stand on.
_LATE = ("port link-type ", "port-security enable", "ospf enable ", "ipv6 enable", "dot1q ")


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """(to remove, to add) → what to type in the system view."""
    gone = [line for line in removed if line not in added]
    typed: list[str] = []
    taken = {(*line[:-1], spot) for line in added for spot in [place(line[-1])] if spot}
    gone = [line for line in gone if (*line[:-1], place(line[-1])) not in taken]
    for line in _in_the_way([one for one in removed if one not in added], added):
        typed += [*line[:-1], f"undo {line[-1]}", "quit"]
        gone = [one for one in gone if one != line]
    visited: set[Line] = set()
    for heading, lines in _runs(added):
        mine = [] if heading in visited else [line[-1] for line in gone if line[:-1] == heading]
        visited.add(heading)
        typed += _section(heading, mine, lines)
    left = [line for line in gone if line[:-1] not in visited or len(line) == 1]
    typed += _leaving(left, removed, {line[0] for line in added})
    return tuple(typed)


def _in_the_way(gone: Sequence[Line], added: Sequence[Line]) -> list[Line]:
    """Addresses that an interface gives up and another gets: the device refuses to have both."""
    coming = [(line[0], _address(line)) for line in added if _address(line)]
    return [
        line
        for line in gone
        for mine in [_address(line)]
        if mine
        and any(head != line[0] and one and one.network.overlaps(mine.network) for head, one in coming)
    ]


def _address(line: Line) -> IPv4Interface | None:
    found = re.fullmatch(r"ip address (\S+) (\S+)", line[-1]) if len(line) == 2 else None
    return IPv4Interface(f"{found[1]}/{found[2]}") if found else None


def _runs(lines: Iterable[Line]) -> Iterator[tuple[Line, list[str]]]:
    """Sections in order, each with its lines; single lines come as a section without heading."""
    for heading, group in groupby(lines, key=lambda line: line[:-1]):
        yield heading, [line[-1] for line in group]


def _section(heading: Line, gone: Sequence[str], coming: Sequence[str]) -> list[str]:
    words = [one for line in coming for one in _typed(line)]
    if not heading:
        return words
    if heading[0].startswith("rsa peer-public-key "):
        code = [one for line in coming for one in key_lines(line)]
        return [*heading, "public-key-code begin", *code, "public-key-code end", "peer-public-key end"]
    going = list(dict.fromkeys(_undos(_kept(gone))))
    enter = list(heading)
    router = next((line for line in coming if line.startswith("router-id ")), None)
    if heading[0].startswith("ospf ") and len(heading) == 1 and router:
        enter = [f"{heading[0]} {router}"]
        words.remove(router)
    # a rule that takes the place of another is there before that one goes
    body = [*words, *going] if heading[0].startswith("acl ") else [*going, *words]
    return [*enter, *body, *["quit"] * len(heading)]


def _kept(gone: Sequence[str]) -> list[str]:
    """What has to be taken away itself and does not go with something else; in its order."""
    rules = {line.split()[1] for line in gone if re.match(r"rule \d+ (?:permit|deny)", line)}
    left = [
        line for line in gone if not re.match(r"rule \d+ description", line) or line.split()[1] not in rules
    ]
    return sorted(left, key=lambda line: line.startswith(_LATE))


def _leaving(gone: Sequence[Line], removed: Sequence[Line], staying: set[str]) -> list[str]:
    """What only goes: whole sections where the plan had made them, else line by line."""
    vlans = {line[0].removeprefix("vlan batch ") for line in gone if line[0].startswith("vlan batch ")}
    typed = [
        (_rank(one.removeprefix("undo ")), [one])
        for one in dict.fromkeys(_undos(line[0] for line in gone if len(line) == 1))
    ]
    whole: set[str] = set()
    for heading in dict.fromkeys(line[:-1] for line in gone if len(line) > 1):
        head = heading[0]
        if head in whole or (head.startswith("vlan ") and head.removeprefix("vlan ") in vlans):
            continue  # gone already, or goes with its VLAN
        if head not in staying and _made(head, [line for line in removed if line[0] == head]):
            whole.add(head)
            typed.append((_rank(head), list(_undos([head]))))
            continue
        if heading[-1] == _SCHEME:
            typed.append((_rank(head), [*heading[:-1], f"undo {_SCHEME}", "quit"]))
            continue
        mine = _kept([line[-1] for line in gone if line[:-1] == heading])
        going = dict.fromkeys(_undos(mine))
        rank = _USERS if head.startswith("ospf ") else _rank(head)  # it names interfaces that may go
        typed.append((rank, [*heading, *going, *["quit"] * len(heading)]))
    return [line for _, lines in sorted(typed, key=lambda one: one[0]) for line in lines]


def _made(head: str, lines: Sequence[Line]) -> bool:
    """Whether the plan made the section and it goes altogether: what no such section is without goes."""
    signs = next((signs for start, signs in _SIGNS if re.match(start, head)), None)
    return signs is not None and all(any(re.match(sign, line[-1]) for line in lines) for sign in signs)


def _rank(word: str) -> int:
    return next((rank for rank, start in enumerate(_GOING) if word.startswith(start)), 4)


def _typed(line: str) -> list[str]:
    if OTHER in line:
        return []  # what the device encrypted cannot be typed again
    asked = re.fullmatch(
        r"(snmp-agent usm-user v3 \S+ (?:authentication|privacy)-mode \S+) cipher (.+)", line
    )
    if asked:
        return [asked[1], asked[2], asked[2]]  # it asks for the secret twice
    if line.startswith("area "):
        return [line, "quit"]  # which is a view of its own
    return [line]


def _undos(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    bare = {line for line in found if re.fullmatch(r"ssh user \S+", line)}
    users = {line.split()[1] for line in found if re.match(r"local-user \S+ service-type ", line)}
    for line in found:
        words = line.split()
        if line.startswith("ssh user ") and line not in bare and " ".join(words[:3]) in bare:
            continue
        if line.startswith("local-user ") and words[1] in users:
            yield f"undo local-user {words[1]}"
        elif line.startswith("undo "):
            yield line[5:]
        else:
            yield f"undo {_undone(line)}"


def _undone(line: str) -> str:
    for pattern, text in _UNDONE:
        found = re.fullmatch(pattern, line)
        if found:
            return found.expand(text)
    return place(line) or line
