"""Juniper Junos: `set` lines of `show configuration | display set`, gathered in a candidate and committed.

Written from documents and not yet the dialect of any platform: templates and a simulated device are missing.
What is shown of a secret (`$6$…`, `$9$…`) is hashed or salted: an owned line with one is as intended when it
is there, and a changed secret is not noticed. Owned are ports, legs, VLANs, routes and accounts that the plan
names, single values it gives, and all that is called `lienthong…`. Servers of others stay, and so does a port
or route that the plan no longer has. Order of terms means nothing, since all but the last accept; a new one
is put before the last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Interface, IPv4Network

from lienthong.model.words import VLANS
from lienthong.platforms import Dialect, Line, Lines, Reach

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>|\S+')
_PLAIN = re.compile(r'"([A-Za-z0-9_./:@,+=-]+)"')
_SEALED = re.compile(
    r"(set (?:system login user \S+ authentication|snmp v3 usm local-engine user \S+ \S+) )"
    r"(plain-text-password-value|encrypted-password|authentication-key|privacy-key|"
    r"authentication-password|privacy-password) .+"
)
_KIND = {"plain-text-password-value": "password", "encrypted-password": "password"}
#: Statements with one value: `delete` takes them without it.
_SINGLE = frozenset(
    {"description", "vlan-id", "l3-interface", "interface-mode", "host-name", "domain-name", "message",
     "idle-timeout", "class", "preference", "input", "interface-mac-limit", "protocol-version", "root-login"}
)  # fmt: skip
_IDS = "|".join(str(one) for one in sorted({*VLANS.values(), 999}))
_OURS = re.compile(
    rf"set (?:vlans vlan(?:{_IDS}) (?:vlan-id|description|l3-interface) "
    r"|firewall family inet6? filter lienthong-|system login class lienthong "
    r"|snmp (?:v3 usm local-engine user lienthong |v3 vacm \S+(?: \S+)* lienthong |view lienthong )"
    r"|system (?:host-name|domain-name|login message) |system services (?:telnet|ftp|web-management http)\b"
    r"|system services ssh (?:protocol-version|root-login) "
    r"|interfaces lo0 unit 0 family inet6? filter input )"
)
_PORT = re.compile(
    r"set interfaces (\S+) (?:description |disable$|unit 0 (?:description |family ethernet-switching))"
)
_LEG = re.compile(r"set interfaces irb unit (\d+) (?:description |disable$|family (inet6?) address )")
_ROUTE = re.compile(r"set routing-options (?:rib inet6\.0 )?static route (\S+) ")
_USER = re.compile(r"set system login user (\S+) ")
_LIMIT = re.compile(r"set switch-options interface (\S+) interface-mac-limit ")
_TERM = re.compile(r"set (firewall family inet6? filter lienthong-\S+) term (\S+) ")
REST = "rest"
_OPEN = IPv4Network("0.0.0.0/0")


class Sealed(str):
    """A line whose value the device hides: equal to every other of its place."""

    @property
    def place(self) -> str:
        """The line without its value."""
        found = _SEALED.fullmatch(self)
        return f"{found[1]}{_KIND.get(found[2], found[2].split('-')[0])}" if found else str(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.place == other.place

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.place)


def parse(text: str) -> Lines:
    """The `set` lines, quoted only where they must be; anything else is noise."""
    found: list[Line] = []
    for raw in text.splitlines():
        if raw.startswith("set "):
            words = [_PLAIN.sub(r"\1", word) for word in _WORD.findall(raw.split(" ## ")[0])]
            line = " ".join(words)
            found.append((Sealed(line) if _SEALED.fullmatch(line) else line,))
    return tuple(dict.fromkeys(found))


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    if line in intended:
        return True
    text = line[0]
    if _OURS.match(text):
        return True
    for pattern in (_PORT, _LEG, _ROUTE, _USER, _LIMIT):
        found = pattern.match(text)
        if found:
            wanted = (pattern.match(other[0]) for other in intended)
            return any(one.groups() == found.groups() for one in wanted if one)
    return False


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """What goes, what comes, and new terms before the one that drops the rest: a single commit for all."""
    typed = [_delete(line[0]) for line in removed]
    typed += [str(line[0]) for line in added]
    terms = dict.fromkeys(found.groups() for line in added if (found := _TERM.match(line[0])))
    typed += [
        f"insert {place} term {name} before term {REST}"
        for place, name in terms
        if name != REST and (place, REST) not in terms
    ]
    return tuple(dict.fromkeys(typed))


def _delete(line: str) -> str:
    if isinstance(line, Sealed):
        return "delete " + " ".join(_WORD.findall(line)[1:-1])
    words = _WORD.findall(line)[1:]
    return "delete " + " ".join(words[:-1] if len(words) > 1 and words[-2] in _SINGLE else words)


def interfaces(line: Line) -> frozenset[str]:
    """The interface that a line is about, with its unit where it is a leg."""
    found = re.match(r"set (?:interfaces|switch-options interface) (\S+)(?: unit (\d+))?", line[0])
    if not found:
        return frozenset()
    return frozenset({found[1], f"{found[1]}.{found[2]}"} if found[2] else {found[1]})


def vlans(line: Line) -> frozenset[int]:
    """The VLAN that a line puts on a port."""
    found = re.search(r" vlan members vlan(\d+)$", line[0])
    return frozenset({int(found[1])} if found else ())


def reach(lines: Lines) -> Reach:
    """Legs that are up, VLANs of open ports, and who may come in by SSH."""
    texts = [line[0] for line in lines]
    down = {
        found[1] for one in texts if (found := re.match(r"set interfaces (\S+(?: unit \d+)?) disable$", one))
    }
    ids = {f[1]: int(f[2]) for one in texts if (f := re.match(r"set vlans (\S+) vlan-id (\d+)$", one))}
    tag = {f[2]: ids[f[1]] for one in texts
           if (f := re.match(r"set vlans (\S+) l3-interface (\S+)$", one)) and f[1] in ids}  # fmt: skip
    addresses: dict[str, tuple[IPv4Interface, ...]] = {}
    carried: dict[str, frozenset[int]] = {}
    for one in texts:
        leg = re.match(r"set interfaces (\S+) unit (\d+) family inet address ([\d./]+)", one)
        if leg and not {leg[1], f"{leg[1]} unit {leg[2]}"} & down:
            name = f"{leg[1]}.{leg[2]}"
            addresses[name] = (*addresses.get(name, ()), IPv4Interface(leg[3]))
        port = re.match(r"set interfaces (\S+) unit 0 family ethernet-switching vlan members (\S+)$", one)
        if port and port[1] not in down:
            number = ids.get(port[2], int(port[2]) if port[2].isdigit() else 0)
            carried[port[1]] = carried.get(port[1], frozenset()) | {number}
    users = {
        found[1]
        for one in texts
        if (found := re.match(r"set system login user (\S+) class (?:super-user|lienthong)$", one))
        and any(other.startswith(f"set system login user {found[1]} authentication ") for other in texts)
    }
    return Reach(
        addresses, carried, tag,
        frozenset(IPv4Network(f[1]) for one in texts
                  if (f := re.match(r"set routing-options static route (\d\S+) next-hop ", one))),
        any(one.startswith("set protocols ospf ") for one in texts),
        ssh=any(re.match(r"set system services ssh\b", one) for one in texts),
        logins=_logins(texts), users=frozenset(users),
    )  # fmt: skip


def _logins(texts: Sequence[str]) -> tuple[IPv4Network, ...]:
    """Sources of the term that lets SSH in, where our filter stands before the device."""
    applied = next(
        (
            one.split()[-1]
            for one in texts
            if one.startswith("set interfaces lo0 unit 0 family inet filter input ")
        ),
        None,
    )
    if applied is None:
        return (_OPEN,)
    terms: dict[str, list[str]] = {}
    for one in texts:
        found = re.match(rf"set firewall family inet filter {re.escape(applied)} term (\S+) (.+)", one)
        if found:
            terms.setdefault(found[1], []).append(found[2])
    open_to: list[IPv4Network] = []
    for said in terms.values():
        ports = {one.split()[-1] for one in said if one.startswith("from destination-port ")}
        protocols = {one.split()[-1] for one in said if one.startswith("from protocol ")}
        if "then accept" in said and protocols <= {"tcp"} and (not ports or ports & {"22", "ssh"}):
            if any(re.match("from (?:tcp-established|source-port)", one) for one in said):
                continue
            nets = [one.split()[-1] for one in said if one.startswith("from source-address ")]
            open_to += [IPv4Network(net) for net in nets] or [_OPEN]
    return tuple(open_to)


def commit(window_s: int) -> tuple[str, ...]:
    """Looked over first; then in force for so many minutes, for good with the next commit only."""
    return ("commit check", f"commit confirmed {max(1, -(-window_s // 60))}")


def prompt(name: str) -> str:
    """`user@name>`, with `#` while configuring."""
    return rf"(?:^|[\r\n])[\w.-]+@{re.escape(name)}[>#] ?$"


JUNOS = Dialect(
    name="junos",
    device_type="juniper_junos",
    account="network",
    show="show configuration | display set | no-more",
    errors=(r"^\s*syntax error.*", r"^error: .*", r"^\s*unknown command.*", r"^\s*missing argument.*",
            r"^\s*invalid .*", r"load complete \([1-9]\d* errors?\)", r"^warning: statement not found.*"),
    save=None,
    saved=None,
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    reach=reach,
    enter=("configure exclusive",),
    leave=("rollback 0", "exit configuration-mode"),
    commit=commit,
    batch=("load set terminal", "\x04"),
    prompt=prompt,
)  # fmt: skip
