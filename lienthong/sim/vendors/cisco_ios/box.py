"""A simulated Cisco with IOS or IOS-XE: running and saved configuration, archive, the timer of a rollback.

Users of SNMP are kept beside the configuration, as on the device ("SNMP Configuration Guide": `snmp-server
user` is not shown in the running configuration), so no rollback takes one away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface

from lienthong.platforms.dialects.ios_words import vlan_list
from lienthong.sim.box import Box, Shell, Timer
from lienthong.sim.vendors.cisco_ios import access
from lienthong.sim.vendors.cisco_ios.config import Config

_POWER = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Hardware:
    """One model as the box has it."""

    model: str
    image: str
    version: str
    switched: tuple[str, ...]
    routed: tuple[str, ...]
    numbered: bool
    """It prints the numbers of entries of lists."""


class IosBox(Box):
    """One device. `known` are the public keys that somebody may come with: the device itself has hashes."""

    boot_s = 180.0
    most_logins = 16

    def __init__(
        self, name: str, managed_by: IPv4Interface, hardware: Hardware, day0: str, known: Sequence[str]
    ) -> None:
        super().__init__(name, managed_by)
        self.hardware = hardware
        self.known = list(known)
        self.running = Config()
        self.snmp_users: dict[tuple[str, str], tuple[str, str]] = {}
        self.archived: list[str] = []
        self._saved_users: dict[tuple[str, str], tuple[str, str]] = {}
        self._back = ""
        self._timer: Timer | None = None
        self._minutes = 0
        self._by = ""
        self._salts = 0
        self.load(day0)

    @property
    def switched(self) -> frozenset[str]:
        """Ports that switch."""
        return frozenset(self.hardware.switched)

    @property
    def numbered(self) -> bool:
        return self.hardware.numbered

    def load(self, text: str) -> None:
        """Take a configuration, foreign sections and all, as running and saved."""
        self.running.load(text)
        self._sockets()
        self._saved = self.running.text()

    def _sockets(self) -> None:
        known = set(self.running.lines())
        for name in (*self.hardware.switched, *self.hardware.routed):
            if f"interface {name}" in known:
                continue
            self.running.put((), f"interface {name}")
            if name in self.hardware.routed:
                # A router's sockets come shut ("Cisco 4000 Series ISRs Software Configuration Guide").
                for line in ("no ip address", "shutdown", "negotiation auto"):
                    self.running.put((f"interface {name}",), line)

    def start(self) -> None:
        self.running.load(self._saved)
        self._sockets()
        self.snmp_users = dict(self._saved_users)

    def power_off(self) -> None:
        super().power_off()
        self._timer = None

    def shell(self, user: str) -> Shell:
        from lienthong.sim.vendors.cisco_ios.shell import IosShell

        return IosShell(self, user)

    def keys_of(self, user: str) -> Sequence[str]:
        return access.keys(self.running, user, self.known)

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
        self._saved_users = dict(self.snmp_users)
        return True

    def hashed(self, secret: str) -> str:
        """A hash of type 9, with a salt of its own every time."""
        self._salts += 1
        return f"$9$salt{self._salts}$" + hashlib.sha256(f"{self._salts}{secret}".encode()).hexdigest()[:43]

    def interfaces(self) -> set[str]:
        return {head.split()[1] for head, _ in self.running.sections("interface ")}

    def vlans(self) -> set[int]:
        heads = [head[5:] for head, _ in self.running.sections("vlan ") if re.fullmatch(r"[\d,-]+", head[5:])]
        return {1, *(vlan for text in heads for vlan in vlan_list(text))}

    @property
    def hostname(self) -> str:
        found = [line.split()[1] for line in self.running.lines() if re.match(r"hostname \S", line)]
        return found[0] if found else "Router"

    def clock(self) -> datetime:
        return _POWER + timedelta(seconds=self.now_s)

    @property
    def path(self) -> str | None:
        """Where the archive is."""
        found = [line.split()[1] for line in self.running.lines(("archive",)) if line.startswith("path ")]
        return found[0] if found else None

    @property
    def armed(self) -> tuple[int, float, str] | None:
        """(minutes asked for, seconds left, by whom) of the rollback that waits."""
        if self._timer is None or not self._timer.live:
            return None
        return self._minutes, self._timer.due_s - self.now_s, self._by

    def arm(self, minutes: int, user: str) -> str:
        """Keep a copy and roll back to it after so many minutes; says where the copy is."""
        self._back = self.running.text()
        copy = f"{self.path}{self.clock():%b-%d-%H-%M-%S}.{len(self.archived):03}-UTC-{len(self.archived)}"
        self.archived.append(copy)
        self._minutes, self._by = minutes, user
        self._timer = self.after(minutes * 60.0, self.roll_back, "rollback")
        # System message guide: the messages that belong to it.
        self.log.append(
            f"%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_BACKUP: Backing up current running config to {copy}"
        )
        self.log.append(f"%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_START_ABSTIMER: User: {user}(Priv: 15, View: 0):"
                        f" Scheduled to rollback to config {copy} in {minutes} minutes")  # fmt: skip
        return copy

    def confirm(self, user: str) -> None:
        self._disarm()
        self.log.append(
            f"%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_CONFIRM: User: {user}: Confirm the configuration change"
        )

    def roll_back(self) -> None:
        """Replace what runs by the copy."""
        self.log.append(
            f"%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_ROLLBACK_START: Start rolling to: {self.archived[-1]}"
        )
        self._disarm()
        self.replace(self._back)

    def replace(self, text: str) -> None:
        """What `configure replace` does; what is not in the configuration stays as it is."""
        self.running.load(text)
        self._sockets()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.live = False
        self._timer = None
