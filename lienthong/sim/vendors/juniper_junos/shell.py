"""A login: operational mode, pipes, questions, and the way into configuration mode.

"CLI Overview" and "Overview of the Configure Command" (CLI User Guide). A switch of the EX series tells its
role in the Virtual Chassis before every prompt, also when it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lienthong.sim.box import Shell
from lienthong.sim.vendors.juniper_junos import told
from lienthong.sim.vendors.juniper_junos.box import JunosBox
from lienthong.sim.vendors.juniper_junos.editing import Editor
from lienthong.sim.vendors.juniper_junos.tree import compared
from lienthong.sim.vendors.juniper_junos.values import Refused, split

UNKNOWN = "unknown command."


class Cli(Shell):
    """See :class:`lienthong.sim.box.Shell`."""

    more = "---(more)---"

    def __init__(self, box: JunosBox, user: str, number: int) -> None:
        self.box, self.user = box, user
        self.pid, self.terminal = 5000 + number, f"p{number % 10}"
        self.since = box.clock()
        self.editor: Editor | None = None
        self.question = ""
        self._asked: Callable[[bool], str] | None = None
        self._default = True

    # what stands before the cursor

    def prompt(self) -> str:
        if self._asked is not None:
            return self.question
        if self.editor is not None and self.editor.loading is not None:
            return ""
        role = "" if self.box.routes else "{master:0}"
        above = role
        if self.editor is not None:
            waits = self.box.waiting
            notice = f"# commit confirmed will be rolled back in {self._left()}\r\n" if waits else ""
            above = f"{notice}{role}[{' '.join(('edit', *self.editor.words))}]"
        return "\r\n" + (f"{above}\r\n" if above else "") + self._cursor()

    def _cursor(self) -> str:
        name = self.box.active.one("system", "host-name")
        who = f"{self.user}@{name}" if name else self.user
        return f"{who}{'#' if self.editor is not None else '>'} "

    def _left(self) -> str:
        assert self.box.waiting is not None
        minutes = max(1, -(-int(self.box.waiting.timer.due_s - self.box.now_s) // 60))
        return f"{minutes} minute{'s' if minutes != 1 else ''}"

    def ask(self, question: str, then: Callable[[bool], str], default: bool = True) -> str:
        """Put a question; what is typed next is its answer."""
        self.question, self._asked, self._default = question, then, default
        return ""

    # lines

    def line(self, text: str) -> str:
        if self._asked is not None:
            then, self._asked = self._asked, None
            answer = text.strip().lower()
            return then(self._default if not answer else answer in {"y", "yes"})
        if self.editor is not None and self.editor.loading is not None:
            return self.editor.loads(text)
        text = text.strip("\x03\x04\x18")
        if not text.strip():
            return ""
        command, *pipes = re.split(r"\s+\|\s*", text.strip())
        try:
            words = split(command)
            do = self.operational if self.editor is None else self.editor.do
            said = do(words, pipes)
        except Refused as refused:
            return self._refusal(text, refused)
        return filtered(said, pipes)

    def _refusal(self, text: str, refused: Refused) -> str:
        if refused.what.startswith(("error:", "warning:")):
            return f"{refused.what}\n"
        starts = [found.start() for found in re.finditer(r'"(?:[^"\\]|\\.)*"|\S+', text)]
        at = starts[refused.at] if refused.at < len(starts) else len(text)
        return f"{' ' * (len(self._cursor()) + at)}^\n{refused.what}\n"

    def operational(self, words: list[str], pipes: list[str]) -> str:
        """A command of operational mode; raises Refused."""
        if words[0] == "configure" and self.editor is None:
            return self._configure(words[1:])
        if words[0] in {"exit", "quit"} and len(words) == 1:
            self.closed = True
            return ""
        if words[:2] == ["set", "cli"]:
            return self._terminal(words[2:])
        if words[:2] == ["show", "configuration"]:
            last = self.box.history[0]
            head = f"## Last commit: {last.when:%Y-%m-%d %H:%M:%S} UTC by {last.user}\n"
            return told.configuration(self.box.active, words[2:], pipes, head)
        if words == ["request", "system", "reboot"]:
            return self.ask("Reboot the system ? [yes,no] (no) ", self._reboot, default=False)
        if words[0] == "show":
            return told.show(self.box, words[1:])
        raise Refused(UNKNOWN, 0)

    def _terminal(self, words: list[str]) -> str:
        if words == ["complete-on-space", "off"]:
            return "Disabling complete-on-space\n"
        if len(words) == 2 and words[0] in {"screen-length", "screen-width"} and words[1].isdigit():
            if words[0] == "screen-length":
                self.page = int(words[1])
            return f"Screen {words[0][7:]} set to {words[1]}\n"
        raise Refused("syntax error.", 2)

    def _reboot(self, sure: bool) -> str:
        if sure:
            self.box.reboot()
        return "Shutdown NOW!\n" if sure else ""

    # configuration mode

    def _configure(self, words: list[str]) -> str:
        if words not in ([], ["exclusive"]):
            raise Refused("syntax error.", 1)
        holder = self.box.held_by_another(self)
        if not words:
            self.editor = Editor(self.box, self)
            said = "Entering configuration mode\n"
            others = [one for one in self.box.shells if isinstance(one, Cli) and one is not self]
            if any(one.editor is not None and not one.closed for one in others):
                said += "Users currently editing the configuration:\n"
                said += "".join(one.presence() for one in others if one.editor is not None)
            if self.box.modified:
                said += "The configuration has been changed but not committed\n"
            return said
        if holder is not None:
            assert isinstance(holder, Cli)
            raise Refused(holder.locked())
        if self.box.modified:
            raise Refused("error: configuration database modified")
        self.box.holder = self
        self.editor = Editor(self.box, self)
        return "warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n"

    def presence(self) -> str:
        """As others see this login in configuration mode."""
        where = " ".join(("edit", *(self.editor.words if self.editor is not None else ())))
        alone = "exclusive " if self.box.holder is self else ""
        since = f"{self.since:%Y-%m-%d %H:%M:%S} UTC"
        who = f"  {self.user} terminal {self.terminal} (pid {self.pid}) on since {since}\n"
        return f"{who}      {alone}[{where}]\n"

    def locked(self) -> str:
        """What another reads who wants to change the candidate."""
        return f"error: configuration database locked by:\n{self.presence().rstrip()}"

    def interrupted(self) -> None:
        """The lock goes with its login, and what was not committed under it; a shared candidate stays."""
        if self.box.holder is self:
            self.box.holder = None
            self.box.candidate = self.box.active.copy()
        self.editor = None

    def compared_with(self, number: int) -> str:
        """`show | compare`."""
        return "".join(f"{one}\n" for one in compared(self.box.history[number].tree, self.box.candidate))


def filtered(said: str, pipes: list[str]) -> str:
    """What is left of an answer after its pipes; `display` and `compare` were seen to.

    Raises:
        Refused: a pipe is none.
    """
    for pipe in pipes:
        verb, _, rest = pipe.strip().partition(" ")
        pattern = rest.strip().strip('"')
        lines = said.splitlines()
        if verb == "match":
            said = "".join(f"{one}\n" for one in lines if re.search(pattern, one, re.IGNORECASE))
        elif verb == "except":
            said = "".join(f"{one}\n" for one in lines if not re.search(pattern, one, re.IGNORECASE))
        elif verb == "count":
            said = f"Count: {len(lines)} lines\n"
        elif verb == "last":
            said = "".join(f"{one}\n" for one in lines[-int(pattern or 10) :])
        elif verb not in {"no-more", "display", "compare"}:
            return "syntax error.\n"
    return said
