"""A simulated RoomOS endpoint over real SSH: Netmiko's driver `cisco_tp`, the tool's own runner, no undo."""

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

from lienthong.model.words import Target
from lienthong.runners import look, netmiko
from lienthong.runners.result import StepResult
from lienthong.sim.faults import Fault
from lienthong.sim.server import HOST, TICK_S, Served
from lienthong.target import Access
from tests.boxes import CONTROLLER, ROOT, Store, province
from tests.unit.test_roomos import Endpoint, changed, history, node, told


class Reached:
    """One endpoint behind the server of simulated devices, and the tool's way to it."""

    def __init__(self, folder: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.box = Endpoint(history(3)).box
        self.box.keys = (key.export_public_key().decode().strip(),)
        self.served = Served(self.box, CONTROLLER, scale=30)
        self._over, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(10)
        (folder / "id").write_bytes(key.export_private_key())
        (folder / "id").chmod(0o600)
        known = f"[{HOST}]:{self.served.port} {self.served.public_key}\n"
        (folder / "known_hosts").write_text(known, encoding="ascii")
        self.access = Access(
            Target.LAB, ROOT, "lienthong", "netadm", folder / "id", folder / "known_hosts",
            {node().name: IPv4Address(HOST)}, folder / "secrets", ports={node().name: self.served.port},
            simulated=True,
        )  # fmt: skip

    async def _live(self, ready: threading.Event) -> None:
        while not self._over.is_set():
            await self.served.tick()
            ready.set()
            await asyncio.sleep(TICK_S)
        await self.served.stop()

    def run(self) -> StepResult:
        self.served.history.clear()
        plan = province()
        site = plan.sites["loc-ninh"]
        nodes = {**site.nodes, node().name: node()}
        plan = replace(plan, sites={**plan.sites, "loc-ninh": replace(site, nodes=nodes)})
        said: list[str] = []
        (result,) = netmiko.run(self.access, Store(), plan, [node()], check=False, progress=said.append)
        return result

    @property
    def typed(self) -> list[str]:
        return [line for line in self.served.history if line.strip()]

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    found = Reached(tmp_path)
    yield found
    found.end()


def test_a_second_run_asks_one_question_and_changes_nothing(reached: Reached) -> None:
    first = reached.run()
    assert (first.outcome, first.detail) == ("changed", "")
    assert reached.box.held["SIP URI"] == told().uri
    assert Store().get(told().password).reveal() not in repr(first)
    assert reached.run().outcome == "unchanged"
    assert reached.typed == ["xConfiguration"]


def test_a_refused_line_ends_the_change_and_all_is_typed_back(
    reached: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reached.box.configuration()
    monkeypatch.setattr(look, "render_endpoint", lambda *_: changed(rtp=(1, 20000)))
    result = reached.run()
    assert result.outcome == "failed", result.detail
    assert "refused 'xConfiguration RTP Ports Range Start: 1'" in result.detail
    assert "its lines were taken back" in result.detail
    assert reached.box.configuration() == before
    assert 'xConfiguration SIP URI: ""' in reached.typed


def test_a_connection_that_is_cut_in_the_middle_is_made_again_and_all_is_typed_back(
    reached: Reached,
) -> None:
    before = reached.box.configuration()
    reached.served.set_faults(Fault("cut-after", 25))
    result = reached.run()
    assert reached.served.struck
    assert result.outcome == "failed", result.detail
    assert reached.box.configuration() == before


def test_an_endpoint_that_starts_anew_in_the_middle_is_called_uncertain_and_finished_by_the_next_run(
    reached: Reached,
) -> None:
    before = reached.box.configuration()
    reached.served.set_faults(Fault("reboot", 25))
    result = reached.run()
    assert result.outcome == "uncertain", result.detail
    assert reached.box.configuration() != before  # half of it: there is no undo
    deadline = time.monotonic() + 20
    while not reached.box.up and time.monotonic() < deadline:
        time.sleep(0.1)
    assert reached.run().outcome == "changed"
    assert reached.run().outcome == "unchanged"
