"""Commands on a system over real OpenSSH: who is believed, what passes where, and how it ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lienthong.conference.reach import BrokenOff, Reach
from lienthong.errors import LienThongError, Unreachable
from lienthong.jump import Jump
from lienthong.openssh import Ways, reason, ways
from tests.boxes import province
from tests.jumping import JumpHost
from tests.shelled import NAME, Shelled, command_lines

HERE = "/bin/sh", "-c"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Shelled]:
    # Deeper than any socket's path may be, and with what OpenSSH's configuration reads otherwise.
    found = Shelled(tmp_path / "deep" / ("x" * 100) / "a b%h")
    yield found
    found.end()


@pytest.fixture
def there(far: Shelled, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    monkeypatch.setattr(tempfile, "tempdir", str(far.access.root))
    with ways(far.access, far.addresses) as found:
        yield found


def running(folder: Path) -> list[str]:
    """Command lines of processes here that name a folder."""
    return [line for line in command_lines() if str(folder) in line]


def wait_for(true: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def test_words_arrive_as_they_are_and_one_login_serves_all(far: Shelled, there: Ways) -> None:
    words = ["printf", "%s|", "a b", "$(id)", "'", '"', "công văn", "two\nlines", "", "-n", "*"]
    assert there.output(NAME, words) == "a b|$(id)|'|\"|công văn|two\nlines||-n|*|"
    assert there.output(NAME, ["echo", "again"]) == "again\n"
    assert far.logins == 1
    (socket,) = [one for one in there.folder.iterdir() if one.is_socket()]
    assert len(str(socket)) + 17 < 100


def test_without_sharing_a_login_ends_with_its_command(far: Shelled) -> None:
    with ways(far.access, far.addresses, shared=False) as there:
        assert [there.output(NAME, ["echo", str(i)]) for i in range(2)] == ["0\n", "1\n"]
        assert [one.name for one in there.folder.iterdir()] == ["ssh_config"]
        assert running(there.folder) == []
    assert far.logins == 2


def test_what_is_kept_is_private_and_gone_in_the_end(far: Shelled) -> None:
    with ways(far.access, far.addresses) as there:
        there.output(NAME, ["true"])
        assert there.folder.stat().st_mode & 0o777 == 0o700
        assert running(there.folder), "nothing was shared: this test could not fail"
    assert not there.folder.exists()
    wait_for(lambda: not running(there.folder))


@pytest.mark.parametrize("line", ["", "[127.0.0.1]:{port} {other}\n"])
def test_a_host_key_that_is_not_on_record_is_not_believed(far: Shelled, there: Ways, line: str) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKzW2mWPzkYZGuUqPDgeSbhDsbX8tRzLsEpYMtZrl2Y"
    far.access.known_hosts.write_text(line.format(port=far.port, other=other), encoding="ascii")
    with pytest.raises(Unreachable, match=f"^{NAME}: no login: .*Host key verification failed") as caught:
        there.run(NAME, ["true"], within_s=20)
    assert "lienthong trust" in caught.value.hint
    assert "\n" not in caught.value.what
    assert (far.logins, far.commands) == (0, [])


def test_nobody_is_asked_and_a_dead_line_is_noticed(there: Ways) -> None:
    said = subprocess.run(
        ["ssh", "-G", "-F", str(there.config), NAME], capture_output=True, text=True, check=True
    )
    assert {
        "batchmode yes",
        "connecttimeout 8",
        "globalknownhostsfile /dev/null",
        "identitiesonly yes",
        "loglevel ERROR",
        "requesttty false",
        "serveraliveinterval 5",
        "stricthostkeychecking true",
        "updatehostkeys false",
        "user lienthong",
    } <= set(said.stdout.splitlines())


def test_another_key_does_not_get_in(far: Shelled, there: Ways) -> None:
    far.access.key_file.unlink()
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", far.access.key_file], check=True)
    with pytest.raises(Unreachable, match=f"{NAME}: no login: .*Permission denied"):
        there.output(NAME, ["true"])


def test_a_secret_passes_by_standard_input_only(far: Shelled, there: Ways) -> None:
    done = there.run(NAME, ["cat"], within_s=20, stdin="mật khẩu 7531")
    assert done.stdout == "mật khẩu 7531"
    assert any("ssh_config" in line for line in far.seen), "nobody looked: this test could not fail"
    assert not [line for line in far.seen if "7531" in line]


def test_it_waits_so_long_and_no_longer(there: Ways) -> None:
    there.output(NAME, ["true"])
    began = time.monotonic()
    with pytest.raises(Unreachable, match=f"^{NAME}: no answer within 0.5 s"):
        there.run(NAME, ["sleep", "20"], within_s=0.5)
    assert time.monotonic() - began < 15


def test_what_fails_there_is_told_with_its_node_in_one_harmless_line(there: Ways) -> None:
    line = r"echo before; printf 'one\ntwo \033[2J\n' >&2; exit 7"
    with pytest.raises(LienThongError) as caught:
        there.output(NAME, [*HERE, line])
    assert str(caught.value) == f"{NAME}: /bin/sh ended with 7: one; two ·[2J"
    done = there.run(NAME, [*HERE, line], within_s=20)
    assert (done.returncode, done.stdout) == (7, "before\n")
    assert reason("x" * 1000 + "\n\n the end\n").endswith("x; the end")
    assert len(reason("x" * 1000)) == 300
    assert reason("\n") == "nothing said"


@pytest.mark.parametrize("deaf", [True, False])
def test_what_was_begun_is_talked_with_and_hears_ctrl_c_or_not(there: Ways, deaf: bool) -> None:
    with replace(there, deaf=deaf).start(NAME, ["cat"], stdin=subprocess.PIPE) as talk:
        assert talk.stdin is not None and talk.stdout is not None
        for line in ("one\n", "two\n"):
            talk.stdin.write(line)
            talk.stdin.flush()
            assert talk.stdout.readline() == line
        assert (os.getsid(talk.pid) != os.getsid(0)) is deaf
    assert talk.returncode == 0


def test_the_jump_host_carries_it(far: Shelled) -> None:
    jump = JumpHost("127.0.0.1", far.access.root / "id.pub")
    try:
        known = far.access.root.parents[2] / "known_hosts"
        key = far.access.root.parents[2] / "id"
        known.write_text(far.access.known_hosts.read_text(encoding="ascii") + jump.known, encoding="ascii")
        key.write_bytes(far.access.key_file.read_bytes())
        key.chmod(0o600)
        access = replace(
            far.access, jump=Jump("hop", jump.address, jump.port), known_hosts=known, key_file=key
        )
        for shared in (True, False):
            with ways(access, far.addresses, shared=shared) as there:
                assert there.output(NAME, ["echo", "here"]) == "here\n"
        assert jump.asked == [("127.0.0.1", far.port)] * 2
    finally:
        jump.end()


def test_who_listens_is_broken_off_over_a_shared_connection(far: Shelled, there: Ways) -> None:
    node = province().nodes[NAME]
    reach = Reach(there)
    assert reach.run(node)("echo in; exit 3") == "in\n"
    ended: list[Exception] = []

    def listen() -> None:
        try:
            reach.listener(node, 30)("cat; exec sleep 0")
        except BrokenOff as error:
            ended.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    wait_for(lambda: len(far.commands) == 2)
    reach.break_off()
    thread.join(20)
    assert not thread.is_alive()
    assert len(ended) == 1
    with pytest.raises(BrokenOff):
        reach.listener(node, 30)("cat")
