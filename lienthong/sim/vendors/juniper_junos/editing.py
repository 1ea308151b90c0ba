"""Configuration mode: what one login does to the candidate.

"Modify the Device Configuration", "Load Configuration Files", "Commit the Configuration" (CLI User Guide);
what leaves exclusive mode is asked as "Overview of the Configure Command" shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lienthong.sim.vendors.juniper_junos import told
from lienthong.sim.vendors.juniper_junos.box import JunosBox
from lienthong.sim.vendors.juniper_junos.schema import ROOT, Path, Spec, paths
from lienthong.sim.vendors.juniper_junos.tree import NOT_FOUND
from lienthong.sim.vendors.juniper_junos.values import SYNTAX, Refused, quoted, split

if TYPE_CHECKING:
    from lienthong.sim.vendors.juniper_junos.shell import Cli

_CHANGED = "The configuration has been changed but not committed\n"
_SECURITY = frozenset({"forwarding-options", "nat", "policies", "zones", "address-book"})


class Editor:
    """Where a login stands in the candidate."""

    def __init__(self, box: JunosBox, shell: Cli) -> None:
        self.box, self.shell = box, shell
        self.path: Path = ()
        self.loading: list[str] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(quoted(word) for step in self.path for word in step.words)

    @property
    def here(self) -> Spec:
        return self.path[-1].spec if self.path else ROOT

    def do(self, words: list[str], pipes: list[str]) -> str:
        """One line; raises Refused."""
        verbs: dict[str, Callable[[list[str]], str]] = {
            "set": self._change, "delete": self._change, "insert": self._change,
            "edit": self._edit, "up": self._up, "top": self._top, "exit": self._exit, "quit": self._exit,
            "load": self._load, "rollback": self._rollback, "commit": self._commit,
        }  # fmt: skip
        if words[0] in verbs:
            return verbs[words[0]](words)
        if words[0] == "show":
            return self._show(words[1:], pipes)
        if words[0] == "run" and len(words) > 1:
            return self.shell.operational(words[1:], pipes)
        if words[0] == "status":
            return "Users currently editing the configuration:\n" + self.shell.presence()
        raise Refused("unknown command.", 0)

    # statements

    def _mine(self) -> None:
        holder = self.box.held_by_another(self.shell)
        if holder is not None:
            raise Refused(holder.locked())  # type: ignore[attr-defined]

    def _paths(self, words: list[str], removing: bool = False) -> list[Path]:
        """What stands behind the verb; counts of words that are wrong include it."""
        try:
            found = [(*self.path, *path) for path in paths(words, self.here, removing)]
        except Refused as refused:
            raise Refused(refused.what, refused.at + 1) from None
        for path in found:
            words_ = [step.spec.word for step in path[:2]]
            if not self.box.routes and words_[0] == "security" and _SECURITY.intersection(words_):
                raise Refused(SYNTAX, 2)
        return found

    def _change(self, words: list[str]) -> str:
        self._mine()
        return self._changed(words)

    def _changed(self, words: list[str]) -> str:
        verb, rest = words[0], words[1:]
        candidate = self.box.candidate
        if not rest and (verb != "delete" or not self.path):
            raise Refused("missing argument.", 1)
        if verb == "set":
            for path in self._paths(rest):
                candidate.put(path)
            return ""
        if verb == "delete":
            found = self._paths(rest, removing=True) if rest else [self.path]
            gone = [candidate.drop(path) for path in found]
            return "" if all(gone) else f"{NOT_FOUND}\n"
        way = next((at for at, word in enumerate(rest) if word in {"before", "after"}), None)
        if way is None:
            raise Refused("missing argument.", len(words))
        (path,) = self._paths(rest[:way])
        stem = rest[: way - len(path[-1].words)]
        (other,) = self._paths([*stem, *rest[way + 1 :]])
        candidate.move(path, rest[way] == "before", other)
        return ""

    # levels

    def _edit(self, words: list[str]) -> str:
        if len(words) < 2:
            raise Refused("missing argument.", 1)
        (path,) = self._paths(words[1:], removing=True)
        if not path[-1].spec.below:
            raise Refused(SYNTAX, len(words) - 1)
        self.path = path
        return ""

    def _up(self, words: list[str]) -> str:
        count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
        self.path = self.path[: max(0, len(self.path) - count)]
        return ""

    def _top(self, words: list[str]) -> str:
        was, self.path = self.path, ()
        if len(words) == 1:
            return ""
        try:
            return self.do(words[1:], [])
        finally:
            self.path = was

    def _exit(self, words: list[str]) -> str:
        if words[1:] not in ([], ["configuration-mode"]):
            raise Refused(SYNTAX, 1)
        if len(words) == 1 and self.path:
            self.path = ()
            return ""
        if self.box.holder is self.shell and self.box.modified:
            self.shell.ask("Discard uncommitted changes? [yes,no] (yes) ", self._discard)
            return f"{_CHANGED}warning: Auto rollback on exiting 'configure exclusive'\n"
        if self.box.modified:
            self.shell.ask("Exit with uncommitted changes? [yes,no] (yes) ", self._leave)
            return _CHANGED
        return self._leave(True)

    def _discard(self, sure: bool) -> str:
        if not sure:
            return ""
        self.box.candidate = self.box.active.copy()
        return "warning: discarding uncommitted changes\nload complete\n" + self._leave(True)

    def _leave(self, sure: bool) -> str:
        if not sure:
            return ""
        if self.box.holder is self.shell:
            self.box.holder = None
        self.shell.editor = None
        return "Exiting configuration mode\n"

    # loading and going back

    def _load(self, words: list[str]) -> str:
        if words[1:] != ["set", "terminal"]:
            raise Refused(SYNTAX, 1)
        self._mine()
        self.loading = []
        return "[Type ^D at a new line to end input]\n"

    def loads(self, text: str) -> str:
        """A line of what is loaded; ^D ends it, ^C forgets it."""
        assert self.loading is not None
        line, end = text.rstrip("\x03\x04\x18"), text[-1:]
        if line.strip():
            self.loading.append(line)
        if end == "\x03":
            self.loading = None
            return ""
        if end != "\x04":
            return ""
        lines, self.loading = self.loading, None
        said, errors = "", 0
        for number, one in enumerate(lines, 1):
            try:
                words = split(one)
                if words[0] not in {"set", "delete", "insert"}:
                    raise Refused(SYNTAX, 0)
                said += self._changed(words)
            except Refused as refused:
                errors += 1
                said += _mistake(number, one, refused)
        return said + ("load complete\n" if not errors else f"load complete ({errors} errors)\n")

    def _rollback(self, words: list[str]) -> str:
        self._mine()
        number = words[1] if len(words) > 1 else "0"
        if not number.isdigit():
            raise Refused(SYNTAX, 1)
        if int(number) > 49:
            raise Refused(f"error: Value {number} is not within range (0..49)", 1)
        if int(number) >= len(self.box.history):
            raise Refused(
                f"error: could not open configuration database (juniper.conf.{number})"
            )  # from memory
        self.box.candidate = self.box.history[int(number)].tree.copy()
        return "load complete\n"

    # showing and committing

    def _show(self, words: list[str], pipes: list[str]) -> str:
        pipe = next((one.split() for one in pipes if one.startswith("compare")), None)
        if pipe is not None:
            number = int(pipe[2]) if len(pipe) > 2 and pipe[1] == "rollback" and pipe[2].isdigit() else 0
            if number >= len(self.box.history):
                raise Refused(f"error: could not open configuration database (juniper.conf.{number})")
            return self.shell.compared_with(number)
        steps = [word for step in self.path for word in step.words]
        return told.configuration(self.box.candidate, [*steps, *words], pipes)

    def _commit(self, words: list[str]) -> str:
        rest = words[1:]
        minutes, comment, leaves, checks = None, "", False, False
        while rest:
            word = rest.pop(0)
            if word == "confirmed":
                minutes = 10
                if rest and rest[0].isdigit():
                    minutes = int(rest.pop(0))
                    if not 1 <= minutes <= 65535:
                        raise Refused(f"error: Value {minutes} is not within range (1..65535)")
            elif word == "comment" and rest:
                comment = rest.pop(0)
            elif word == "and-quit":
                leaves = True
            elif word == "check":
                checks = True
            elif word != "synchronize":
                raise Refused(SYNTAX, len(words) - len(rest) - 1)
        self._mine()
        if checks:
            return self.box.check()
        said = self.box.commit(self.shell.user, minutes, comment)
        if said.endswith("commit complete\n") and leaves:
            said += self._leave(True)
        return said


def _mistake(number: int, line: str, refused: Refused) -> str:
    words = line.split()
    word = words[refused.at] if refused.at < len(words) else words[-1]
    what = refused.what.removeprefix("error: ").rstrip(".")
    column = line.find(word) + 1
    within = " ".join(("edit", *words[1 : refused.at]))
    return f"terminal:{number}:({column}) {what}: {word}\n  [{within}]\n    '{word}'\n      {what}\n"
