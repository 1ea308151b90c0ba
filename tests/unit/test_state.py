"""The tool's state is recovered by a second officer in a new checkout, and by nobody else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lienthong.bundle.words import BundleRefused
from lienthong.errors import LienThongError
from lienthong.journal import Journal
from lienthong.state.carry import Places, export, import_
from lienthong.state.officers import OFFICERS, officers

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def identity(path: Path) -> str:
    """A new age key in a file; its public half."""
    subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    return subprocess.run(
        ["age-keygen", "-y", str(path)], check=True, capture_output=True, text=True
    ).stdout.strip()


def places(root: Path) -> Places:
    inventory = root / "inventory"
    return Places(root / "run/live", inventory / "secrets", inventory / "known_hosts", root / "var/bundle")


@pytest.fixture
def first(tmp_path: Path) -> Places:
    """The checkout of an officer who worked with it."""
    found = places(tmp_path / "first")
    for folder in (found.state, found.secrets, found.bundles):
        folder.mkdir(parents=True)
    journal = Journal(found.state / "journal.sqlite")
    journal.begin("apply", "live", ("loc-ninh",), "1", "hash")
    (found.state / "runs").mkdir()
    (found.state / "runs" / "000001.tar.gz").write_bytes(b"inventory")
    (found.state / "apply.lock").touch()
    (found.secrets / "loc-ninh-wan.vault.yaml").write_text("$ANSIBLE_VAULT;1.1;AES256\n61\n")
    found.known_hosts.write_text("10.0.0.1 ssh-ed25519 AAAA\n")
    (found.bundles / "tinh-uy-net-wan.json").write_text("{}")
    return found


def seal(first: Places, tmp_path: Path, *keys: str) -> tuple[Path, str]:
    out = tmp_path / "stick"
    out.mkdir()
    done = export(first, out, keys, NOW, lambda _: None)
    return done.path, done.sha256


def test_a_second_officer_recovers_it_in_a_new_checkout(first: Places, tmp_path: Path) -> None:
    mine, hers = tmp_path / "mine.age", tmp_path / "hers.age"
    file, sha256 = seal(first, tmp_path, identity(mine), identity(hers))
    sealed = file.read_bytes()
    assert b"ANSIBLE_VAULT" not in sealed
    assert file.stat().st_mode & 0o777 == 0o600
    second = places(tmp_path / "second")
    import_(file, sha256, hers, second, False, NOW)
    assert [run.sites for run in Journal(second.state / "journal.sqlite").runs()] == [("loc-ninh",)]
    assert (second.state / "runs" / "000001.tar.gz").read_bytes() == b"inventory"
    assert not (second.state / "apply.lock").exists()
    for name in ("secrets/loc-ninh-wan.vault.yaml", "known_hosts"):
        there = tmp_path / "second" / "inventory" / name
        assert there.read_bytes() == (tmp_path / "first" / "inventory" / name).read_bytes()
    assert (second.bundles / "tinh-uy-net-wan.json").exists()
    assert second.state.stat().st_mode & 0o077 == 0


def test_what_is_there_is_kept_beside_and_only_when_asked(first: Places, tmp_path: Path) -> None:
    mine = tmp_path / "mine.age"
    file, sha256 = seal(first, tmp_path, identity(mine))
    with pytest.raises(LienThongError, match="there is a state already"):
        import_(file, sha256, mine, first, False, NOW)
    (first.state / "new").write_text("later")
    import_(file, sha256, mine, first, True, NOW)
    assert not (first.state / "new").exists()
    assert (first.state.with_name("live.before-20260102T030405") / "new").read_text() == "later"


def test_another_key_another_file_and_a_damaged_one_are_refused(first: Places, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.age", tmp_path / "other.age"
    file, sha256 = seal(first, tmp_path, identity(mine))
    identity(other)
    second = places(tmp_path / "second")
    with pytest.raises(BundleRefused, match="another key"):
        import_(file, sha256, other, second, False, NOW)
    with pytest.raises(LienThongError, match="not the one you say"):
        import_(file, "0" * 64, mine, second, False, NOW)
    file.write_bytes(file.read_bytes()[:-1])
    import hashlib

    cut = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(BundleRefused):
        import_(file, cut, mine, second, False, NOW)
    assert [path for path in (tmp_path / "second").rglob("*") if path.is_file()] == []


def test_the_journal_is_copied_while_somebody_writes(first: Places, tmp_path: Path) -> None:
    mine = tmp_path / "mine.age"
    with sqlite3.connect(first.state / "journal.sqlite") as busy:
        busy.execute("pragma journal_mode=wal")
        busy.execute("insert into note values (1, 'k', 'v')")
        busy.commit()
        file, sha256 = seal(first, tmp_path, identity(mine))
    second = places(tmp_path / "second")
    import_(file, sha256, mine, second, False, NOW)
    with sqlite3.connect(second.state / "journal.sqlite") as there:
        assert there.execute("select value from note").fetchall() == [("v",)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 officer"),
        ("a {0}\n", "1 officer"),
        ("a {0}\na {1}\n", "recipients:2:1: that officer"),
        ("a {0}\nb {0}\n", "recipients:2:1: that officer"),
        ("a {0}\nb\n", "recipients:2:1: an officer's name"),
        ("a {0}\nb age1nothing\n", "recipients:2:1: an officer's name"),
    ],
)
def test_two_officers_are_needed(tmp_path: Path, text: str, says: str) -> None:
    keys = [identity(tmp_path / f"{n}.age") for n in range(2)]
    (tmp_path / "inventory").mkdir()
    (tmp_path / OFFICERS).write_text(text.format(*keys))
    with pytest.raises(LienThongError, match=says):
        officers(tmp_path)


def test_the_command_on_a_fresh_clone(tmp_path: Path) -> None:
    """Exported from one checkout of a lab's state, imported in a clone of it, by the command itself."""
    clones = [tmp_path / "one", tmp_path / "two"]
    keys = [tmp_path / "a.age", tmp_path / "b.age"]
    lines = "".join(f"officer{n} {identity(key)}\n" for n, key in enumerate(keys))
    for clone in clones:
        (clone / "inventory").mkdir(parents=True)
        (clone / "pyproject.toml").touch()
        (clone / OFFICERS).write_text(lines)
        for name in ("sites", "layers"):
            (clone / "inventory" / name).symlink_to(ROOT / "inventory" / name)
    state = clones[0] / "run" / "lab" / "default"
    state.mkdir(parents=True)
    (state / "secrets.json").write_text("{}")

    def run(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable,
            "-m",
            "lienthong.cli",
            "state",
            *words,
            "--target",
            "lab",
            "--root",
            str(clone),
        ]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LIENTHONG")}
        return subprocess.run(
            [*argv, "--bundles", str(clone / "bundles")],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    out = tmp_path / "stick"
    out.mkdir()
    done = run(clones[0], "export", "--out", str(out))
    assert done.returncode == 0, done.stderr
    sha256 = done.stdout.split("sha256 ")[1].strip()
    (file,) = out.iterdir()
    back = run(clones[1], "import", str(file), "--identity", str(keys[1]), "--sha256", sha256)
    assert back.returncode == 0, back.stderr
    assert (clones[1] / "run/lab/default/secrets.json").read_text() == "{}"
    again = run(clones[1], "import", str(file), "--identity", str(keys[1]), "--sha256", sha256)
    assert again.returncode == 2
    assert "there is a state already" in again.stderr
