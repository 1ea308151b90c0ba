"""The controller's end of the probes: starts an agent at each, asks it, and keeps asks apart.

In the lab every probe port of the plan has a namespace. Live a probe is there only where somebody has
plugged one in and declared it; without one the question is not assessed, never passed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar

from lienthong import probe as agent
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.words import Side, Target
from lienthong.openssh import Ways
from lienthong.workspace import Workspace

INTERNET = "internet"
T = TypeVar("T")


class ProbeError(LienThongError):
    """A probe did not do what it was asked; the check is an error."""


@dataclass(frozen=True)
class Place:
    """Where a probe stands."""

    name: str
    """`probe-<site>-<segment>`, or `probe-internet`"""
    site: str
    segment: str
    side: Side
    address: IPv4Address
    netns: str
    address6: IPv6Address | None = None

    @property
    def label(self) -> str:
        """As the ends of flows are labelled."""
        return INTERNET if self.site == INTERNET else f"{self.site}/{self.segment}"


class Probe:
    """A running agent. Methods of `lienthong.probe` are called by name; many may run at once."""

    def __init__(self, place: Place, process: subprocess.Popen[str]) -> None:
        self.place = place
        self._process = process
        self._numbers = count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = Lock()
        Thread(target=self._read, daemon=True, name=place.name).start()

    @property
    def address(self) -> IPv4Address:
        return self.place.address

    @property
    def addresses(self) -> list[IPv4Address | IPv6Address]:
        """One of each family it has."""
        six = self.place.address6
        return [self.place.address, *([six] if six else [])]

    def ask(self, verb: str, *, wait_s: float = 30.0, **arguments: Any) -> Any:
        """Do something at the probe and wait for it.

        Raises:
            ProbeError: the agent failed, died or took too long.
        """
        return self.result(self.begin(verb, **arguments), verb, wait_s)

    def begin(self, verb: str, **arguments: Any) -> Future[Any]:
        """Do something at the probe without waiting."""
        future: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            stdin = self._process.stdin
            try:
                if stdin is None:
                    raise OSError("no stdin")
                stdin.write(json.dumps({"id": number, "do": verb, **arguments}) + "\n")
                stdin.flush()
            except OSError as error:
                future.set_exception(ProbeError(f"{self.place.name}: the agent is gone: {error}"))
        return future

    def result(self, future: Future[Any], verb: str = "", wait_s: float = 30.0) -> Any:
        """What `begin` promised."""
        try:
            return future.result(wait_s)
        except TimeoutError:
            raise ProbeError(f"{self.place.name}: no answer to {verb} within {wait_s:g} s") from None

    def reach(self, targets: Sequence[tuple[str, str, int]], timeout_s: float = 1.5) -> list[str]:
        """Outcome of each (proto, address, port): `open`, `refused`, `unreachable`, `silent`."""
        answer: list[str] = self.ask(
            "reach", targets=[list(t) for t in targets], timeout_s=timeout_s, wait_s=timeout_s + 25
        )
        return answer

    def _read(self) -> None:
        for line in self._process.stdout or ():
            said = json.loads(line)
            future = self._waiting.pop(said["id"], None)
            if future is None:
                continue
            if "error" in said:
                future.set_exception(ProbeError(f"{self.place.name}: {said['error']}"))
            else:
                future.set_result(said["ok"])
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(ProbeError(f"{self.place.name}: the agent ended"))

    def close(self) -> None:
        """End the agent."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Probes:
    """Every probe this target has, started when the session opens."""

    def __init__(self, ws: Workspace, ways: Callable[[], Ways]) -> None:
        self._ws = ws
        self._ways = ways
        self._probes: dict[str, Probe] = {}
        self._agents: dict[str, Probe] = {}
        self._shared: dict[Hashable, Future[Any]] = {}
        self._lock = Lock()

    def open(self) -> None:
        """Start all agents: in the main thread, because a process changes namespace between fork and exec.

        Raises:
            Unreachable: a namespace is missing.
        """
        for place in places(self._ws):
            self._probes[place.name] = self._start(place)

    def _start(self, place: Place) -> Probe:
        from lienthong.lab.namespace import popen_in
        from lienthong.lab.place import place as lab_place

        argv = [sys.executable, "-I", "-S", "-u", str(Path(agent.__file__))]
        process = popen_in(
            place.netns, argv, lab_place(self._ws.root), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return Probe(place, process)

    def on(self, name: str) -> Probe:
        """The agent on a real system (a node, or in the lab a system outside), by ssh, as root.

        Raises:
            Unreachable: the target does not have it.
        """
        with self._lock:
            if name not in self._agents:
                node = self._ws.plan.nodes.get(name)
                address = IPv4Address(0) if node is None else self._ws.access.address(node)
                site, segment = ("", "") if node is None else (node.site, node.segment.name)
                side = Side.NET if node is None else node.side
                place = Place(name, site, segment, side, node.address if node else address, "")
                self._agents[name] = Probe(place, self._login(name))
            return self._agents[name]

    def _login(self, name: str) -> subprocess.Popen[str]:
        source = Path(agent.__file__).read_text(encoding="ascii")
        start = f"import sys;exec(compile(sys.stdin.read({len(source)}),'probe','exec'))"
        words = ("/usr/bin/python3", "-I", "-u", "-c", start)
        process = self._ways().start(name, words, stdin=subprocess.PIPE)
        assert process.stdin is not None
        try:
            process.stdin.write(source)
            process.stdin.flush()
        except OSError as error:
            raise Unreachable(f"{name}: no agent: {error}") from None
        return process

    def share(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made once however many checks ask at the same time; its error as well."""
        with self._lock:
            future = self._shared.get(key)
            mine = future is None
            if future is None:
                future = self._shared[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:  # noqa: BLE001 - every check that asked must hear of it
                future.set_exception(error)
        result: T = future.result()
        return result

    def __iter__(self) -> Iterator[Probe]:
        return iter(self._probes.values())

    def of_site(self, site: str) -> list[Probe]:
        """Every probe of a site."""
        return [probe for probe in self._probes.values() if probe.place.site == site]

    def at(self, site: str, segment: str) -> Probe | None:
        """The probe in a segment, None where there is none."""
        return self._probes.get(f"probe-{site}-{segment}")

    def need(self, site: str, segment: str) -> Probe:
        """The probe in a segment; without one, the check is not assessed."""
        probe = self.at(site, segment)
        if probe is None:
            from lienthong.checks import not_assessed

            not_assessed(f"no probe stands in {site}/{segment}: what does a test device see there?")
        return probe

    @property
    def internet(self) -> Probe | None:
        """The probe outside, on the Internet's side."""
        return self._probes.get("probe-internet")

    def close(self) -> None:
        """End all agents; never raises."""
        for probe in (*self._probes.values(), *self._agents.values()):
            with contextlib.suppress(OSError):
                probe.close()
        self._probes.clear()
        self._agents.clear()


def places(ws: Workspace) -> list[Place]:
    """Where probes stand, by the lab's own topology; none live."""
    if ws.access.target is not Target.LAB:
        return []
    from lienthong.lab.place import place
    from lienthong.lab.topology import derive
    from lienthong.lab.wire import IPV6

    lab = place(ws.root)
    sites = [
        slug for slug, site in ws.plan.sites.items() if any(ws.access.reaches(n) for n in site.nodes.values())
    ]
    if not sites:
        raise Unreachable("the lab runs no site", hint="lienthong lab up")
    topology = derive(ws.plan, sites)
    return [
        Place(
            p.name,
            p.site,
            p.segment,
            p.side,
            p.address.ip,
            lab.netns(p.name),
            p.address6.ip if p.address6 and IPV6 else None,
        )
        for p in topology.probes
        if ws.access.side in {None, p.side.value}
    ]
