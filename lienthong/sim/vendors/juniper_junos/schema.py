"""The statements as a tree, and a line of words read along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lienthong.sim.vendors.juniper_junos.statements import STATEMENTS
from lienthong.sim.vendors.juniper_junos.values import SYNTAX, Refused, take

MISSING = "missing argument."


@dataclass(eq=False)
class Spec:
    """One statement."""

    word: str
    kind: str
    """`group`, `flag`, `entry`, `value` or `values`."""
    type: str = ""
    ordered: bool = False
    needs: bool = False
    kept_as: str = ""
    choice: str = ""
    below: list[Spec] = field(default_factory=list)

    def find(self, word: str) -> Spec | None:
        """The statement that a word begins here: by its name, or an entry that is called so."""
        for one in self.below:
            if one.word == word:
                return one
        for one in self.below:
            if not one.word:
                try:
                    take(one.type, word, 0)
                except Refused as refused:
                    if refused.what == SYNTAX or len(self.below) > 1:
                        continue
                    raise
                return one
        return None

    def at(self, spec: Spec) -> int:
        """Where a statement stands among its neighbours."""
        return self.below.index(spec)

    def called(self, word: str) -> Spec:
        """A statement that is there."""
        return next(one for one in self.below if one.word == word)


class Step(NamedTuple):
    """One statement of a path, with the name of an entry or a value."""

    spec: Spec
    value: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by among its neighbours."""
        return (self.spec.word, self.value if self.spec.kind in {"entry", "values"} else "")

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word in (self.spec.word, self.value) if word)


Path = tuple[Step, ...]
_KINDS = {"!": "flag", "<": "entry", "=": "value", "*": "values"}


def _spec(text: str) -> list[Spec]:
    """The statements that a word of the data stands for."""
    words = text.split()
    if words[0][0] == "<":
        words.insert(0, "")
    kind, of = "group", ""
    if len(words) > 1 and words[1][0] in _KINDS:
        kind, of = _KINDS[words[1][0]], words[1][1:].rstrip(">")
    if of == "flag":
        kind = "flag"
    told = {word.partition(":")[0]: word.partition(":")[2] for word in words[1:]}
    return [
        Spec(name, kind, of, "ordered" in told, "needs" in told, told.get("as", ""), told.get("choice", ""))
        for name in words[0].split("|")
    ]


def _read(text: str) -> Spec:
    root = Spec("", "group")
    above: list[tuple[int, list[Spec]]] = [(-1, [root])]
    for line in text.splitlines():
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        while above[-1][0] >= depth:
            above.pop()
        found = _spec(line)
        for parent in above[-1][1]:
            parent.below += found
        above.append((depth, found))
    return root


ROOT = _read(STATEMENTS)


def paths(words: Sequence[str], here: Spec = ROOT, removing: bool = False) -> list[Path]:
    """What a line says: one path a value, since values of one hierarchy may follow each other.

    Args:
        removing: it is to be deleted: a list may be named as a whole, and a statement with one value stands
            without it. Whether Junos also takes the value there is in no page that was found: not here.

    Raises:
        Refused: it says nothing that there is.
    """
    found: list[Path] = []
    path: Path = ()
    at = 0
    told = False
    while at < len(words):
        spec = here.find(words[at])
        if spec is None:
            raise Refused(SYNTAX, at)
        at += bool(spec.word)
        told = False
        if spec.kind in {"group", "flag"}:
            step = [Step(spec)]
        elif removing and (spec.kind == "value" or at == len(words)):
            step = [Step(spec)]
            if spec.kind == "entry":
                return [(*path, Step(spec, ""))]
        else:
            if at == len(words):
                raise Refused(MISSING, at)
            values, at = _values(words, at)
            step = [Step(spec, take(spec.type, value, at - 1)) for value in values]
        if spec.below and len(step) == 1:
            path, here = (*path, *step), spec
        else:
            found += [(*path, one) for one in step]
            told = True
    if not told:
        if path and path[-1].spec.kind == "group" and not removing:
            raise Refused(MISSING, at)
        found.append(path)
    return found


def _values(words: Sequence[str], at: int) -> tuple[list[str], int]:
    if words[at] != "[":
        return [words[at]], at + 1
    if "]" not in words[at:]:
        raise Refused(SYNTAX, at)
    end = list(words).index("]", at)
    return list(words[at + 1 : end]), end + 1
