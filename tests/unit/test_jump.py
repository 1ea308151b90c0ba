"""Through a jump host everything is as without it, and every tool takes that way."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.errors import LienThongError
from lienthong.jump import Jump, command, options, parse
from lienthong.model.words import Role
from lienthong.openssh import ways
from lienthong.target import resolve
from lienthong.trust.ask import look
from lienthong.trust.judge import State
from tests.jumping import JumpHost
from tests.unit.test_mikrotik_routeros_ssh import Reached


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[tuple[Reached, JumpHost]]:
    found = Reached(tmp_path, Role.SWITCH)
    jump = JumpHost("127.0.0.1", tmp_path / "id.pub")
    with (tmp_path / "known_hosts").open("a", encoding="ascii") as file:
        file.write(jump.known)
    found.access = replace(found.access, jump=Jump("hop", jump.address, jump.port))
    yield found, jump
    found.end()
    jump.end()


def test_a_device_is_brought_through_it_and_the_second_run_sends_nothing(
    reached: tuple[Reached, JumpHost],
) -> None:
    device, jump = reached
    first = device.run()
    assert first.outcome == "changed", first.detail
    assert device.run().outcome == "unchanged"
    assert set(jump.asked) == {("127.0.0.1", device.served.port)}
    assert len(jump.asked) >= 3  # a login to change, one to confirm, one to look again
    (seen,) = look(device.access, [device.node])
    assert seen.state is State.SAME, seen


def test_it_says_why_where_the_jump_host_does_not_let_it_through(reached: tuple[Reached, JumpHost]) -> None:
    device, jump = reached
    jump.lets = False
    done = device.run()
    assert done.outcome == "unreachable"
    assert "through the jump host 127.0.0.1: " in done.detail
    assert "forwarding failed" in done.detail or "prohibited" in done.detail, done.detail


def test_a_jump_host_with_another_key_is_not_used(reached: tuple[Reached, JumpHost]) -> None:
    device, jump = reached
    known = device.access.known_hosts
    lines = known.read_text(encoding="ascii").splitlines(keepends=True)
    known.write_text("".join(line for line in lines if f":{jump.port} " not in line), encoding="ascii")
    done = device.run()
    assert done.outcome == "unreachable"
    assert "through the jump host 127.0.0.1: Host key verification failed." in done.detail
    assert jump.asked == []


def test_openssh_takes_the_same_way(reached: tuple[Reached, JumpHost]) -> None:
    device, _ = reached
    with ways(device.access, {"one": IPv4Address("192.0.2.1")}) as there:
        argv = ["ssh", "-G", "-F", str(there.config), "one"]
        said = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert f"proxycommand {shlex.join(command(device.access))}" in said.stdout.splitlines()
    said = subprocess.run(
        ["ssh", "-G", "-F", "none", *options(device.access), "one"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"proxycommand {shlex.join(command(device.access))}" in said.stdout.splitlines()
    assert options(replace(device.access, jump=None)) == []


@pytest.mark.parametrize(
    "said",
    ["-oProxyCommand=id", "a b", "x@-h", "u@h:0", "u@h:65536", "u@h:x", "@h", "u@", "$(id)@h", "h;id", "U@h"],
)
def test_what_is_no_jump_host_is_refused(said: str) -> None:
    with pytest.raises(LienThongError, match="not a jump host"):
        parse(said, "lienthong")


def test_it_is_of_one_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIENTHONG_JUMP", "ops@jump.example:2222")
    monkeypatch.delenv("LIENTHONG_SIDE", raising=False)
    with pytest.raises(LienThongError, match="of one side"):
        resolve(tmp_path, "live")
    monkeypatch.setenv("LIENTHONG_SIDE", "wan")
    assert resolve(tmp_path, "live").jump == Jump("ops", "jump.example", 2222)
    monkeypatch.setenv("LIENTHONG_JUMP", "jump.example")
    assert resolve(tmp_path, "live").jump == Jump("lienthong", "jump.example", 22)
    monkeypatch.setenv("LIENTHONG_JUMP", "")
    assert resolve(tmp_path, "live").jump is None
