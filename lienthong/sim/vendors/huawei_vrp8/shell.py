"""A login on a simulated VRP8 device: a candidate of its own, commits, trials.

"Configuration Management" of NetEngine 8000 F1A: a trial without `persist` ends with its session; a commit of
another session while one is on trial is refused; `return` with a candidate asks what to do with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lienthong.sim.vendors.huawei_vrp import shell as five
from lienthong.sim.vendors.huawei_vrp.config import Config
from lienthong.sim.vendors.huawei_vrp.shell import VrpShell
from lienthong.sim.vendors.huawei_vrp.spelling import Call, Device, Refusal
from lienthong.sim.vendors.huawei_vrp8.box import Vrp8Box

ENTERED = "Info: The system enters the trial configuration mode.\n"


@dataclass
class Draft:
    """What the commands of one session change, until it commits."""

    box: Vrp8Box
    running: Config
    base: str
    """What ran when it was begun."""

    @property
    def switched(self) -> frozenset[str]:
        routed = {
            head.split()[1]
            for head, lines in self.running.sections("interface ")
            if "undo portswitch" in lines
        }
        return self.box.switched - routed

    @property
    def routed(self) -> frozenset[str]:
        return self.box.routed | (self.box.switched - self.switched)

    @property
    def link_type(self) -> str:
        return self.box.tables.link_type

    def salt(self) -> str:
        return self.box.salt()


def _filter(call: Call) -> str:
    known = {
        line.split()[2 + ("ipv6" in line.split()[:2])]
        for line in call.box.running.lines()
        if re.match(r"acl (?:ipv6 )?name ", line)
    }
    if call.words[-2] not in known:
        raise Refusal("Error: The specified ACL does not exist.")
    return " ".join(call.words)


def _portswitch(call: Call) -> None:
    call.box.running.drop(call.path, lambda line: line == "undo portswitch")


five.EFFECTS.update({"filter8": _filter, "portswitch": _portswitch})


class Vrp8Shell(VrpShell):
    """See :class:`lienthong.sim.box.Shell`."""

    def __init__(self, box: Vrp8Box, user: str) -> None:
        super().__init__(box, user)
        self.device = box
        self.draft: Draft | None = None

    @property
    def target(self) -> Device:
        if self.draft is None:
            self.draft = Draft(self.device, self.device.running.copy(), self.device.running.text())
        return self.draft

    @property
    def changed(self) -> bool:
        """Something is not committed."""
        return self.draft is not None and self.draft.running.text() != self.draft.base

    def prompt(self) -> str:
        found = super().prompt()
        if self.asked is not None or not found.startswith("["):
            return found
        return f"[{'*' if self.changed else '~'}{found[1:]}"

    def _do(self, text: str, words: list[str]) -> str:
        line = " ".join(words)
        if self.system and (line == "return" or (line == "quit" and not self.path)):
            return self._leave(text, words)
        if line == "display configuration trial status":
            return self._status()
        if not self.system:
            return super()._do(text, words)
        if line == "clear configuration candidate":
            self.draft = None
            self.path = ()
            return ""
        if words[0] == "commit":
            return self._commit(words[1:])
        abort = re.fullmatch(r"abort trial(?: persist (\S+))?", line)
        if abort:
            return self._abort(abort[1] or "")
        if line == "undo portswitch" and self.view == "if":
            self.target.running.put(self.path, line)
            return ""
        return super()._do(text, words)

    def _leave(self, text: str, words: list[str]) -> str:
        if not self.changed:
            self.draft = None
            return super()._do(text, words)

        def answered(answer: str) -> str:
            said = ""
            if answer.lower().startswith("c"):
                return ""
            if answer.lower().startswith("y"):
                said = self._commit([])
            self.draft = None
            return said + VrpShell._do(self, text, words)

        return self.ask(
            "Warning: Uncommitted configurations found. Are you sure to commit them before exiting?"
            " [Y(yes)/N(no)/C(cancel)]:",
            answered,
        )

    def _status(self) -> str:
        trial = self.device.trial
        if trial is None:
            return "Trial status: INACTIVE\nTrial time left (sec): 0\n"
        left = int(trial.timer.due_s - self.device.now_s)
        named = f"Persist id: {trial.persist}\n" if trial.persist else ""
        return f"Trial status: ACTIVE\n{named}Trial time left (sec): {left}\n"

    def _commit(self, words: list[str]) -> str:
        found = re.fullmatch(r"(?:trial(?: (\d+))?)?(?: ?persist (\S+))?", " ".join(words))
        if found is None:
            raise Refusal("Error: Wrong parameter found at '^' position.")
        seconds = int(found[1] or 600)
        if words[:1] == ["trial"] and not 60 <= seconds <= 65535:
            raise Refusal("Error: Wrong parameter found at '^' position.")
        trial = self.device.trial
        if words[:1] != ["trial"] and found[2]:
            return self._confirm(found[2])
        if trial is not None and trial.session is not self and trial.persist != (found[2] or ""):
            raise Refusal("Error: The system is in trial configuration mode of another session.")
        if not self.changed:
            if trial is not None and words[:1] != ["trial"]:
                self.device.keep_trial()
            return "Info: No configuration to commit.\n" if trial is None else ""
        assert self.draft is not None
        if self.draft.base != self.device.running.text():
            raise Refusal(
                "Error: The running configuration has been changed by others. Refresh the candidate."
            )
        new, self.draft = self.draft.running, None
        if words[:1] != ["trial"]:
            self.device.running = new
            if trial is not None:
                self.device.keep_trial()
            return ""
        self.device.put_on_trial(new, seconds, found[2] or "", self)
        return (
            f"{ENTERED}The system will revert to previous configuration if the trial configuration"
            f" is not confirmed in {seconds} seconds.\n"
        )

    def _confirm(self, persist: str) -> str:
        trial = self.device.trial
        if trial is None or trial.persist != persist:
            raise Refusal("Error: The persist ID does not exist.")

        def answered(answer: str) -> str:
            if answer.lower().startswith("y") and self.device.trial is trial:
                self.device.keep_trial()
            return ""

        return self.ask("Warning: The trial configuration will be confirmed. Continue? [Y/N]:", answered)

    def _abort(self, persist: str) -> str:
        trial = self.device.trial
        if trial is None or trial.persist != persist:
            raise Refusal("Error: No configuration is on trial.")

        def answered(answer: str) -> str:
            if answer.lower().startswith("y"):
                self.device.end_trial()
                self.draft = None
                return "Info: The trial configuration rollback succeeded.\n"
            return ""

        return self.ask("Warning: The trial configuration will be rolled back. Continue? [Y/N]:", answered)

    def interrupted(self) -> None:
        super().interrupted()
        self.draft = None
        trial = self.device.trial
        if trial is not None and trial.session is self and not trial.persist:
            self.device.end_trial()
