"""Simulated devices among the booted systems of a lab, for gear whose software nobody can ship.

Each answers at its own management address, in its own namespace, so that everything reaches it as it reaches
the others. Its cables are laid and lead nowhere: it switches no packet, and says so first.

`python -m lienthong.lab.simulated ROOT LAB`, with the devices on its standard input, serves until it is
ended; it belongs to the lab from birth.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lienthong.errors import LienThongError, Unreachable
from lienthong.lab.namespace import inside
from lienthong.lab.place import NETNS_DIR, Place
from lienthong.lab.progress import say
from lienthong.lab.topology import Topology
from lienthong.model.intent import Node, ProvincePlan
from lienthong.platforms import platform
from lienthong.target import SSH_PORT

KNOWN, LOG = "sim.known", "sim.log"
UP_S = 60.0


def gear(plan: ProvincePlan, topology: Topology) -> dict[str, tuple[str, str | None]]:
    """(platform, model) of every system that is not booted.

    Raises:
        LienThongError: nothing simulates one of them.
    """
    found, without = {}, []
    for system in topology.systems:
        if not system.booted:
            kind, model = _kind(plan.nodes[system.name])
            if not platform(kind).dialects:
                continue  # it fetches a file, and nobody logs in to it
            if not _is_simulated(kind):
                without.append(system.name)
            found[system.name] = (kind, model)
    if without:
        raise LienThongError(
            f"{', '.join(without)}: software that the lab can neither start nor simulate",
            hint="lab up … --twin open puts FRR and Open vSwitch in the place of a gateway or switch",
        )
    return found


def start(place: Place, topology: Topology, devices: Mapping[str, tuple[str, str | None]]) -> list[str]:
    """Switch them on; their lines of known_hosts.

    Raises:
        Unreachable: they did not come up.
    """
    if not devices:
        return []
    for name, (kind, _) in devices.items():
        say(f"{name}: {kind}, simulated: it speaks its command line and switches no packet")
    told = {name: [*kind, str(topology.addresses[name])] for name, kind in devices.items()}
    with (place.folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lienthong.lab.simulated", str(place.root), place.name],
            stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, cwd=place.root,
        )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode())
    process.stdin.close()
    known, ends = place.folder / KNOWN, time.monotonic() + UP_S
    while not known.exists():
        if process.poll() is not None or time.monotonic() > ends:
            last = (place.folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise Unreachable(f"the simulated devices did not come up: {last[-1] if last else 'no word'}")
        time.sleep(0.1)
    public = json.loads(known.read_text(encoding="ascii"))
    return [f"{topology.addresses[name]},{name} {key}\n" for name, key in public.items()]


def answering(place: Place) -> bool:
    """Whether the process that plays them is there still."""
    from lienthong.sim.daemon import running

    return running(place.folder) is not None


def main() -> None:
    """Serve until SIGTERM."""
    from lienthong.inventory import load
    from lienthong.sim.daemon import serve
    from lienthong.sim.fleet import fleet
    from lienthong.sim.server import Door

    root, name = Path(sys.argv[1]), sys.argv[2]
    place, told = Place(root, name), json.load(sys.stdin)
    doors = {
        node: Door(address, SSH_PORT, partial(inside, NETNS_DIR / place.netns(node)))
        for node, (_, _, address) in told.items()
    }
    platforms = {node: (kind, model) for node, (kind, model, _) in told.items()}
    found = fleet(root, name, load(root / "inventory"), platforms, doors=doors)

    def ready() -> None:
        new = place.folder / f"{KNOWN}.new"
        public = {node: one.public_key for node, one in found.served.items()}
        new.write_text(json.dumps(public), encoding="ascii")
        new.replace(place.folder / KNOWN)

    serve(found, ready)


def _kind(node: Node) -> tuple[str, str | None]:
    if node.device is not None:
        return node.device.platform, node.device.model
    assert node.platform is not None
    return node.platform, None


def _is_simulated(kind: str) -> bool:
    from lienthong.sim.vendors import of_platform  # a simulation is needed by few labs

    try:
        of_platform(kind)
    except LienThongError:
        return False
    return True


if __name__ == "__main__":
    main()
