"""One login on a FortiGate's command line: what is typed, and the few commands that look and act."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lienthong.sim.box import Shell
from lienthong.sim.vendors.fortinet_fortios import told
from lienthong.sim.vendors.fortinet_fortios.editing import UNKNOWN_ACTION, Editor
from lienthong.sim.vendors.fortinet_fortios.schema import SECTIONS
from lienthong.sim.vendors.fortinet_fortios.tree import Tree, split
from lienthong.sim.vendors.fortinet_fortios.values import Refused, unknown

if TYPE_CHECKING:
    from lienthong.sim.vendors.fortinet_fortios import FortiGate


class Cli(Shell):
    """The command line of one login."""

    more = "--More-- "

    def __init__(self, box: FortiGate, user: str) -> None:
        self.box = box
        self.user = user
        self.editor = Editor(box)
        self.question: Callable[[], str] | None = None
        self.output = ""
        self._paging()

    def prompt(self) -> str:
        if self.question is not None:
            return "Do you want to continue? (y/n)"
        name = self.box.running_words("system global", "hostname")[0]
        here = ""
        if self.editor.frames:
            frame = self.editor.frames[-1]
            here = f" ({frame.entry if frame.entry is not None else frame.path.split()[-1].strip(chr(34))})"
        return f"{name}{here} # "

    def _paging(self) -> None:
        """`config system console` acts on logins that are open too: Netmiko turns paging off in that way."""
        output = self.box.running_value("system console", "output") or "more"
        if output != self.output:
            self.output, self.page = output, 24 if output == "more" else 0

    def interrupted(self) -> None:
        self.editor.forget()  # an entry without its `next`

    def line(self, text: str) -> str:
        self.box.heard()
        if self.question is not None:
            asked, self.question = self.question, None
            return asked() if text.strip().lower() in {"y", "yes"} else "\n"
        try:
            words = split(text)
        except ValueError:
            return "token line: Unmatched double quote.\nCommand fail. Return code -1\n"
        if not words:
            return ""
        try:
            said = self._do(words)
        except Refused as refused:
            said = str(refused)
        self._paging()
        return said

    def _do(self, words: list[str]) -> str:
        edit = self.editor
        frame = edit.frames[-1] if edit.frames else None
        verb, rest = words[0], words[1:]
        if frame is None:
            verbs: dict[str, Callable[[list[str]], str]] = {
                "config": edit.config, "show": self._show, "get": self._get, "execute": self._execute,
                "exit": self._exit,
            }  # fmt: skip
        elif frame.is_table:
            verbs = {
                "edit": edit.edit, "delete": edit.delete, "move": edit.move, "end": edit.end,
                "show": self._show, "get": self._get,
            }  # fmt: skip
        else:
            verbs = {
                "config": edit.config, "set": edit.set, "append": edit.append, "unselect": edit.unselect,
                "unset": edit.unset, "end": edit.end, "abort": edit.abort, "show": self._show,
                "get": self._get,
            }  # fmt: skip
            if frame.entry is not None:
                verbs["next"] = edit.next
        fits = [name for name in verbs if name.startswith(verb)]
        if verb not in verbs and len(fits) != 1:
            return UNKNOWN_ACTION
        return verbs[verb if verb in verbs else fits[0]](rest)

    def _show(self, words: list[str]) -> str:
        words, narrow = told.filtered(words)
        if self.editor.frames and not words:
            frame = self.editor.frames[-1]
            tree = Tree({frame.heading: frame.tree})
            return narrow("\n".join(tree.lines(self.box.salt())) + "\n")
        if not words:
            return narrow(self.box.header() + "\n".join(self.box.running.lines(self.box.salt())) + "\n")
        for heading, part in self.box.running.items.items():
            path = split(heading)[1:]
            if isinstance(part, Tree) and words[: len(path)] == path and len(words) <= len(path) + 1:
                if len(words) > len(path):
                    entries = {
                        name: item for name, item in part.items.items() if split(name)[1:] == words[-1:]
                    }
                    if not entries:
                        raise Refused("\nentry not found in datasource\nCommand fail. Return code -3\n")
                    part = Tree(entries)
                return narrow("\n".join(Tree({heading: part}).lines(self.box.salt())) + "\n")
        if " ".join(words) in SECTIONS:
            return narrow(f"config {' '.join(words)}\nend\n")
        raise unknown(words[0])

    def _get(self, words: list[str]) -> str:
        words, narrow = told.filtered(words)
        return narrow(told.get(self.box, words))

    def _execute(self, words: list[str]) -> str:
        if words in (["cfg", "save"], ["cfg", "reload"]):
            return self.box.save_now() if words[1] == "save" else self.box.reload_now()
        if words == ["reboot"]:
            self.question = self.box.restarted
            return "This operation will reboot the system !\n"
        return told.execute(self.box, words)

    def _exit(self, words: list[str]) -> str:
        if words:
            raise unknown(words[0])
        self.closed = True
        return ""
