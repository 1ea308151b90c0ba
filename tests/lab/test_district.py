"""The main job, whole: a bare district is provisioned, proved, found again, and survives a reboot."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lienthong.lab.namespace import inside, run_in
from lienthong.lab.place import Place
from lienthong.target import resolve
from tests.jumping import JumpHost
from tests.lab.conftest import NAME, ROOT, SITES, District

LAB = Place(ROOT, NAME)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_the_first_apply_reached_every_system(district: District) -> None:
    assert district.first is not None
    assert re.match(r"apply: 17 systems, \d{3,} changes, 0 not done", last_line(district.first.stdout))
    assert district.first.stderr.splitlines()[0].endswith(f"apply · target lab · run/lab/{NAME}")


def test_a_second_apply_changes_nothing(district: District) -> None:
    again = district.run("apply", *SITES)
    assert again.returncode == 0, again.stdout
    assert last_line(again.stdout).startswith("apply: 17 systems, 0 changes, 0 not done"), again.stdout


def test_every_tool_takes_the_way_through_a_jump_host(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, before = LAB, LAB.known_hosts.read_text(encoding="ascii")
    with inside(lab.oob):
        address = json.loads(run_in(lab.oob.name, ["ip", "-4", "-j", "address"]).stdout)
        own = next(
            a["local"] for link in address for a in link["addr_info"] if a["local"].startswith("10.255.")
        )
        jump = JumpHost(own, lab.folder / "id_ed25519.pub")
    try:
        lab.known_hosts.write_text(before + jump.known, encoding="ascii")
        monkeypatch.setenv("LIENTHONG_JUMP", f"hop@{own}:{jump.port}")
        done = district.run("apply", "loc-ninh")
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.match(r"apply: \d+ systems, 0 changes, 0 not done", last_line(done.stdout)), done.stdout
        hosts = {address for address, _ in jump.asked}
        jump.asked.clear()
        jump.lets = False
        refused = district.run("apply", "loc-ninh")
        assert refused.returncode != 0
        assert f"no SSH answer through the jump host {own}: " in refused.stdout, refused.stdout
    finally:
        lab.known_hosts.write_text(before, encoding="ascii")
        jump.end()
    state = json.loads((lab.folder / "state.json").read_text(encoding="utf-8"))
    there = {ip for name, ip in state["management"].items() if name.startswith("loc-ninh-")}
    assert there <= hosts  # and the office, where it asks for keys


def test_a_plan_finds_nothing_to_do(district: District) -> None:
    seen = district.run("plan", *SITES)
    assert seen.returncode == 0, seen.stdout
    assert last_line(seen.stdout).startswith("plan: 17 systems, 0 changes to make, 0 not done")


def test_a_plan_shows_what_would_change_and_changes_nothing(district: District) -> None:
    district.on("loc-ninh-srv", "sh", "-c", "echo '# by hand' >> /etc/nginx/nginx.conf")
    district.on("loc-ninh-sw-wan", "ovs-vsctl", "set", "port", "e10", "tag=20")
    seen = district.run("plan", "loc-ninh")
    assert seen.returncode == 1, seen.stdout
    assert "/etc/nginx/nginx.conf" in seen.stdout
    assert "e10" in seen.stdout
    assert district.on("loc-ninh-sw-wan", "ovs-vsctl", "get", "port", "e10", "tag").strip() == "20"
    mended = district.run("apply", "loc-ninh")
    assert mended.returncode == 0, mended.stdout
    assert district.on("loc-ninh-sw-wan", "ovs-vsctl", "get", "port", "e10", "tag").strip() == "10"


def test_the_audit_finds_nothing_wrong(district: District) -> None:
    audit = district.run("audit", "loc-ninh", "--drill")
    assert audit.returncode == 0, audit.stdout
    found = json.loads((ROOT / "out/lab/loc-ninh/findings.json").read_text(encoding="utf-8"))
    statuses = {finding["status"] for finding in found["findings"]}
    assert statuses <= {"pass", "not applicable", "not assessed"}
    assert len({finding["control"] for finding in found["findings"]}) >= 25
    page = (ROOT / "out/lab/loc-ninh/report.html").read_text(encoding="utf-8")
    assert "<svg" in page


def test_plain_testinfra_knows_the_hosts(district: District, tmp_path: Path) -> None:
    """`pytest --hosts=ansible://…` as Testinfra's own documentation has it, with nothing of ours loaded."""
    (tmp_path / "test_plain.py").write_text(
        "def test_it(host):\n"
        "    assert host.service('ssh').is_running\n"
        "    assert host.check_output('hostname') == host.backend.host\n",
        encoding="utf-8",
    )
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:lienthong"),
            "--hosts=ansible://switches,ansible://loc-ninh-srv",
            f"--ansible-inventory={ROOT / 'inventory/hosts.py'}",
            "test_plain.py",
        ],
        cwd=tmp_path,
        env={**district.environment, "PATH": f"{binaries}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert "5 passed" in done.stdout, done.stdout


def test_each_tool_works_alone(district: District) -> None:
    pyinfra = district.tool(
        "pyinfra", "--dry", "inventory/hosts.py", "deploys/firewall.py", "deploys/logs.py"
    )
    assert pyinfra.returncode == 0, pyinfra.stderr
    ansible = district.tool("ansible-playbook", "-i", "inventory/hosts.py", "deploys/baseline.yaml")
    assert ansible.returncode == 0, ansible.stdout
    assert "changed=0" in ansible.stdout
    assert "changed=1" not in ansible.stdout
    for script in ("deploys/lan.py", "deploys/internet.py"):
        alone = subprocess.run(
            [sys.executable, script, "loc-ninh"],
            cwd=ROOT,
            env=district.environment,
            capture_output=True,
            text=True,
        )
        assert alone.returncode == 0, alone.stdout + alone.stderr
    checks = district.tool(
        "pytest", "checks/test_firewall.py", "--site=loc-ninh", "-q", "-p", "no:cacheprovider"
    )
    assert checks.returncode == 0, checks.stdout


def test_no_target_means_the_lab_and_the_lab_has_no_way_out(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_LAB", NAME)
    monkeypatch.delenv("LIENTHONG_TARGET", raising=False)
    assert resolve(ROOT).target == "lab"
    with inside(LAB.oob):
        for address in ("192.0.2.1", "10.0.44.1", "203.0.113.22", "8.8.8.8"):
            with pytest.raises(OSError, match="unreachable"):
                socket.create_connection((address, 22), timeout=2)


def test_a_killed_apply_is_finished_by_the_next(district: District) -> None:
    district.on("loc-ninh-srv", "rm", "/etc/nginx/nginx.conf")
    district.on("loc-ninh-vc", "rm", "/etc/baresip/config")
    process = subprocess.Popen(
        [sys.executable, "-m", "lienthong.cli", "apply", "loc-ninh"],
        cwd=ROOT,
        env=district.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "services of" in line:
            break
    process.kill()
    process.wait()
    done = district.run("apply", "loc-ninh")
    assert done.returncode == 0, done.stdout
    again = district.run("apply", "loc-ninh")
    assert last_line(again.stdout).startswith("apply: 6 systems, 0 changes, 0 not done"), again.stdout


def test_two_applies_exclude_each_other(district: District) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "lienthong.cli", "apply", "loc-ninh"],
        cwd=ROOT,
        env=district.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    for line in first.stderr:
        if "baseline of" in line:
            break
    second = district.run("apply", "loc-ninh")
    _, rest = first.communicate()
    assert second.returncode == 3, rest
    assert "another run is at work" in second.stderr
    assert first.returncode == 0


def test_everything_holds_after_reboots(district: District) -> None:
    """Namespaces are made anew, so nothing but what the systems keep on disk can bring them back."""
    nodes = [
        path.name
        for path in sorted((ROOT / "run/lab" / NAME / "nodes").iterdir())
        if path.name.startswith("loc-ninh")
    ]
    assert len(nodes) == 6
    for node in [
        *nodes,
        "tinh-uy-gw-wan",
        "tinh-uy-gw-net",
        "tinh-uy-svc-wan",
        "tinh-uy-vault-net",
        "tinh-uy-reg",
    ]:
        done = district.run("lab", "reboot", node)
        assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 240  # routes come back in seconds, clocks take a minute to be in step
    while True:
        audit = district.run("audit", "loc-ninh", "--drill")
        if audit.returncode == 0 or time.monotonic() > deadline:
            break
    assert audit.returncode == 0, audit.stdout
    plan = district.run("plan", *SITES)
    assert plan.returncode == 0, plan.stdout


def test_files_of_the_lab_stay_under_run(district: District) -> None:
    status = subprocess.run(
        ["git", "status", "--porcelain", "inventory"], cwd=ROOT, capture_output=True, text=True
    )
    assert not [line for line in status.stdout.splitlines() if "known_hosts" in line or "secrets" in line]
    assert not list(Path(ROOT / "inventory").glob("*.retry"))
