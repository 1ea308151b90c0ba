"""One simulated VRP8 device: what VRP5's is, with a configuration that may be on trial."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.sim.box import Shell, Timer
from lienthong.sim.vendors.huawei_vrp.box import VrpBox
from lienthong.sim.vendors.huawei_vrp.config import Config


@dataclass
class Trial:
    """A commit on trial: what it leads back to, by what it is known, who began it."""

    before: Config
    persist: str
    session: object
    timer: Timer


class Vrp8Box(VrpBox):
    """See :class:`lienthong.sim.box.Box`."""

    def start(self) -> None:
        super().start()
        self.trial: Trial | None = None

    def shell(self, user: str) -> Shell:
        from lienthong.sim.vendors.huawei_vrp8.shell import Vrp8Shell

        return Vrp8Shell(self, user)

    def power_off(self) -> None:
        super().power_off()
        self.trial = None

    def put_on_trial(self, new: Config, seconds: int, persist: str, session: object) -> None:
        """Put a configuration in force for a time; a second trial of the same renews the time."""
        before = self.trial.before if self.trial else self.running.copy()
        if self.trial:
            self.trial.timer.live = False
        timer = self.after(seconds, self.end_trial, "commit trial")
        self.trial = Trial(before, persist, session, timer)
        self.running = new

    def keep_trial(self) -> None:
        """The trial becomes the configuration."""
        assert self.trial is not None
        self.trial.timer.live = False
        self.trial = None

    def end_trial(self) -> None:
        """Back to what was before."""
        if self.trial is not None:
            self.trial.timer.live = False
            self.running = self.trial.before
            self.trial = None
