"""The server of simulated devices: doors, logins, pages, and every fault, spoken to with plain SSH."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from random import Random
from typing import Any

import asyncssh
import paramiko
import pytest

from lienthong.sim.box import Box, Shell, day0_vlan
from lienthong.sim.faults import KINDS, Fault, choose
from lienthong.sim.server import HOST, TICK_S, Served
from lienthong.sim.vendors import of_platform
from lienthong.sim.vendors.mikrotik_routeros.box import RouterOs
from tests.boxes import CONTROLLER


class Talk(Shell):
    """Says back what it was told; a few words do something."""

    page = 5

    def __init__(self, box: Tiny) -> None:
        self.box = box

    def prompt(self) -> str:
        return "tiny# "

    def line(self, text: str) -> str:
        self.box.told.append(text)
        if text == "long":
            return "".join(f"row {number}\n" for number in range(12))
        if text == "exit":
            self.closed = True
        elif text == "lock out":
            self.box.open = False
        elif text == "break":
            raise RuntimeError("a mistake of a vendor's file")
        return f"said {text}\n"

    def interrupted(self) -> None:
        self.box.interrupted += 1


class Tiny(Box):
    """The smallest device."""

    boot_s = 60.0
    most_logins = 2

    def __init__(self, key: str) -> None:
        super().__init__("tiny", IPv4Interface("10.1.4.2/24"))
        self.key, self.told, self.open, self.interrupted = key, list[str](), True, 0

    def start(self) -> None:
        self.open = True

    def shell(self, user: str) -> Shell:
        return Talk(self)

    def keys_of(self, user: str) -> Sequence[str]:
        return [self.key] if user == "netadm" else []

    def answers(self, source: IPv4Address) -> bool:
        return self.open and source == CONTROLLER

    def configuration(self) -> str:
        return "\n".join(self.told)

    def saved(self) -> str:
        return ""


class Behind:
    """The smallest device behind a door, its time a hundred times ours."""

    def __init__(self, folder: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        (folder / "id").write_bytes(key.export_private_key())
        self.key = paramiko.Ed25519Key.from_private_key_file(str(folder / "id"))
        self.box = Tiny(key.export_public_key().decode().strip())
        self.served = Served(self.box, CONTROLLER, scale=100)
        self.box.power_on()
        self._over, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(10)

    async def _live(self, ready: threading.Event) -> None:
        while not self._over.is_set():
            await self.served.tick()
            ready.set()
            await asyncio.sleep(TICK_S)
        await self.served.stop()

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)

    def transport(self, user: str = "netadm", key: paramiko.PKey | None = None) -> paramiko.Transport:
        line = socket.create_connection((HOST, self.served.port), timeout=5)
        found = paramiko.Transport(line)
        found.start_client(timeout=5)
        found.auth_publickey(user, key or self.key)
        return found

    def login(self, user: str = "netadm") -> Login:
        return Login(self.transport(user))

    def wait(self, what: Callable[[], bool]) -> None:
        ends = time.monotonic() + 5
        while not what():
            assert time.monotonic() < ends, "it did not come to that"
            time.sleep(0.01)

    def refuses(self) -> bool:
        try:
            socket.create_connection((HOST, self.served.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        return False


class Login:
    """One login's terminal."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self.transport = transport
        self.heard = ""
        self.channel = transport.open_session(timeout=5)
        self.channel.get_pty()
        self.channel.invoke_shell()
        self.channel.settimeout(3)
        self.until("tiny# ")

    def until(self, end: str) -> str:
        while end not in self.heard:
            more = self.channel.recv(4096)
            if not more:
                raise EOFError(self.heard)
            self.heard += more.decode()
        said, _, self.heard = self.heard.partition(end)
        return said + end

    def ask(self, line: str) -> str:
        self.channel.sendall(f"{line}\r".encode())
        return self.until("tiny# ")


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    found = Behind(tmp_path)
    yield found
    found.end()


def test_a_line_is_echoed_done_and_answered(behind: Behind) -> None:
    login = behind.login()
    assert login.ask("hello") == "hello\r\nsaid hello\r\ntiny# "
    login.channel.sendall(b"wrong\x15right\r\nnext\n")
    assert "said right" in login.until("tiny# ")
    assert "said next" in login.until("tiny# ")
    login.channel.sendall(b"helpp\x7f\r")
    login.until("tiny# ")
    assert behind.box.told == ["hello", "right", "next", "help"]


def test_only_keys_of_the_running_configuration_come_in(behind: Behind, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "other").write_bytes(other.export_private_key())
    with pytest.raises(paramiko.AuthenticationException):
        behind.transport(key=paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "other")))
    with pytest.raises(paramiko.AuthenticationException):
        behind.transport(user="root")
    behind.box.key = other.export_public_key().decode()
    with pytest.raises(paramiko.AuthenticationException):
        behind.transport()


def test_settings_of_a_terminal_behind_the_name_are_no_other_user(behind: Behind) -> None:
    assert "said x" in behind.login("netadm+ct511w4098h").ask("x")


def test_a_command_without_a_terminal_and_a_forwarding_are_refused(behind: Behind) -> None:
    transport = behind.transport()
    channel = transport.open_session(timeout=5)
    with pytest.raises(paramiko.SSHException):
        channel.exec_command("show")
    with pytest.raises(paramiko.ChannelException):
        transport.open_channel("direct-tcpip", (HOST, 22), (HOST, 1), timeout=5)
    assert behind.box.told == []


def test_a_long_answer_stops_at_each_page(behind: Behind) -> None:
    login = behind.login()
    login.channel.sendall(b"long\r")
    assert login.until("--More--").count("row") == 4
    login.channel.sendall(b" ")
    assert login.until("--More--").count("row") == 4
    login.channel.sendall(b" ")
    assert login.until("tiny# ").count("row") == 4
    login.channel.sendall(b"long\r")
    login.until("--More--")
    login.channel.sendall(b"q")
    assert "row" not in login.until("tiny# ")


def test_the_door_is_there_while_the_device_answers(behind: Behind) -> None:
    login = behind.login()
    behind.box.power_off()
    with pytest.raises((EOFError, OSError)):
        login.ask("x")
    behind.wait(behind.refuses)
    behind.box.power_on()
    behind.wait(lambda: not behind.refuses())
    behind.box.reboot()
    behind.wait(behind.refuses)
    behind.wait(lambda: not behind.refuses())  # sixty seconds of the device, not ours
    assert behind.box.boots == 3


def test_who_locks_himself_out_hears_nothing_more(behind: Behind) -> None:
    login = behind.login()
    login.channel.settimeout(0.4)
    with pytest.raises(TimeoutError):
        login.ask("lock out")
    assert login.transport.is_active(), "it said farewell"
    assert behind.box.interrupted == 1
    behind.wait(behind.refuses)
    behind.box.open = True
    behind.wait(lambda: not behind.refuses())
    assert "said x" in behind.login().ask("x")


def test_all_lines_taken_and_free_again(behind: Behind) -> None:
    first, _second = behind.login(), behind.login()
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        behind.login()
    first.channel.sendall(b"exit\r")
    behind.wait(lambda: sum(not shell.closed for shell in behind.box.shells) == 1)
    behind.login()


def test_a_mistake_of_the_simulation_ends_one_login_and_is_told(behind: Behind) -> None:
    other, login = behind.login(), behind.login()
    with pytest.raises((EOFError, OSError)):
        login.ask("break")
    assert "a mistake of a vendor's file" in behind.served.broken[0]
    assert "said x" in other.ask("x")


@pytest.mark.parametrize(
    ("kind", "done"),
    [("cut-before", []), ("cut-after", ["two"]), ("reboot", []), ("cut-byte", ["two"])],
)
def test_a_cut_happens_before_or_after_the_device_did_the_line(
    behind: Behind, kind: str, done: list[str]
) -> None:
    login = behind.login()
    login.ask("one")
    at = 3 if kind == "cut-byte" else 1
    behind.served.set_faults(Fault(kind, at))  # type: ignore[arg-type]
    with pytest.raises((EOFError, OSError)):
        login.ask("two")
    wanted = ["one", *done] if kind != "cut-byte" else ["one"]  # the echo is what was cut
    assert behind.box.told[:2] in (wanted, ["one", *done])
    assert [fault.kind for fault in behind.served.struck] == [kind]
    assert behind.box.interrupted == (0 if kind == "reboot" else 1)


def test_one_line_is_refused_and_no_other(behind: Behind) -> None:
    behind.served.set_faults(Fault("reject", 2))
    login = behind.login()
    for line in ("one", "two", "three"):
        login.ask(line)
    assert behind.box.told == ["one", "lienthong-knows-no-such-word", "three"]


def test_messages_come_where_nobody_asked_for_them(behind: Behind) -> None:
    behind.served.set_faults(Fault("log-line", 1), Fault("log-prompt", 2))
    login = behind.login()
    assert "*Nov 23" in login.ask("one")
    assert "*Nov 23" not in login.ask("two")
    assert "*Nov 23" in login.until("happened\r\n")


def test_a_frozen_device_takes_lines_and_says_nothing(behind: Behind) -> None:
    login = behind.login()
    behind.served.set_faults(Fault("freeze", 1))
    login.channel.settimeout(0.4)
    with pytest.raises(TimeoutError):
        login.ask("one")
    assert behind.box.told == []
    assert login.transport.is_active()


@pytest.mark.parametrize("kind", ["slow", "slow-login"])
def test_it_takes_its_time(behind: Behind, kind: str) -> None:
    behind.served.set_faults(Fault(kind, 1, 0.3))  # type: ignore[arg-type]
    begun = time.monotonic()
    behind.login().ask("one")
    assert time.monotonic() - begun > 0.3
    assert [fault.kind for fault in behind.served.struck] == [kind]


def test_its_lines_are_taken_for_as_many_logins_as_was_said(behind: Behind) -> None:
    behind.served.set_faults(Fault("lines-taken", 2))
    for _ in range(2):
        with pytest.raises((paramiko.SSHException, EOFError, OSError)):
            behind.login()
    behind.login()


def test_another_host_key_while_the_fault_lasts(behind: Behind) -> None:
    def shown() -> str | None:
        try:
            found: str = behind.transport().get_remote_server_key().get_base64()
        except (OSError, EOFError, paramiko.SSHException):
            return None  # its door is opened anew with another key
        return found

    own = behind.served.public_key.split()[1]
    assert shown() == own
    behind.served.set_faults(Fault("host-key"))
    behind.wait(lambda: shown() not in {own, None})
    assert [fault.kind for fault in behind.served.struck] == ["host-key"]
    behind.served.set_faults()
    behind.wait(lambda: shown() == own)


def test_its_clock_jumps_and_what_is_due_is_done(behind: Behind) -> None:
    fired: list[str] = []
    login = behind.login()
    behind.box.after(80000, lambda: fired.append("undone"))
    behind.served.set_faults(Fault("clock", 1, 86400))
    login.ask("one")
    assert fired == ["undone"]


def test_a_full_flash_is_the_device_s_to_feel(behind: Behind) -> None:
    behind.served.set_faults(Fault("flash-full"))
    assert behind.box.full
    behind.served.set_faults()
    assert not behind.box.full


def test_every_fault_is_chosen_and_the_same_again_from_its_seed() -> None:
    chosen = [choose(Random(seed), 30) for seed in range(400)]
    assert {fault.kind for fault in chosen} == set(KINDS)
    assert chosen == [choose(Random(seed), 30) for seed in range(400)]


@pytest.mark.parametrize(
    ("address", "vlan"), [("10.0.36.1/24", 40), ("10.1.4.1/24", 40), ("10.129.4.1/24", 140)]
)
def test_day_0_puts_management_where_the_plan_has_it(address: str, vlan: int) -> None:
    """From the 33rd site on addresses of the Party's side begin with 10.1 too."""
    managed = IPv4Interface(address)
    assert day0_vlan(managed) == vlan
    box = of_platform("mikrotik-routeros").make("x", managed, [])
    assert isinstance(box, RouterOs)
    assert box.site.vlan == vlan


def test_two_hundred_devices_have_two_hundred_ports() -> None:
    many: list[Any] = [Served(Tiny("k"), CONTROLLER) for _ in range(250)]
    assert len({one.port for one in many}) == 250
    for one in many:
        asyncio.run(one.stop())
