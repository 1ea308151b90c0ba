"""What kinds of device there are, one file a platform, found by looking: nothing lists them.

A platform module has `PLATFORM`. A platform is a value: which dialects its devices speak, in the order in
which a change is sent, and what it can do. A dialect is a value too: how one command line is read, compared
and told. Nothing here connects to anything.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from lienthong.errors import LienThongError

#: One line of configuration under the headings it stands in: `("interface lo", "ip address 10.0.0.1/32")`.
Line = tuple[str, ...]
Lines = tuple[Line, ...]


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

    def __post_init__(self) -> None:
        if not self.errors:
            raise ValueError(f"dialect {self.name}: a refusal must be recognisable")


@dataclass(frozen=True)
class Platform:
    """One kind of device. Its templates are `templates/<name>/<dialect>.j2`."""

    name: str
    dialects: tuple[Dialect, ...]
    arms: bool
    """It can undo an unconfirmed change by itself."""
    capabilities: frozenset[str]
    """What a site may ask of it, e.g. `vlans`, `ospf`, `bfd`."""


@cache
def discover() -> dict[str, Platform]:
    """Every platform of this package, by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        if not info.ispkg:
            platform: Platform = importlib.import_module(f"{__name__}.{info.name}").PLATFORM
            found[platform.name] = platform
    return dict(sorted(found.items()))


def platform(name: str) -> Platform:
    """The platform of that name.

    Raises:
        LienThongError: there is none.
    """
    try:
        return discover()[name]
    except KeyError:
        raise LienThongError(f"no platform {name!r}", hint=f"there are: {', '.join(discover())}") from None
