"""What kinds of device there are, one file a platform, found by looking: nothing lists them.

A platform module has `PLATFORM`. A platform is a value: which dialects its devices speak, in the order in
which a change is sent, and what it can do. A dialect is a value too: how one command line is read, compared
and told. Nothing here connects to anything.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Interface, IPv4Network
from typing import Literal

from lienthong.errors import LienThongError
from lienthong.platforms.undo import Undo

#: One line of configuration under the headings it stands in: `("interface lo", "ip address 10.0.0.1/32")`.
Line = tuple[str, ...]
Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Reach:
    """By what a device can be managed, read from its lines alone. What another tool owns is None."""

    addresses: Mapping[str, tuple[IPv4Interface, ...]]
    """Interface that is not shut → its addresses."""
    carried: Mapping[str, frozenset[int]]
    """Port that is not shut → the VLANs it carries."""
    tag: Mapping[str, int]
    """Interface → the VLAN it lies in, where it lies in one."""
    routes: frozenset[IPv4Network]
    """Destinations of static routes."""
    dynamic: bool
    """A routing protocol runs, so a route may come from a neighbour."""
    ssh: bool | None = None
    """SSH is served."""
    logins: tuple[IPv4Network, ...] | None = None
    """From where SSH is answered; `0.0.0.0/0` where nothing limits it."""
    users: frozenset[str] | None = None
    """Local accounts that may log in and configure."""
    local: bool | None = None
    """Local accounts may log in, at least while no AAA server answers."""
    silent: Mapping[str, tuple[IPv4Interface, ...]] = field(default_factory=dict)
    """The same for addresses at which no login is answered, where a device says that of each."""


def _prompt(name: str) -> str:
    # At the start of a line only: a description may say what it likes. Netmiko cuts long names.
    return rf"(?:^|[\r\n]){re.escape(name)}[^\s()#>]*(?:\([^)\r\n]*\))?[#>] ?$"


def _nothing(window_s: int) -> tuple[str, ...]:  # noqa: ARG001
    return ()


@dataclass(frozen=True)
class Dialect:
    """One command line of a device. All its functions are pure and work on :data:`Line`."""

    name: str
    device_type: str
    """Netmiko's name for it."""
    account: Literal["network", "automation"]
    """Who logs in: the account whose shell is the device's own, or the one with sudo."""
    show: str
    """The one command that tells everything that is compared."""
    errors: tuple[str, ...]
    """Patterns of a refusal. Never empty: without them Netmiko lets a rejected line pass in silence."""
    save: str | None
    """Command that makes the change outlive a reboot; None where that needs no command."""
    saved: str | None
    """What the device says when it has really been saved."""
    parse: Callable[[str], Lines] = field(repr=False)
    """What `show` said, as lines; what a device does not print because it is the default is added."""
    owns: Callable[[Line, frozenset[Line]], bool] = field(repr=False)
    """Whether a line found on the device is the plan's to change, given all intended lines."""
    commands: Callable[[Sequence[Line], Sequence[Line]], tuple[str, ...]] = field(repr=False)
    """(to remove, to add) → what to type, in order."""
    interfaces: Callable[[Line], frozenset[str]] = field(repr=False)
    """Interfaces that a line speaks of."""
    vlans: Callable[[Line], frozenset[int]] = field(repr=False)
    """VLANs that a line lets a port carry."""
    intended: Callable[[str], Lines] | None = field(default=None, repr=False)
    """How a rendered template is read as lines; None: as `parse` reads the device's answer to `show`."""
    reach: Callable[[Lines], Reach] | None = field(default=None, repr=False)
    """By what the device is managed, for the guard; None: this dialect decides nothing of it."""
    health: Callable[[Callable[[str], str]], frozenset[str]] | None = field(default=None, repr=False)
    """Asks the device what is well, e.g. `tslcd-a ospf 10.0.4.1 full`; a change may stay only if all of it
    is well again. Facts begin with the interface they are about."""
    enter: tuple[str, ...] = ("configure terminal",)
    """What leads to configuration mode; empty where there is none."""
    leave: tuple[str, ...] = ("end",)
    """What leads back from anywhere in it; also throws away a candidate that was not committed."""
    commit: Callable[[int], tuple[str, ...]] = field(default=_nothing, repr=False)
    """Window in seconds → what puts a candidate in force, for good only when confirmed; empty: lines act at
    once. Sent before `leave`."""
    batch: tuple[str, str] | None = None
    """Where lines act only with `commit` all go in one write: (command that reads them, what ends them)."""
    answers: tuple[tuple[str, str], ...] = ()
    """(pattern, answer) for questions that a line of configuration or `save` may raise."""
    prompt: Callable[[str], str] = field(default=_prompt, repr=False)
    """The device's name → pattern of its prompt in every mode, at the very end of what was read."""

    def __post_init__(self) -> None:
        if not self.errors:
            raise ValueError(f"dialect {self.name}: a refusal must be recognisable")


@dataclass(frozen=True)
class Hardware:
    """What one model is, beyond what all of its platform are."""

    sockets: Mapping[str, str] = field(default_factory=dict)
    """Inventory's name of a port or line → the model's, e.g. `e1` → `GigabitEthernet1/0/1`."""
    adds: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    source: str = ""
    """The vendor's page that says so."""


#: What a site may ask of a device.
CAPABILITIES = frozenset(
    {
        "routing", "switching", "vlans", "trunk", "ipv4", "ipv6", "static", "ospf", "bfd", "dhcp-server",
        "dhcp-relay", "nat", "policy", "wireguard", "plane", "aaa", "snmpv3", "port-security", "ports-off",
        "debian", "conference", "ztp", "hub",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Platform:
    """One kind of device. Its templates are `templates/<name>/<dialect>.j2`."""

    name: str
    dialects: tuple[Dialect, ...]
    """In the order in which a change is sent."""
    undo: Undo | None
    """How it returns by itself; None where it cannot, and the tool takes a failed change back itself."""
    capabilities: frozenset[str]
    """What a site may ask of it, of :data:`CAPABILITIES`."""
    models: Mapping[str, Hardware] = field(default_factory=dict)
    """By the model's name as the inventory writes it, or its beginning: the longest that fits counts."""

    def __post_init__(self) -> None:
        unknown = self.capabilities - CAPABILITIES
        if unknown:
            raise ValueError(f"platform {self.name}: no such capability: {', '.join(sorted(unknown))}")

    @property
    def debian(self) -> bool:
        """A Debian system: Ansible and pyinfra work on it too, and it can run services."""
        return "debian" in self.capabilities

    def hardware(self, model: str | None) -> Hardware:
        """What is known of a model; nothing of one that nobody has described."""
        fits = [name for name in self.models if model is not None and model.startswith(name)]
        return self.models[max(fits, key=len)] if fits else Hardware()

    def able(self, model: str | None) -> frozenset[str]:
        """What a device of that model can do."""
        hardware = self.hardware(model)
        return self.capabilities - hardware.lacks | hardware.adds


def names() -> list[str]:
    """Every platform's name: that of its file, with hyphens."""
    return sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__) if not info.ispkg)


@cache
def find(name: str) -> Platform | None:
    """The platform of that name; no other is imported for it, which every command would wait for."""
    if name not in names():
        return None
    found: Platform = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").PLATFORM
    if found.name != name:
        raise ValueError(f"platform {found.name} stands in the file of {name}")
    return found


def discover() -> dict[str, Platform]:
    """Every platform of this package, by name."""
    return {name: platform(name) for name in names()}


def platform(name: str) -> Platform:
    """The platform of that name.

    Raises:
        LienThongError: there is none.
    """
    found = find(name)
    if found is None:
        raise LienThongError(f"no platform {name!r}", hint=f"there are: {', '.join(names())}")
    return found
