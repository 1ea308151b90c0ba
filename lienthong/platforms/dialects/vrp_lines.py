"""VRP configuration text as lines: sections by indentation and `#`, lists taken apart, defaults filled in.

Lists that the device joins and splits as it likes (`vlan batch`, VLANs of a trunk) become one line a member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lienthong.platforms import Line, Lines
from lienthong.platforms.dialects.vrp_keys import compared
from lienthong.platforms.dialects.vrp_words import (
    MARK,
    Mine,
    numbered,
    plain,
    ports,
    sealed,
    six,
    vlan_list,
)

#: Not of the configuration: frames, the release, and what a device logs while it prints.
_NOISE = re.compile(
    r"#|return|\[V\d+R\d+\S*\]|(?:Info|Warning):.*"
    r"|[*.]?[A-Z][a-z]{2} +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d\S*:? .*%.*"
)
_KEY = re.compile(r"((?:rsa|dsa|ecc) peer-public-key \S+)(?: encoding-type \S+)?")
_OSPF = re.compile(r"(ospf \d+) (router-id \S+)")
_JOINED = ("vlan batch ", "port trunk allow-pass vlan ")
_LISTS = ("acl name ", "acl ipv6 name ")
#: Not printed, because it is the default (command reference, "User Interface Configuration Commands").
_IDLE = "idle-timeout 10 0"
_LINES = re.compile(r"user-interface (?:con 0|vty 0 4)")


def parse(text: str) -> Lines:
    """The leaves of `display current-configuration`, each under its headings."""
    found = list(_spelt(_tree(text)))
    heads = dict.fromkeys(line[0] for line in found)
    for head in heads:
        if _LINES.fullmatch(head) and not any(
            line[0] == head and line[-1].startswith("idle-timeout ") for line in found
        ):
            found.append((head, _IDLE))
    marked = {line[0] for line in found if len(line) == 2 and _marked(line[1])}
    marked |= {head.replace("vlan ", "vlan batch ") for head in marked if re.fullmatch(r"vlan \d+", head)}
    return tuple(dict.fromkeys((Mine(line[0]), *line[1:]) if line[0] in marked else line for line in found))


def intended(text: str) -> Lines:
    """The lines of a rendered template, with numbers for the rules of its lists."""
    found: list[Line] = []
    lists: dict[str, list[str]] = {}
    for line in _tree(text):
        if line[0].startswith(_LISTS) and len(line) == 2:
            if line[0] not in lists:
                lists[line[0]] = []
                found.append((line[0],))  # its place
            word = line[1].removeprefix("rule ")
            lists[line[0]].append(plain(word) if word.startswith("description ") else word)
        else:
            last = plain(line[-1]) if line[-1].startswith("description ") else line[-1]
            found.append((*line[:-1], last))
    placed = (
        one
        for line in found
        for one in ([(line[0], rule) for rule in numbered(lists[line[0]])] if line[0] in lists else [line])
    )
    return tuple(dict.fromkeys(_spelt(placed)))


def _marked(word: str) -> bool:
    return word.startswith("description ") and word.endswith(MARK)


def _tree(text: str) -> Iterator[Line]:
    """Every line that heads no others, under its headings; a public key is one line."""
    path: list[tuple[int, str]] = []
    pending: Line | None = None
    key: tuple[str, list[str]] | None = None
    for raw in text.splitlines():
        word = raw.strip()
        if key is not None:
            if word == "peer-public-key end":
                yield (key[0], *_code(key[1]))
                key = None
            elif not word.startswith("public-key-code"):
                key[1].append(word)
            continue
        if not word or word.startswith("!") or _NOISE.fullmatch(word):
            if word == "#" and raw.startswith("#"):
                path.clear()
            continue
        opened = _KEY.fullmatch(word)
        if opened and not raw.startswith(" "):
            if pending:
                yield pending
            pending = None
            path.clear()
            key = (opened[1], [])
            continue
        indent = len(raw) - len(raw.lstrip(" "))
        if path and path[0][1] == "aaa" and word.startswith("local-user "):
            indent = 1  # some releases indent the first account by two
        while path and path[-1][0] >= indent:
            path.pop()
        parents = tuple(heading for _, heading in path)
        if pending and pending != parents:
            yield pending
        pending = (*parents, word)
        path.append((indent, word))
    if pending:
        yield pending
    if key is not None:
        yield (key[0], *_code(key[1]))


def _code(lines: list[str]) -> tuple[str, ...]:
    joined = "".join(lines) if lines and lines[0].startswith("ssh-") else " ".join(lines)
    return (compared(joined) or joined,) if joined else ()


def _spelt(lines: Iterator[Line]) -> Iterator[Line]:
    """Each line as the device would show it, taken apart where it joins several."""
    for line in lines:
        head = _OSPF.fullmatch(line[0])
        if head:
            yield (head[1], head[2])
            if len(line) == 1:
                continue
            line = (head[1], *line[1:])
        last = line[-1]
        joined = next((prefix for prefix in _JOINED if last.startswith(prefix)), None)
        if joined:
            members = "2 to 4094" if last.endswith(" all") else last[len(joined) :]
            yield from ((*line[:-1], f"{joined}{vlan}") for vlan in vlan_list(members.split()))
            continue
        if last.startswith(("ipv6 address ", "ipv6 route-static ")):
            last = six(last)
        elif last.startswith("rule "):
            last = ports(last)
        yield (*line[:-1], sealed(last))
