"""Junos: `set` lines as they are compared: one a statement, quoted only where they must be, secrets hidden.

What is shown of a secret (`$6$…`, `$9$…`) is hashed or salted, and `$9$` can be turned back: a line with one
keeps its place and nothing of the value, and equals every other of that place.
"""

from __future__ import annotations

import re
from hashlib import sha256

from lienthong.platforms import Line, Lines

WORD = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>|\S+')
_PLAIN = re.compile(r'"([A-Za-z0-9_./:@,+=-]+)"')
_SEALED = re.compile(
    r"(set (?:system login user \S+ authentication|snmp v3 usm local-engine user \S+ \S+"
    r"|system (?:tacplus|radius)-server \S+|protocols ospf area \S+ interface \S+ authentication md5 \d+) )"
    r"(plain-text-password-value|encrypted-password|authentication-key|privacy-key|"
    r"authentication-password|privacy-password|secret|key|<other secret>) (.+)"
)
_KIND = {"plain-text-password-value": "password", "encrypted-password": "password"}
#: An empty family of a leg stays when its last address goes, and does nothing.
_EMPTY = re.compile(r"set interfaces \S+ unit \d+(?: family inet6?)?$")
ORDER = "set system authentication-order "
_TERM = re.compile(r" term @(\S+) ")
#: A term's name has letters, digits and hyphens, at most so many ("Guidelines for Configuring Firewall
#: Filters", Routing Policies, Firewall Filters, and Traffic Policers User Guide).
LONGEST = 64
HIDDEN = "<other secret>"


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
    """The `set` lines, quoted only where they must be; anything else is noise. The order in which accounts
    are asked is one line, since it is the only order that means something."""
    found: list[Line] = []
    asked: list[str] = []
    for raw in text.splitlines():
        if not raw.startswith("set ") or _EMPTY.match(raw):
            continue
        line = " ".join(_PLAIN.sub(r"\1", word) for word in WORD.findall(raw.split(" ## ")[0]))
        if line.startswith(ORDER):
            asked += [word for word in line.removeprefix(ORDER).split() if word not in "[]"]
            line = ORDER
        found.append((_sealed(line),))
    order = f"{ORDER}[ {' '.join(asked)} ]" if len(asked) > 1 else ORDER + "".join(asked)
    return tuple((order,) if line == (ORDER,) else line for line in dict.fromkeys(found))


def intended(text: str) -> Lines:
    """A rendered template, in which `term @ID` is named by an id that may be longer than a name."""
    return parse(
        "\n".join(_TERM.sub(lambda found: f" term {named(found[1])} ", one) for one in text.splitlines())
    )


def named(identity: str) -> str:
    """The name of a term, the same for an id always: readable while it is short enough."""
    name = identity.replace("/", "__").replace(".", "_")
    if len(name) <= LONGEST:
        return name
    # digits only: whoever reads a name sees at once which part was made
    number = int.from_bytes(sha256(identity.encode()).digest()[:8]) % 10**12
    return f"{identity.split('.')[0][:40]}_{number:012}"


def _sealed(line: str) -> str:
    found = _SEALED.fullmatch(line)
    if found is None:
        return line
    # the veil, which does not know that `md5 1 key` ends in the secret, may have taken `key` for it
    word = "key" if found[2] == HIDDEN else found[2]
    return Sealed(f"{found[1]}{word} {found[3] if re.fullmatch('<secret [^>]*>', found[3]) else HIDDEN}")
