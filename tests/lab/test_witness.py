"""A change that a device makes well and that breaks its site all the same: the checks say so in time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab.conftest import ROOT, District

GATEWAY = "loc-ninh-gw-wan"
#: One flow of the site is broken before anything is changed: it must hide no other.
BROKEN = "nft insert rule inet lienthong input tcp dport 22 ip saddr 10.0.0.0/21 drop"


def drive(district: District, part: str, *allow: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("witness_drive.py")), part, GATEWAY, *allow],
        cwd=ROOT, env=district.environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def running(district: District) -> str:
    return district.on(GATEWAY, "vtysh", "-c", "show running-config")


def test_a_change_after_which_flows_do_not_pass_is_returned(district: District) -> None:
    before = running(district)
    district.on("loc-ninh-srv", "sh", "-c", BROKEN)
    try:
        done = drive(district, "swallow")
    finally:
        district.on("loc-ninh-srv", "nft", "-f", "/etc/nftables.conf")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "passed before the change and do not now" in done.stdout
    assert "NET-02a loc-ninh: loc-ninh-gw-wan to tinh-uy-svc-wan" in done.stdout
    assert "returned to the configuration before the change" in done.stdout
    assert "--allow checks@loc-ninh-gw-wan" in done.stdout
    assert running(district) == before


def test_without_the_checks_nobody_notices(district: District) -> None:
    """Why they are asked: the device holds what is intended, and all its neighbours are there."""
    before = running(district)
    done = drive(district, "swallow", f"checks@{GATEWAY}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "changed: "
    assert running(district) != before
    # The command mends it; most of what it asks does not hold before, and nothing that held is lost.
    again = district.run("apply", "loc-ninh", "--gear")
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"{GATEWAY}: what holds in loc-ninh now is looked at first" in again.stderr
    assert running(district) == before


def test_a_change_that_breaks_nothing_stays(district: District) -> None:
    before = running(district)
    done = drive(district, "harmless")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "what held in loc-ninh must hold before it is confirmed" in done.stdout
    assert "description altered" in running(district)
    back = district.run("apply", "loc-ninh", "--gear", "--json")
    assert back.returncode == 0, back.stdout + back.stderr
    assert running(district) == before
    second = district.run("apply", "loc-ninh", "--gear")
    assert " 0 changes" in second.stdout, second.stdout
    assert "looked at first" not in second.stderr, "nothing is asked where nothing is changed"
