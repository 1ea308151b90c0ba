"""An IOS configuration as a tree of lines, in the order and the groups in which the device prints it.

Lines that nobody here knows stand where they were loaded and are printed as they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

#: Global lines in the order of `show running-config` (captures of a C9200L with 17.6 and an ISR4331).
_ORDER = tuple(
    re.compile(start)
    for start in (
        r"version ", r"service ", r"hostname ", r"aaa new-model", r"aaa group ", r"aaa authentication ",
        r"aaa authorization ", r"ip routing", r"ip name-server ", r"ip domain[ -]name ",
        r"ip dhcp excluded", r"ip dhcp pool ", r"ipv6 unicast-routing", r"vtp ", r"archive", r"username ",
        r"vlan \d", r"interface Loopback", r"interface Port-channel",
        r"interface (?:Fast|Gigabit|TenGigabit)Ethernet", r"interface Vlan", r"router ospf ",
        r"ip default-gateway ", r"(?:no )?ip http server", r"(?:no )?ip http secure-server", r"ip nat ",
        r"ip route ", r"ip ssh version", r"ip ssh pubkey-chain", r"ip access-list ",
        r"logging source-interface", r"logging host ", r"ipv6 route ", r"snmp-server group ",
        r"tacacs server ", r"radius server ", r"ipv6 access-list ", r"banner ", r"line con ", r"line vty ",
        r"ntp source ", r"ntp server ",
    )
)  # fmt: skip
#: Lines of an interface in the order in which it is printed.
_INSIDE = tuple(
    re.compile(start)
    for start in (
        r"description ", r"switchport access ", r"switchport trunk native ", r"switchport trunk allowed ",
        r"switchport mode ", r"switchport nonegotiate", r"switchport port-security maximum",
        r"switchport port-security violation", r"switchport port-security$", r"encapsulation ",
        r"(?:no )?ip address$|ip address ", r"ip helper-address ", r"ip nat ", r"ip access-group ",
        r"ip ospf authentication", r"ip ospf message-digest-key ", r"ip ospf network ", r"ip ospf bfd",
        r"ip ospf hello-interval ", r"ip ospf \d+ area ", r"ip ospf cost ", r"shutdown", r"negotiation auto",
        r"ipv6 address ", r"ipv6 traffic-filter ", r"spanning-tree portfast", r"spanning-tree bpduguard",
        r"bfd interval ",
    )
)  # fmt: skip
_FRAME = frozenset({"end", "exit"})


@dataclass
class Node:
    """One line with the lines of its section. `group` is printed between two `!`."""

    text: str
    group: int = 0
    lines: list[Node] = field(default_factory=list)
    raw: str | None = None
    """What a loaded line looked like; None for one that was typed."""


@lru_cache(maxsize=8192)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `0/0/2` before `0/0/10`."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text))


@lru_cache(maxsize=8192)
def rank(text: str) -> int | None:
    """Place of a global line; None for one that is not known here."""
    return next((at for at, start in enumerate(_ORDER) if start.match(text)), None)


@lru_cache(maxsize=8192)
def inside(text: str) -> int | None:
    """Place of a line of an interface."""
    return next((at for at, start in enumerate(_INSIDE) if start.match(text)), None)


class Config:
    """The running configuration of one box."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._groups = 0

    def load(self, text: str) -> None:
        """Take a printed configuration in the place of everything."""
        self.nodes = []
        path: list[tuple[int, Node]] = []
        banner: tuple[Node, str] | None = None
        for raw in text.splitlines():
            if banner is not None:
                node, end = banner
                node.raw = f"{node.raw}\n{raw}"
                if end in raw:
                    banner = None
                continue
            word = raw.strip()
            if raw.startswith("!"):
                self._groups += 1
                path.clear()
            elif word and not (word in _FRAME and raw == word):
                indent = len(raw) - len(raw.lstrip(" "))
                while path and path[-1][0] >= indent:
                    path.pop()
                node = Node(word, self._groups, raw=raw)
                (path[-1][1].lines if path else self.nodes).append(node)
                path.append((indent, node))
                opened = re.match(r"banner \S+ (\^C|\S)", raw)
                if opened and opened[1] not in raw[opened.end() :]:
                    banner = (node, opened[1])

    def text(self) -> str:
        """As `show running-config` prints it, without what it says of size and time."""
        out: list[str] = []
        last: int | None = None
        for node in self.nodes:
            if node.group != last:
                out.append("!")
            last = node.group
            out += _printed(node, 0)
        return "\n".join([*out, "!", "end"]) + "\n"

    def view(self, path: tuple[str, ...]) -> Node | None:
        """The node of a section."""
        lines, found = self.nodes, None
        for part in path:
            found = next((node for node in lines if node.text == part), None)
            if found is None:
                return None
            lines = found.lines
        return found

    def lines(self, path: tuple[str, ...] = ()) -> list[str]:
        """The lines of a section, or all global ones."""
        if not path:
            return [node.text for node in self.nodes]
        found = self.view(path)
        return [node.text for node in found.lines] if found else []

    def sections(self, start: str) -> Iterator[tuple[str, list[str]]]:
        """Sections whose heading begins so, with their lines."""
        for node in self.nodes:
            if node.text.startswith(start):
                yield node.text, [line.text for line in node.lines]

    def put(self, path: tuple[str, ...], text: str, replaces: Callable[[str], bool] | None = None) -> None:
        """Add a line to a section at its place, or over the one it replaces."""
        where = self._where(path)
        for node in where:
            if node.text == text:
                return
            if replaces is not None and replaces(node.text):
                node.text, node.raw = text, None
                return
        if not path:
            self._place(text)
        elif path[0].startswith("interface "):
            _insert(where, Node(text), inside)
        else:
            where.append(Node(text))

    def drop(self, path: tuple[str, ...], gone: Callable[[str], bool]) -> bool:
        """Take lines with their sections away; says whether there were any."""
        where = self._where(path)
        left = [node for node in where if not gone(node.text)]
        found = len(left) < len(where)
        where[:] = left
        return found

    def _where(self, path: tuple[str, ...]) -> list[Node]:
        if not path:
            return self.nodes
        found = self.view(path)
        if found is None:
            raise KeyError(path)
        return found.lines

    def _place(self, text: str) -> None:
        node = Node(text)
        at = _insert(self.nodes, node, rank)
        if not _opens(text):
            for near in (at - 1, at + 1):
                if 0 <= near < len(self.nodes) and rank(self.nodes[near].text) == rank(text):
                    node.group = self.nodes[near].group
                    return
        self._groups += 1
        node.group = self._groups
        if at and at + 1 < len(self.nodes) and self.nodes[at - 1].group == self.nodes[at + 1].group:
            # It came into the middle of a group: what stands behind it is one of its own now.
            old, self._groups = self.nodes[at + 1].group, self._groups + 1
            for other in self.nodes[at + 1 :]:
                if other.group == old:
                    other.group = self._groups


def _insert(where: list[Node], node: Node, order: Callable[[str], int | None]) -> int:
    mine = order(node.text)
    if mine is None:
        where.append(node)
        return len(where) - 1
    before = None
    for index, other in enumerate(where):
        theirs = order(other.text)
        if theirs is None:
            continue
        if theirs > mine or (theirs == mine and natural(other.text) > natural(node.text)):
            where.insert(index, node)
            return index
        before = index + 1
    at = len(where) if before is None else before
    where.insert(at, node)
    return at


def _opens(text: str) -> bool:
    """A section prints a group of its own."""
    return re.match(
        r"interface |vlan |router |(?:tacacs|radius) server |aaa group |archive|ip dhcp pool |ip access-list "
        r"|ipv6 access-list ",
        text,
    ) is not None  # fmt: skip


def _printed(node: Node, depth: int) -> list[str]:
    mine = node.raw if node.raw is not None else " " * depth + node.text
    # The chain of public keys is indented by one more.
    deeper = depth + 2 if node.text == "ip ssh pubkey-chain" else depth + 1
    found = [mine]
    for line in node.lines:
        found += _printed(line, deeper)
    return found
