"""What gear that is no Debian says of itself, as values: pure, made from what its command line shows.

The same for every vendor: the lines of each dialect, and what they come to, a
:class:`lienthong.platforms.Reach`. Sockets have the device's own names, to which
:attr:`GearFacts.sockets` leads from the inventory's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface

from lienthong.platforms import Lines, Reach


@dataclass(frozen=True)
class GearFacts:
    """One device, as one login showed it."""

    node: str
    lines: Mapping[str, Lines] = field(repr=False)
    """By dialect; secrets are concealed."""
    reach: Reach = field(repr=False)
    sockets: Mapping[str, str] = field(default_factory=dict)
    """Inventory's name of a port or line → the device's own."""

    def socket(self, name: str) -> str:
        """What the device calls a port or line of the inventory."""
        return self.sockets.get(name, name)

    @property
    def addresses(self) -> Iterator[tuple[str, IPv4Interface]]:
        """(interface that is not shut, address) of all it has."""
        for where in (self.reach.addresses, self.reach.silent):
            for name, found in where.items():
                for one in found:
                    yield name, one
