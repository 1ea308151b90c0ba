"""The plugin turns checks into findings, loses none, and leaves other test runs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lienthong.audit import run
from lienthong.audit.run import records_of
from lienthong.model.finding import Finding, Status
from lienthong.root import find_root
from lienthong.workspace import Workspace

ROOT = find_root(Path(__file__).parent)
CATALOGUE = "controls:\n  - {id: T-1, title: {vi: a, en: b}, severity: low, kind: read}\n"
HEAD = "from lienthong.checks import control, not_applicable, not_assessed, runs, HOSTS\n"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the real inventory and checks of its own; live, so that nothing is started."""
    (tmp_path / "inventory").symlink_to(ROOT / "inventory")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "controls.yaml").write_text(CATALOGUE, encoding="utf-8")
    # No login can succeed, and none is tried for long.
    monkeypatch.setenv("LIENTHONG_KEY", str(tmp_path / "no-key"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\necho no way in >&2\nexit 255\n", encoding="utf-8")
    fake.chmod(0o755)
    return tmp_path


def audit(workshop: Path, body: str, *, drill: bool = False) -> dict[str, Finding]:
    """Findings by function and place."""
    (workshop / "checks" / "test_it.py").write_text(HEAD + body, encoding="utf-8")
    found = run(Workspace(workshop, "live"), ["loc-ninh"], drill=drill).findings
    return {f"{f.check.split('::')[-1]}@{f.node or f.site}": f for f in found}


def test_each_outcome_is_told_apart(workshop: Path) -> None:
    found = audit(
        workshop,
        '''
import pytest
@control("T-1")
def test_good(site, evidence):
    """It is good."""
    evidence("seen")
@control("T-1")
def test_bad(site):
    """It is bad."""
    assert 1 == 2, "because"
@control("T-1")
def test_broken(site):
    """It breaks."""
    raise ValueError("oops")
@control("T-1")
def test_no_object(site):
    """It does not apply."""
    not_applicable("kernel: none")
@control("T-1")
def test_question(site):
    """Nobody looked."""
    not_assessed("who looked?")
@control("T-1")
def test_hidden(site):
    """A skip hides nothing."""
    pytest.skip("lazy")
@control("T-9")
def test_unknown_control(site):
    """Not in the catalogue."""
@control("T-1", kind="drill")
def test_drill(site):
    """Disturbs."""
    raise SystemError("must not run")
def test_unmarked():
    pass
''',
    )
    statuses = {name.split("@")[0]: finding.status for name, finding in found.items()}
    assert statuses == {
        "test_good": Status.PASS,
        "test_bad": Status.FAIL,
        "test_broken": Status.ERROR,
        "test_no_object": Status.NOT_APPLICABLE,
        "test_question": Status.NOT_ASSESSED,
        "test_hidden": Status.ERROR,
        "test_unknown_control": Status.ERROR,
        "test_drill": Status.NOT_ASSESSED,
        "test_unmarked": Status.ERROR,
    }
    good, bad = found["test_good@loc-ninh"], found["test_bad@loc-ninh"]
    assert (good.evidence, good.description, good.control) == (("seen",), "It is good.", "T-1")
    assert bad.detail.splitlines()[0] == "because"
    assert found["test_no_object@loc-ninh"].detail == "kernel: none"


def test_every_matching_node_has_its_finding(workshop: Path) -> None:
    found = audit(
        workshop,
        '''
@control("T-1", nodes=HOSTS)
def test_hosts(node):
    """One each."""
    assert node.device is None
@control("T-1", nodes=runs("logs"))
def test_nobody(facts):
    """None here."""
@control("T-1", nodes=HOSTS)
def test_unreachable(facts):
    """No login."""
''',
    )
    assert found["test_hosts@loc-ninh-srv"].status is Status.PASS
    assert found["test_hosts@loc-ninh-vc"].status is Status.PASS
    assert found["test_nobody@loc-ninh"].status is Status.NOT_APPLICABLE
    unreachable = found["test_unreachable@loc-ninh-srv"]
    assert unreachable.status is Status.ERROR
    assert "no login" in unreachable.detail
    assert len(found) == 5


def test_checks_overlap_and_drills_come_last(workshop: Path) -> None:
    slow = "".join(
        f'''
@control("T-1")
def test_slow_{i}(site, evidence):
    """Waits."""
    import time
    evidence(str(time.monotonic())); time.sleep(0.5); evidence(str(time.monotonic()))
'''
        for i in range(4)
    )
    found = audit(
        workshop,
        slow
        + '''
@control("T-1", kind="drill")
def test_a_drill(site, evidence):
    """Disturbs."""
    import time
    evidence(str(time.monotonic()))
''',
        drill=True,
    )
    spans = [tuple(map(float, f.evidence)) for name, f in found.items() if "slow" in name]
    assert max(start for start, _ in spans) < min(end for _, end in spans), "they ran one after another"
    assert float(found["test_a_drill@loc-ninh"].evidence[0]) >= max(end for _, end in spans)


def test_a_check_with_fixtures_of_its_own_runs_as_pytest_does_it(workshop: Path) -> None:
    found = audit(
        workshop,
        '''
import pytest
@pytest.fixture
def mine(site):
    yield site.site.slug
    raise OSError("tear-down broke")
@control("T-1")
def test_own(mine, tmp_path, evidence):
    """Its own."""
    evidence(mine)
''',
    )
    own = found["test_own@loc-ninh"]
    assert own.evidence == ("loc-ninh",)
    assert own.status is Status.ERROR, "a broken tear-down is not a pass"


def test_a_file_that_does_not_load_is_an_error_and_the_rest_still_runs(workshop: Path) -> None:
    (workshop / "checks" / "test_torn.py").write_text("def test_(:", encoding="utf-8")
    found = audit(workshop, '@control("T-1")\ndef test_good(site):\n    """Good."""\n')
    assert found["test_good@loc-ninh"].status is Status.PASS
    assert found["test_torn.py@loc-ninh"].control == "AUD-01"
    assert found["test_torn.py@loc-ninh"].status is Status.ERROR


def test_a_check_that_kills_its_process_leaves_error_findings(workshop: Path) -> None:
    found = audit(
        workshop,
        '''
@control("T-1", alone=True)
def test_deadly(site):
    """Kills."""
    import os
    os._exit(9)
''',
    )
    assert found["test_deadly@loc-ninh"].status is Status.ERROR
    assert "never executed" in found["test_deadly@loc-ninh"].detail


@pytest.mark.parametrize("plugin", [[], ["-p", "lienthong.pytest_plugin"]])
def test_plain_pytest_runs_checks(workshop: Path, plugin: list[str]) -> None:
    """As installed, and given by name: registered once."""
    body = '@control("T-1")\ndef test_good(site):\n    """Good."""\n    assert site.site.slug == "loc-ninh"\n'
    (workshop / "checks" / "test_it.py").write_text(HEAD + body, encoding="utf-8")
    done = _pytest(workshop, ["checks", "--site=loc-ninh", "--target=live", *plugin])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_other_runs_see_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "def test_no_site_fixture(request):\n"
        "    import pytest\n"
        "    with pytest.raises(pytest.FixtureLookupError):\n"
        "        request.getfixturevalue('site')\n",
        encoding="utf-8",
    )
    done = _pytest(tmp_path, ["."])
    assert done.returncode == 0, done.stdout


def _pytest(folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LIENTHONG_R"))
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_findings_survive_json() -> None:
    finding: dict[str, Any] = {
        "control": "T-1", "check": "a::b", "description": "d", "site": "s", "node": None, "status": "fail",
        "kind": "read", "detail": "=1+1 <script>",
    }  # fmt: skip
    assert Finding.model_validate(json.loads(json.dumps(finding))).detail == "=1+1 <script>"


def test_what_gear_must_leave_as_it_was_is_asked_alone_and_says_what_holds(workshop: Path) -> None:
    body = '''
@control("T-1", gear=True)
def test_flows(site, evidence):
    """Flows."""
    evidence.holds("a to b")
    assert False, "c to d"

@control("T-1")
def test_other(site):
    """Other."""
'''
    whole = audit(workshop, body)
    assert len(whole) == 2 and not whole["test_flows@loc-ninh"].evidence, (
        "what holds is no line of the report"
    )
    records, _, said = records_of(Workspace(workshop, "live"), ["loc-ninh"], ["--gear"])
    found = {r["finding"]["check"]: r["finding"]["status"] for r in records if "finding" in r}
    assert found == {"test_it.py::test_flows": "fail"}, said
    assert [r["held"] for r in records if "held" in r] == [["a to b"]]


def test_checks_that_are_a_link_are_the_workspaces_own(
    workshop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "checks"
    (workshop / "checks").rename(elsewhere)
    (workshop / "checks").symlink_to(elsewhere)
    found = audit(workshop, '@control("T-1")\ndef test_good(site):\n    """Good."""\n')
    assert {name: one.status for name, one in found.items()} == {"test_good@loc-ninh": Status.PASS}
