"""A RoomOS endpoint: its settings, which are kept the moment they are set, and by what it can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lienthong.sim.box import Box, Shell
from lienthong.sim.vendors.cisco_roomos.valuespace import SETTINGS

ACCOUNT = "netadm"
#: After a change of its account; how long is not documented.
REGISTERING_S = 3.0
_LISTED = re.compile(r"(?:\*c )?xConfiguration ([^:]+): (.*)")


class RoomOs(Box):
    """It has one configuration: what is set outlives a restart (API reference guide, xConfiguration)."""

    boot_s = 90.0
    most_logins = 20  # Security Session MaxSessionsPerUser, from the factory

    def __init__(self, name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> None:
        super().__init__(name, managed_by)
        self.keys = tuple(keys)
        self.held = {path: setting.default for path, setting in SETTINGS.items()}
        self.foreign: dict[str, str] = {}
        """Settings that this simulation knows nothing of, as they are shown."""
        self.registrar_takes: str | None = None
        """The password that the registrar knows; None: nobody has asked it yet."""
        self.asked_s = 0.0
        """When it last began to register."""
        self._day_zero()

    def _day_zero(self) -> None:
        """What the officer typed on its touch panel: address, mask, gateway."""
        net = self.managed_by.network
        self.held |= {
            "Network 1 IPv4 Assignment": "Static",
            "Network 1 IPv4 Address": str(self.managed_by.ip),
            "Network 1 IPv4 SubnetMask": str(net.netmask),
            "Network 1 IPv4 Gateway": str(net[1]),
        }

    def load(self, text: str) -> None:
        """Take over a listing of `xConfiguration`; what is not known here is kept as it is written."""
        for line in text.splitlines():
            found = _LISTED.fullmatch(line.strip())
            if found is None:
                continue
            path, shown = found[1], found[2]
            if path in SETTINGS:
                value = SETTINGS[path].read(shown)
                if value is None:
                    raise ValueError(f"{path} cannot be {shown}")
                self.held[path] = value
            else:
                self.foreign[path] = shown

    def start(self) -> None:
        """Nothing to forget and nothing to undo."""

    def shell(self, user: str) -> Shell:
        from lienthong.sim.vendors.cisco_roomos.shell import Tsh

        return Tsh(self, user)

    def keys_of(self, user: str) -> Sequence[str]:
        return self.keys if user == ACCOUNT else ()

    def answers(self, source: IPv4Address) -> bool:
        """SSH on, its address in force and untagged, the source let in, and a way back to it."""
        net = self.managed_by.network
        return (
            self.held["NetworkServices SSH Mode"] == "On"
            and self.address == self.managed_by
            # An access port takes no tagged packets; Auto means untagged where no switch says otherwise.
            and self.held["Network 1 VLAN Voice Mode"] != "Manual"
            and self.held["Network 1 IPStack"] != "IPv6"
            and (source in net or self.held["Network 1 IPv4 Gateway"] == str(net[1]))
            and self._lets_in(source)
        )

    @property
    def address(self) -> IPv4Interface | None:
        """Its address, where it is not leased: nobody leases any in this segment."""
        if self.held["Network 1 IPv4 Assignment"] != "Static":
            return None
        try:
            return IPv4Interface(
                f"{self.held['Network 1 IPv4 Address']}/{self.held['Network 1 IPv4 SubnetMask']}"
            )
        except ValueError:
            return None

    def _lets_in(self, source: IPv4Address) -> bool:
        """Guide, Network RemoteAccess Allow: a list with commas; empty: from everywhere."""
        allowed = self.held["Network 1 RemoteAccess Allow"]
        return not allowed or any(source in network for network in _networks(allowed))

    def set(self, path: str, value: str) -> None:
        """A value that the value space has let pass."""
        if path.startswith(("SIP ", "NetworkServices SIP ")) and self.held[path] != value:
            self.asked_s = self.now_s
        self.held[path] = value

    @property
    def registration(self) -> str:
        """What `xStatus SIP Registration 1 Status` says (Inactive, Registering, Registered, Failed)."""
        password = self.held["SIP Authentication Password"]
        if self.held["NetworkServices SIP Mode"] == "Off" or not self.held["SIP Proxy 1 Address"]:
            return "Inactive"
        if self.now_s - self.asked_s < REGISTERING_S:
            return "Registering"
        known = bool(self.held["SIP URI"] and password) and self.registrar_takes in {None, password}
        return "Registered" if known else "Failed"

    def settings(self) -> Iterator[tuple[str, str]]:
        """Every path and value as shown, in the order of the listing: by path, numbers as numbers."""
        shown = {path: SETTINGS[path].shown(value) for path, value in self.held.items()} | self.foreign
        yield from sorted(shown.items(), key=lambda item: _order(item[0]))

    def configuration(self) -> str:
        return "".join(f"*c xConfiguration {path}: {value}\n" for path, value in self.settings())

    def saved(self) -> str:
        return self.configuration()


def _order(path: str) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdigit() else (-1, word) for word in path.split()]


def _networks(text: str) -> Iterator[IPv4Network]:
    for word in text.split(","):
        try:
            yield IPv4Network(word.strip(), strict=False)
        except ValueError:
            continue
