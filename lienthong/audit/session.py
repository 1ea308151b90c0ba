"""What the checks of a run share: plan, connections, facts, probes. Opened once, closed whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from threading import Lock
from typing import Any

from lienthong.audit.devices import Devices
from lienthong.audit.probes import Probes
from lienthong.audit.started import started
from lienthong.checks import NotAssessed
from lienthong.errors import LienThongError, Unreachable
from lienthong.facts import Facts
from lienthong.facts.gather import Gathering
from lienthong.facts.gear import GearFacts
from lienthong.model.intent import Node, SitePlan
from lienthong.model.words import Target
from lienthong.openssh import Ways, ways
from lienthong.workspace import Workspace


@dataclass
class CheckSession:
    """One run of checks over some sites."""

    ws: Workspace
    sites: tuple[str, ...]
    drill: bool
    gear: bool = False
    """Only what a change of gear must leave as it was: few nodes are asked, when they are wanted."""
    _hosts: dict[str, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def in_lab(self) -> bool:
        return self.ws.access.target is Target.LAB

    @cached_property
    def ways(self) -> Ways:
        names = {n.name: self.ws.access.address(n) for n in self.ws.reachable()}
        if self.in_lab:
            names |= outside_systems(self.ws)
        return ways(self.ws.access, names)

    @cached_property
    def gathering(self) -> Gathering:
        return Gathering(self.ws.access, self.ws.plan.nodes, self.ways)

    @cached_property
    def devices(self) -> Devices:
        return Devices(self.ws)

    @cached_property
    def probes(self) -> Probes:
        return Probes(self.ws, lambda: self.ways)

    def open(self) -> None:
        """Go to where the controller works and begin to look; call it before any thread starts.

        Raises:
            LienThongError: an audited site is not in the plan, or the lab cannot be entered.
        """
        for slug in self.sites:
            self.ws.site(slug)
        if self.ws.access.simulated:
            self.devices.start(self._there())
            return
        if self.in_lab:
            from lienthong.lab.namespace import enter

            enter(self.ws.root)
        self.probes.open()
        if not self.gear:
            self.gathering.start(node.name for node in self._there() if node.debian)
            self.devices.start(node for node in self._there() if has_command_line(node))

    def _there(self) -> list[Node]:
        return [node for node in self.nodes() if self.ws.access.reaches(node)]

    def nodes(self) -> list[Node]:
        """Every node of the audited sites, of the side this controller works for."""
        return [
            node
            for slug in self.sites
            for node in self.ws.site(slug).nodes.values()
            if not self.ws.access.is_beyond(node)
        ]

    def beyond(self) -> list[Node]:
        """Every node of the audited sites that is the other side's."""
        return [
            node
            for slug in self.sites
            for node in self.ws.site(slug).nodes.values()
            if self.ws.access.is_beyond(node)
        ]

    def site(self, slug: str) -> SitePlan:
        return self.ws.site(slug)

    def facts(self, name: str) -> Facts:
        """Facts of any Debian system by name.

        Raises:
            NotAssessed: it is none.
            Unreachable: no login, or the target does not have it.
        """
        self._must_be_ours(self.ws.node(name))
        _must_be_debian(self.ws.node(name))
        return self.gathering.of(name)

    def device(self, name: str) -> GearFacts:
        """What gear of a vendor says of itself.

        Raises:
            Unreachable: no login, or the target does not have it.
        """
        node = self.ws.node(name)
        self._must_be_ours(node)
        self.ws.access.address(node)
        return self.devices.of(node)

    def host(self, name: str) -> Any:
        """Testinfra's host of any node by name: root by sudo, over the connection the facts came by.

        Raises:
            Unreachable: no login, or the target does not have it.
        """
        import testinfra

        node = self.ws.plan.nodes.get(name)
        if node is not None:
            self._must_be_ours(node)
            _must_be_debian(node)
        if node is not None and not self.ws.access.reaches(node):
            raise Unreachable(f"{name} is not reached by this target")
        if node is None and not (self.in_lab and name in outside_systems(self.ws)):
            raise Unreachable(f"{name}: no such system")
        with self._lock:
            if name not in self._hosts:
                host = testinfra.get_host(
                    f"ssh://{name}", ssh_config=str(self.ways.config), sudo=True, timeout=10
                )
                host.backend.run_local = started(host.backend.run_local)
                self._hosts[name] = host
            return self._hosts[name]

    def _must_be_ours(self, node: Node) -> None:
        """A check of a site may want both sides, and each has a controller of its own."""
        access = self.ws.access
        if access.is_beyond(node):
            raise NotAssessed(f"{node.name} is of side {node.side}: what does that side's controller find?")

    def values(self, site: str, node: str | None) -> dict[str, Any]:
        """What a check may ask for by name; `facts` and `host` are looked up when a check really asks."""
        return {
            "site": self.site(site),
            "plan": self.ws.plan,
            "access": self.ws.access,
            "secrets": self.ws.secrets,
            "probes": self.probes,
            "hosts": self.host,
            "facts_of": self.facts,
            "node": self.ws.node(node) if node else None,
        }

    def close(self) -> None:
        """End probes and connections; never raises."""
        if "probes" in self.__dict__:
            self.probes.close()
        if "gathering" in self.__dict__:
            self.gathering.close()
        if "devices" in self.__dict__:
            self.devices.close()
        if "ways" in self.__dict__:
            self.ways.close()


def has_command_line(node: Node) -> bool:
    """Whether it is gear that is asked by its own command line, and by nothing else."""
    return node.device is not None and not node.debian


def _must_be_debian(node: Node) -> None:
    if not node.debian:
        kind = node.device.platform if node.device is not None else node.platform
        raise NotAssessed(f"{node.name} is {kind}: this check reads a Debian system; how is it there?")


def outside_systems(ws: Workspace) -> dict[str, IPv4Address]:
    """Management addresses of what the lab plays outside: the provider, Central."""
    from lienthong.lab.place import place
    from lienthong.lab.state import read

    now = read(place(ws.root))
    return {n: IPv4Address(a) for n, a in now.outside.items()} if now is not None else {}


def chosen_sites(ws: Workspace, asked: Sequence[str]) -> tuple[str, ...]:
    """The sites asked for; in the lab, without any, those it runs.

    Raises:
        LienThongError: no site is named on the live network, or one does not exist.
    """
    if asked:
        return tuple(dict.fromkeys(ws.site(slug).site.slug for slug in asked))
    if ws.access.target is Target.LIVE:
        raise LienThongError("no site is named", hint="--site=loc-ninh, or several with commas")
    return tuple(dict.fromkeys(node.site for node in ws.reachable()))
