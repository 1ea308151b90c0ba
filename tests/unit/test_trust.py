"""Host keys: what a device offers is shown, compared, and only then on record.

Servers are real, on loopback.
"""

from __future__ import annotations

import asyncio
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import typer
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.errors import LienThongError, Unreachable
from lienthong.model.words import Target
from lienthong.target import Access
from lienthong.trust import ask as asking
from lienthong.trust.hostkey import HostKey, bubblebabble
from lienthong.trust.judge import Answers, Seen, State, decide, state_of
from lienthong.trust.offer import offered
from lienthong.trust.record import host_name, keys_of, revoked, with_key, write

ED, RSA = (
    asyncssh.generate_private_key("ssh-ed25519"),
    asyncssh.generate_private_key("ssh-rsa", key_size=2048),
)
OTHER = asyncssh.generate_private_key("ssh-ed25519")
ROOT = Path(__file__).resolve().parents[2]


def of(key: asyncssh.SSHKey) -> HostKey:
    return HostKey(key.get_algorithm(), key.public_data)


@contextmanager
def server(keys: Sequence[asyncssh.SSHKey]) -> Iterator[int]:
    """An SSH server on loopback that lets nobody in."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> Any:
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=list(keys))

    listener = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    try:
        yield listener.get_port()
    finally:
        loop.call_soon_threadsafe(listener.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def test_every_kind_of_key_is_asked_for_and_the_strongest_comes_first() -> None:
    ecdsa = asyncssh.generate_private_key("ecdsa-sha2-nistp384")
    with server([RSA, ecdsa, ED]) as port:
        keys = offered("one", partial(socket.create_connection, ("127.0.0.1", port)))
    assert [(key.algorithm, key.blob) for key in keys] == [
        (of(key).algorithm, of(key).blob) for key in (ED, ecdsa, RSA)
    ]


def test_fingerprints_and_words_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    for number, key in enumerate((ED, RSA)):
        file = tmp_path / f"{number}.pub"
        file.write_bytes(key.export_public_key())
        ours = of(key)
        for options, mine in ((["-l"], ours.sha256), (["-l", "-E", "md5"], ours.md5), (["-B"], ours.words)):
            said = subprocess.run(
                ["ssh-keygen", *options, "-f", file], capture_output=True, text=True, check=True
            ).stdout
            assert mine in said.split()
    assert bubblebabble(b"") == "xexax"  # the examples of its specification
    assert bubblebabble(b"1234567890") == "xesef-disof-gytuf-katof-movif-baxux"
    assert bubblebabble(b"Pineapple") == "xigak-nyryk-humil-bosek-sonax"


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.0 400 no\r\n\r\n", b"SSH-2.0-\x1b]0;x\x07\r\n", b"A" * 200_000]
)
def test_what_is_no_ssh_server_is_an_error_that_quotes_nothing_of_it(said: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.sendall(said)

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises(Unreachable) as caught:
        offered("box", partial(socket.create_connection, listener.getsockname()), 2.0)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    assert "\x1b" not in str(caught.value)
    assert "HTTP" not in str(caught.value)
    assert "AAAA" not in str(caught.value)


RECORD = """\
# the office
10.0.4.1 ssh-ed25519 {other} tinh-uy-gw-wan
# the switch, in the cellar

10.0.4.2,10.0.4.3 ssh-ed25519 {other}
|1|{hash} ssh-ed25519 {other}
not a line of this file
"""


def record() -> str:
    from paramiko.hostkeys import HostKeys

    hashed = HostKeys.hash_host("10.9.9.9").removeprefix("|1|")
    return RECORD.format(other=of(OTHER).base64, hash=hashed)


def test_a_new_key_comes_where_it_sorts_and_nothing_else_changes() -> None:
    before = record()
    after = with_key(before, "10.0.4.10", of(ED))
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert new == [f"10.0.4.10 ssh-ed25519 {of(ED).base64}"]
    assert [line for line in after.splitlines() if line not in new] == before.splitlines()
    first = with_key(before, "10.0.3.1", of(ED)).splitlines()
    assert first[0].startswith("10.0.3.1 ")
    assert first[1] == "# the office"


def test_a_host_has_one_entry_and_its_neighbours_keep_theirs() -> None:
    twice = record() + f"10.0.4.1 ssh-rsa {of(RSA).base64}\n"
    after = with_key(twice, "10.0.4.1", of(ED))
    assert [line for line in after.splitlines() if line.startswith("10.0.4.1 ")] == [
        f"10.0.4.1 ssh-ed25519 {of(ED).base64} tinh-uy-gw-wan"
    ]
    after = with_key(record(), "10.0.4.3", of(ED))
    assert [key.sha256 for key in keys_of(after, "10.0.4.3")] == [of(ED).sha256]
    assert [key.sha256 for key in keys_of(after, "10.0.4.2")] == [of(OTHER).sha256]
    after = with_key(record(), "10.9.9.9", of(ED))  # a name that was hashed is found all the same
    assert [key.sha256 for key in keys_of(after, "10.9.9.9")] == [of(ED).sha256]
    assert with_key(after, "10.9.9.9", of(ED)) == after


def test_the_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("old\n", encoding="utf-8")
    path.chmod(0o640)
    kept = path.open(encoding="utf-8")
    write(path, "new\n")
    with kept:
        assert kept.read() == "old\n"  # who has it open reads the old one to its end
    assert path.read_text(encoding="utf-8") == "new\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["known_hosts"]


def test_a_port_of_its_own_is_part_of_the_name() -> None:
    assert host_name("10.0.4.1", 22) == "10.0.4.1"
    assert host_name("127.0.0.1", 2201) == "[127.0.0.1]:2201"


def test_same_new_and_changed_are_told_apart() -> None:
    ed, rsa, other = of(ED), of(RSA), of(OTHER)
    assert state_of((ed, rsa), (), False) is State.NEW
    assert state_of((ed, rsa), (ed,), False) is State.SAME
    assert state_of((ed, rsa), (rsa,), False) is State.SAME
    assert state_of((other, rsa), (ed,), False) is State.CHANGED
    assert state_of((other, rsa), (ed, rsa), False) is State.CHANGED  # one of two is another: ask
    assert state_of((rsa,), (ed,), False) is State.CHANGED  # it no longer has the kind that was compared
    assert state_of((ed,), (ed,), True) is State.REVOKED
    assert revoked(f"@revoked * ssh-ed25519 {ed.base64}\n", ed)
    assert not revoked(f"@revoked * ssh-ed25519 {ed.base64}\n", other)


def seen(state: State, recorded: tuple[HostKey, ...] = ()) -> Seen:
    return Seen("box", "", "10.0.4.1", (of(ED), of(RSA)), recorded, state)


class Officer:
    """Types what is written down, and counts the questions."""

    def __init__(self, *words: str) -> None:
        self.words, self.asked = list(words), 0

    def __call__(self, question: str) -> str:
        self.asked += 1
        return self.words.pop(0) + "\n"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("y", ED), ("yes", ED), ("", None), ("n", None), ("ja", None), (of(ED).sha256, ED),
        (of(RSA).sha256, RSA),
        (of(RSA).base64, RSA), (of(ED).md5, None), (of(OTHER).sha256, None), (of(ED).sha256[:20], None),
    ],
    ids=["y", "yes", "nothing", "n", "ja", "sha256", "sha256 of rsa", "base64", "md5", "another's", "a part"],
)  # fmt: skip
def test_an_officer_says_yes_or_pastes_what_the_console_shows(typed: str, key: Any) -> None:
    verdict = decide(seen(State.NEW), Answers(Officer(typed)))
    assert (verdict.key and verdict.key.blob) == (key and of(key).blob)


def test_a_changed_key_needs_the_old_fingerprint() -> None:
    changed = seen(State.CHANGED, (of(OTHER),))
    assert decide(changed, Answers(Officer("y", "y"))).key is None
    assert decide(changed, Answers(Officer(of(ED).sha256, "y"))).key is None
    assert decide(changed, Answers(Officer(of(OTHER).sha256, "n"))).key is None
    assert decide(changed, Answers(Officer(of(OTHER).sha256, "y"))).key == changed.offered[0]
    assert decide(changed, Answers(Officer("y"), replace=True)).key == changed.offered[0]


def test_a_script_gets_only_what_it_names() -> None:
    mine = frozenset({of(RSA).sha256})
    assert decide(seen(State.NEW), Answers(None, mine)).key == seen(State.NEW).offered[1]
    assert decide(seen(State.NEW), Answers(None, frozenset({of(OTHER).sha256}))).key is None
    assert decide(seen(State.NEW), Answers(None)).key is None
    changed = seen(State.CHANGED, (of(OTHER),))
    assert decide(changed, Answers(None, mine)).key is None
    assert decide(changed, Answers(None, mine, replace=True)).key == changed.offered[1]
    assert decide(seen(State.REVOKED), Answers(Officer("y"), frozenset({of(ED).sha256}), True)).key is None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Access, list[asyncssh.SSHKey]]]:
    """One node of the inventory whose SSH is a server on loopback; its keys can be changed."""
    keys = [ED, RSA]
    with server(keys) as port:
        access = Access(
            Target.LAB, ROOT, "lienthong", "netadm", tmp_path / "key", tmp_path / "known_hosts",
            {"loc-ninh-gw-wan": IPv4Address("127.0.0.1")}, tmp_path / "secrets",
            ports={"loc-ninh-gw-wan": port}, simulated=True,
        )  # fmt: skip
        monkeypatch.setattr("lienthong.target.resolve", lambda root, asked=None: access)  # noqa: ARG005
        yield access, keys


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["trust", "loc-ninh-gw-wan", *words])


def test_the_verb_records_what_was_named_and_then_knows_it(site: tuple[Access, Any]) -> None:
    access, _ = site
    first = run()
    assert first.exit_code == 1
    assert not access.known_hosts.exists()
    assert of(ED).sha256 in first.output
    assert of(ED).words in first.output
    assert run("--yes-fingerprint", of(OTHER).sha256).exit_code == 1
    assert not access.known_hosts.exists()
    assert run("--yes-fingerprint", of(ED).sha256).exit_code == 0
    port = access.ports["loc-ninh-gw-wan"]
    assert access.known_hosts.read_text(encoding="utf-8") == (
        f"[127.0.0.1]:{port} ssh-ed25519 {of(ED).base64}\n"
    )
    again = run()
    assert again.exit_code == 0
    assert "1 on record" in again.output


def test_the_verb_keeps_a_changed_key_out(site: tuple[Access, Any]) -> None:
    access, _ = site
    port = access.ports["loc-ninh-gw-wan"]
    asking.keep(access.known_hosts, host_name("127.0.0.1", port), of(OTHER))
    before = access.known_hosts.read_text(encoding="utf-8")
    done = run("--yes-fingerprint", of(ED).sha256)
    assert (done.exit_code, access.known_hosts.read_text(encoding="utf-8")) == (1, before)
    assert "CHANGED" in done.output
    assert of(OTHER).sha256 in done.output
    assert run("--yes-fingerprint", of(ED).sha256, "--replace").exit_code == 0


@pytest.mark.parametrize("word", ["yes", "SHA256:", "SHA256:abc", "MD5:aa"])
def test_nothing_short_of_a_fingerprint_is_accepted(site: tuple[Access, Any], word: str) -> None:
    done = run("--yes-fingerprint", word)
    assert isinstance(done.exception, LienThongError)
    assert not site[0].known_hosts.exists()


def test_at_a_terminal_it_asks(site: tuple[Access, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    access, _ = site
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, encoding="utf-8") as stdin:
        from lienthong.cli import trust

        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(ours, b"y\n")
        with pytest.raises(typer.Exit) as ended:
            trust.command(["loc-ninh-gw-wan"])
    os.close(ours)
    assert ended.value.exit_code == 0
    assert of(ED).base64 in access.known_hosts.read_text(encoding="utf-8")
