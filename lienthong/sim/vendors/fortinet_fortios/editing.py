"""Where a login stands in the configuration, and what it does there: sections, entries, values.

An entry is changed as a copy: it acts with its `next`, or the `end` that leaves its table, and is gone when
the login breaks before that (Administration Guide 7.0, "CLI basics": `next` saves, `abort` does not). What
lies in a section of a section acts with the outermost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.sim.vendors.fortinet_fortios.checks import refuse_removal, refuse_wrong, there
from lienthong.sim.vendors.fortinet_fortios.schema import SECTIONS, Section
from lienthong.sim.vendors.fortinet_fortios.tree import Tree, named, quoted, split
from lienthong.sim.vendors.fortinet_fortios.values import Refused, incomplete, take, unknown, wrong

if TYPE_CHECKING:
    from lienthong.sim.vendors.fortinet_fortios import FortiGate

UNKNOWN_ACTION = "Unknown action 0\n"
#: Values that are only there while another has one of these: (section, value) → (other, its values, default).
_ONLY_WITH = {
    ("system interface", "ip"): ("mode", {"static"}, "static"),
    ("firewall service custom", "icmptype"): ("protocol", {"ICMP", "ICMP6"}, "TCP/UDP/SCTP"),
    ("firewall service custom", "protocol-number"): ("protocol", {"IP"}, "TCP/UDP/SCTP"),
    ("firewall service custom", "tcp-portrange"): ("protocol", {"TCP/UDP/SCTP"}, "TCP/UDP/SCTP"),
    ("firewall service custom", "udp-portrange"): ("protocol", {"TCP/UDP/SCTP"}, "TCP/UDP/SCTP"),
    ("system snmp user", "auth-pwd"): ("security-level", {"auth-no-priv", "auth-priv"}, "no-auth-no-priv"),
    ("system snmp user", "priv-pwd"): ("security-level", {"auth-priv"}, "no-auth-no-priv"),
    ("firewall vip", "extport"): ("portforward", {"enable"}, "disable"),
    ("firewall vip", "mappedport"): ("portforward", {"enable"}, "disable"),
    ("system admin", "wildcard"): ("remote-auth", {"enable"}, "disable"),
    ("system admin", "remote-group"): ("remote-auth", {"enable"}, "disable"),
}


@dataclass
class Frame:
    """Where the login is: a section, a table or an entry of one."""

    path: str
    """`system interface`, `router ospf ospf-interface`."""
    heading: str
    """As it stands in the configuration."""
    section: Section
    tree: Tree
    entry: str | None = None
    """Name of the entry, where this is one."""

    @property
    def is_table(self) -> bool:
        return bool(self.section.key) and self.entry is None


class Editor:
    """What one login has opened."""

    def __init__(self, box: FortiGate) -> None:
        self.box = box
        self.frames: list[Frame] = []

    # sections and entries

    def config(self, words: list[str]) -> str:
        """Open a section."""
        if not words:
            raise incomplete()
        top = not self.frames
        known = SECTIONS if top else self.frames[-1].section.below
        fits = [path for path in known if _fits(split(path), words)]
        exact = [path for path in fits if split(path) == words]
        if len(exact or fits) != 1:
            raise unknown(words[0])
        path = (exact or fits)[0]
        section, heading = known[path], f"config {path}"
        above = self.box.running if top else self.frames[-1].tree
        tree = above.part(heading) or Tree()
        if top and not section.key:
            tree = tree.copy()
        elif above.part(heading) is None:
            order = [f"config {name}" for name in SECTIONS] if top else self.frames[-1].section.order
            above.put(heading, tree, order)
        self.frames.append(Frame(path if top else f"{self.frames[-1].path} {path}", heading, section, tree))
        return ""

    def edit(self, words: list[str]) -> str:
        """Open an entry, new or not."""
        frame = self.frames[-1]
        if len(words) != 1:
            raise incomplete() if not words else unknown(words[1])
        name, kind = words[0], frame.section.key.split()[0]
        if kind == "number" and not (name.isdecimal() and 0 < int(name) <= 4294967294):
            raise wrong(name, f"node_check_object fail! for id {name}", -651)
        if kind == "name":
            if len(name) > int(frame.section.key.split()[1]):
                raise wrong(
                    name, f"string value is too long. the size is {len(name)}, the limit is "
                    f"{frame.section.key.split()[1]}", -1)  # fmt: skip
            if re.search(r"[<>()#'\"]", name):
                raise wrong(name, "The string contains XSS vulnerability characters", -173)
        heading = f"edit {quoted(name) if kind == 'name' else name}"
        there_now = frame.tree.part(heading)
        tree = there_now.copy() if there_now is not None else Tree()
        self.frames.append(Frame(frame.path, heading, frame.section, tree, name))
        return "" if there_now is not None else f"new entry '{name}' added\n"

    def delete(self, words: list[str]) -> str:
        """Take an entry away."""
        frame = self.frames[-1]
        if not words:
            raise incomplete()
        heading = next((item for item in frame.tree.items if named(item) == words[0]), None)
        if heading is None:
            raise Refused("\nentry not found in datasource\nCommand fail. Return code -3\n")
        entry = frame.tree.part(heading)
        assert entry is not None
        if len(self.frames) == 1:
            refuse_removal(self.box.running, frame.path, words[0], entry)
        del frame.tree.items[heading]
        self._acted()
        return ""

    def move(self, words: list[str]) -> str:
        """Put an entry before or after another."""
        frame = self.frames[-1]
        if not frame.section.ordered:
            return UNKNOWN_ACTION
        if len(words) != 3 or words[1] not in {"before", "after"}:
            raise incomplete() if len(words) < 3 else unknown(words[1])
        names = [f"edit {words[0]}", f"edit {words[2]}"]
        if not all(name in frame.tree.items for name in names):
            raise Refused("\nentry not found in datasource\nCommand fail. Return code -3\n")
        pairs = [pair for pair in frame.tree.items.items() if pair[0] != names[0]]
        at = [name for name, _ in pairs].index(names[1]) + (words[1] == "after")
        pairs.insert(at, (names[0], frame.tree.items[names[0]]))
        frame.tree.items.clear()
        frame.tree.items.update(pairs)
        self._acted()
        return ""

    def next(self, words: list[str]) -> str:
        """Make what was typed of an entry act."""
        if words:
            raise unknown(words[0])
        frame = self.frames.pop()
        assert frame.entry is not None
        refuse_wrong(self.box.running, frame.path, frame.section, frame.entry, frame.tree)
        table = self.frames[-1]
        self.box.completed(frame.path, frame.entry, frame.tree)
        table.tree.put(frame.heading, frame.tree)
        self._acted()
        return ""

    def end(self, words: list[str]) -> str:
        """Leave a section."""
        if words:
            raise unknown(words[0])
        if self.frames[-1].entry is not None:
            self.next([])
        frame = self.frames.pop()
        if not self.frames and not frame.section.key:
            refuse_wrong(self.box.running, frame.path, frame.section, "", frame.tree)
            self.box.running.put(frame.heading, frame.tree, [f"config {name}" for name in SECTIONS])
        above = self.frames[-1].tree if self.frames else self.box.running
        if frame.heading in above.items and not frame.tree.items:
            del above.items[frame.heading]  # a section of which nothing is left is not shown
        if not self.frames:
            self._acted()
        return ""

    def abort(self, words: list[str]) -> str:
        """Forget what was typed."""
        if words:
            raise unknown(words[0])
        self.forget()
        return ""

    def forget(self) -> None:
        """Nothing acts that has not acted; a section that was opened for nothing is not there."""
        if self.frames and self.frames[0].section.key and not self.frames[0].tree.items:
            self.box.running.items.pop(self.frames[0].heading, None)
        self.frames.clear()

    def _acted(self) -> None:
        """What was done stands in the running configuration, unless it is in a copy still."""
        if not any(frame.entry is not None or not frame.section.key for frame in self.frames):
            self.box.changed()

    # values

    def _spec(self, words: list[str]) -> tuple[Frame, str, str]:
        frame = self.frames[-1]
        if not words:
            raise incomplete()
        name = words[0]
        other, needed, default = _ONLY_WITH.get((frame.path, name), ("", set(), ""))
        there_now = frame.section.values.get(name)
        if there_now is None or (other and (frame.tree.words(other) or [default])[0] not in needed):
            raise unknown(name)
        return frame, name, there_now

    def set(self, words: list[str]) -> str:
        """Give a value."""
        frame, name, spec = self._spec(words)
        value = take(name, spec, words[1:], lambda table, key: there(self.box.running, table, key))
        if value is None:
            frame.tree.items.pop(f"set {name}", None)
        else:
            frame.tree.put(f"set {name}", value, frame.section.order)
        return "SSH key is good.\n" if spec == "key" else ""

    def append(self, words: list[str]) -> str:
        """Add to a list."""
        frame, name, _ = self._several(words)
        return self.set([name, *frame.tree.words(name), *words[1:]])

    def unselect(self, words: list[str]) -> str:
        """Take out of a list."""
        frame, name, _ = self._several(words)
        left = [word for word in frame.tree.words(name) if word not in words[1:]]
        if len(left) == len(frame.tree.words(name)):
            raise wrong(words[1], "entry not found in datasource", -3)
        return self.set([name, *left]) if left else self.unset([name])

    def _several(self, words: list[str]) -> tuple[Frame, str, str]:
        frame, name, spec = self._spec(words)
        if spec.split()[0] not in {"refs", "options", "hosts", "ports"}:
            raise unknown(name)
        if len(words) < 2:
            raise incomplete()
        return frame, name, spec

    def unset(self, words: list[str]) -> str:
        """Give a value back its default."""
        frame = self.frames[-1]
        if not words:
            raise incomplete()
        if words[0] not in frame.section.values:
            raise unknown(words[0])
        frame.tree.items.pop(f"set {words[0]}", None)
        return ""


def _fits(path: list[str], words: list[str]) -> bool:
    """Words may be shortened: `config sys int`."""
    return len(path) == len(words) and all(
        full.startswith(word) for full, word in zip(path, words, strict=True)
    )
