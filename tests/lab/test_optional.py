"""A service that needs packages of its own: its host is started where asked, the base stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.lab.clean import traces, wipe_all
from lienthong.lab.line import enter
from lienthong.lab.place import Place
from lienthong.lab.state import State, read
from tests.throwaway import BOX, SERVER, SERVICE

ROOT = Path(__file__).resolve().parents[2]
NAME, SITE = "test-layers", "loc-ninh"
GATEWAY = "loc-ninh-gw-wan"
HOSTS = """
hosts:
  vc:
    runs:
      videoconf: {number: "1005"}
  srv: {runs: {throwaway: {}}}
  box: {segment: servers, id: 30, runs: {throwaway: {}}}
devices:
  sw-wan: {ports: {e6: {host: box}}}
"""
CHECK = '''
"""Checks that are thrown away."""
from lienthong.checks import control, runs

BOXES = runs("throwaway") & ~runs("app")


@control("LAB-01", nodes=runs("throwaway"))
def test_runs(node):
    """It runs."""


@control("LAB-01", nodes=BOXES)
def test_box(node):
    """It is a box."""
'''


class Checkout:
    """A checkout with one service more, and a lab of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("lienthong", "inventory", "checks"):
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        for name in ("deploys", "templates", "roles", "ansible.cfg"):
            (root / name).symlink_to(ROOT / name)
        (root / "lienthong/services/throwaway.py").write_text(SERVICE, encoding="utf-8")
        site = root / "inventory/sites" / f"{SITE}.yaml"
        text = site.read_text(encoding="utf-8").split("hosts:")[0]
        site.write_text(text + HOSTS, encoding="utf-8")
        for path in (root / "checks").glob("test_*.py"):
            path.unlink()
        (root / "checks/test_throwaway.py").write_text(CHECK, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        words = {"LIENTHONG_LAB": NAME, "PYTHONPATH": str(self.root)}
        return {**os.environ, **words}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "lienthong.cli", *words]
        return subprocess.run(
            argv, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def on(self, node: str, script: str) -> str:
        """As `lienthong lab exec` does, without its start-up each time."""
        argv = [*enter(self.state.nodes[node]), "sh", "-c", script]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    @property
    def state(self) -> State:
        found = read(Place(self.root, NAME))
        assert found is not None
        return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    found = Checkout(tmp_path_factory.mktemp("layers"))
    try:
        up = found.run("lab", "up", SITE)
        assert up.returncode == 0, up.stderr
        assert f"without {BOX}" in up.stderr
        yield found
    finally:
        wipe_all(found.root)
        assert traces(Place(found.root, NAME)) == []


LOOK = """
systemctl is-system-running --wait
systemctl is-enabled memcached
pgrep -c memcached
getent passwd memcache | cut -d: -f1
dpkg-query -W -f '${db:Status-Status}\n' memcached
true
"""


def test_a_layer_lies_under_the_nodes_that_need_it_and_under_no_other(checkout: Checkout) -> None:
    assert checkout.on(SERVER, LOOK).split() == ["running", "disabled", "0", "memcache", "installed"]
    assert checkout.on(SERVER, "stat -c %a / /etc /usr/bin").split() == ["755"] * 3
    assert checkout.on("loc-ninh-vc", "command -v memcached; getent passwd memcache; true") == ""


def test_what_is_in_it_starts_when_it_is_switched_on_and_survives_a_reboot(checkout: Checkout) -> None:
    checkout.on(SERVER, "systemctl enable --now memcached 2>&1")
    runs = "timeout 30 sh -c 'until pgrep -x memcached >/dev/null; do sleep 0.2; done' && echo runs"
    assert checkout.on(SERVER, runs) == "runs\n"
    rebooted = checkout.run("lab", "reboot", SERVER)
    assert rebooted.returncode == 0, rebooted.stderr
    assert checkout.on(SERVER, f"systemctl is-system-running --wait; {runs}") == "running\nruns\n"


def test_the_lab_is_whole_without_the_host(checkout: Checkout) -> None:
    told = json.loads(checkout.run("lab", "status", "--json").stdout)
    assert (told["without"], BOX in {row["node"] for row in told["nodes"]}) == ([BOX], False)
    entered = checkout.run("lab", "exec", BOX, "--", "true")
    assert (entered.returncode, "--full" in entered.stderr) == (2, True)
    again = checkout.run("lab", "up", SITE)
    assert (again.returncode, "is up already" in again.stderr) == (0, True)
    full = checkout.run("lab", "up", SITE, "--full")
    assert (full.returncode, f"is up without {BOX}" in full.stderr) == (2, True)
    assert (
        checkout.on("loc-ninh-sw-wan", "cat /sys/class/net/e2/carrier /sys/class/net/e6/carrier") == "1\n0\n"
    )
    planned = checkout.run("plan", SITE, "--gear")
    assert f"started without {BOX}" in planned.stderr
    assert GATEWAY in planned.stdout and BOX not in planned.stdout


def test_an_audit_tells_that_it_was_not_started(checkout: Checkout) -> None:
    audited = checkout.run("audit", SITE, "--json")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    found = {(f["description"], f["node"]): f for f in json.loads(audited.stdout)["findings"]}
    assert set(found) == {("It runs.", SERVER), ("It is a box.", None)}
    assert found["It runs.", SERVER]["status"] == "pass"
    box = found["It is a box.", None]
    assert (box["status"], box["detail"]) == ("not applicable", f"lab: started without {BOX}")


def test_the_host_is_there_when_it_is_asked_for(checkout: Checkout) -> None:
    checkout.run("lab", "down")
    up = checkout.run("lab", "up", SITE, "--with", BOX)
    assert up.returncode == 0, up.stderr
    assert checkout.state.without == ()
    assert checkout.on(BOX, LOOK).split()[:2] == ["running", "disabled"]
    assert checkout.on("loc-ninh-sw-wan", "cat /sys/class/net/e6/carrier") == "1\n"
