"""A configuration as a tree of statements: what is set, deleted, put before another, and how it is shown.

What is deleted leaves hierarchies behind only where they mean something by themselves: `unit 0`, `family
inet` and a `term` stay without anything in them, `services` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lienthong.sim.vendors.juniper_junos.schema import ROOT, Path, Spec, Step, paths
from lienthong.sim.vendors.juniper_junos.values import Refused, quoted, split

Key = tuple[str, str]
NOT_FOUND = "warning: statement not found"


class Node:
    """One statement that is there, with what is in it."""

    def __init__(self, spec: Spec = ROOT, value: str = "") -> None:
        self.spec, self.value = spec, value
        self.items: dict[Key, Node] = {}

    def copy(self) -> Node:
        """Another, that may be changed."""
        found = Node(self.spec, self.value)
        found.items = {key: item.copy() for key, item in self.items.items()}
        return found

    # reading

    def at(self, *words: str) -> Node | None:
        """What stands below words such as `interfaces`, `irb`, `unit`, `40`; None: nothing."""
        node, left = self, list(words)
        while left:
            word = left.pop(0)
            item = node.items.get((word, ""))
            if item is None and left and (word, left[0]) in node.items:
                item = node.items[word, left.pop(0)]
            item = item or node.items.get(("", word))
            if item is None:
                return None
            node = item
        return node

    def has(self, *words: str) -> bool:
        return self.at(*words) is not None

    def one(self, *words: str) -> str | None:
        """The value of a statement that has one."""
        found = self.at(*words)
        return found.value if found is not None else None

    def several(self, *words: str) -> list[str]:
        """Values of a statement, names of its entries."""
        above = self.at(*words[:-1])
        found = (
            [] if above is None else [item.value for key, item in above.items.items() if key[0] == words[-1]]
        )
        return [value for value in found if value]

    def entries(self, *words: str) -> dict[str, Node]:
        """Entries of a hierarchy, of which the last word is the name of the list where it has one."""
        above = self.at(*words)
        if above is not None and words and (words[-1], "") in (self.at(*words[:-1]) or self).items:
            return {key[1]: item for key, item in above.items.items() if not key[0]}
        above = self.at(*words[:-1])
        return {} if above is None else {k[1]: item for k, item in above.items.items() if k[0] == words[-1]}

    # changing

    def put(self, path: Path) -> None:
        """Set a statement."""
        node = self
        for step in path:
            if step.spec.kept_as:
                step = Step(node.spec.called(step.spec.kept_as), step.value)
            if step.spec.choice:
                node.items = {
                    key: item for key, item in node.items.items()
                    if item.spec is step.spec or item.spec.choice != step.spec.choice
                }  # fmt: skip
            item = node.items.setdefault(step.key, Node(*step))
            item.value = step.value
            node = item

    def drop(self, path: Path) -> bool:
        """Delete a statement; False: it was not there."""
        trail = [self]
        for step in path[:-1]:
            item = trail[-1].items.get(step.key)
            if item is None:
                return False
            trail.append(item)
        last, items = path[-1], trail[-1].items
        whole = last.spec.kind in {"entry", "values"} and not last.value
        gone = [key for key in items if (key[0] == last.spec.word if whole else key == last.key)]
        for key in gone:
            del items[key]
        for above, node in reversed(list(pairwise(trail))):
            if not node.items and node.spec.kind == "group":
                del above.items[node.spec.word, ""]
        return bool(gone)

    def move(self, path: Path, before: bool, other: Path) -> None:
        """Put an entry before or after another.

        Raises:
            Refused: one of them is not there.
        """
        node: Node | None = self
        for step in path[:-1]:
            node = node.items.get(step.key) if node is not None else None
        if node is None or not {path[-1].key, other[-1].key} <= node.items.keys():
            raise Refused("error: statement not found")
        if path[-1].key == other[-1].key:
            return
        moved = node.items.pop(path[-1].key)
        pairs = list(node.items.items())
        at = [key for key, _ in pairs].index(other[-1].key) + (not before)
        node.items = dict([*pairs[:at], (path[-1].key, moved), *pairs[at:]])

    # showing

    def shown(self) -> list[Node]:
        """Statements in the order in which they are shown: that of the schema; entries by name, unless their
        order means something."""
        order = {id(spec): number for number, spec in enumerate(self.spec.below)}

        def place(item: Node) -> tuple[int, list[tuple[int, int | str]]]:
            sorts = item.spec.kind == "entry" and not item.spec.ordered
            parts = re.findall(r"\d+|\D+", item.value) if sorts else []
            return order[id(item.spec)], [(0, int(p)) if p.isdigit() else (1, p) for p in parts]

        return sorted(self.items.values(), key=place)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word in (self.spec.word, quoted(self.value) if self._named else "") if word)

    @property
    def _named(self) -> bool:
        return self.spec.kind in {"entry", "value", "values"}

    def sets(self, prefix: Sequence[str] = ()) -> Iterator[str]:
        """`set` lines (`| display set`)."""
        for item in self.shown():
            words = (*prefix, *item.words)
            if item.items:
                yield from item.sets(words)
            else:
                yield " ".join(("set", *words))

    def curly(self, depth: int = 0) -> Iterator[str]:
        """With braces, as `show configuration` has it."""
        blank = " " * (4 * depth)
        done: set[str] = set()
        for item in self.shown():
            secret = " ## SECRET-DATA" if item.spec.type in {"hash", "crypt", "sshkey"} else ""
            if item.spec.kind == "values":
                every = self.several(item.spec.word)
                if item.spec.word not in done:
                    text = " ".join(map(quoted, every))
                    yield f"{blank}{item.spec.word} {f'[ {text} ]' if len(every) > 1 else text};"
                done.add(item.spec.word)
            elif item.spec.word == "family" and self.spec.word != "forwarding-options":
                for one in item.shown():  # a family stands on the line of its word
                    within = list(one.curly(depth + 1))
                    head = f"{blank}family {' '.join(one.words)}"
                    yield from ([f"{head} {{", *within, f"{blank}}}"] if within else [f"{head};"])
            elif item.items:
                yield f"{blank}{' '.join(item.words)} {{"
                yield from item.curly(depth + 1)
                yield f"{blank}}}"
            else:
                yield f"{blank}{' '.join(item.words)};{secret}"


def compared(old: Node, new: Node, path: Sequence[str] = ()) -> Iterator[str]:
    """`show | compare`: what goes and what comes, under the hierarchy that holds it."""
    told: list[str] = []
    for key in [*old.items, *(key for key in new.items if key not in old.items)]:
        one, two = old.items.get(key), new.items.get(key)
        if one is not None and two is not None and one.value == two.value:
            continue
        for sign, item in (("-", one), ("+", two)):
            if item is not None:
                alone = Node(item.spec)
                alone.spec = Spec("", "group", below=[item.spec])
                alone.items = {key: item}
                told += [f"{sign}  {' ' * len(path)}{line}" for line in alone.curly()]
    if told:
        yield " ".join(("[edit", *path)) + "]"
        yield from told
    elif [key for key in old.items if key in new.items] != [key for key in new.items if key in old.items]:
        yield " ".join(("[edit", *path)) + "]"
        yield from (
            f"!   {' '.join(item.words)} {{ ... }}" for item in new.items.values() if item.spec.ordered
        )
    for key, item in old.items.items():
        other = new.items.get(key)
        if other is not None and item.value == other.value:
            yield from compared(item, other, (*path, *item.words))


def load(text: str) -> Node:
    """A configuration of `set` lines.

    Raises:
        Refused: a line is none.
    """
    node = Node()
    for line in text.splitlines():
        if line.startswith("set "):
            for path in paths(split(line)[1:]):
                node.put(path)
    return node
