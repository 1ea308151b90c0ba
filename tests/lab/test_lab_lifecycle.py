"""A lab comes up, is what it says it is, survives what it should, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.lab import cgroup, wire
from lienthong.lab.clean import namespaces, wipe, wipe_all
from lienthong.lab.line import enter
from lienthong.lab.namespace import inside, popen_in, run_in
from lienthong.lab.place import NETNS_DIR, Place, place
from lienthong.lab.state import State, read
from lienthong.lab.topology import Topology, derive
from lienthong.plan.build import build

ROOT = Path(__file__).resolve().parents[2]
LAB = Place(ROOT, "test-lifecycle")
SITES = ("tinh-uy", "loc-ninh")
GATEWAY = "loc-ninh-gw-wan"
SEED = 227


def lab(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "lienthong.lab", *arguments],
        cwd=ROOT,
        env={**os.environ, "LIENTHONG_LAB": LAB.name},
        capture_output=True,
        text=True,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def run(node: str, *command: str) -> subprocess.CompletedProcess[str]:
    """As `lienthong lab exec` does, without its start-up each time."""
    now = read(LAB)
    assert now is not None
    return subprocess.run([*enter(now.nodes[node]), *command], capture_output=True, text=True)


def on(node: str, *command: str, check: bool = True) -> str:
    done = run(node, *command)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def traces() -> list[str]:
    """What the machine holds of this lab, found by other means than those that clean it."""
    spaces = [f"namespace {path.name}" for path in Path("/run/netns").iterdir() if LAB.id in path.name]
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    mounts = [f"mount {line}" for line in table.splitlines() if LAB.id in line or str(LAB.folder) in line]
    tree = subprocess.run(
        ["find", "/sys/fs/cgroup", "-type", "d", "-name", LAB.id], capture_output=True, text=True
    )
    groups = [f"cgroup {line}" for line in tree.stdout.split()]
    folders = [f"folder {LAB.folder}"] if LAB.folder.exists() else []
    return spaces + mounts + groups + folders + processes()


def processes() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                where = (entry / "cgroup").read_text(encoding="utf-8")
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            ours = f"LIENTHONG_LAB={LAB.name}".encode() in environment and b"systemd-nspawn" in words.encode()
            if LAB.id in words or LAB.id in where or ours:
                found.append(f"process {entry.name} {words.replace(chr(0), ' ')[:80]}")
    return found


@pytest.fixture(scope="module")
def up() -> Iterator[State]:
    lab("down")
    lab("up", *SITES)
    found = read(LAB)
    assert found is not None
    yield found
    lab("down")
    assert traces() == []


@pytest.fixture(scope="module")
def topology() -> Topology:
    return derive(build(load(ROOT / "inventory")), SITES)


def ssh(address: str, *command: str, known_hosts: Path = LAB.known_hosts) -> subprocess.CompletedProcess[str]:
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known_hosts}",
        "LogLevel=ERROR",
    ]
    words = [word for option in options for word in ("-o", option)]
    login = ["ssh", "-F", "none", "-n", "-i", str(LAB.key_file), *words, f"lienthong@{address}"]
    return run_in(LAB.netns("oob"), [*login, *command], LAB, timeout=20)


def reaches(node: str, address: str) -> bool:
    """Whether a node opens a connection to sshd at that address."""
    attempt = f"exec 3<>/dev/tcp/{address}/22 && read -t 1 -u 3 banner && [[ $banner == SSH-* ]]"
    return run(node, "timeout", "2", "bash", "-c", attempt).returncode == 0


def test_every_node_takes_the_key_and_shows_its_own(up: State) -> None:
    for name, address in up.addresses.items():
        done = ssh(str(address), "hostname; sudo -n id -u")
        assert (done.returncode, done.stdout.split()) == (0, [name, "0"]), done.stderr


def test_a_foreign_host_key_is_refused(up: State, tmp_path: Path) -> None:
    lines = LAB.known_hosts.read_text(encoding="ascii").splitlines()
    keys = [line.split(" ", 1)[1] for line in lines]
    shifted = [
        f"{line.split(' ', 1)[0]} {key}" for line, key in zip(lines, [*keys[1:], keys[0]], strict=True)
    ]
    (tmp_path / "known_hosts").write_text("\n".join(shifted) + "\n", encoding="ascii")
    done = ssh(up.management[GATEWAY], "true", known_hosts=tmp_path / "known_hosts")
    assert done.returncode == 255
    assert "verification failed" in done.stderr


def test_nodes_are_bare_and_healthy(up: State) -> None:
    for name in up.management:
        assert on(name, "systemctl", "is-system-running", "--wait", check=False).strip() == "running", name
        script = "ip -4 -o addr show | grep -v mgmt0 | grep -v ' lo '; nft list ruleset; cat /etc/resolv.conf"
        assert on(name, "sh", "-c", script) == "", name
    assert "ospf" not in on(GATEWAY, "cat", "/etc/frr/frr.conf")
    assert "Bridge" not in on(
        "loc-ninh-sw-wan", "sh", "-c", "cat /etc/openvswitch/conf.db 2>/dev/null || true"
    )


def test_a_command_runs_on_a_node_and_its_exit_code_comes_back(up: State) -> None:
    assert lab("exec", GATEWAY, "--", "hostname").stdout == f"{GATEWAY}\n"
    assert lab("exec", GATEWAY, "--", "false", check=False).returncode == 1


def test_a_second_up_does_nothing_and_says_so(up: State) -> None:
    assert "is up already" in lab("up", *SITES).stderr
    now = read(LAB)
    assert now is not None and now.nodes == up.nodes


def test_other_sites_need_a_down_first(up: State) -> None:
    done = lab("up", "loc-ninh", check=False)
    assert done.returncode == 2
    assert "lab down" in done.stderr


def test_status_tells_every_node(up: State) -> None:
    told = json.loads(lab("status", "--json").stdout)
    assert {row["node"] for row in told["nodes"]} == set(up.addresses)
    assert all(row["state"] == "on" and row["memory_mb"] > 0 for row in told["nodes"])


def test_management_ports_are_apart(up: State, topology: Topology) -> None:
    """The proof that the two sides never meet is void if they meet on the management bridge."""
    pairs = [(GATEWAY, "loc-ninh-gw-net"), ("loc-ninh-srv", "tinh-uy-svc-net"), ("isp", "tslcd")]
    addresses = {name: str(address) for name, address in up.addresses.items()}
    assert [reaches(a, addresses[b]) for a, b in pairs] == [False] * 3
    wire.set_isolation(LAB, topology, isolated=False)
    try:
        assert [reaches(a, addresses[b]) for a, b in pairs] == [True] * 3
    finally:
        wire.set_isolation(LAB, topology, isolated=True)
    assert [reaches(a, addresses[b]) for a, b in pairs] == [False] * 3


def test_nodes_do_not_reach_one_another_through_the_controller(up: State) -> None:
    other = up.management["loc-ninh-gw-net"]
    controller = next(
        iter(run_in(LAB.netns("oob"), ["ip", "-4", "-br", "addr", "show", "mgmt"]).stdout.split()[2:])
    )
    on(GATEWAY, "ip", "route", "add", other, "via", controller.split("/")[0])
    try:
        assert not reaches(GATEWAY, other)
    finally:
        on(GATEWAY, "ip", "route", "del", other)


def test_the_outside_answers(up: State) -> None:
    probe = up.probes["probe-internet"]["netns"]
    page = run_in(probe, ["curl", "-sS", "--max-time", "3", "http://198.51.100.80/"], LAB)
    assert "Internet" in page.stdout, page.stderr
    authority = LAB.folder / "internet" / "ca.crt"
    names = ["--resolve", "www.example.org:443:198.51.100.80", "--cacert", str(authority)]
    page = run_in(probe, ["curl", "-sS", "--max-time", "3", *names, "https://www.example.org/"], LAB)
    assert "Internet" in page.stdout, page.stderr


def test_a_reboot_keeps_the_disk_and_nothing_of_the_namespace(up: State) -> None:
    before = read(LAB)
    assert before is not None
    other_end = "cat /sys/class/net/trunk0/ifindex"
    switch = on("loc-ninh-sw-wan", "sh", "-c", "ip -o link show e1 | cut -d: -f1")
    on(GATEWAY, "sh", "-c", f"echo kept > /root/disk; ip address add 192.0.2.9/24 dev tslcd-a; {other_end}")
    on(GATEWAY, "nft", "add table inet leftover")
    lab("reboot", GATEWAY)
    now = read(LAB)
    assert now is not None
    assert now.nodes[GATEWAY] != before.nodes[GATEWAY]
    assert now.nodes["loc-ninh-gw-net"] == before.nodes["loc-ninh-gw-net"]
    assert on(GATEWAY, "cat", "/root/disk") == "kept\n"
    assert "192.0.2.9" not in on(GATEWAY, "ip", "address")
    assert on(GATEWAY, "nft", "list", "ruleset") == ""
    assert (
        on(GATEWAY, "sh", "-c", "cat /sys/class/net/trunk0/carrier /sys/class/net/tslcd-a/carrier")
        == "1\n1\n"
    )
    assert on("loc-ninh-sw-wan", "sh", "-c", "ip -o link show e1 | cut -d: -f1") == switch
    assert ssh(up.management[GATEWAY], "true").returncode == 0


def test_a_cut_line_loses_its_carrier_and_gets_it_back(up: State) -> None:
    carrier = ("cat", "/sys/class/net/tslcd-a/carrier")
    assert on(GATEWAY, *carrier) == "1\n"
    lab("cut", "loc-ninh", "tslcd-a")
    try:
        assert on(GATEWAY, *carrier) == "0\n"
        assert json.loads(lab("status", "--json").stdout)["cut"] == ["loc-ninh tslcd-a"]
    finally:
        lab("mend", "loc-ninh", "tslcd-a")
    assert on(GATEWAY, *carrier) == "1\n"
    assert json.loads(lab("status", "--json").stdout)["cut"] == []


@pytest.mark.parametrize("uplink", ["tslcd-a", "inet0"])
def test_a_silent_cut_keeps_the_carrier_and_loses_the_frames(
    up: State, topology: Topology, uplink: str
) -> None:
    line = topology.line("loc-ninh", uplink)
    gateway, port = line.link.a.node, line.link.a.port
    if uplink == "inet0":
        here, there = "203.0.113.22/30", "203.0.113.21"
        assert line.provider_address is not None and str(line.provider_address.ip) == there
    else:  # the hub's end, in the site's VLAN on the trunk: Central's bridge plays it
        here, there = "192.0.2.1/24", "192.0.2.2"
        bridge = (
            "ip link set br-a up; ip address replace 192.0.2.2/24 dev br-a; ovs-vsctl set port br-a tag=1005"
        )
        on("tslcd", "sh", "-c", bridge)
    on(gateway, "ip", "address", "replace", here, "dev", port)

    def answers() -> bool:
        return "1 received" in on(gateway, "ping", "-c1", "-W1", there, check=False)

    def settles(wanted: bool) -> bool:
        deadline = time.monotonic() + 5
        while answers() is not wanted and time.monotonic() < deadline:
            time.sleep(0.1)
        return answers() is wanted

    assert settles(True)
    lab("cut", "loc-ninh", uplink, "--silent")
    try:
        assert settles(False)
        assert on(gateway, "cat", f"/sys/class/net/{port}/carrier") == "1\n"
    finally:
        lab("mend", "loc-ninh", uplink)
    assert settles(True)
    on(gateway, "ip", "address", "del", here, "dev", port)


def test_a_probes_process_ends_with_the_lab_at_the_latest(up: State) -> None:
    """It is in the lab's cgroup from its start, whoever started it."""
    listing = run_in(up.probes["probe-loc-ninh-users"]["netns"], ["cat", "/proc/self/cgroup"], LAB).stdout
    assert f"{LAB.cgroup}/probes" in listing


def test_forwarding_is_off_wherever_it_is_not_meant(up: State) -> None:
    """A new namespace takes `ip_forward` over from the machine, which may be a router."""
    for name in ("oob", GATEWAY, "probe-loc-ninh-users"):
        with inside(NETNS_DIR / LAB.netns(name)):
            assert Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii") == "0\n", name


MOMENTS = ["systems,", "laying", "laying", "booting", "booting", "5 of 21", "up"]
"""What the command says last before it is killed, a little later: by a seeded part of a second."""
_chance = random.Random(SEED)
LATER_S = [_chance.uniform(0, 0.9) for _ in MOMENTS]


@pytest.mark.parametrize(("said", "later_s"), list(zip(MOMENTS, LATER_S, strict=True)))
def test_after_a_kill_nothing_is_left(said: str, later_s: float) -> None:
    """Runs after the tests that share a lab: this one takes it down."""
    lab("down")
    process = subprocess.Popen(
        [sys.executable, "-m", "lienthong.lab", "up", *SITES],
        cwd=ROOT,
        env={**os.environ, "LIENTHONG_LAB": LAB.name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any(said in line for line in process.stderr)
    time.sleep(later_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert traces() != []  # else there was nothing to clean and this shows nothing
    lab("down")
    assert traces() == []


def test_a_lab_whose_state_is_lost_is_taken_away() -> None:
    lab("up", "loc-ninh")
    read_state = read(LAB)
    assert read_state is not None
    LAB.state_file.unlink()  # what it knew of its processes is gone; the kernel still knows
    assert len(processes()) > len(read_state.nodes)
    lab("down")
    assert traces() == []


def test_what_is_left_is_found_without_any_folder(tmp_path: Path) -> None:
    """Of a lab of another checkout, so that none of this one is touched."""
    lost = Place(tmp_path, "lost")
    bystander = Place(tmp_path.parent, "lost")
    sleepers = []
    for each in (lost, bystander):
        wire.ip([f"netns add {each.netns('oob')}"])
        sleepers.append(popen_in(each.netns("oob"), ["sleep", "60"], each))
    try:
        assert wipe_all(tmp_path) == [lost.id]
        assert sleepers[0].wait(timeout=5) == -signal.SIGKILL
        assert not namespaces(lost) and not cgroup.pids(lost.cgroup)
        assert sleepers[1].poll() is None and namespaces(bystander)
    finally:
        wipe(bystander)
        wipe(lost)
        for sleeper in sleepers:
            sleeper.communicate()


def test_a_name_cannot_lead_out_of_the_labs_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_LAB", "../../etc")
    with pytest.raises(LienThongError, match="no name for a lab"):
        place(ROOT)
