"""A host with a kernel of its own proves what systems that share one cannot; minutes long, `make kernel`.

The office and a district, of which one host is an emulated computer: records of the kernel, USB, the clock,
AppArmor, parameters of the kernel, and what another's auditor says with no test left out.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lienthong.lab import guest
from lienthong.lab.clean import traces
from lienthong.lab.place import Place
from tests.lab.conftest import NAME, ROOT, SITES, District
from tests.lab.test_auditors import LYNIS, SYSCTL

HOST = "loc-ninh-srv"
PLACE = Place(ROOT, NAME)
#: By the role `sysctl`, with the "-" that lets a container pass: a real kernel takes every one of them.
PARAMETERS = dict(re.findall(r"^ +-([\w.-]+) = (\d+)", SYSCTL, re.MULTILINE))


@pytest.fixture(scope="module")
def lab() -> Iterator[District]:
    """Up with that kernel, applied; taken down at the end."""
    found = District()
    found.run("lab", "down")
    try:
        up = found.run("lab", "up", *SITES, "--kernel", HOST, timeout_s=3600)
        assert up.returncode == 0, up.stderr
        applied = found.run("apply", *SITES, timeout_s=3600)
        assert applied.returncode == 0, applied.stdout + applied.stderr[-3000:]
        yield found
    finally:
        found.run("lab", "down")


def sh(lab: District, script: str) -> str:
    return lab.on(HOST, "sh", "-c", script)


@cache
def findings(lab_name: str) -> tuple[dict[str, Any], ...]:
    """What an audit of the district found at the host."""
    assert lab_name == NAME
    told = json.loads(District().run("audit", SITES[1], "--json", timeout_s=3600).stdout)
    return tuple(one for one in told["findings"] if one["node"] == HOST)


def until(lab: District, script: str, seconds: int = 60) -> str:
    """What a command prints once it succeeds."""
    return sh(lab, f'for i in $(seq {seconds}); do out=$({script}) && break; sleep 1; done; echo "$out"')


def test_it_is_a_computer_and_reached_as_any_node(lab: District) -> None:
    assert sh(lab, "systemd-detect-virt --container || true").strip() == "none"
    assert sh(lab, "uname -r").strip() != Path("/proc/sys/kernel/osrelease").read_text("ascii").strip()
    told = json.loads(lab.run("lab", "status", "--json").stdout)
    assert told["kernel"] == [HOST]
    assert {row["node"]: row["state"] for row in told["nodes"]}[HOST] == "on"
    assert lab.on(HOST, "printf", "[%s]", "a b", "'", "") == "[a b]['][]"
    assert lab.run("lab", "exec", HOST, "--", "sh", "-c", "exit 7").returncode == 7


def test_a_second_apply_changes_nothing(lab: District) -> None:
    again = lab.run("apply", *SITES, "--json", timeout_s=3600)
    assert again.returncode == 0, again.stdout + again.stderr[-3000:]
    assert not [step for step in json.loads(again.stdout)["steps"] if step["outcome"] == "changed"]


@pytest.mark.parametrize("control", ["SRV-12", "SRV-17", "SRV-20"])
def test_the_control_applies_and_is_kept(lab: District, control: str) -> None:
    seen = [
        (one["status"], one["description"], one["detail"])
        for one in findings(NAME)
        if one["control"] == control
    ]
    assert seen, f"{control} was not looked at"
    assert {status for status, _, _ in seen} == {"pass"}, seen


def test_nothing_is_put_down_to_the_kernel(lab: District) -> None:
    assert [one for one in findings(NAME) if "kernel:" in (one["detail"] or "")] == []


def test_a_watched_file_leaves_a_record(lab: District) -> None:
    name = f"/etc/lienthong/watched-{secrets.token_hex(4)}"
    sh(lab, f"touch {name} && rm {name}")
    said = until(lab, f"ausearch --input-logs -k lienthong -f {name} 2>/dev/null | grep -c type=SYSCALL")
    assert int(said or 0) >= 2, "made and removed, and nobody wrote it down"
    other = f"/root/unwatched-{secrets.token_hex(4)}"
    sh(lab, f"touch {other} && rm {other}")
    time.sleep(2)
    assert sh(lab, f"ausearch --input-logs -f {other} 2>&1 || true").strip().endswith("<no matches>")


def test_usb_storage_is_not_loaded_and_a_stick_is_blocked(lab: District) -> None:
    home = PLACE.node(HOST)
    (home / "stick.img").write_bytes(bytes(1 << 20))
    known = sh(lab, "ls /sys/bus/usb/devices").split()
    assert guest.tell(home, "drive_add 0 if=none,id=stick,file=stick.img,format=raw")
    assert guest.tell(home, "device_add usb-storage,id=stick,drive=stick,bus=usb.0")
    assert guest.tell(home, "device_add usb-kbd,id=keys,bus=usb.0")
    rules = until(lab, "usbguard list-devices | grep -q QEMU.USB.Keyboard && usbguard list-devices")
    stick = [line for line in rules.splitlines() if "with-interface 08:" in line]
    keys = [line for line in rules.splitlines() if "USB Keyboard" in line]
    assert len(stick) == len(keys) == 1, rules
    assert " block " in stick[0], "a stick was let in"
    assert " allow " in keys[0], "a keyboard was not let in"
    assert set(sh(lab, "ls /sys/bus/usb/devices").split()) > set(known)
    assert "usb_storage" not in sh(lab, "lsmod")
    assert lab.run("lab", "exec", HOST, "--", "modprobe", "usb-storage").returncode != 0
    assert [disk for disk in sh(lab, "ls /sys/block").split() if disk.startswith("sd")] == []
    for name in ("stick", "keys"):
        assert guest.tell(home, f"device_del {name}")


def test_the_clock_follows_its_server_after_it_was_wrong(lab: District) -> None:
    def off() -> float:
        return abs(float(sh(lab, "date +%s.%N")) - time.time())

    assert off() < 30, "it was wrong before"
    # As after a year in a drawer: the battery of its clock is empty, and it starts.
    sh(lab, "systemctl stop chrony.service; date -s '-2 hours'")
    assert off() > 7000, "the clock could not be set"
    sh(lab, "systemctl start chrony.service")
    deadline = time.monotonic() + 120
    while off() > 30 and time.monotonic() < deadline:
        time.sleep(2)
    assert off() < 30
    said = until(lab, "chronyc -n tracking | grep 'Leap status *: Normal'")
    assert "Normal" in said
    record = until(lab, "ausearch --input-logs -k time 2>/dev/null | grep -c type=SYSCALL")
    assert int(record or 0) >= 1, "the clock was set, and nobody wrote it down"


def test_apparmor_keeps_daemons_to_their_own(lab: District) -> None:
    assert sh(lab, "cat /sys/module/apparmor/parameters/enabled").strip() == "Y"
    assert "(enforce)" in sh(lab, "cat /proc/$(pgrep -o -x chronyd)/attr/current")


def test_every_parameter_of_the_kernel_is_set(lab: District) -> None:
    seen = dict(re.findall(r"^(\S+) = (\S+)", sh(lab, f"sysctl {' '.join(PARAMETERS)}"), re.MULTILINE))
    assert seen == PARAMETERS


def test_lynis_needs_no_allowance(lab: District) -> None:
    log = sh(lab, f"{LYNIS} >/dev/null 2>&1; cat /run/lynis.log; rm /run/lynis.*")
    own = re.search(r"Hardening index : \[(\d+)\]", log)
    assert own is not None
    assert "skipped by configuration" not in log
    print(f"lynis: {HOST} with a kernel of its own: {own[1]}")
    assert int(own[1]) >= 85


def test_it_is_powered_off_in_order_and_comes_back_as_it_was(lab: District) -> None:
    mark = secrets.token_hex(8)
    sh(lab, f"echo {mark} > /root/mark")
    rebooted = lab.run("lab", "reboot", HOST, timeout_s=3600)
    assert rebooted.returncode == 0, rebooted.stderr
    assert "did not power off" not in rebooted.stderr
    assert sh(lab, "cat /root/mark").strip() == mark
    assert sh(lab, "systemctl is-active auditd usbguard apparmor chrony").split() == ["active"] * 4
    assert int(sh(lab, "auditctl -l | grep -c -- -k")) > 5


def test_a_killed_one_leaves_nothing(lab: District) -> None:
    """Last: the lab is gone then."""
    cleaned = lab.run("lab", "down")
    assert cleaned.returncode == 0, cleaned.stderr
    assert traces(PLACE) == []
