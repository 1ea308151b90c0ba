"""A site with gear of vendors, proved with packets: FRR and Open vSwitch stand in for it and are told the
same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT

NAME = "test-twin"
SIMULATED = {"loc-ninh-gw-wan", "loc-ninh-sw-wan"}
#: What the inventory of Lộc Ninh says instead: a router and a switch of two vendors.
GEAR = """
devices:
  gw-wan:
    platform: mikrotik-routeros
    model: MikroTik hEX S
    runs: {dns: null}
  sw-wan:
    platform: huawei-vrp
    model: S5735-L24T4S
"""


class Twin:
    """A checkout of which one site has gear of vendors."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "inventory", root / "inventory", ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.name not in {"inventory", "checks", ".git", "run", "out"}:
                (root / path.name).symlink_to(path)
        shutil.copytree(ROOT / "checks", root / "checks")  # pytest finds its files by their real place
        with (root / "inventory" / "sites" / "loc-ninh.yaml").open("a", encoding="utf-8") as file:
            file.write(GEAR)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lienthong.cli", *words],
            cwd=self.root,
            env={**os.environ, "LIENTHONG_LAB": NAME, "LIENTHONG_ROOT": str(self.root),
                 "LIENTHONG_TARGET": "lab"},
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    found = Twin(tmp_path_factory.mktemp("twin") / "checkout")
    try:
        yield found
    finally:
        found.run("lab", "down")


def test_real_hosts_and_simulated_gear_are_one_lab(twin: Twin) -> None:
    up = twin.run("lab", "up", "tinh-uy", "loc-ninh")
    try:
        assert up.returncode == 0, up.stderr
        assert "loc-ninh-gw-wan: mikrotik-routeros, simulated" in up.stderr
        status = json.loads(twin.run("lab", "status", "--json").stdout)["nodes"]
        assert {one["node"] for one in status if one["state"] == "simulated"} == SIMULATED
        refused = twin.run("lab", "exec", "loc-ninh-gw-wan", "--", "true")
        assert refused.returncode == 2 and "is a simulated device" in refused.stderr, refused.stderr
        first = twin.run("apply", "tinh-uy", "loc-ninh")
        assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-2000:]
        again = twin.run("apply", "tinh-uy", "loc-ninh", "--json")
        assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-2000:]
        steps = json.loads(again.stdout)["steps"]
        # Hosts behind gear that switches no packet have no time server, and ask for it again each time.
        gear = {one["node"]: one["outcome"] for one in steps if one["node"] in SIMULATED}
        assert gear == dict.fromkeys(SIMULATED, "unchanged")
        spoilt = twin.run("sim", "fault", "loc-ninh-gw-wan", "cut-after", "--at", "1")
        assert spoilt.returncode == 0, spoilt.stderr
        cut = twin.run("plan", "loc-ninh")
        assert cut.returncode != 0
        assert "loc-ninh-gw-wan: the connection ended while it was logged in to" in cut.stdout, cut.stdout
        os.kill(int((twin.root / "run/lab" / NAME / "sim.pid").read_text().split()[0]), signal.SIGKILL)
        status = json.loads(twin.run("lab", "status", "--json").stdout)["nodes"]
        assert {one["node"] for one in status if one["state"] == "off"} == SIMULATED
    finally:
        twin.run("lab", "down")
    assert twin.run("lab", "status").returncode != 0


def test_vlans_routes_and_policy_of_a_vendors_site_are_proved_with_packets(twin: Twin) -> None:
    up = twin.run("lab", "up", "tinh-uy", "loc-ninh", "--twin", "open")
    assert up.returncode == 0, up.stderr
    assert "loc-ninh-gw-wan: linux-gw stands in for it" in up.stderr
    done = twin.run("apply", "tinh-uy", "loc-ninh")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    ends = time.monotonic() + 90  # what registers or is asked in turns has its first round yet to come
    while True:
        audit = twin.run("audit", "loc-ninh", "--json")
        assert audit.stdout, audit.stderr[-3000:]
        found = json.loads(audit.stdout)["findings"]
        wrong = [one for one in found if one["status"] in {"fail", "error"}]
        if not wrong or time.monotonic() > ends:
            break
    assert wrong == []
    assert len([one for one in found if one["status"] == "pass"]) > 100
