"""Brings a lab up, takes it down, restarts one of its nodes."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Interface

from lienthong.errors import LienThongError, Unreachable
from lienthong.lab import (
    cgroup,
    clean,
    disk,
    guest,
    image,
    keys,
    layer,
    machine,
    node,
    outside,
    simulated,
    state,
    wire,
)
from lienthong.lab.place import Place
from lienthong.lab.progress import say
from lienthong.lab.topology import Topology, derive, left_out, with_kernel
from lienthong.model.intent import ProvincePlan


def up(
    place: Place,
    plan: ProvincePlan,
    slugs: Sequence[str],
    platforms: Mapping[str, tuple[str, str | None]] | None = None,
    full: bool = False,
    also: Sequence[str] = (),
    kernel: Sequence[str] = (),
) -> state.State:
    """Start the sites, bare: sshd, a management address and a key on every node. Does nothing if they are up.

    Args:
        platforms: gear that `plan` has as something else than the inventory, to be remembered.
        full: start the hosts too that run nothing but services with packages beyond the base.
        also: start these of them.
        kernel: start these hosts, each with a kernel of its own.

    Raises:
        Unreachable: this machine cannot host a lab, or a node did not come up; nothing is left.
        LienThongError: this lab is up with other sites, or without a host that is asked for.
    """
    machine.require()
    if kernel:
        guest.require()
    topology = with_kernel(derive(plan, slugs), kernel)
    acted = simulated.gear(plan, topology)
    without = left_out(topology, full, [*also, *kernel])
    with _alone(place):
        before = state.read(place)
        if before is not None and _whole(place, before):
            if set(before.sites) != set(topology.sites):
                raise LienThongError(
                    f"this lab is up with {', '.join(before.sites)}", hint="lienthong lab down, then up again"
                )
            if missing := sorted(set(before.without) - set(without)):
                raise LienThongError(
                    f"this lab is up without {', '.join(missing)}", hint="lienthong lab down, then up again"
                )
            if missing := sorted(set(kernel) - set(before.kernel)):
                raise LienThongError(
                    f"this lab is up, and {', '.join(missing)} has no kernel of its own in it",
                    hint="lienthong lab down, then up again",
                )
            say(f"lab {place.name}: is up already with {', '.join(before.sites)}")
            return before
        if clean.traces(place):
            say(f"lab {place.name}: taking away what an earlier one left")
            clean.wipe(place)
        home = cgroup.current()
        # Whatever this process starts belongs to the lab from birth: a kill leaves nothing that is not found.
        cgroup.join(f"{place.cgroup}/up")
        try:
            now = _start(place, topology, platforms or {}, acted, without)
        except BaseException:
            cgroup.go_back(home)
            clean.wipe(place)
            raise
        cgroup.go_back(home)
        return now


def down(place: Place) -> None:
    """Power everything off in good order and take the lab away. Does nothing if there is none."""
    with _alone(place):
        before = state.read(place)
        place.state_file.unlink(missing_ok=True)
        if before is not None:
            say(f"lab {place.name}: powering off {len(before.nodes)} systems")
            late = node.power_off(list(before.nodes.values()))
            if late:
                say(f"lab {place.name}: {len(late)} did not power off in time and are switched off")
        clean.wipe(place)
        say(f"lab {place.name}: down")


def reboot(place: Place, plan: ProvincePlan, name: str) -> None:
    """Power a node off, give it a namespace anew, boot it again; what it wrote to its disk stays.

    Raises:
        LienThongError: no such node.
        Unreachable: the lab is not up, or the node did not come back.
    """
    with _alone(place):
        now = running(place)
        booted(now, name)
        topology = with_kernel(derive(plan, now.sites), now.kernel)
        say(f"{name}: powering off")
        if node.power_off([now.nodes[name]]):
            say(f"{name}: did not power off in time and is switched off")
        cgroup.kill(f"{place.cgroup}/{name}")
        home = cgroup.current()
        cgroup.join(f"{place.cgroup}/up")
        try:
            wire.renew(place, topology, name)
            fresh = _boot(place, topology, [name])
        finally:
            cgroup.go_back(home)
        state.write(place, replace(now, nodes={**now.nodes, **fresh}))
        say(f"{name}: up")


def booted(now: state.State, name: str) -> node.Running:
    """The system of that name.

    Raises:
        LienThongError: there is none, or only a simulated device.
    """
    if name in now.acted:
        raise LienThongError(
            f"{name} is a simulated device: there is no system to enter or to start again",
            hint="lienthong sim fault … troubles it; plan, apply and the others reach it as any device",
        )
    if name in now.without:
        raise LienThongError(f"{name} was not started in this lab", hint="lienthong lab up --full starts it")
    if name not in now.nodes:
        raise LienThongError(f"no node {name!r} in this lab", hint="lienthong lab status lists them")
    return now.nodes[name]


def _whole(place: Place, now: state.State) -> bool:
    """Whether every system runs, and what plays the others too."""
    return all(one.alive for one in now.nodes.values()) and (not now.acted or simulated.answering(place))


def running(place: Place) -> state.State:
    """The state of the lab.

    Raises:
        Unreachable: it is not up.
    """
    now = state.read(place)
    if now is None:
        raise Unreachable("the lab is not up", hint="lienthong lab up")
    return now


def _start(
    place: Place,
    topology: Topology,
    platforms: Mapping[str, tuple[str, str | None]],
    acted: Mapping[str, tuple[str, str | None]],
    without: Sequence[str],
) -> state.State:
    booted = [system for system in topology.systems if system.booted and system.name not in without]
    names = [system.name for system in booted]
    say(f"lab {place.name}: {', '.join(topology.sites)}: {len(names)} systems, {len(topology.probes)} probes")
    if without:
        say(f"lab {place.name}: without {', '.join(without)}, which `lab up --full` starts too")
    base = image.ensure()
    layers = layer.ensure(base, (system.packages for system in booted))
    authorized = _keys(place, topology)
    say(f"lab {place.name}: laying {len(topology.links)} cables")
    wire.build(place, topology, without)
    say(f"lab {place.name}: booting")
    known = []
    for system in booted:
        root = disk.mount(place, system.name, *layers[system.packages], base)
        host_key = keys.ssh_key(f"root@{system.name}")
        disk.personalise(root, system.name, host_key, authorized)
        if system.outside:
            outside.furnish(place, topology, system.name, root)
        bare = " ".join(host_key.public.split()[:2])
        if system.kernel:
            _furnish(place, topology, system.name)
        known.append(f"{topology.addresses[system.name]},{system.name} {bare}\n")
    running = _boot(place, topology, names)
    known += simulated.start(place, topology, acted)
    place.known_hosts.write_text("".join(known), encoding="ascii")
    now = state.of(place, topology, running, platforms, acted, without)
    state.write(place, now)
    say(f"lab {place.name}: up")
    return now


def _furnish(place: Place, topology: Topology, name: str) -> None:
    say(f"{name}: making the disk of a computer with a kernel of its own")
    address = IPv4Interface((topology.addresses[name], topology.management.prefixlen))
    ports = wire.sockets(topology, name)
    guest.furnish(place.node(name) / "root", name, ports, address, wire.MANAGEMENT)
    guest.store(place, name)


def _keys(place: Place, topology: Topology) -> str:
    own = keys.ssh_key("lienthong@controller")
    keys.write_secret(place.key_file, own.private)
    place.key_file.with_suffix(".pub").write_text(own.public + "\n", encoding="ascii")
    outside.make_authorities(place, topology)
    return own.public


def _boot(place: Place, topology: Topology, names: Sequence[str]) -> dict[str, node.Running]:
    systems = {system.name: system for system in topology.systems}
    started: dict[str, subprocess.Popen[bytes]] = {
        name: guest.start(place, name, wire.sockets(topology, name))
        if systems[name].kernel
        else node.start(place, name, systems[name].tun)
        for name in names
    }

    def answered(count: int) -> None:
        if count % 5 == 0 or count == len(names):
            say(f"lab {place.name}: {count} of {len(names)} answer ssh")

    addresses = {name: topology.addresses[name] for name in names}
    patience: dict[str, float] = {}
    if any(systems[name].kernel for name in names):
        patience = {"timeout_s": guest.BOOT_S, "answer_s": guest.ANSWER_S}

    def gone(name: str) -> bool:
        return started[name].poll() is not None

    try:
        node.wait_for_ssh(place.oob, addresses, gone, answered, **patience)
    except Unreachable as error:
        raise Unreachable(error.what, hint=_last_words(place, names, error.what)) from None
    return {
        name: node.emulated(place, name, addresses[name], process.pid)
        if systems[name].kernel
        else node.leader(process.pid)
        for name, process in started.items()
    }


def _last_words(place: Place, names: Sequence[str], what: str) -> str:
    for name in sorted(names, key=lambda name: name not in what):
        console = place.node(name) / "console.log"
        text = console.read_text(encoding="utf-8", errors="replace").strip() if console.exists() else ""
        if text:
            return f"{name} said last: {text.splitlines()[-1][:200]}"
    return ""


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One command at a time changes a lab; the lock is beside its folder, which comes and goes."""
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    with (place.folder.parent / f".{place.name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unreachable(f"another command is changing lab {place.name}") from None
        yield
