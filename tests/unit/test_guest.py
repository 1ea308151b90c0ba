"""A node with a kernel of its own: its cables, its command, how one gets in, and what is refused."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from threading import Thread

import pytest

from lienthong.errors import LienThongError, Unreachable
from lienthong.facts.gather import Gathering
from lienthong.lab import disk, guest, lifecycle, line, machine, node, simulated, state
from lienthong.lab.place import Place
from lienthong.lab.topology import KERNEL, System, Topology, with_kernel
from lienthong.target import resolve
from tests.unit.test_hosts import LAB, checkout, listed
from tests.unit.test_topology import plan, topology

__all__ = ["checkout"]
HOST = "loc-ninh-srv"
PORTS = ("eth0", "mgmt0")


def system(found: Topology, name: str) -> System:
    return next(one for one in found.systems if one.name == name)


def test_a_host_gets_debians_kernel_and_nothing_else_changes() -> None:
    given = with_kernel(topology(), [HOST])
    assert system(given, HOST).kernel
    assert system(given, HOST).packages == system(topology(), HOST).packages | KERNEL
    assert given.links == topology().links
    assert given.addresses == topology().addresses
    others = [one for one in given.systems if one.name != HOST]
    assert others == [one for one in topology().systems if one.name != HOST]
    assert with_kernel(topology(), ()) == topology()


@pytest.mark.parametrize("name", ["loc-ninh-gw-wan", "isp", "nobody", "probe-internet"])
def test_only_hosts_have_a_kernel_of_their_own(name: str) -> None:
    with pytest.raises(LienThongError, match=f"{name} is no host at tinh-uy, loc-ninh") as refused:
        with_kernel(topology(), [name])
    assert HOST in (refused.value.hint or "")


def test_each_interface_meets_the_cable_that_it_is_named_after() -> None:
    command = guest.arguments(Path("/lab"), HOST, PORTS)
    cards = [word for word in command if word.startswith("virtio-net-pci")]
    taps = [word for word in command if word.startswith("tap,")]
    for number, port in enumerate(PORTS):
        assert f"netdev=net{number},mac={guest.hardware(HOST, port)}" in cards[number]
        assert f"id=net{number},ifname=tap{number}," in taps[number]
        laid = guest.cabled(PORTS, ipv6=False)
        assert f"link set {port} master br{number}" in laid
        assert f"link set tap{number} master br{number}" in laid
    assert len(cards) == len(taps) == len(PORTS)


def test_frames_leave_whole_and_no_script_of_this_machine_is_run() -> None:
    for word in guest.arguments(Path("/lab"), HOST, PORTS):
        if word.startswith("tap,"):
            assert {"vnet_hdr=off", "script=no", "downscript=no"} <= set(word.split(","))


def test_nothing_of_the_lab_itself_is_said_on_the_guests_cable() -> None:
    said = guest.cabled(PORTS, ipv6=True)
    for name in ("eth0", "tap0", "br0"):
        assert said.index(f"link set {name} addrgenmode none") < said.index(f"link set {name} up")
    assert not [text for text in said if "address" in text]
    assert not [text for text in guest.cabled(PORTS, ipv6=False) if "addrgenmode" in text]


def test_addresses_are_local_and_differ() -> None:
    found = {guest.hardware(name, port) for name in ("a-srv", "b-srv") for port in PORTS}
    assert len(found) == 4
    for text in found:
        first = int(text.split(":")[0], 16)
        assert first & 2, "not of local administration"
        assert not first & 1, "a group's address"
    assert guest.hardware(HOST, "eth0") == guest.hardware(HOST, "eth0")


def test_a_comma_in_a_path_ends_no_option() -> None:
    command = guest.arguments(Path("/lab,a"), HOST, PORTS)
    assert [word for word in command if word.startswith("file=/lab,,a/disk.img,if=virtio")]


def test_a_container_becomes_a_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = tmp_path / "etc/systemd/system"
    (units / "chrony.service.d").mkdir(parents=True)
    (units / "chrony.service.d/lab.conf").touch()
    for name in ("systemd-udevd.service", "systemd-logind.service", "systemd-networkd.service"):
        (units / name).symlink_to("/dev/null")
    enabled: list[str] = []
    monkeypatch.setattr(disk, "enable", lambda _, *names: enabled.extend(names))
    guest.furnish(tmp_path, HOST, PORTS, IPv4Interface("10.255.0.12/20"), "mgmt0")
    assert not [*units.glob("systemd-udevd*"), *units.glob("systemd-logind*"), *units.glob("chrony*/*")]
    assert (units / "systemd-networkd.service").is_symlink(), "interfaces belong to the baseline"
    for port in PORTS:
        text = (tmp_path / f"etc/systemd/network/10-lab-{port}.link").read_text(encoding="utf-8")
        assert f"MACAddress={guest.hardware(HOST, port)}\n" in text
        assert f"Name={port}\n" in text
    unit = (units / "lab-management.service").read_text(encoding="utf-8")
    assert "address replace 10.255.0.12/20 dev mgmt0" in unit
    assert enabled == ["lab-management.service", "apparmor.service"]


def test_a_machine_without_an_emulator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda name: None if "qemu" in name else f"/usr/sbin/{name}")
    with pytest.raises(Unreachable) as refused:
        guest.require()
    assert refused.value.hint == "apt-get install --no-install-recommends qemu-system-x86, or make kernel"
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(Unreachable, match="this is aarch64"):
        guest.require()


def test_the_emulator_is_asked_for_only_where_a_kernel_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise Unreachable("asked")

    def stop(*_: object) -> None:
        raise Unreachable("went on")

    monkeypatch.setattr(machine, "require", lambda: None)
    monkeypatch.setattr(guest, "require", refuse)
    monkeypatch.setattr(lifecycle, "derive", stop)
    here = Place(Path("/nowhere"), "t")
    with pytest.raises(Unreachable, match="went on"):
        lifecycle.up(here, None, ["loc-ninh"])  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match="asked"):
        lifecycle.up(here, None, ["loc-ninh"], kernel=[HOST])  # type: ignore[arg-type]


def started(place: Place, found: Topology) -> state.State:
    running = node.Running(1, 2, 1, str(place.node(HOST)), guest.entry(place, "10.255.0.12"))
    return state.of(place, found, {HOST: running, "loc-ninh-vc": node.Running(3, 4, 5)}, {})


def test_a_lab_remembers_which_nodes_have_a_kernel(tmp_path: Path) -> None:
    place = Place(tmp_path, "t")
    place.folder.mkdir(parents=True)
    now = started(place, with_kernel(topology(), [HOST]))
    state.write(place, now)
    assert state.read(place) == now
    assert now.kernel == (HOST,)
    older = json.loads(place.state_file.read_text(encoding="utf-8"))
    del older["kernel"], older["nodes"][HOST]["entry"], older["nodes"][HOST]["folder"]
    place.state_file.write_text(json.dumps(older), encoding="utf-8")
    read = state.read(place)
    assert read is not None
    assert read.kernel == ()
    assert read.nodes[HOST].entry == ()


def test_a_lab_that_is_up_gets_no_kernel_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, "t")
    place.folder.mkdir(parents=True)
    state.write(place, started(place, topology()))
    monkeypatch.setattr(machine, "require", lambda: None)
    monkeypatch.setattr(guest, "require", lambda: None)
    monkeypatch.setattr(lifecycle, "derive", lambda *_: topology())
    monkeypatch.setattr(simulated, "gear", lambda *_: {})
    monkeypatch.setattr(lifecycle, "_whole", lambda *_: True)
    assert lifecycle.up(place, None, ["loc-ninh"]).kernel == ()  # type: ignore[arg-type]
    with pytest.raises(LienThongError, match=f"{HOST} has no kernel of its own in it"):
        lifecycle.up(place, None, ["loc-ninh"], kernel=[HOST])  # type: ignore[arg-type]


def test_the_baseline_uses_the_kernel_where_there_is_one(checkout: Path) -> None:
    seen = listed(checkout)["_meta"]["hostvars"]
    assert {name for name in seen if seen[name]["audit_kernel"] or seen[name]["usb_kernel"]} == set()
    (checkout / "run/lab/t/state.json").write_text(json.dumps({"management": LAB, "kernel": [HOST]}))
    seen = listed(checkout)["_meta"]["hostvars"]
    assert {name for name in seen if seen[name]["audit_kernel"]} == {HOST}
    assert {name for name in seen if seen[name]["usb_kernel"]} == {HOST}
    live = listed(checkout, LIENTHONG_TARGET="live")["_meta"]["hostvars"]
    assert all(said["audit_kernel"] and said["usb_kernel"] for said in live.values())


def test_the_target_knows_it(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "run/lab/t/state.json").write_text(json.dumps({"management": LAB, "kernel": [HOST]}))
    monkeypatch.setenv("LIENTHONG_LAB", "t")
    assert resolve(checkout, "lab").kernel == {HOST}


def test_one_gets_in_by_ssh_with_the_labs_key_and_host_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(Path("/c"), "t")
    running = replace(node.Running(1, 2, 1), entry=guest.entry(place, "10.255.0.12"))
    monkeypatch.setattr(node, "start_time", lambda _: 2)
    command = line.enter(running)
    assert command[:2] == ["nsenter", f"--net={place.oob}"]
    assert command[-2:] == ["lienthong@10.255.0.12", "--"]
    assert "StrictHostKeyChecking=yes" in command
    assert f"UserKnownHostsFile={place.known_hosts}" in command
    monkeypatch.setattr(node, "start_time", lambda _: 3)
    with pytest.raises(Unreachable, match="off"):
        line.enter(running)


def test_words_arrive_as_they_were_given() -> None:
    words = ["sh", "-c", "echo 'a b' \"$HOME\"; exit 3", "", "*", "đồng\n--"]
    program = Path(guest.__file__).with_name("through.py")
    shown = [sys.executable, "-c", "import sys; sys.stdout.write(sys.argv[-1])", "host"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", program, *shown, "--", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shlex.split(done.stdout) == ["sudo", "-n", "--", *words]


@contextmanager
def emulator(home: Path) -> Iterator[list[str]]:
    """What listens as the emulator does, and keeps what it is told."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(home / "monitor"))
        server.listen(1)

        def answer() -> None:
            with server.accept()[0] as peer:
                peer.sendall(b"QEMU 7.2 monitor\r\n(qemu) ")
                heard.append(peer.recv(1000).decode())
                peer.sendall(b"system_powerdown\r\n(qemu) ")

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield heard
        thread.join(5)


def test_the_power_key_is_pressed_and_no_signal_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: sent.append(pid))
    seen = iter([7, 7, 7])  # alive, its emulator's, and the first look after; then it is gone
    monkeypatch.setattr(node, "start_time", lambda _: next(seen, None))
    deep = tmp_path / ("d" * 90)  # together longer than the path of a socket may be
    deep.mkdir()
    monkeypatch.chdir(tmp_path)
    with socket_folder(deep, tmp_path) as heard:
        assert node.power_off([node.Running(1, 7, 1, str(deep))]) == []
    assert heard == ["system_powerdown\n"]
    assert sent == []
    assert not guest.tell(tmp_path / "none", "quit")


@contextmanager
def socket_folder(deep: Path, above: Path) -> Iterator[list[str]]:
    """The emulator is started in its folder, so that its socket has a short name."""
    before = Path.cwd()
    os.chdir(deep)
    try:
        with emulator(Path()) as heard:
            os.chdir(above)
            yield heard
    finally:
        os.chdir(before)


def test_an_emulator_that_has_ended_keeps_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "start_time", lambda _: None)
    with pytest.raises(Unreachable, match="keeps no node"):
        node.emulated(Place(tmp_path, "t"), HOST, IPv4Address("10.255.0.12"), 1)


def test_a_slow_computer_is_not_asked_again_before_it_has_answered() -> None:
    came: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)

        def greet() -> None:
            with server.accept()[0] as peer:
                came.append(time.monotonic())
                time.sleep(0.6)  # longer than what a container gets
                peer.sendall(b"SSH-2.0-slow\r\n")

        thread = Thread(target=greet, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        found = node.banners({"srv": IPv4Address("127.0.0.1")}, answer_s=5, port=port)
        thread.join(5)
    assert found == ["srv"]
    assert len(came) == 1
    assert time.monotonic() - came[0] < 4, "it waits no longer than it must"


def test_its_facts_are_waited_for_longer(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "run/lab/t/state.json").write_text(json.dumps({"management": LAB, "kernel": [HOST]}))
    monkeypatch.setenv("LIENTHONG_LAB", "t")
    waited: dict[str, float] = {}

    class There:
        def run(self, name: str, *_: object, within_s: float, stdin: str) -> subprocess.CompletedProcess[str]:
            assert stdin
            waited[name] = within_s
            return subprocess.CompletedProcess([], 0, "{}", "")

    nodes = dict(plan().nodes)
    gathering = Gathering(resolve(checkout, "lab"), nodes, There())  # type: ignore[arg-type]
    for name in (HOST, "tinh-uy-svc-wan"):
        gathering.of(name)
    gathering.close()
    assert waited[HOST] > 4 * waited["tinh-uy-svc-wan"]
