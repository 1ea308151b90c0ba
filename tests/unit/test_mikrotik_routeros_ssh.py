"""A simulated RouterOS device over real SSH: Netmiko's driver, the tool's own runner, restarts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import asyncssh
import pytest

from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Role, Target
from lienthong.runners import netmiko
from lienthong.runners.result import StepResult
from lienthong.sim.faults import Fault, Kind
from lienthong.sim.server import HOST, TICK_S, Served
from lienthong.target import Access
from tests.boxes import CONTROLLER, ROOT, province
from tests.unit.test_mikrotik_routeros import Routed, Store


class Reached:
    """One device behind the server of simulated devices, and the tool's way to it."""

    def __init__(self, folder: Path, role: Role) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="lienthong")
        self.drive = Routed(role)
        self.node, self.box = self.drive.node, self.drive.box
        self.box.store.rows("/user ssh-keys")[0].values["key"] = key.export_public_key().decode().strip()
        self.box.boot_s = 2
        self.served = Served(self.box, CONTROLLER)
        self._over, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(10)
        (folder / "id").write_bytes(key.export_private_key())
        (folder / "id").chmod(0o600)
        (folder / "id.pub").write_bytes(key.export_public_key())
        known = f"[{HOST}]:{self.served.port} {self.served.public_key}\n"
        (folder / "known_hosts").write_text(known, encoding="ascii")
        self.access = Access(
            Target.LAB, ROOT, "lienthong", "netadm", folder / "id", folder / "known_hosts",
            {self.node.name: IPv4Address(HOST)}, folder / "secrets", ports={self.node.name: self.served.port},
            simulated=True,
        )  # fmt: skip

    async def _live(self, ready: threading.Event) -> None:
        while not self._over.is_set():
            await self.served.tick()
            ready.set()
            await asyncio.sleep(TICK_S)
        await self.served.stop()

    def plan(self) -> ProvincePlan:
        plan = province()
        site = plan.sites["loc-ninh"]
        nodes = {**site.nodes, self.node.name: self.node}
        return replace(plan, sites={**plan.sites, "loc-ninh": replace(site, nodes=nodes)})

    def run(self, salt: str = "") -> StepResult:
        self.served.history.clear()
        said: list[str] = []
        (result,) = netmiko.run(
            self.access, Store(salt), self.plan(), [self.node], check=False, progress=said.append
        )
        return result

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.fixture(params=[Role.GATEWAY, Role.SWITCH])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reached]:
    found = Reached(tmp_path, request.param)
    yield found
    found.end()


def test_a_device_is_brought_over_ssh_and_the_second_run_sends_nothing(reached: Reached) -> None:
    first = reached.run()
    assert first.outcome == "changed", first.detail
    assert reached.box.identity == reached.node.name
    assert not reached.box.files
    before = reached.box.configuration()
    second = reached.run()
    assert (second.outcome, second.changes) == ("unchanged", ())
    assert not [line for line in reached.served.history if " add " in line or " set " in line]
    assert reached.box.configuration() == before


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "reject", "reboot"])
def test_a_change_that_breaks_off_is_taken_back_by_a_restart(reached: Reached, kind: Kind) -> None:
    first = reached.run()
    assert first.outcome == "changed", first.detail
    before = reached.box.configuration()
    tampering = ("/system identity set name=somebody", "/snmp set enabled=no")
    reached.drive.type(*tampering)
    reached.served.set_faults()
    assert reached.run().outcome == "changed"
    assert reached.box.configuration() == before
    at = next(at for at, line in enumerate(reached.served.history, 1) if line.startswith("/snmp set"))
    reached.drive.type(*tampering)
    changed, boots = reached.box.configuration(), reached.box.boots
    reached.served.set_faults(Fault(kind, at))
    result = reached.run()
    assert reached.served.struck, result
    assert result.outcome in {"failed", "unreachable", "uncertain"}, result
    ends = time.monotonic() + 60
    while (reached.box.boots == boots or not reached.box.up) and time.monotonic() < ends:
        time.sleep(0.1)
    while reached.box.configuration() != changed and time.monotonic() < ends:
        time.sleep(0.1)
    assert reached.box.configuration() == changed
    while not (reached.box.up and reached.box.answers(CONTROLLER)) and time.monotonic() < ends:
        time.sleep(0.1)
    time.sleep(3 * TICK_S)
    last = reached.run()
    assert last.outcome == "changed", last
    assert reached.box.configuration() == before


@pytest.mark.parametrize(
    ("kind", "at", "outcome"),
    [("log-line", 9, "changed"), ("log-prompt", 9, "changed"), ("flash-full", 1, "failed")],
)
def test_what_comes_between_or_has_no_room_leaves_one_or_the_other(
    reached: Reached, kind: Kind, at: int, outcome: str
) -> None:
    assert reached.run().outcome == "changed"
    good = reached.box.configuration()
    reached.drive.type("/snmp set enabled=no")
    bad = reached.box.configuration()
    reached.served.set_faults(Fault(kind, at))
    result = reached.run()
    assert result.outcome == outcome, result
    assert reached.box.configuration() == (good if outcome == "changed" else bad)
    reached.served.set_faults()
    reached.run()
    assert reached.box.configuration() == good
