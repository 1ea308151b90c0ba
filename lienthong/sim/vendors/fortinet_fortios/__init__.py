"""A simulated FortiGate 60F with FortiOS 7.4: a configuration of sections, and a flash that may lag behind.

Quirks have their source where they are: save modes here, grammar in `schema.py`, refusals in `values.py`
and `checks.py`, reachability in `reachable.py`, answers in `told.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.box import Box, Shell, Timer, Vendor
from lienthong.sim.vendors.fortinet_fortios.day0 import day0
from lienthong.sim.vendors.fortinet_fortios.reachable import answers
from lienthong.sim.vendors.fortinet_fortios.shell import Cli
from lienthong.sim.vendors.fortinet_fortios.tree import Tree, read

_NO_CHANGE = "no config to be {}.\n"


class FortiGate(Box):
    """One FortiGate."""

    boot_s = 90.0
    mode_is_kept = False
    """Whether a switch to `cfg-save revert` is itself written to the flash; Fortinet does not say."""

    def __init__(self, name: str, managed_by: IPv4Interface, keys: Sequence[str] = ()) -> None:
        super().__init__(name, managed_by)
        self.flash = read(day0(name, managed_by, keys))
        self.running = self.flash.copy()
        self._idle: Timer | None = None
        self._shown = 0
        self._entries = 0
        self._dirty = False
        self._known: dict[IPv4Address, bool] = {}

    def load(self, text: str) -> None:
        """Take a configuration as if it had been restored: in force, and in the flash."""
        self.flash = read(text)
        self.start()

    def start(self) -> None:
        self.running = self.flash.copy()
        self._idle = None
        self._dirty = False
        self._known.clear()

    def shell(self, user: str) -> Shell:
        return Cli(self, user)

    def keys_of(self, user: str) -> Sequence[str]:
        admin = self.running.entries("system admin").get(user, Tree())
        return [
            " ".join(admin.words(f"ssh-public-key{number}")[0].split()[:2])
            for number in (1, 2, 3)
            if admin.words(f"ssh-public-key{number}")
        ]

    def answers(self, source: IPv4Address) -> bool:
        if source not in self._known:
            self._known[source] = answers(self.running, self.managed_by, source)
        return self._known[source]

    def configuration(self) -> str:
        return "\n".join(self.running.lines(0)) + "\n"

    def saved(self) -> str:
        return "\n".join(self.flash.lines(0)) + "\n"

    def header(self) -> str:
        """What stands above the sections; the version of the file changes with every change."""
        version = int(hashlib.sha256(self.configuration().encode()).hexdigest()[:12], 16)
        return (
            "#config-version=FGT60F-7.4.4-FW-build2662-240514:opmode=0:vdom=0:user=netadm\n"
            f"#conf_file_ver={version}\n#buildno=2662\n#global_vdom=1\n"
        )

    def salt(self) -> int:
        """Enciphered values look different each time: what compares backups has to leave them out."""
        self._shown += 1
        return self._shown

    def running_value(self, path: str, name: str) -> str | None:
        return (self.running.part(f"config {path}") or Tree()).value(name)

    def running_words(self, path: str, name: str) -> list[str]:
        return (self.running.part(f"config {path}") or Tree()).words(name)

    def completed(self, path: str, name: str, entry: Tree) -> None:
        """What the device adds to an entry by itself."""
        self._entries += 1
        if path in {"firewall address", "firewall policy", "firewall vip", "firewall local-in-policy"}:
            digest = hashlib.sha256(f"{self.name} {path} {name}".encode()).hexdigest()
            uuid = f"{digest[:8]}-{digest[8:12]}-51ef-{digest[12:16]}-{digest[16:28]}"
            if entry.value("uuid") is None:
                entry.put("set uuid", uuid, ("set name", "set uuid", *list(entry.items)))
        if path == "system interface" and entry.value("snmp-index") is None:
            entry.put(
                "set snmp-index", str(20 + self._entries), ("set snmp-index", "set interface", "set vlanid")
            )

    # Save modes: Administration Guide 7.0, "Using configuration save mode"; what is said: CLI Reference,
    # `execute cfg save` and `execute cfg reload`; the restart: Fortinet Community 191106.

    def changed(self) -> None:
        """Something was changed for good: written at once, or to be saved in time."""
        self._known.clear()
        self._dirty = True
        if self.mode == "automatic":
            self._keep()
        else:
            kept = (self.flash.part("config system global") or Tree()).value("cfg-save")
            if self.mode_is_kept and kept is None:
                self._keep()
            self._wait()

    def heard(self) -> None:
        """The time-out counts from the last input of an administrator."""
        if self._idle is not None and self._idle.live:
            self._wait()

    def save_now(self) -> str:
        """`execute cfg save`."""
        if not self.unsaved:
            return _NO_CHANGE.format("saved")
        if not self._keep():
            return "\nCommand fail. Return code -1\n"
        return "config saved.\n"

    def reload_now(self) -> str:
        """`execute cfg reload`: the login ends with it."""
        if self.mode == "automatic" or not self.unsaved:
            return _NO_CHANGE.format("reloaded")
        self.reboot()
        return "configs reloaded. system will reboot.\n"

    def restarted(self) -> str:
        """`execute reboot`."""
        self.reboot()
        return "\n"

    @property
    def mode(self) -> str:
        return self.running_value("system global", "cfg-save") or "automatic"

    @property
    def unsaved(self) -> bool:
        return list(self.running.lines(0)) != list(self.flash.lines(0))

    def _keep(self) -> bool:
        if self.full:
            return False
        self.flash = self.running.copy()
        self._dirty = False
        if self._idle is not None:
            self._idle.live = False
        return True

    def _wait(self) -> None:
        if self._idle is not None:
            self._idle.live = False
        if self.mode == "revert" and self._dirty:
            seconds = int(self.running_value("system global", "cfg-revert-timeout") or 600)
            self._idle = self.after(seconds, self._revert, "cfg-revert")

    def _revert(self) -> None:
        self.log.append("Configuration reverted due to timeout")  # log message 36881
        self.reboot()


VENDOR = Vendor("fortinet_fortios", "fortinet-fortios", FortiGate)

__all__ = ["VENDOR", "FortiGate"]
