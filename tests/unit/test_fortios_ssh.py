"""A simulated FortiGate over real SSH: Netmiko's driver, the tool's own runner, restarts."""

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
from lienthong.model.words import Target
from lienthong.runners import netmiko
from lienthong.runners.result import StepResult
from lienthong.sim.faults import Fault, Kind
from lienthong.sim.server import HOST, TICK_S, Served
from lienthong.target import Access
from tests.boxes import CONTROLLER, KEY, ROOT, Store, province
from tests.fortios import box_of, by_hand, drive


class Reached:
    """One FortiGate behind the server of simulated devices, and the tool's way to it."""

    def __init__(self, folder: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="lienthong")
        self.drive = drive()
        self.node, self.box = self.drive.node, box_of(self.drive)
        public = key.export_public_key().decode().strip()
        self.box.load(self.box.configuration().replace(KEY, public))
        self.box.boot_s = 2
        self.served = Served(self.box, CONTROLLER)
        self._over, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(10)
        (folder / "id").write_bytes(key.export_private_key())
        (folder / "id").chmod(0o600)
        (folder / "id.pub").write_text(public + "\n", encoding="ascii")
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

    def run(self) -> StepResult:
        self.served.history.clear()
        said: list[str] = []
        (result,) = netmiko.run(
            self.access, Store(), self.plan(), [self.node], check=False, progress=said.append
        )
        return result

    def tamper(self) -> str:
        """Somebody changes two values of the plan's; returns what the device then holds."""
        by_hand(self.drive, "config system interface", 'edit "lt-vlan10"', "set ip 10.0.40.9/24", "end")
        by_hand(self.drive, "config system global", "set admintimeout 99", "end")
        return self.box.configuration()

    def wait(self, boots: int) -> None:
        """Until it has started anew and answers again."""
        ends = time.monotonic() + 30  # at once, not when the time is up
        while time.monotonic() < ends:
            if self.box.boots > boots and self.box.up and self.box.answers(CONTROLLER):
                time.sleep(3 * TICK_S)
                return
            time.sleep(TICK_S)
        raise AssertionError("it did not come back")

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    found = Reached(tmp_path)
    yield found
    found.end()


def test_it_is_brought_over_ssh_and_the_second_run_sends_nothing(reached: Reached) -> None:
    first = reached.run()
    assert first.outcome == "changed", first.detail
    assert reached.box.mode == "automatic"
    before = reached.box.configuration()
    assert reached.box.saved() == before
    second = reached.run()
    assert (second.outcome, second.changes) == ("unchanged", ()), second.detail
    assert not [line for line in reached.served.history if line.startswith(("config", "set", "execute"))]
    assert reached.box.configuration() == before


@pytest.mark.parametrize("kind", ["reject", "cut-before", "cut-after", "reboot"])
def test_a_change_that_breaks_off_is_taken_back_by_a_restart(reached: Reached, kind: Kind) -> None:
    assert reached.run().outcome == "changed"
    before = reached.box.configuration()
    changed, boots = reached.tamper(), reached.box.boots
    assert reached.run().outcome == "changed"  # to learn at which line to break off
    assert reached.box.configuration() == before
    at = reached.served.history.index("set ip 10.0.40.1 255.255.255.0") + 2  # its `next`
    assert reached.tamper() == changed
    reached.served.set_faults(Fault(kind, at))
    result = reached.run()
    assert reached.served.struck, result
    assert result.outcome in {"failed", "unreachable", "uncertain"}, result
    reached.wait(boots)
    assert reached.box.configuration() == changed
    assert reached.box.saved() == changed
    reached.served.set_faults()
    assert reached.run().outcome == "changed"
    assert reached.box.configuration() == before
