"""The verb on a terminal and for programs: exit codes, hostile names, what it says of the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lienthong.bundle import manifest
from tests.bundling import WAY, Sides, made_keys


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


def run(sides: Sides, *words: str, side: str | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    more = {"LIENTHONG_ROOT": str(sides.root)} | ({"LIENTHONG_SIDE": side} if side else {})
    done = subprocess.run(
        [sys.executable, "-m", "lienthong.cli", "bundle", *words],
        env=kept | more,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr and "should not have happened" not in done.stderr, done.stderr
    return done


def export(sides: Sides, *words: str, side: str | None = "net") -> subprocess.CompletedProcess[str]:
    return run(
        sides,
        *("export", str(sides.source), "--stream", str(WAY), "--content", "documents"),
        *("--key", str(made_keys() / "net"), "--state", str(sides.out_state), *words),
        side=side,
    )


def take(sides: Sides, path: Path, *words: str, verb: str = "import") -> subprocess.CompletedProcess[str]:
    into = ("--into", str(sides.into)) if verb == "import" else ()
    identity = str(made_keys() / "wan.age")
    state = ("--identity", identity, "--state", str(sides.in_state))
    return run(sides, verb, str(path), *into, *state, *words, side="wan")


def test_from_a_folder_over_a_stick_to_a_folder(sides: Sides) -> None:
    (stick := sides.base / "stick").mkdir()
    made = export(sides, "--out", str(stick))
    assert made.returncode == 0, made.stderr
    bundle = stick / "tinh-uy-net-wan-1.ltb"
    assert [one.name for one in stick.iterdir()] == [bundle.name]
    assert bundle.read_bytes() == (sides.out_state / "outbox" / bundle.name).read_bytes()
    looked = take(sides, bundle, verb="verify")
    assert looked.returncode == 0 and "would be taken; 2 files of 10 bytes" in looked.stdout
    done = take(sides, bundle)
    assert done.returncode == 0 and "tinh-uy-net-wan-1, 2 files of 10 bytes, every hash right" in done.stdout
    if not Path("/dev/log").exists():
        assert "NOT logged" in made.stdout and "NOT logged" in done.stdout
    again = take(sides, bundle)
    assert again.returncode == 2 and "replayed: number 1 was imported before" in again.stderr
    heads = [
        json.loads(run(sides, "heads", "--state", str(one), "--json").stdout)
        for one in (sides.out_state, sides.in_state)
    ]
    assert [one[0]["role"] for one in heads] == ["export", "import"]
    assert heads[0][0]["head"] == heads[1][0]["head"]
    plain = run(sides, "heads", "--state", str(sides.in_state)).stdout
    assert f"import  tinh-uy/net-wan  1:{heads[0][0]['head']}" in plain


def test_json(sides: Sides) -> None:
    made = json.loads(export(sides, "--json").stdout)
    path = Path(made["kept"])
    assert made["file"] == str(path) and made["sequence"] == 1 and made["files"] == 2
    looked = json.loads(take(sides, path, "--json", verb="verify").stdout)
    assert looked["taken"] and [one["path"] for one in looked["entries"]] == ["công văn/số 1.txt", "rỗng"]
    done = json.loads(take(sides, path, "--json").stdout)
    assert done["taken"] and done["head"] == made["head"] == looked["head"]
    for verb in ("import", "verify"):
        refused = take(sides, path, "--json", verb=verb)
        told = json.loads(refused.stdout)
        assert refused.returncode == 2 and (told["taken"], told["reason"]) == (False, "replayed")


def test_refusals_of_an_export(sides: Sides) -> None:
    for words, side, said in (
        ((), "wan", "this controller is of side wan, and side net does the export"),
        (
            ("--stream", "tinh-uy/wan-net"),
            "wan",
            "documents go from the Internet side to the closed side only",
        ),
        (("--stream", "nowhere/net-wan"), "net", "no site 'nowhere'"),
        (("--stream", "x"), "net", "is no stream"),
        (("--key", "/nowhere"), "net", "the signing key /nowhere: No such file"),
        (("--out", "/nowhere"), "net", "mount the stick first"),
        (("--after", "1"), "net", "no place in a chain"),
        (("--days", "0"), "net", "--days"),
        (("--content", "x"), "net", "--content"),
        (("--state", "/proc/x"), "net", "say --state FOLDER"),
    ):
        done = export(sides, *words, side=side)
        assert done.returncode == 2 and said in done.stderr, (said, done.stderr)


def test_hostile_names_are_shown_harmless(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "0" * 64 + " 1 0 \x1b[2J\u202egpj\x07\n"
    plain = len(listed.encode()).to_bytes(8, "big") + listed.encode() + b"x"
    monkeypatch.setattr(manifest, "contents", lambda *_: iter([plain]))
    path = sides.export(now=datetime.now(UTC)).path
    evil = path.with_name("\x1b]0;x\x07\u202e.ltb")
    path.rename(evil)
    for verb in ("verify", "import"):
        for words in ((), ("--json",)):
            done = take(sides, evil, *words, verb=verb)
            assert done.returncode == 2 and "bad-content" in done.stdout + done.stderr
            assert not set(done.stdout + done.stderr) & set("\x1b\x07\u202e")
    away = take(sides, evil.with_name("gone\x1b[2J.ltb"))
    assert away.returncode == 2 and "\x1b" not in away.stderr


def test_no_program_no_traceback(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(sides.base))
    done = export(sides)
    assert done.returncode == 3 and "apt-get install age" in done.stderr
    assert not (sides.out_state / "outbox" / "tinh-uy-net-wan-1.ltb").exists()


def test_no_key_is_said_or_passed(sides: Sides) -> None:
    secret = next(
        line for line in (made_keys() / "wan.age").read_text().splitlines() if line.startswith("AGE-SECRET")
    )
    path = sides.export(now=datetime.now(UTC)).path
    for words in ((), ("--json",)):
        done = take(sides, path, *words, verb="verify")
        assert done.returncode == 0
        assert secret[:20] not in done.stdout + done.stderr
