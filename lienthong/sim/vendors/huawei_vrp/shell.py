"""A login on a simulated VRP5 device: views, questions, secrets that are asked for, `undo`."""

from __future__ import annotations

import re
from collections.abc import Callable

from lienthong.sim.box import Shell
from lienthong.sim.vendors.huawei_vrp import effects, shows, switching
from lienthong.sim.vendors.huawei_vrp.box import VrpBox
from lienthong.sim.vendors.huawei_vrp.grammar import UNRECOGNIZED, WRONG, Form, Miss, best, complaint, split
from lienthong.sim.vendors.huawei_vrp.spelling import Call, Device, Path, Refusal, spelt
from lienthong.sim.vendors.huawei_vrp.undoing import undo

EFFECTS = {**effects.EFFECTS, **switching.EFFECTS}
_SHORT = {
    "sys": "system-view", "dis": "display", "disp": "display", "q": "quit", "ret": "return",
    "int": "interface",
    "cur": "current-configuration", "sav": "saved-configuration", "ver": "version",
}  # fmt: skip
_TITLES = {
    "if": "{1}", "vlan": "vlan{1}", "aaa": "aaa", "ospf": "ospf-{1}", "area": "area-{1}",
    "con": "ui-console0",
    "vty": "ui-vty0-4", "pool": "ip-pool-{2}", "basic": "acl-basic-{2}", "adv": "acl-adv-{2}",
    "adv6": "acl6-adv-{3}", "scheme": "authen-{1}", "domain": "domain-{1}", "tac": "hwtacacs-{2}",
    "rad": "radius-{2}", "key": "rsa-public-key",
}  # fmt: skip


def _as_typed(call: Call) -> str:
    return " ".join(call.words)


class VrpShell(Shell):
    """See :class:`lienthong.sim.box.Shell`."""

    more = "  ---- More ----"

    def __init__(self, box: VrpBox, user: str) -> None:
        self.box, self.user = box, user
        self.system = False
        self.path: Path = ()
        self.asked: tuple[str, Callable[[str], str]] | None = None
        self.code: list[str] | None = None
        """Lines of a public key, while one is typed."""

    def prompt(self) -> str:
        if self.asked is not None:
            return self.asked[0]
        host = self.box.hostname
        if not self.system:
            return f"<{host}>"
        titles = []
        for heading in self.path:
            title = _TITLES[self.box.tables.view_of(heading)]
            titles.append(title.format(*heading.split()))
        if self.code is not None:
            titles = ["rsa-key-code"]
        return f"[{'-'.join([host, *titles])}]"

    def line(self, text: str) -> str:
        text = text.strip()
        if self.asked is not None:
            _, then = self.asked
            self.asked = None
            return then(text)
        if self.code is not None and not text.startswith("public-key-code"):
            self.code.append(text)
            return ""
        words = split(text)
        if not words or text.startswith("#"):
            return ""
        if "?" in text:
            return "Error: Unrecognized command\n"
        words = [_SHORT.get(words[0], words[0]), *words[1:]]
        try:
            return self._do(text, words)
        except Refusal as refusal:
            return self._no(str(refusal), text)

    def ask(self, question: str, then: Callable[[str], str]) -> str:
        """Put a question; what is typed next is its answer."""
        self.asked = (question, then)
        return ""

    def _do(self, text: str, words: list[str]) -> str:
        if words == ["return"]:
            self.system, self.path, self.code = False, (), None
            return ""
        if words == ["quit"]:
            return self._quit()
        if words[0] == "display":
            asked = [words[0], *(_SHORT.get(word, word) for word in words[1:])]
            shown = shows.display(self.box, self.path, asked)
            return shown if shown is not None else self._miss(text, Miss(1, UNRECOGNIZED))
        if not self.system:
            from lienthong.sim.vendors.huawei_vrp.userview import user_view

            said = user_view(self, words)
            return said if said is not None else self._miss(text, Miss(0, UNRECOGNIZED))
        return self._configure(text, words)

    def _quit(self) -> str:
        if self.path:
            self.path = self.path[:-1]
        elif self.system:
            self.system = False
        else:
            self.closed = True
            return "Info:Configuration console exit, please retry to log on\n"
        return ""

    @property
    def target(self) -> Device:
        """What commands change: here what runs, at once."""
        return self.box

    @property
    def view(self) -> str:
        return self.box.tables.view_of(self.path[-1]) if self.path else "sys"

    def _configure(self, text: str, words: list[str]) -> str:
        if self.view == "key":
            return self._key(text, words)
        if (
            words[0] in {"interface", "user-interface"}
            and len(words) == 3
            and words[2][0].isdigit()
            and words[0] == "interface"
        ):
            words = [words[0], words[1] + words[2]]
        words = spelt(words)
        if words[0] == "undo":
            return undo(self, text, words[1:])
        view = self.view
        tables = self.box.tables
        mine = [form for form in tables.forms(view) if form.words[0] != "undo"]
        doors = tables.doors(view)
        number, miss = best(words, [*(form.words for form in mine), *(form.words for form, _ in doors)])
        if miss is not None:
            whole = (*tables.forms("sys"), *(form for form, _ in tables.doors("sys")))
            if view != "sys" and best(words, [form.words for form in whole])[0] >= 0:
                # a command of the system view is taken in any other, which is left for it
                self.path = ()
                return self._configure(text, words)
            return self._miss(text, miss)
        if number < len(mine):
            self._store(mine[number], words)
            return self._secret(mine[number], words)
        return self._open(*doors[number - len(mine)], words)

    def _store(self, form: Form, words: list[str]) -> None:
        stored = (
            EFFECTS[form.do](Call(self.target, self.path, words)) if form.do in EFFECTS else " ".join(words)
        )
        if stored is None:
            return
        spot = words[: form.key]

        def replaces(line: str) -> bool:
            # a rule takes the place of a rule, not of its description
            other = form.do == "rule" and line.split()[2] == "description"
            return line.split()[: form.key] == spot and not other

        self.target.running.put(self.path, stored, replaces if form.key else None)

    def _open(self, form: Form, name: str, words: list[str]) -> str:
        heading = " ".join(words)
        if name == "key":
            heading = f"rsa peer-public-key {words[2]}" + (
                f" encoding-type {words[4]}" if len(words) > 4 and words[4] != "der" else ""
            )
            self.target.running.drop((), lambda line: line.split()[:3] == words[:3] and line != heading)
        if form.do in EFFECTS:
            stored = EFFECTS[form.do](Call(self.target, self.path, words))
            if stored is None:
                heading = next(
                    line for line in self.target.running.lines(self.path) if line.split()[:2] == words[:2]
                )
        if heading not in self.target.running.lines(self.path):
            self.target.running.put(self.path, heading)
        self.path = (*self.path, heading)
        return ""

    def _key(self, text: str, words: list[str]) -> str:
        """A public key: only RSA has a view here, and what is no RSA key is thrown away with an error."""
        if words == ["public-key-code", "begin"]:
            self.code = []
            return ""
        if words == ["public-key-code", "end"] and self.code is not None:
            typed, self.code = self.code, None
            text = "".join(typed)
            if not re.fullmatch(r"[0-9A-Fa-f ]+|ssh-rsa \S+(?: .*)?", text):
                return "Error: The public key is invalid.\n"
            path = self.path
            self.target.running.drop(path, bool)
            digits = re.sub(r"\s", "", text) if not text.startswith("ssh-") else ""
            shown = [digits[at : at + 48] for at in range(0, len(digits), 48)] or [text]
            for one in shown:
                grouped = " ".join(one[at : at + 8] for at in range(0, len(one), 8)) if digits else one
                self.target.running._where(path).append(_node(grouped))
            return ""
        if words == ["peer-public-key", "end"] and self.code is None:
            self.path = ()
            return ""
        return self._miss(text, Miss(0, UNRECOGNIZED))

    def _secret(self, form: Form, words: list[str]) -> str:
        """SNMP asks for its secrets ("SNMP Configuration Commands", `snmp-agent usm-user`)."""
        if form.do != "usm_secret":
            return ""
        text = " ".join(words)
        self.target.running.drop((), lambda line: line == text)
        known = f"snmp-agent usm-user v3 {words[3]} "
        if not any(line.startswith(known) for line in self.target.running.lines()):
            raise Refusal("Error: The user does not exist.")

        def first(secret: str) -> str:
            return self.ask("Confirm Password:", lambda again: second(secret, again))

        def second(secret: str, again: str) -> str:
            if secret != again or not 8 <= len(secret) <= 64:
                return "Error: The passwords do not match or are too simple.\n"
            spot = words[:5]
            line = f"{text} cipher {effects.encrypted(self.box, secret)}"
            self.target.running.put((), line, lambda other: other.split()[:5] == spot)
            return ""

        self.ask("Enter Password:", first)
        return f"Please configure the {words[4].split('-')[0]} password (8-64)\n"

    def _miss(self, text: str, miss: Miss) -> str:
        return complaint(self.prompt(), text, miss)

    def _no(self, text: str, line: str) -> str:
        if text in {f"Error: {UNRECOGNIZED[7:]}", f"Error: {WRONG[7:]}"}:
            return self._miss(line, Miss(max(0, len(split(line)) - 1), text))
        return f"{text}\n"

    def interrupted(self) -> None:
        self.asked = None
        self.code = None


def _node(text: str):  # type: ignore[no-untyped-def]
    from lienthong.sim.vendors.huawei_vrp.config import Node

    return Node(text)
