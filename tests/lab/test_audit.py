"""The audit of a provisioned district: all is executed, nothing fails, what cannot be seen is told."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.audit import run
from lienthong.model.finding import AuditRun, Finding, Kind, Status
from lienthong.model.words import Side
from lienthong.workspace import Workspace
from tests.lab.conftest import NAME, ROOT, District

SITE = "loc-ninh"
SHOWN = 2000


@pytest.fixture(scope="module", autouse=True)
def lab(district: District) -> Iterator[District]:
    """The provisioned district, known to this process as its lab."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIENTHONG_LAB", NAME)
        yield district


def audit(drill: bool = False) -> AuditRun:
    return run(Workspace(ROOT, "lab"), [SITE], drill=drill)


def places(found: AuditRun) -> set[tuple[str, str | None]]:
    return {(finding.check, finding.node) for finding in found.findings}


def of(found: AuditRun, *statuses: Status) -> list[Finding]:
    return [finding for finding in found.findings if finding.status in statuses]


def words(findings: list[Finding]) -> str:
    return "\n".join(f"{f.control} {f.check} {f.node}: {f.status} {f.detail}" for f in findings)[:SHOWN]


def settled() -> AuditRun:
    """An audit of a district that has come to rest: right after applying, a clock may not be in step yet."""
    deadline = time.monotonic() + 90
    while True:
        found = audit()
        if not of(found, Status.FAIL, Status.ERROR) or time.monotonic() > deadline:
            return found
        time.sleep(2)


@pytest.fixture(scope="module")
def found() -> AuditRun:
    """One audit of the district at rest."""
    return settled()


def test_a_provisioned_district_complies(found: AuditRun) -> None:
    assert not of(found, Status.FAIL, Status.ERROR), words(of(found, Status.FAIL, Status.ERROR))
    assert len({finding.control for finding in found.findings}) >= 25


def test_what_this_machine_cannot_show_is_counted_in_the_open(found: AuditRun) -> None:
    kernel = {f.control for f in of(found, Status.NOT_APPLICABLE) if f.detail.startswith("kernel: ")}
    assert kernel <= {"SRV-12", "SRV-20"}
    for finding in of(found, Status.NOT_APPLICABLE):
        assert finding.detail.startswith(("kernel: ", "inventory: ")), words([finding])
    for finding in of(found, Status.NOT_ASSESSED):
        assert finding.detail.endswith("?") or finding.kind is Kind.DRILL, words([finding])


def test_the_controller_of_a_side_looks_at_its_side_only(
    found: AuditRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_SIDE", "wan")
    nodes = Workspace(ROOT, "lab").site(SITE).nodes
    mine = audit()
    assert not of(mine, Status.FAIL, Status.ERROR), words(of(mine, Status.FAIL, Status.ERROR))
    seen = {node for _, node in places(mine) if node is not None}
    assert seen == {node for _, node in places(found) if node is not None and nodes[node].side is Side.WAN}


def test_a_drill_cuts_a_line_and_mends_it() -> None:
    found = audit(drill=True)
    drills = [finding for finding in found.findings if finding.kind is Kind.DRILL]
    assert drills
    assert not [f for f in drills if f.status is not Status.PASS], words(drills)
    assert not of(found, Status.FAIL, Status.ERROR), words(of(found, Status.FAIL, Status.ERROR))


def test_a_node_that_lets_nobody_in_is_an_error_at_every_check_of_it(lab: District) -> None:
    before = audit()
    lab.on("loc-ninh-vc", "systemctl", "stop", "ssh")
    try:
        after = audit()
    finally:
        lab.on("loc-ninh-vc", "systemctl", "start", "ssh")
    assert places(after) == places(before), "a finding went missing"
    facts_of_it = [f for f in after.findings if f.node == "loc-ninh-vc" and f.control.startswith("SRV-")]
    assert {f.status for f in facts_of_it} == {Status.ERROR}, words(facts_of_it)
    others = [f for f in after.findings if f.node == "loc-ninh-srv" and f.status is Status.ERROR]
    assert not others, words(others)


def test_plain_pytest_comes_to_the_same(lab: District) -> None:
    """Nobody is locked in: the checks run without our command."""
    words_ = [sys.executable, "-m", "pytest", "checks", f"--site={SITE}", "--control=SRV-01,NET-03", "-q"]
    done = subprocess.run(words_, cwd=ROOT, env=lab.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-SHOWN:]
    named = [*words_, "--hosts=loc-ninh-srv"]
    done = subprocess.run(named, cwd=ROOT, env=lab.environment, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout[-SHOWN:]


def test_nothing_is_left_behind() -> None:
    def traces() -> Counter[str]:
        # An audit takes no lease: those belong to whoever else works on this machine.
        return Counter(
            path.name for path in Path("/tmp").glob("lt-*") if not path.name.startswith("lt-lease-")
        )

    before = traces()
    audit()
    assert traces() == before
