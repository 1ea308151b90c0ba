"""What a lab that is up tells everybody else: `run/lab/<name>/state.json`, written last and removed first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lienthong.lab.node import Running
from lienthong.lab.place import Place
from lienthong.lab.topology import Topology

VERSION = 1


@dataclass(frozen=True)
class State:
    """The lab as it was when it came up; nodes are refreshed by a reboot."""

    name: str
    sites: tuple[str, ...]
    management: dict[str, str]
    """Management address by node, of the nodes that the tool keeps."""
    outside: dict[str, str]
    """The same for the systems of others."""
    probes: dict[str, dict[str, str]]
    links: list[list[list[str]]]
    nodes: dict[str, Running]
    platforms: dict[str, list[str | None]] = field(default_factory=dict)
    """[platform, model] of gear that runs here as something else than the inventory says."""
    ports: dict[str, int] = field(default_factory=dict)
    simulated: bool = False
    """Devices of `lienthong sim`: no system was booted."""
    acted: tuple[str, ...] = ()
    """Simulated devices among the booted systems."""
    without: tuple[str, ...] = ()
    """Nodes of these sites that were not started, see `topology.left_out`."""
    kernel: tuple[str, ...] = ()
    """Nodes that have a kernel of their own, see `guest`."""

    @property
    def addresses(self) -> dict[str, IPv4Address]:
        """Management address of everything that was booted."""
        return {name: IPv4Address(text) for name, text in (self.outside | self.management).items()}


def of(
    place: Place,
    topology: Topology,
    nodes: dict[str, Running],
    platforms: Mapping[str, tuple[str, str | None]],
    acted: Iterable[str] = (),
    without: Iterable[str] = (),
) -> State:
    """The state of a lab that has just come up."""
    addresses = {name: str(address) for name, address in topology.addresses.items()}
    outside, dark = {system.name for system in topology.systems if system.outside}, set(without)
    probes = {
        probe.name: {
            "netns": place.netns(probe.name),
            "site": probe.site,
            "segment": probe.segment,
            "side": probe.side.value,
            "address": str(probe.address.ip),
            "gateway": str(probe.gateway),
        }
        for probe in topology.probes
    }
    return State(
        name=place.name,
        sites=topology.sites,
        management={name: text for name, text in addresses.items() if name not in outside | dark},
        outside={name: text for name, text in addresses.items() if name in outside},
        probes=probes,
        links=[[[link.a.node, link.a.port], [link.b.node, link.b.port]] for link in topology.links],
        nodes=nodes,
        platforms={name: list(kind) for name, kind in platforms.items()},
        acted=tuple(acted),
        without=tuple(sorted(dark)),
        kernel=tuple(system.name for system in topology.systems if system.kernel),
    )


def write(place: Place, state: State) -> None:
    """Replace the file in one step, so that no reader sees a half of it."""
    new = place.state_file.with_suffix(".new")
    new.write_text(json.dumps({"version": VERSION, **asdict(state)}, indent=1), encoding="utf-8")
    new.replace(place.state_file)


def read(place: Place) -> State | None:
    """The state, or None where no lab is up."""
    try:
        raw: dict[str, Any] = json.loads(place.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    raw.pop("version")
    nodes = {name: _running(values) for name, values in raw.pop("nodes").items()}
    names = {key: tuple(raw.get(key, ())) for key in ("sites", "acted", "without", "kernel")}
    return State(**{**raw, **names}, nodes=nodes)


def _running(values: dict[str, Any]) -> Running:
    return Running(**{**values, "entry": tuple(values.get("entry", ()))})


def names(root: Path) -> list[str]:
    """Every lab of the checkout that has a folder."""
    folder = root / "run" / "lab"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
