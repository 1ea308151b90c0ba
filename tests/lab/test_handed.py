"""A role of Central on the district: accepted, run on the host that the inventory names, and nowhere else."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT, District
from tests.unit.test_handed import GOOD, NAME, Central

HOST, OTHER = "tinh-uy-portal", "tinh-uy-svc-net"
ENTRY = f"""
hosts:
  portal:
    handed_over:
      {NAME}: {{central_banner_lines: [Chỉ dành cho người có phận sự, "(id)"]}}
"""


@pytest.fixture
def central(tmp_path: Path) -> Central:
    """A checkout beside ours, with the same lab, whose office has a role of Central on its portal."""
    found = Central(tmp_path)
    for path in ROOT.iterdir():
        if path.name in {"inventory", "roles"}:
            shutil.copytree(
                path, found.root / path.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif path.name not in {".git", "out"}:
            (found.root / path.name).symlink_to(path)
    site = found.root / "inventory" / "sites" / "tinh-uy.yaml"
    site.write_text(site.read_text(encoding="utf-8") + ENTRY, encoding="utf-8")
    return found


def test_a_role_runs_for_whom_it_was_accepted_and_in_the_lab_first(
    district: District, central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "LIENTHONG_ROOT", str(central.root))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return district.run(*words)

    central.hand_over()
    early = run("apply", "tinh-uy")
    assert early.returncode == 2
    assert "was not accepted" in early.stderr
    assert run("role", "accept", NAME).returncode == 0
    assert "has not run in a lab" in run("role", "accept", NAME, "--live").stderr
    try:
        first = run("apply", "tinh-uy")
        assert first.returncode == 0, first.stdout + first.stderr
        assert f"handed-over  changed  {HOST}" in " ".join(first.stdout.split(" "))
        assert district.on(HOST, "cat", "/etc/motd") == "Chỉ dành cho người có phận sự\n(id)\n"
        notice = GOOD["files/notice.txt"]
        digest = hashlib.sha256(notice.encode()).hexdigest()
        assert district.on(HOST, "sha256sum", "/etc/central-notice").startswith(digest)
        assert district.on(OTHER, "sh", "-c", "ls /etc/central-notice 2>&1 || true").startswith("ls: cannot")
        again = run("apply", "tinh-uy")
        assert ", 0 changes" in again.stdout + again.stderr, again.stdout
        assert run("role", "accept", NAME, "--live").returncode == 0
        assert HOST in run("role", "list").stdout
        (central.root / "roles" / NAME / "tasks/main.yml").write_text("- command: id\n")
        assert "was altered" in run("plan", "tinh-uy").stderr
    finally:
        district.on(HOST, "rm", "-rf", "/etc/central-notice", "/etc/central", "/etc/motd")
