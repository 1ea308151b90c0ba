"""One simulated VRP5 device: hardware, running and saved configuration, the start that is set for later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.box import Box, Shell, Timer
from lienthong.sim.vendors.huawei_vrp import access
from lienthong.sim.vendors.huawei_vrp.config import Config
from lienthong.sim.vendors.huawei_vrp.tables import Tables

_POWER = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


class VrpBox(Box):
    """See :class:`lienthong.sim.box.Box`."""

    boot_s = 150.0

    def __init__(
        self,
        name: str,
        managed_by: IPv4Interface,
        tables: Tables,
        day0: str,
        switched: Sequence[str],
        routed: Sequence[str],
        model: str,
    ) -> None:
        super().__init__(name, managed_by)
        self.switched, self.routed, self.model = frozenset(switched), frozenset(routed), model
        self.tables = tables
        self.running = Config(tables.header, tables.rank, tables.within)
        self._salts = 0
        self._schedule: Timer | None = None
        self._saved = ""
        self.load(day0)

    def load(self, text: str) -> None:
        """Take a configuration, foreign sections and all, as running and saved."""
        self.running.load(text)
        self._hardware()
        self._saved = self.running.text()

    def _hardware(self) -> None:
        known = set(self.running.lines())
        for name in sorted(self.switched | self.routed):
            if f"interface {name}" not in known:
                self.running.put((), f"interface {name}")

    def start(self) -> None:
        self.running.load(self._saved)
        self._hardware()
        self._schedule = None

    def power_off(self) -> None:
        super().power_off()
        self._schedule = None

    def shell(self, user: str) -> Shell:
        from lienthong.sim.vendors.huawei_vrp.shell import VrpShell

        return VrpShell(self, user)

    def keys_of(self, user: str) -> Sequence[str]:
        return access.keys(self.running, user)

    def answers(self, source: IPv4Address) -> bool:
        return self.up and access.answers(self.running, self.managed_by, source)

    def configuration(self) -> str:
        return self.running.text()

    def saved(self) -> str:
        return self._saved

    def save(self) -> bool:
        """Write what runs; False where there is no room."""
        if self.full:
            return False
        self._saved = self.running.text()
        return True

    def salt(self) -> str:
        """New with every secret, so that no secret is shown twice in the same way."""
        self._salts += 1
        return f"{self._salts:x}".rjust(6, "x")

    @property
    def link_type(self) -> str:
        return self.tables.link_type

    @property
    def hostname(self) -> str:
        found = [line.split()[1] for line in self.running.lines() if re.match(r"sysname \S", line)]
        return found[0] if found else "HUAWEI"

    @property
    def scheduled(self) -> tuple[datetime, int] | None:
        """(hour, minutes left) of the start that is set."""
        if self._schedule is None or not self._schedule.live:
            return None
        left = self._schedule.due_s - self.now_s
        return self.clock() + timedelta(seconds=left), int(-(-left // 60))

    def schedule(self, minutes: int) -> None:
        """Start anew after so many minutes; one that was set before is forgotten."""
        self.unschedule()
        self._schedule = self.after(minutes * 60.0, self.reboot, "schedule reboot")

    def unschedule(self) -> None:
        if self._schedule is not None:
            self._schedule.live = False
        self._schedule = None

    def clock(self) -> datetime:
        return _POWER + timedelta(seconds=self.now_s)
