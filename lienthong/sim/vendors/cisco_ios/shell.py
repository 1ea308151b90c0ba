"""A login on a simulated IOS device: modes, prompts, questions."""

from __future__ import annotations

import re
from collections.abc import Callable

from lienthong.sim.box import Shell
from lienthong.sim.vendors.cisco_ios import commands, effects
from lienthong.sim.vendors.cisco_ios.box import IosBox
from lienthong.sim.vendors.cisco_ios.forms import FORMS, PROMPTS
from lienthong.sim.vendors.cisco_ios.grammar import INCOMPLETE, INVALID, Form, Miss, best, complaint, entry
from lienthong.sim.vendors.cisco_ios.ports import Path, Refused, refuse_vlans, settle

#: "This operation…" is asked where an account goes ("User Security Configuration Guide", `no username`).
_ACCOUNT = (
    "This operation will remove all username related configurations with same name.Do you want to continue?"
    " [confirm]"
)


class IosShell(Shell):
    """One login. Accounts of level 15 begin in privileged mode."""

    more = " --More-- "

    def __init__(self, box: IosBox, user: str) -> None:
        self.box = box
        self.user = user
        self.mode = "exec"
        self.path: Path = ()
        self._asked: tuple[str, Callable[[str], str]] | None = None

    def prompt(self) -> str:
        if self._asked is not None:
            return self._asked[0]
        if self.mode == "exec":
            return f"{self.box.hostname}#"
        # "Using the CLI": a long name is cut in configuration mode.
        inside = PROMPTS["subif" if self.mode == "if" and "." in self.path[0] else self.mode]
        return f"{self.box.hostname[:20]}({inside})#"

    def line(self, text: str) -> str:
        if self._asked is not None:
            answer, self._asked = self._asked[1], None
            return answer(text.strip())
        text = text.strip()
        if not text or text.startswith("!"):
            return ""
        if text.endswith("?") or " ?" in text:
            return f"{text}\n% Unrecognized command\n"  # help is for people
        if self.mode == "exec":
            return commands.do(self, text)
        try:
            return self._configure(text)
        except Refused as refusal:
            return str(refusal)

    def ask(self, question: str, then: Callable[[str], str]) -> str:
        """Ask before doing something."""
        self._asked = question, then
        return ""

    def enter(self, mode: str, path: Path = ()) -> None:
        self.mode, self.path = mode, path

    def _configure(self, text: str) -> str:
        word = text.split()[0].lower()
        if word == "end" and text.lower() == "end":
            self.enter("exec")
            self.box.log.append(f"%SYS-5-CONFIG_I: Configured from console by {self.user} on vty0")
            return ""
        if text.lower() in {"exit", "ex"}:
            self._leave()
            return ""
        if word == "do":
            return commands.do(self, text[3:].strip())
        if word in {"no", "default"}:
            rest = text[len(word) :].strip()
            return self._negate(text, rest)
        found = self._form(text)
        if isinstance(found, Miss):
            return complaint(self.prompt(), text, found)
        form, path = found
        return self._apply(form, path, text)

    def _leave(self) -> None:
        if self.mode == "global":
            self.enter("exec")
        elif self.mode == "key":
            self.enter("pubkey", self.path[:1])
        else:
            self.enter("global")

    def _form(self, text: str) -> tuple[Form, Path] | Miss:
        """The form of a line in this mode, else of a global one: IOS leaves a section for it."""
        words = text.split()
        if self.mode == "ext":
            if entry(text):
                return Form("ext", tuple(words)), self.path
            if words[0] in {"permit", "deny", "remark"}:
                return Miss(min(2, len(words)), INCOMPLETE if len(words) < 4 else INVALID)
        form, miss = best(words, FORMS.get(self.mode, []))
        if form is not None:
            return form, self.path
        if self.mode != "global":
            outer, other = best(words, FORMS["global"])
            if outer is not None:
                return outer, ()
            miss = max(miss, other, key=lambda one: one.at)
        return miss

    def _apply(self, form: Form, path: Path, text: str) -> str:
        words = text.split()
        if form.opens:
            return self._open(form, path, words)
        if form.mode == "ext":
            return effects.add_entry(self.box, path, text)
        if form.mode == "global" and self.mode != "global":
            self.enter("global")
        self._made(path)
        return effects.do(self.box, path, form, words)

    def _made(self, path: Path) -> None:
        """A section is there as soon as something is in it."""
        for depth in range(1, len(path) + 1):
            if self.box.running.view(path[:depth]) is None:
                self.box.running.put(path[: depth - 1], path[depth - 1])

    def _open(self, form: Form, path: Path, words: list[str]) -> str:
        head = " ".join(words)
        if form.opens == "if":
            name = self._interface(words[1])
            if name is None:
                return complaint(self.prompt(), head, Miss(1, INVALID))
            head = f"interface {name}"
        elif form.opens == "vlan":
            refuse_vlans(words[1])
        elif form.opens == "line" and words[1] == "vty":
            known = [line for line in self.box.running.lines() if line.startswith("line vty ")]
            if int(words[3]) < int(words[2]):
                return complaint(self.prompt(), head, Miss(3, INVALID))
            if head not in known and any(line.split()[2] == words[2] for line in known):
                return complaint(self.prompt(), head, Miss(3, INVALID))
        outer = path if form.mode == "pubkey" else ()
        full = (*outer, head)
        self._made(full)
        settle(self.box, full)
        self.enter(form.opens, full)
        return ""

    def _interface(self, name: str) -> str | None:
        """The interface as it is called, made where it can be; None: there is none such."""
        known = {one.lower(): one for one in self.box.interfaces()}
        if name.lower() in known:
            return known[name.lower()]
        for kind, pattern, most in (("Vlan", r"vlan(\d+)", 4094), ("Loopback", r"loopback(\d+)", 2147483647)):
            found = re.fullmatch(pattern, name, re.I)
            if found and int(found[1]) <= most and (kind != "Vlan" or self.box.switched):
                return f"{kind}{int(found[1])}"
        parent, dot, number = name.partition(".")
        if dot and parent.lower() in known and known[parent.lower()] in self.box.hardware.routed:
            return f"{known[parent.lower()]}.{int(number)}"
        return None

    def _negate(self, text: str, rest: str) -> str:
        words = rest.split()
        if not words:
            return INCOMPLETE + "\n"
        for mode, path in ((self.mode, self.path), ("global", ())):
            if mode == "ext" and (entry(rest) or rest.isdigit()):
                if rest.isdigit():
                    self.box.running.drop(path, lambda line: line.startswith(f"{rest} "))
                    return ""
                return effects.undo(self.box, path, Form("ext", tuple(words)), words)
            form = self._negated(words, FORMS.get(mode, []))
            if form is None:
                continue
            return self._drop(form, path, words)
        found = self._form(rest)
        at = found.at + 1 if isinstance(found, Miss) else 1
        return complaint(self.prompt(), text, Miss(at, INVALID))

    @staticmethod
    def _negated(words: list[str], forms: list[Form]) -> Form | None:
        """A form whose whole line, or whose place, stands behind `no`."""
        for form in forms:
            if best(words, [form])[0] is not None:
                return form
        for form in forms:
            if form.key and best(words, [Form(form.mode, form.words[: form.key])])[0] is not None:
                return form
        # An account and an address go by less than names their place.
        short = {("username", "<word:64>"): "username", ("banner", "{login|motd|exec}"): "banner"}
        for form in forms:
            if form.words[:2] in short and best(words, [Form(form.mode, form.words[:2])])[0] is not None:
                return form
        return None

    def _drop(self, form: Form, path: Path, words: list[str]) -> str:
        if form.opens:
            return self._drop_section(form, path, words)
        if form.words[0] == "username":
            return self.ask(_ACCOUNT, lambda answer: self._account(form, path, words, answer))
        return effects.undo(self.box, path, form, words)

    def _account(self, form: Form, path: Path, words: list[str], answer: str) -> str:
        return effects.undo(self.box, path, form, words) if answer in {"", "y", "yes"} else ""

    def _drop_section(self, form: Form, path: Path, words: list[str]) -> str:
        head = " ".join(words)
        if form.opens == "if":
            name = self._interface(words[1])
            if name is None or f"interface {name}" not in self.box.running.lines():
                return complaint(f"{self.prompt()}no ", head, Miss(1, INVALID))
            if name in (*self.box.hardware.switched, *self.box.hardware.routed):
                return "% Removal of physical interfaces is not permitted.\n"
            head = f"interface {name}"
        if form.opens == "line":
            return complaint(f"{self.prompt()}no ", head, Miss(0, INVALID))
        if form.opens == "vlan":
            return effects.undo(self.box, (), form, words)
        if form.opens == "archive" or form.mode != "pubkey":
            path = ()
        self.box.running.drop(path, lambda line: line == head)
        return ""
