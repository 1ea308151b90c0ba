"""Junos: what is typed for a change: deletions, settings, places of new terms; a single commit for all.

A list entry outlives its last statement: `term x` without any lets everything pass, a bare `vlans x` is seen
at the next look. So where the statement goes that makes an entry what it is, the entry goes as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lienthong.platforms import Line
from lienthong.platforms.dialects.junos_lines import ORDER, WORD, Sealed

#: Statements with one value: `delete` takes them without it, and `set` replaces it.
_SINGLE = frozenset(
    {"description", "vlan-id", "l3-interface", "interface-mode", "host-name", "domain-name", "message",
     "idle-timeout", "class", "preference", "input", "interface-mac-limit", "packet-action",
     "protocol-version", "root-login", "native-vlan-id", "metric", "interface-type", "hello-interval",
     "dead-interval", "minimum-interval", "multiplier", "mode", "router-id", "network", "low", "high",
     "active-server-group", "read-view", "source-address"}
)  # fmt: skip
#: (statement without which the entry is nothing, the entry); the entry is a template of the groups.
_ENTRIES = tuple(
    (re.compile(pattern), entries)
    for pattern, entries in (
        (r"set (firewall family inet6? filter \S+) term rest then discard", (r"\1",)),
        (r"set (firewall family inet6? filter \S+ term \S+)(?: then (?:accept|discard|reject))?", (r"\1",)),
        (r"set (vlans \S+) vlan-id \d+", (r"\1",)),
        (r"set (access address-assignment pool \S+) family inet network \S+", (r"\1",)),
        (r"set (system services dhcp-local-server group \S+) interface \S+", (r"\1",)),
        (r"set (forwarding-options dhcp-relay) group (\S+) active-server-group \S+",
         (r"\1 group \2", r"\1 server-group \2")),
        (r"set (snmp v3 usm local-engine user \S+) privacy-\S+ .*", (r"\1",)),
        (r"set (snmp v3 vacm security-to-group .* security-name \S+) group lienthong", (r"\1",)),
        (r"set (snmp v3 vacm access group lienthong) .* read-view lienthong", (r"\1",)),
        (r"set (snmp view lienthong) oid \.1 include", (r"\1",)),
        (r"set (system services (?:telnet|ftp|web-management http))\b.*", (r"\1",)),
    )
)  # fmt: skip
_TERM = re.compile(r"set (firewall family inet6? filter lienthong-\S+) term (\S+) ")
REST = "rest"


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """What goes, what comes, and new terms before the one that drops the rest."""
    coming = [str(line[0]) for line in added]
    whole = _entries(removed, coming)
    stems = {_stem(line) for line in coming if _single(line)}
    gone = list(whole)
    for (line,) in removed:
        if not any(_under(line.removeprefix("set "), entry) for entry in whole):
            stem = _stem(line)
            if not (_single(line) and stem in stems):
                gone.append(stem.removeprefix("set "))
    typed = [
        f"delete {one}" for one in gone if not any(_under(one, other) and one != other for other in gone)
    ]
    typed += coming
    terms = dict.fromkeys(found.groups() for line in coming if (found := _TERM.match(line)))
    typed += [
        f"insert {place} term {name} before term {REST}"
        for place, name in terms
        if name != REST and (place, REST) not in terms
    ]
    return tuple(dict.fromkeys(typed))


def _entries(removed: Sequence[Line], coming: Sequence[str]) -> tuple[str, ...]:
    """Entries that go as a whole: what makes them is removed, and nothing of them comes."""
    found = [
        match.expand(entry)
        for (line,) in removed
        for pattern, entries in _ENTRIES
        if (match := pattern.fullmatch(line))
        for entry in entries
    ]
    return tuple(
        dict.fromkeys(
            one for one in found if not any(_under(line.removeprefix("set "), one) for line in coming)
        )
    )


def _under(line: str, entry: str) -> bool:
    return line == entry or line.startswith(f"{entry} ")


def _single(line: str) -> bool:
    words = WORD.findall(line)
    # addresses of a term are many
    return len(words) > 3 and words[-2] in _SINGLE and words[-3] != "from"


def _stem(line: str) -> str:
    """What `delete` is told of a line."""
    words = WORD.findall(line)
    if isinstance(line, Sealed):
        # the entry that holds the key; a password is a statement of its own
        return " ".join(words[:-2] if " md5 " in line or " snmp " in line else words[:-1])
    if line.startswith(ORDER):
        return ORDER.strip()
    return " ".join(words[:-1]) if _single(line) else line
