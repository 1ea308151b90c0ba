"""Facts of one system: the raw sections and, from each, a typed value parsed when first asked for. Pure.

A section that is missing or does not parse raises `FactMissing` for those who need it, and for no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lienthong.errors import LienThongError
from lienthong.facts import parse
from lienthong.facts.parse import Account, Certificate, Listener, OvsPort, Time, TimeProof, Unit


class FactMissing(LienThongError):
    """The system did not tell; the check that asked is an error, neither pass nor fail."""


@dataclass(frozen=True)
class Section:
    """What one command said."""

    rc: int
    out: str


@dataclass(frozen=True)
class Facts:
    """Everything one round trip brought from a node."""

    node: str
    sections: Mapping[str, Section]

    @classmethod
    def from_json(cls, node: str, text: str) -> Facts:
        """From the collector's answer.

        Raises:
            FactMissing: it is no such answer.
        """
        try:
            raw = json.loads(text)
            sections = {name: Section(int(seen["rc"]), str(seen["out"])) for name, seen in raw.items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FactMissing(f"{node}: the collector's answer makes no sense: {error}") from None
        return cls(node, sections)

    def to_json(self) -> str:
        """What `from_json` reads: how recordings are kept."""
        return json.dumps(
            {name: {"rc": s.rc, "out": s.out} for name, s in sorted(self.sections.items())}, indent=1
        )

    def section(self, name: str) -> Section:
        """A raw section, whatever its exit code.

        Raises:
            FactMissing: the command was not run there.
        """
        try:
            return self.sections[name]
        except KeyError:
            raise FactMissing(f"{self.node}: nothing is known of {name}") from None

    def text(self, name: str) -> str:
        """The output of a command that succeeded.

        Raises:
            FactMissing: it was not run, or it failed.
        """
        section = self.section(name)
        if section.rc:
            raise FactMissing(f"{self.node}: {name} failed ({section.rc}): {section.out[:200]}")
        return section.out

    def _json(self, name: str) -> Any:
        text = self.text(name)
        try:
            return json.loads(text) if text.strip() else []
        except ValueError as error:
            raise FactMissing(f"{self.node}: {name} is no JSON: {error}") from None

    @cached_property
    def sshd(self) -> dict[str, str]:
        """Effective settings by lower-case keyword; repeated keywords joined with a space."""
        return parse.sshd(self.text("sshd"))

    @cached_property
    def sysctl(self) -> dict[str, str]:
        return parse.sysctl(self.section("sysctl").out)  # rc is 1 where one key is write-only

    @cached_property
    def ruleset(self) -> list[dict[str, Any]]:
        """`nft -j list ruleset`: the list under `nftables`."""
        return list(self._json("nft")["nftables"])

    @cached_property
    def listeners(self) -> tuple[Listener, ...]:
        return parse.listeners(self.text("sockets"))

    @cached_property
    def links(self) -> list[dict[str, Any]]:
        return list(self._json("links"))

    @cached_property
    def addresses(self) -> dict[str, tuple[str, ...]]:
        """IPv4 addresses with prefix length by interface."""
        return {
            link["ifname"]: tuple(
                f"{a['local']}/{a['prefixlen']}" for a in link.get("addr_info", []) if a["family"] == "inet"
            )
            for link in self._json("addresses")
            if link
        }

    @cached_property
    def routes(self) -> list[dict[str, Any]]:
        """Every route of every table."""
        return [route for route in self._json("routes") if route]

    @cached_property
    def units(self) -> dict[str, Unit]:
        """Units that are active or have failed, by name."""
        return parse.units(self.text("units"))

    @cached_property
    def processes(self) -> frozenset[str]:
        return frozenset(self.text("processes").splitlines())

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        return parse.accounts(self.text("passwd"), self.text("shadow"), self.text("authorized_keys"))

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        return parse.certificates(self.text("certificates"))

    @cached_property
    def time(self) -> Time:
        """What chronyd says of itself.

        Raises:
            FactMissing: chronyd does not run.
        """
        return parse.time(self.text("chrony_tracking"), self.text("chrony_sources"))

    @cached_property
    def time_proofs(self) -> tuple[TimeProof, ...]:
        """How each time server is believed.

        Raises:
            FactMissing: chronyd does not run.
        """
        return parse.time_proofs(self.text("chrony_auth"))

    @cached_property
    def ovs(self) -> dict[str, OvsPort]:
        """Ports of every Open vSwitch bridge by name."""
        return parse.ovs(self._json("ovs_bridges"), self._json("ovs_ports"), self._json("ovs_interfaces"))

    @cached_property
    def frr(self) -> str:
        """FRR's running configuration; keys are masked."""
        return self.text("frr")

    @cached_property
    def ospf_neighbours(self) -> list[dict[str, Any]]:
        """One mapping a neighbour, with `ifaceName`, `nbrState`, `ifaceAddress`."""
        return parse.ospf_neighbours(self._json("ospf_neighbours"))

    @cached_property
    def bfd(self) -> list[dict[str, Any]]:
        """One mapping a peer, with `peer`, `interface`, `status`."""
        return list(self._json("bfd"))
