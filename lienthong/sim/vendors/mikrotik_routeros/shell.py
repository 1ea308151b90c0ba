"""The console: one line at a time, what it does and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lienthong.sim.box import Shell
from lienthong.sim.vendors.mikrotik_routeros import grammar, prints
from lienthong.sim.vendors.mikrotik_routeros.box import RouterOs
from lienthong.sim.vendors.mikrotik_routeros.store import Row
from lienthong.sim.vendors.mikrotik_routeros.words import Refused, Word, commands, words

_MENUS = frozenset(
    " ".join(path.split()[:count])
    for path in (*grammar.ORDER, "/system backup", "/system resource", "/system routerboard",
                 "/system history", "/routing ospf neighbor", "/file", "/log")
    for count in range(1, len(path.split()) + 1)
)  # fmt: skip
_HELP = "\nclear, commands and menus of this level follow\n"
_SAFE_KEY = "\x18"


class Console(Shell):
    """One login."""

    page = 0  # the console pages only for who asks for it
    more = "-- [Q quit|D dump|down]"

    def __init__(self, box: RouterOs, user: str, *, asks: bool = True) -> None:
        self.box = box
        self.user = user
        self.asks = asks
        """Somebody can answer a question; a schedule cannot."""
        self.menu = ""
        self.question: tuple[str, Callable[[], None]] | None = None

    def prompt(self) -> str:
        if self.question is not None:
            return self.question[0]
        safe = "<SAFE> " if self.box.safe is self else "> "
        return f"[{self.user}@{self.box.identity}] {self.menu.replace(' ', '/')}{safe}"

    def interrupted(self) -> None:
        if self.box.safe is self:
            self.box.unroll()

    def line(self, text: str) -> str:
        if self.question is not None:
            _, do = self.question
            self.question = None
            if text.strip().lower() in ("y", "yes"):
                do()
                return "Restoring system configuration\nSystem configuration restored, rebooting now\n"
            return ""
        if text.strip() == _SAFE_KEY:
            return self._safe()
        # A question mark asks for help in the middle of whatever is typed, and is no part of it.
        said = _HELP if "?" in text and self.asks else ""
        try:
            for command, column in commands(text.replace("?", "") if said else text):
                if command.strip():
                    said += self._do(command, column)
        except Refused as error:
            return f"{said}{error}\n"
        return said

    def _safe(self) -> str:
        box = self.box
        if box.safe is self:
            box.release()
            return "[Safe Mode released]\n"
        if box.safe is not None:
            return "Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]:\n"
        box.safe, box.before_safe, box.held = self, box.store.copy(), 0
        return "[Safe Mode taken]\n"

    def _do(self, text: str, column: int) -> str:
        lead = len(text) - len(text.lstrip())
        text = text.strip()
        if text.startswith("#"):
            return ""
        if text.startswith(":put "):
            (word,) = words(text[5:], self._evaluate("")) or [Word("", 0)]
            return f"{word.text if word.found is None else ';'.join(f'*{one:X}' for one in word.found)}\n"
        if text in ("quit", "/quit"):
            self.closed = True
            return ""
        path, verb, rest, at = self._head(text, column + lead)
        if not verb:
            self.menu = path
            return ""
        args = [word for word in words(rest, self._evaluate(path)) if word.text or word.found is not None]
        return self._act(path, verb, args, at)

    def _head(self, text: str, column: int) -> tuple[str, str, str, int]:
        """Menu, verb, what follows, and the verb's column."""
        path = "" if text.startswith("/") else self.menu
        at = 0
        for word in re.finditer(r"[^\s/]+", text):
            longer = f"{path} {word[0]}" if path else f"/{word[0]}"
            if longer in _MENUS:
                path = longer
                at = word.end()
                continue
            if not path and word[0] not in ("export", "system"):
                raise Refused(f"bad command name {word[0]} (line 1 column {column + word.start() + 1})")
            return path, word[0], text[word.end() :], column + word.start()
        return path, "", text[at:], column

    def _evaluate(self, path: str) -> Callable[[str], tuple[int, ...] | str]:
        def evaluate(text: str) -> tuple[int, ...] | str:
            verb, _, rest = text.strip().partition(" ")
            if verb == "find":
                rows = self._rows(path)
                found = self._where(rows, words(rest, self._evaluate(path)))
                return tuple(row.number for row in found)
            return "".join(self._do(command, at) for command, at in commands(text)).strip()

        return evaluate

    def _act(self, path: str, verb: str, args: list[Word], at: int) -> str:
        from lienthong.sim.vendors.mikrotik_routeros.actions import ACTIONS

        if verb == "print" or (verb == "export" and (not path or grammar.fields(path) or path in _MENUS)):
            return self._print(path, args) if verb == "print" else self._export(path, args)
        action = ACTIONS.get((path, verb)) or ACTIONS.get(("", verb))
        if action is None or (
            ("", verb) in ACTIONS and (path, verb) not in ACTIONS and not self._takes(path, verb)
        ):
            raise Refused(f"bad command name {verb} (line 1 column {at + 1})")
        return action(self, path, args)

    def _takes(self, path: str, verb: str) -> bool:
        if path in grammar.LISTS:
            return not (path == "/user ssh-keys" and verb == "set")
        return (path in grammar.SINGLES and verb == "set") or (
            path in grammar.FIXED and verb in ("set", "enable", "disable")
        )

    def _rows(self, path: str) -> list[Row]:
        if path == "/interface":
            return prints.interfaces(self.box.store)
        if path in ("/interface vlan", "/interface bridge"):
            return prints.running(self.box.store, path)
        if path == "/file":
            names = [*self.box.files, *(["flash"] if self.box.flash else [])]
            return [Row(-at, path, {"name": name}) for at, name in enumerate(names, 1)]
        if path == "/system history":
            return [Row(-at, path, {"floating-undo": "yes"}) for at in range(self.box.held)]
        return self.box.store.rows(path)

    def _where(self, rows: Sequence[Row], args: Sequence[Word]) -> list[Row]:
        found = list(rows)
        for word in args:
            if word.text == "where":
                continue
            if not word.sign:
                yes = not word.text.startswith("!")
                key = word.text.removeprefix("!")
                found = [row for row in found if (row.get(key) == "yes") == yes]
            elif word.sign == "~":
                found = [row for row in found if re.search(word.value, row.get(word.text))]
            else:
                found = [row for row in found if self._same(row, word)]
        return found

    def _same(self, row: Row, word: Word) -> bool:
        known = grammar.fields(row.path) or {}
        default = known[word.text].default if word.text in known else ""
        has = row.values.get(word.text, default or "")
        return has == word.value or has == word.value.removesuffix("/32")

    def _print(self, path: str, args: list[Word]) -> str:
        box = self.box
        if path == "/system resource":
            return prints.resource(box.model, box.now_s - box.booted_s)
        if path == "/system routerboard":
            return prints.routerboard(box.model)
        if path == "/routing ospf neighbor":
            return prints.neighbours(box.store)
        if path == "/log":
            return "".join(f" 05:31:00 system,info {line}\n" for line in box.log)
        flags = {word.text for word in args if not word.sign}
        rows = self._rows(path)
        if "where" in flags:
            rows = self._where(rows, args[[word.text for word in args].index("where") + 1 :])
        if "count-only" in flags:
            return f"{len(rows)}\n"
        if path in grammar.SINGLES:
            known = grammar.fields(path) or {}
            values = {key: one.default or "" for key, one in known.items()} | rows[0].values
            width = max(map(len, values)) + 2
            return "".join(f"{key:>{width}}: {value}\n" for key, value in values.items())
        how = "terse" if "terse" in flags else "detail" if "detail" in flags else ""
        return prints.shown(path, rows, how)

    def _export(self, path: str, args: list[Word]) -> str:
        flags = {word.text for word in args}
        head = (
            f"# 2026-11-23 05:{int(self.box.now_s) // 60 % 60:02}:{int(self.box.now_s) % 60:02} by RouterOS"
        )
        head += f" {prints.VERSION}\n# software id = SIMU-LATE\n#\n# model = {self.box.model}\n"
        text = "".join(f"{line}\n" for line in self.box.store.export(path))
        if (
            "show-sensitive" not in flags
        ):  # hidden unless asked for since 7.0 (…/ROS/Configuration+Management)
            text = re.sub(
                r' (?:[a-z-]*password|auth-key|secret|private-key)=(?:"(?:\\.|[^"\\])*"|\S+)', "", text
            )
        return head + text
