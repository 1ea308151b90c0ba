"""Many simulated devices as one lab: their ports, keys and platforms are written where every verb looks."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from lienthong.errors import LienThongError
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.site import Inventory
from lienthong.plan.build import build
from lienthong.plan.wanted import management_networks
from lienthong.platforms import platform
from lienthong.sim.server import HOST, TICK_S, Door, Served
from lienthong.sim.vendors import of_platform
from lienthong.workspace import twinned

T = TypeVar("T")
#: Gear that stands where the inventory has Debian systems, by role: the first that has a simulated device.
STAND_IN = {
    "gateway": (("mikrotik-routeros", "MikroTik hEX S"),),
    "switch": (("huawei-vrp", "S5735-L24T4S"), ("mikrotik-routeros", None)),
}
WHAT_IT_IS = (
    "these are simulated devices: they speak the command lines of vendors as their documents tell, and "
    "switch no packet. What they show is how the tool behaves, not that a network works."
)


@dataclass
class Fleet:
    """Simulated devices in a thread of their own."""

    root: Path
    name: str
    plan: ProvincePlan
    platforms: Mapping[str, tuple[str, str | None]]
    served: dict[str, Served]
    _written: bool = False

    @property
    def folder(self) -> Path:
        """Where the lab is written."""
        return self.root / "run" / "lab" / self.name

    def start(self) -> None:
        """Switch every device on and open its door; returns when all can be reached."""
        self._loop = asyncio.new_event_loop()
        self._ended = threading.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="simulated", daemon=True)
        self._thread.start()
        if not ready.wait(60):
            raise LienThongError("the simulated devices did not come up")

    def stop(self) -> None:
        """Switch all off and take the lab's state away."""
        if self._written:
            (self.folder / "state.json").unlink(missing_ok=True)
        self._ended.set()
        self._thread.join(10)

    def do(self, what: Callable[[], T]) -> T:
        """Do something with boxes where their own time passes: nothing else happens to them meanwhile."""
        found: Future[T] = Future()

        def go() -> None:
            try:
                found.set_result(what())
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                found.set_exception(error)

        self._loop.call_soon_threadsafe(go)
        return found.result(60)

    def write(self) -> None:
        """Say to every verb of this checkout where the devices are."""
        ports = {name: one.port for name, one in self.served.items()}
        known = "".join(f"[{HOST}]:{one.port} {one.public_key}\n" for one in self.served.values())
        (self.folder / "known_hosts").write_text(known, encoding="ascii")
        sites = sorted({self.plan.nodes[name].site for name in self.served})
        state: dict[str, Any] = {
            "version": 1, "name": self.name, "sites": sites, "outside": {}, "probes": {}, "links": [],
            "nodes": {}, "management": dict.fromkeys(self.served, HOST), "ports": ports, "simulated": True,
            "platforms": {name: list(kind) for name, kind in self.platforms.items()},
        }  # fmt: skip
        new = self.folder / "state.json.new"
        new.write_text(json.dumps(state, indent=1), encoding="utf-8")
        new.replace(self.folder / "state.json")
        self._written = True

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        for one in self.served.values():
            one.box.power_on()
            await one.tick()
        ready.set()
        while not self._ended.is_set():
            for one in self.served.values():
                await one.tick()
            await asyncio.sleep(TICK_S)
        for one in self.served.values():
            await one.stop()


def fleet(
    root: Path,
    name: str,
    inventory: Inventory,
    platforms: Mapping[str, tuple[str, str | None]],
    scale: float = 1.0,
    latency_s: float = 0.0,
    doors: Mapping[str, Door] | None = None,
) -> Fleet:
    """Devices by full name, each of a platform and model; not started yet. Makes the lab's key.

    Raises:
        LienThongError: a platform has no simulated device, or a name is no device of the inventory.
    """
    plan = build(twinned(inventory, platforms))
    folder = root / "run" / "lab" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public = _key(folder / "id_ed25519")
    served = {}
    for node_name in platforms:
        node = plan.nodes.get(node_name)
        kind = None
        if node is not None:
            kind = node.device.platform if node.device is not None else node.platform
        if node is None or kind is None:
            raise LienThongError(f"{node_name} is no gateway, switch or endpoint of the inventory")
        managed = IPv4Interface(f"{node.address}/{node.segment.prefix.prefixlen}")
        box = of_platform(kind).make(node_name, managed, [public])
        served[node_name] = Served(
            box, _controller(plan, node), scale, latency_s, (doors or {}).get(node_name, Door())
        )
    return Fleet(root, name, plan, platforms, served)


def stand_ins(inventory: Inventory, sites: list[str]) -> dict[str, tuple[str, str | None]]:
    """Gear for sites: what the inventory says where that is a vendor's, else a stand-in by role.

    Internet gateways need a tunnel, which few can; they are left out where none stands in.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for slug in sites:
        for short, device in inventory.sites[slug].devices.items():
            name = f"{slug}-{short}"
            if not platform(device.platform).debian:
                found[name] = (device.platform, device.model)
                continue
            for kind, model in STAND_IN[device.role.value]:
                needs = (
                    {"wireguard"} if device.role.value == "gateway" and device.side.value == "net" else set()
                )
                if _is_there(kind) and needs <= platform(kind).able(model):
                    found[name] = (kind, model)
                    break
    return found


def _is_there(kind: str) -> bool:
    try:
        platform(kind)
        of_platform(kind)
    except LienThongError:
        return False
    return True


def _controller(plan: ProvincePlan, node: Node) -> IPv4Address:
    """An address from where the node may be managed: the controller is taken to have it."""
    networks = management_networks(plan, node)
    other = [network for network in networks if node.address not in network]
    return (other or list(networks))[0][10]


def _key(path: Path) -> str:
    """The lab's own key pair, made when it is not there; returns the public half."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="lienthong@controller")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.export_private_key())
        path.with_name(path.name + ".pub").write_bytes(key.export_public_key())
    return path.with_name(path.name + ".pub").read_text(encoding="utf-8").strip()
