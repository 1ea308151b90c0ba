"""The vault's job against sources that are hostile, and its own idea of when something is wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def job() -> ModuleType:
    """The program that is put on every vault."""
    spec = importlib.util.spec_from_file_location("job", ROOT / "templates/hosts/backup/job.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tar(*members: tuple[str, bytes, bytes, str]) -> io.BytesIO:
    """A stream with members (name, type, content, link)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w|") as archive:
        for name, kind, content, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname, info.mtime = kind, len(content), link, 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    out.seek(0)
    return out


def test_files_and_folders_are_taken_with_their_hashes(job: ModuleType, tmp_path: Path) -> None:
    stream = tar(
        (".", tarfile.DIRTYPE, b"", ""),
        ("./công văn", tarfile.DIRTYPE, b"", ""),
        ("./công văn/số 1.pdf", tarfile.REGTYPE, b"abc", ""),
    )
    taken = job.unpack(stream, tmp_path, 100)
    assert taken["hashes"] == {"công văn/số 1.pdf": hashlib.sha256(b"abc").hexdigest()}
    assert (taken["files"], taken["bytes"], taken["left_out"]) == (1, 3, [])
    file = tmp_path / "công văn" / "số 1.pdf"
    assert file.read_bytes() == b"abc"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mtime == 1_700_000_000


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", "a\nb"])
def test_a_path_that_leads_out_is_refused(job: ModuleType, tmp_path: Path, name: str) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(job.Failed, match="leads out"):
        job.unpack(tar((name, tarfile.REGTYPE, b"x", "")), into, 100)
    assert list(tmp_path.iterdir()) == [into]


def test_a_link_is_left_out_and_nothing_is_written_through_it(job: ModuleType, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    into = tmp_path / "into"
    into.mkdir()
    stream = tar(
        ("door", tarfile.SYMTYPE, b"", str(outside)),
        ("pipe", tarfile.FIFOTYPE, b"", ""),
        ("door/evil", tarfile.REGTYPE, b"x", ""),
    )
    assert job.unpack(stream, into, 100)["left_out"] == ["door", "pipe"]
    assert list(outside.iterdir()) == []


def test_a_second_file_of_one_name_is_refused(job: ModuleType, tmp_path: Path) -> None:
    twice = [("a", tarfile.REGTYPE, b"1", ""), ("a", tarfile.REGTYPE, b"2", "")]
    with pytest.raises(job.Failed, match="the stream broke"):
        job.unpack(tar(*twice), tmp_path, 100)


def test_more_than_the_limit_is_refused(job: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(job.Failed, match="more than 5 bytes"):
        job.unpack(tar(("a", tarfile.REGTYPE, b"123456", "")), tmp_path, 5)


@pytest.mark.parametrize("cut", [0, 700])
def test_a_stream_that_ends_early_is_a_failure(job: ModuleType, tmp_path: Path, cut: int) -> None:
    whole = tar(("a", tarfile.REGTYPE, b"x" * 2000, "")).getvalue()
    with pytest.raises(job.Failed, match="the stream broke"):
        job.unpack(io.BytesIO(whole[:cut]), tmp_path, 10_000)


def test_every_try_is_written_down_before_it_begins(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job, "LOGINS", tmp_path / "logins")
    seen: list[int] = []

    def once(*_: Any) -> Any:
        seen.append(len(job.LOGINS.read_text().splitlines()))
        if len(seen) == 1:
            raise job.Failed("cut")
        return {"files": 1}

    monkeypatch.setattr(job, "fetch_once", once)
    monkeypatch.setattr(job.time, "sleep", lambda _: None)
    before = job.now()
    taken = job.fetch({}, {"name": "a-srv"}, job.time.monotonic() + 60)
    assert taken["files"] == 1
    assert taken["began"] >= before, "and when it began, by which one knows what it has brought"
    assert seen == [1, 2]


def test_old_logins_are_forgotten_and_young_ones_kept(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job, "LOGINS", tmp_path / "logins")
    young = f"{job.time.time() - 60:.3f} a-srv\n"
    job.LOGINS.write_text(f"1000.000 a-srv\n{young}")
    job.forget_logins()
    assert job.LOGINS.read_text() == young


def test_a_broken_line_is_tried_again_and_a_refusal_is_not(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job, "LOGINS", tmp_path / "logins")
    monkeypatch.setattr(job.time, "sleep", lambda _: None)
    answers: list[Any] = []

    def once(*_: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(job, "fetch_once", once)
    answers[:] = [job.Broken("cut"), job.Broken("cut"), {"files": 1}]
    assert job.fetch({}, {"name": "a"}, 0.0)["files"] == 1
    answers[:] = [job.Failed("denied"), {"files": 1}]
    with pytest.raises(job.Failed, match="denied"):
        job.fetch({}, {"name": "a"}, 0.0)


def test_what_the_scanner_finds_lies_in_quarantine_and_is_not_hashed(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job, "STAGING", tmp_path / "staging")
    monkeypatch.setattr(job, "QUARANTINE", tmp_path / "quarantine")
    (job.STAGING / "a").mkdir(parents=True)
    for name in ("bad: x", "good"):
        (job.STAGING / "a" / name).write_text(name)
    where = job.STAGING.resolve()
    said = f"{where}/a/bad: x: Test.File FOUND\n{where}/a/not there: T FOUND\n".encode()
    code = 1
    monkeypatch.setattr(
        job.subprocess,
        "run",
        lambda *_, **__: type("Done", (), {"returncode": code, "stdout": said, "stderr": b""}),
    )
    hashes = {"a/bad: x": "d1", "a/good": "d2"}
    sources: dict[str, Any] = {"a": {"files": 2}}
    found = job.scan({"scan": {"signatures": "/s"}}, sources, hashes)
    assert found == ["'a/bad: x' Test.File d1"]
    assert hashes == {"a/good": "d2"}
    assert sources["a"] == {"files": 1, "quarantined": 1}
    assert (job.QUARANTINE / "d1").read_text() == "bad: x"
    assert not (job.STAGING / "a" / "bad: x").exists()
    code = 2
    with pytest.raises(job.Failed, match="clamscan ended with 2"):
        job.scan({"scan": {"signatures": "/s"}}, sources, hashes)
