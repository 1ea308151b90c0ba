"""A simulated RoomOS endpoint over real SSH: Netmiko's driver `cisco_tp`, the tool's own runner, no undo."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import asyncssh
import pytest

from lienthong.model.intent import ProvincePlan
from lienthong.model.words import Target
from lienthong.runners import look, netmiko
from lienthong.runners.result import StepResult
from lienthong.target import Access
from tests.boxes import ROOT, Store, province
from tests.unit.test_roomos import Endpoint, changed, history, node, told


class Door(asyncssh.SSHServer):
    """Everybody's key is good here."""

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "netadm"

    def public_key_auth_supported(self) -> bool:
        return True


class Reached:
    """One endpoint behind an SSH server on loopback, and the tool's way to it."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = Endpoint(history(3))
        self.typed: list[str] = []
        self.said: list[str] = []
        keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(2)]
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        server = asyncio.run_coroutine_threadsafe(self._serve(keys[0]), self._loop).result(10)
        (folder / "id").write_bytes(keys[1].export_private_key())
        (folder / "id").chmod(0o600)
        port = server.sockets[0].getsockname()[1]
        public = keys[0].export_public_key().decode()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}", encoding="ascii")
        self.access = Access(
            Target.LAB, ROOT, "lienthong", "netadm", folder / "id", folder / "known_hosts",
            {node().name: IPv4Address("127.0.0.1")}, folder / "secrets", ports={node().name: port},
            simulated=True,
        )  # fmt: skip

    async def _serve(self, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            Door, "127.0.0.1", 0, server_host_keys=[key], process_factory=self._login, line_editor=False
        )

    async def _login(self, process: asyncssh.SSHServerProcess[str]) -> None:
        shell = self.endpoint.box.log_in("netadm")
        assert shell is not None
        process.stdout.write(shell.prompt().replace("\n", "\r\n"))
        async for raw in process.stdin:
            line = raw.rstrip("\r\n")
            self.typed.append(line.replace("\0", ""))
            process.stdout.write((line + "\n" + shell.line(line) + shell.prompt()).replace("\n", "\r\n"))

    def run(self) -> StepResult:
        self.typed.clear()
        plan: ProvincePlan = province()
        site = plan.sites["loc-ninh"]
        nodes = {**site.nodes, node().name: node()}
        plan = replace(plan, sites={**plan.sites, "loc-ninh": replace(site, nodes=nodes)})
        (result,) = netmiko.run(self.access, Store(), plan, [node()], check=False, progress=self.said.append)
        return result

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    found = Reached(tmp_path)
    yield found
    found.end()


def test_a_second_run_asks_one_question_and_changes_nothing(reached: Reached) -> None:
    first = reached.run()
    assert (first.outcome, first.detail) == ("changed", "")
    assert reached.endpoint.box.held["SIP URI"] == told().uri
    assert Store().get(told().password).reveal() not in repr(first)
    assert reached.run().outcome == "unchanged"
    assert [line for line in reached.typed if line.strip()] == ["xConfiguration"]


def test_a_refused_line_ends_the_change_and_all_is_typed_back(
    reached: Reached, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reached.endpoint.box.configuration()
    monkeypatch.setattr(look, "render_endpoint", lambda *_: changed(rtp=(1, 20000)))
    result = reached.run()
    assert result.outcome == "failed", result.detail
    assert "refused 'xConfiguration RTP Ports Range Start: 1'" in result.detail
    assert "its lines were taken back" in result.detail
    assert reached.endpoint.box.configuration() == before
    assert 'xConfiguration SIP URI: ""' in reached.typed
