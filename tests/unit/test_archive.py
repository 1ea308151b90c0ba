"""An archive's programs on real files: what is taken in, what a crash leaves, what is found and copied."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks import test_archive
from lienthong.hosts.deploying import render
from lienthong.plan.build import build
from tests.whole import loaded, whole

ARCHIVE = Path(__file__).parents[2] / "templates" / "hosts" / "archive"
MODULES = (
    "places",
    "ledger",
    "judge",
    "intake",
    "store",
    "verify",
    "replica",
    "work",
    "serve",
    "pull",
    "main",
)
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50 + b"IEND\xaeB\x60\x82"


class Archive:
    """An archive below a folder of the test; `convert` stands for the worker's unit."""

    def __init__(self, modules: Any, base: Path) -> None:
        self.modules, self.base = modules, base
        for name in ("store", "new", "spool", "state", "drop/scan-one/new"):
            (base / name).mkdir(parents=True)
        self.outcome: Callable[[Path], Any] = self.good
        self.converted: list[str] = []
        self.start()

    def start(self) -> None:
        """As after a restart: everything is read from the disk again."""
        ledger = self.modules.ledger.Ledger(self.base / "state" / "ledger.jsonl")
        self.store = self.modules.store.Store(self.base, ledger)
        conf = {"max_mb": 1, "minutes": 7}
        self.work = self.modules.work.Work(conf, self.store, self.convert)
        self.work.settled.quiet_s = 0
        self.store.mend()

    def convert(self, job: Path) -> Any:
        self.converted.append(job.name)
        (job / "out").mkdir(exist_ok=True)
        return self.outcome(job)

    def good(self, job: Path) -> Any:
        """Never the same bytes twice, as ocrmypdf makes them."""
        content = b"%PDF-1.7 " + (job / "scan").read_bytes() + os.urandom(8)
        (job / "out" / "document.pdf").write_bytes(content)
        return self.modules.work.Outcome("success", {"exit": 0, "pages": 1, "words": 9})

    def put(self, name: str, content: bytes = PNG, scanner: str = "scan-one") -> Path:
        path = self.base / "drop" / scanner / "new" / name
        path.write_bytes(content)
        return path

    def step(self) -> int:
        return int(self.work.step(self.base / "drop", os.getgid(), set()))

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(self.store.ledger.read().entries)

    @property
    def kinds(self) -> list[str]:
        return [entry["kind"] for entry in self.entries]

    def verify(self) -> list[str]:
        ledger = self.modules.ledger.Ledger(self.base / "state" / "ledger.jsonl")
        return list(self.modules.verify.verify(self.base / "store", ledger)[0])

    def left(self) -> list[str]:
        """Whatever is neither archived nor the ledger's."""
        folders = ("drop", "spool", "new")
        return [str(p) for f in folders for p in (self.base / f).rglob("*") if p.is_file()]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ARCHIVE))
    monkeypatch.syspath_prepend(str(ARCHIVE / "lib"))
    for name in MODULES:
        sys.modules.pop(name, None)
    found = SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    found.said = []
    for module in (found.ledger, found.work, found.replica, found.main):
        monkeypatch.setattr(module, "log", lambda text, **_: found.said.append(text))
    monkeypatch.setattr(found.replica, "REPLICA", tmp_path / "replica")
    monkeypatch.setattr(found.replica, "INCOMING", tmp_path / "incoming")
    monkeypatch.setattr(found.replica, "STATUS", tmp_path / "replicas.json")
    (tmp_path / "replica").mkdir()
    (tmp_path / "incoming").mkdir()
    umask = os.umask(0o022)  # programs set their own
    yield found
    os.umask(umask)
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def archive(modules: Any, tmp_path: Path) -> Archive:
    return Archive(modules, tmp_path / "archive")


# --- what is taken


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.4\n...\n%%EOF\n", "pdf"),
        (b"\n%PDF-1.4\n...\n%%EOF", "pdf"),
        (b"II*\0....", "tif"),
        (b"MM\0*....", "tif"),
        (b"\xff\xd8\xff\xe0....\xff\xd9\0\0", "jpg"),
        (PNG, "png"),
    ],
)
def test_a_scan_is_known_by_its_ends(modules: Any, content: bytes, kind: str) -> None:
    assert modules.judge.kind_of(content[:2048], content[-2048:]) == kind


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.4\n....", "sent whole"),
        (b"\xff\xd8\xff\xe0....", "sent whole"),
        (PNG[:-6], "sent whole"),
        (b"MZ\x90\0", "no PDF"),
        (b"#!/bin/sh\n", "no PDF"),
    ],
)
def test_what_is_no_scan_is_refused(modules: Any, content: bytes, reason: str) -> None:
    with pytest.raises(modules.judge.Refused, match=reason):
        modules.judge.kind_of(content, content)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Công văn số 12.pdf", "Công_văn_số_12"),
        ("../../etc/passwd", "etc_passwd"),
        (".hidden", "hidden"),
        ("a\nb\x1b[31m.tif", "a_b_31m"),
        ("....", "scan"),
        ("\udcff\udcfe.png", "scan"),
        ("ố" * 60 + ".png", "ố" * 26),
    ],
)
def test_a_name_in_the_store_is_plain(modules: Any, name: str, clean: str) -> None:
    assert modules.judge.clean(name) == clean


def test_only_what_has_come_whole_is_taken(modules: Any, archive: Archive) -> None:
    at = [0.0]
    settled = modules.intake.Settled(4, lambda: at[0])
    archive.put("a.png")

    def ready(*held: tuple[int, int]) -> list[str]:
        there = list(modules.intake.found(archive.base / "drop"))
        return [one.path.name for one in settled.ready(there, set(held))]

    assert ready() == []
    at[0] = 3
    archive.put("a.png", PNG * 2)  # it goes on
    assert ready() == []
    at[0] = 6
    assert ready() == []
    at[0] = 7
    held = next(modules.intake.found(archive.base / "drop")).inode
    assert ready(held) == []
    assert ready() == []
    at[0] = 11
    assert ready() == ["a.png"]


def test_an_upload_that_pauses_is_seen_as_open(modules: Any, archive: Archive) -> None:
    path = archive.put("a.png")
    inode = next(modules.intake.found(archive.base / "drop")).inode
    mine = SimpleNamespace(iterdir=lambda: [Path(f"/proc/{os.getpid()}"), Path("/proc/self/fdinfo")])
    with path.open("ab"):
        assert inode in modules.intake.open_files({os.getuid()}, mine)
        assert inode not in modules.intake.open_files({os.getuid() + 1}, mine)
    assert inode not in modules.intake.open_files({os.getuid()}, mine)


def test_where_open_files_cannot_be_seen_nothing_is_whole(modules: Any, tmp_path: Path) -> None:
    class Closed:
        name = "12"

        def __truediv__(self, name: str) -> Path:
            if name == "fd":
                raise PermissionError(13, "Permission denied")
            return tmp_path / name

    # Whose it is stands here; of a process like sshd's the folder itself belongs to root.
    (tmp_path / "status").write_text("Name:\tsshd\nUid:\t7\t7\t7\t7\n")
    proc = SimpleNamespace(iterdir=lambda: [Closed()])
    assert modules.intake.open_files({8}, proc) == set()
    with pytest.raises(modules.places.Failed, match="cannot be seen"):
        modules.intake.open_files({7}, proc)


def test_links_folders_and_pipes_of_a_scanner_are_left_alone(modules: Any, archive: Archive) -> None:
    folder = archive.base / "drop/scan-one/new"
    (folder / "link.png").symlink_to("/etc/passwd")
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    (archive.base / "drop/scan-two").mkdir()
    (archive.base / "elsewhere").mkdir()
    (archive.base / "elsewhere/not-sent.png").write_bytes(PNG)
    (archive.base / "drop/scan-two/new").symlink_to(archive.base / "elsewhere")
    archive.put("good.png")
    assert [one.path.name for one in modules.intake.found(archive.base / "drop")] == ["good.png"]
    assert archive.step() == 1
    assert [entry["name"] for entry in archive.entries] == ["good.png"]


# --- what is written down


def test_a_scan_becomes_a_document_with_its_hash(archive: Archive) -> None:
    archive.put("Công văn số 1.png")
    assert archive.step() == 1
    (entry,) = archive.entries
    assert (entry["scanner"], entry["name"], entry["words"]) == ("scan-one", "Công văn số 1.png", 9)
    assert entry["document"]["path"].startswith("documents/20") and entry["scan"]["path"].endswith(".png")
    assert (archive.base / "store" / entry["scan"]["path"]).read_bytes() == PNG
    assert (archive.base / "store" / entry["document"]["path"]).stat().st_mode & 0o777 == 0o440
    assert (archive.left(), archive.verify()) == ([], [])


def test_the_same_scan_is_archived_once_under_all_its_names(archive: Archive) -> None:
    archive.put("a.png")
    archive.put("b.png")
    assert archive.step() == 1
    archive.put("a.png")
    archive.put("c.png")
    archive.step()
    assert archive.kinds == ["document", "again", "again"]
    assert archive.store.ledger.known.names.popitem()[1] == {("scan-one", f"{x}.png") for x in "abc"}
    assert (len(archive.converted), archive.left(), archive.verify()) == (1, [], [])


@pytest.mark.parametrize(
    ("result", "said", "reason"),
    [
        ("timeout", {}, "longer than 7 minutes"),
        ("success", {"exit": 8, "said": "EncryptedPdfError"}, "encrypted or locked (EncryptedPdfError)"),
        ("success", {"exit": 2, "said": "a\x1b[31m"}, "can be read"),
        ("success", {"exit": 15}, "ocrmypdf ended with 15"),
    ],
)
def test_a_bad_scan_is_kept_with_its_reason(archive: Archive, result: str, said: Any, reason: str) -> None:
    archive.outcome = lambda _: archive.modules.work.Outcome(result, said)
    archive.put("bad.png")
    archive.step()
    (entry,) = archive.entries
    assert entry["kind"] == "rejected" and reason in entry["reason"] and "\x1b" not in entry["reason"]
    assert (archive.base / "store" / entry["scan"]["path"]).read_bytes() == PNG
    assert (archive.left(), archive.verify()) == ([], [])


def test_no_scan_and_too_large_a_one_never_reach_the_worker(archive: Archive) -> None:
    archive.put("a.exe", b"MZ" * 100)
    archive.put("big.pdf", b"%PDF-1.4" + b" " * (1 << 20) + b"%%EOF")
    archive.step()
    assert sorted(entry["reason"] for entry in archive.entries) == [
        "it is larger than 1 MB", "it is no PDF, TIFF, JPEG or PNG"
    ]  # fmt: skip
    assert archive.converted == []


def test_what_the_worker_left_must_be_a_file(archive: Archive) -> None:
    def link(job: Path) -> Any:
        (job / "out" / "document.pdf").symlink_to("/etc/passwd")
        return archive.modules.work.Outcome("success", {"exit": 0, "pages": "many", "words": -1})

    archive.outcome = link
    archive.put("a.png")
    archive.step()
    assert archive.kinds == ["rejected"]
    assert "cannot be taken" in archive.entries[0]["reason"]


def test_a_killed_worker_is_tried_three_times(archive: Archive) -> None:
    archive.outcome = lambda _: archive.modules.work.Outcome("oom-kill", {})
    archive.put("a.png")
    assert [archive.step() for _ in range(3)] == [0, 0, 1]
    assert archive.kinds == ["rejected"] and "memory" in archive.entries[0]["reason"]


@pytest.mark.parametrize(
    ("result", "said"), [("success", {"exit": 3, "said": "no tesseract"}), ("not started", {})]
)
def test_a_fault_of_the_system_rejects_nothing_and_holds_nothing_up(
    archive: Archive, result: str, said: Any
) -> None:
    archive.put("a.png")
    archive.put("b.png", PNG.replace(b"x", b"y"))
    first: list[str] = []

    def once(job: Path) -> Any:
        first.append(job.name)
        return archive.modules.work.Outcome(result, said) if job.name == first[0] else archive.good(job)

    archive.outcome = once
    with pytest.raises(archive.modules.places.Failed, match="the worker does not run"):
        archive.step()
    assert archive.kinds == ["document"]
    archive.outcome = archive.good
    assert (archive.step(), archive.kinds) == (1, ["document", "document"])


@pytest.mark.parametrize("said", [{}, {"exit": "0"}, {"exit": None}])
def test_a_worker_that_says_nothing_is_not_tried_for_ever(archive: Archive, said: Any) -> None:
    """One that a scan has taken over may leave anything."""
    archive.outcome = lambda _: archive.modules.work.Outcome("success", said)
    archive.put("a.png")
    assert [archive.step() for _ in range(3)] == [0, 0, 1]
    assert "3 times without a word" in archive.entries[0]["reason"]


SYSTEMCTL = """#!/bin/sh
case "$1" in
  start) [ "$RESULT" = success ] || { echo "Job failed" >&2; exit 1; };;
  show) [ "$RESULT" = canceled ] && echo success || echo "$RESULT";;
esac
"""


@pytest.mark.parametrize(
    ("result", "told"),
    [("success", "success"), ("oom-kill", "oom-kill"), ("timeout", "timeout"), ("canceled", "not started")],
)
def test_how_a_unit_ended_is_read_before_it_is_forgotten(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, result: str, told: str
) -> None:
    """A unit that is not known any more says `success` of itself."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RESULT", result)
    monkeypatch.setattr(archive.modules.work.shutil, "chown", lambda *_: None)
    job = archive.base / "spool" / "job"
    job.mkdir()
    assert archive.modules.work.convert(job).result == told
    template = (ARCHIVE / "lienthong-ocr@.service.j2").read_text()
    assert "CollectMode" not in template, "a failed unit must be kept until it is asked"


def test_what_ends_with_us_is_done_later(archive: Archive) -> None:
    def stop(_: Path) -> Any:
        archive.work.stopping = True
        return archive.modules.work.Outcome("not started", {})

    archive.outcome = stop
    archive.put("a.png")
    assert (archive.step(), archive.kinds) == (0, [])
    archive.outcome = archive.good
    archive.start()
    assert (archive.step(), archive.kinds, archive.left()) == (1, ["document"], [])


def test_a_rejected_scan_is_tried_again_or_dismissed(archive: Archive) -> None:
    archive.outcome = lambda _: archive.modules.work.Outcome("timeout", {})
    archive.put("a.png")
    archive.put("b.png", PNG.replace(b"x", b"y"))
    archive.step()
    one, two = archive.store.ledger.known.rejected
    archive.store.dismiss(two, "blank")
    assert list(archive.store.ledger.known.rejected) == [one]
    with pytest.raises(archive.modules.places.Failed, match="0 rejected"):
        archive.store.dismiss(two[:20], "again")
    archive.outcome = archive.good
    archive.store.retry(one[:12], archive.base / "spool", os.getgid())
    assert archive.step() == 1
    assert archive.kinds == ["rejected", "rejected", "dismissed", "retry", "document"]
    assert archive.entries[-1]["name"] in {"a.png", "b.png"}
    assert (archive.left(), archive.verify()) == ([], [])


# --- crashes


class Killed(BaseException):
    """The power went."""


CALLS = ("fsync", "link", "chown", "rename", "replace", "unlink", "rmtree")


def killed_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[], int]:
    """Die before the n-th call that changes something on the disk; gives how many there were."""
    count = [0]

    def wrap(function: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == number:
                raise Killed
            return function(*args, **options)

        return call

    for module, name in (
        (os, "fsync"), (os, "link"), (os, "chown"), (Path, "rename"), (Path, "replace"), (Path, "unlink"),
        (Path, "mkdir"), (Path, "chmod"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, wrap(getattr(module, name)))
    return lambda: count[0]


def test_killed_anywhere_nothing_is_lost_and_nothing_done_twice(modules: Any, tmp_path: Path) -> None:
    calls = 0
    for number in range(1, 200):
        archive = Archive(modules, tmp_path / str(number))
        archive.put("a.png")
        archive.put("again.png")
        archive.put("b.png", PNG.replace(b"x", b"y"))
        archive.put("no.exe", b"MZ")
        with pytest.MonkeyPatch.context() as patch:
            counted = killed_at(patch, number)
            try:
                archive.step()
                calls = counted()
            except Killed:
                pass
        archive.start()
        for _ in range(2):
            archive.step()
        assert sorted(archive.kinds) == ["again", "document", "document", "rejected"], number
        assert {entry["name"] for entry in archive.entries} == {"a.png", "again.png", "b.png", "no.exe"}, (
            number
        )
        assert (archive.left(), archive.verify()) == ([], []), number
        if calls:
            break
    assert calls > 40, "it died at none of the calls"


def test_a_line_that_was_never_finished_is_written_anew(archive: Archive) -> None:
    archive.put("a.png")
    archive.step()
    path = archive.store.ledger.path
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    archive.start()
    archive.put("b.png", PNG.replace(b"x", b"y"))
    archive.step()
    assert path.read_bytes().startswith(whole)
    assert (archive.kinds, archive.verify()) == (["document", "document"], [])


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [lines[0].replace("a.png", "x.png"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [*lines, "{}"],
        lambda lines: [*lines, "no json"],
    ],
    ids=["changed", "first gone", "order", "one gone", "empty", "garbage"],
)
def test_an_altered_ledger_is_refused(archive: Archive, harm: Any) -> None:
    for name in "abc":
        archive.put(f"{name}.png", PNG.replace(b"x", name.encode()))
        archive.step()
    path = archive.store.ledger.path
    path.write_text("\n".join(harm(path.read_text().splitlines())) + "\n")
    with pytest.raises(archive.modules.places.Failed, match="does not follow"):
        archive.verify()


# --- what is found


def test_a_changed_missing_or_extra_file_is_found_by_its_name(archive: Archive) -> None:
    for name in "abc":
        archive.put(f"{name}.png", PNG.replace(b"x", name.encode()))
        archive.step()
    a, b, c = archive.entries
    store = archive.base / "store"
    document = store / a["document"]["path"]
    content = bytearray(document.read_bytes())
    content[len(content) // 2] ^= 1
    document.chmod(0o640)
    document.write_bytes(content)
    (store / b["scan"]["path"]).unlink()
    (store / "documents/extra.pdf").write_bytes(b"%PDF-")
    (store / c["scan"]["path"]).unlink()
    (store / c["scan"]["path"]).symlink_to(store / c["document"]["path"])
    assert archive.verify() == [
        f"changed: {a['document']['path']}",
        "extra: documents/extra.pdf",
        *(f"missing: {path}" for path in sorted((b["scan"]["path"], c["scan"]["path"]))),
    ]


def test_what_is_past_help_is_written_down_and_not_looked_for(archive: Archive) -> None:
    archive.put("a.png")
    archive.step()
    with pytest.raises(archive.modules.places.Failed, match="nothing"):
        archive.store.lost("no reason")
    paths = [archive.entries[0][which]["path"] for which in ("document", "scan")]
    (archive.base / "store" / paths[0]).unlink()
    (archive.base / "store" / paths[1]).chmod(0o640)
    (archive.base / "store" / paths[1]).write_bytes(b"spoilt")
    assert archive.store.lost("flood") == sorted(paths)
    assert archive.entries[-1]["kind"] == "lost" and archive.entries[-1]["paths"] == sorted(paths)
    assert archive.verify() == []
    (aside,) = (archive.base / "aside").iterdir()
    assert aside.read_bytes() == b"spoilt"


def test_one_altered_byte_anywhere_is_found(archive: Archive) -> None:
    archive.put("a.png")
    archive.step()
    for which in ("document", "scan"):
        path = archive.base / "store" / archive.entries[0][which]["path"]
        whole = path.read_bytes()
        path.chmod(0o640)
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
            assert archive.verify() == [f"changed: {archive.entries[0][which]['path']}"], at
        path.write_bytes(whole)
    assert archive.verify() == []


def test_what_an_officer_is_told(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = archive.modules.main
    monkeypatch.setattr(main, "BASE", archive.base)
    monkeypatch.setattr(main, "STATE", archive.base / "state")
    monkeypatch.setattr(main, "DROP", archive.base / "drop")

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        code = main.main(list(words))
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    archive.put("Công văn số 1.png")
    archive.put("no.exe", b"MZ")
    assert asked("status")[1]["waiting"] == 2
    archive.step()
    code, told = asked("status")
    assert (code, told["documents"], told["words"], told["waiting"], told["rejected"]) == (0, 1, 9, 0, 1)
    assert told["waiting_since"] is None
    assert [one["name"] for one in asked("find", "CÔNG VĂN")[1]["found"]] == ["Công văn số 1.png"]
    assert asked("find", "elsewhere") == (1, {"found": []})
    assert asked("verify")[0] == 0
    (rejected,) = asked("rejected")[1]["rejected"]
    assert asked("dismiss", rejected["sha256"], "no scan") == (0, {"ok": True})
    assert asked("dismiss", rejected["sha256"], "no scan")[0] == 1
    document = next(entry["document"] for entry in archive.entries if entry["kind"] == "document")
    (archive.base / "store" / document["path"]).unlink()
    code, told = asked("verify")
    assert (code, told["findings"]) == (1, [f"missing: {document['path']}"])
    assert asked("status")[1]["verify"]["count"] == 1
    assert asked("lost", "flood") == (0, {"paths": [document["path"]]})
    assert asked("verify")[0] == 0
    assert main.main(["reads", "minds"]) == 2


# --- copies


class Copied:
    """A province that copies the archive; `serve` runs as a program of its own, as sshd starts it."""

    def __init__(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        self.archive, self.modules = archive, archive.modules
        self.source = {"name": "one", "address": "192.0.2.1"}
        self.conf = {"sources": [self.source]}
        self.home = self.modules.replica.REPLICA / "one"
        monkeypatch.setattr(self.modules.pull, "command", self.command)
        monkeypatch.setattr(self.modules.pull, "conf", lambda: self.conf)
        monkeypatch.setattr(self.modules.pull, "STATE", self.modules.replica.STATUS.parent)
        monkeypatch.setattr(sys, "argv", ["pull", "--compare"])

    def command(self, _: Any, words: str) -> list[str]:
        lines = [
            "import os, sys, pathlib",
            f"sys.path[:0] = [{str(ARCHIVE)!r}, {str(ARCHIVE / 'lib')!r}]",
            "import serve",
            f"base = pathlib.Path({str(self.archive.base)!r})",
            "serve.STORE, serve.LEDGER = base / 'store', base / 'state' / 'ledger.jsonl'",
            f"os.environ['SSH_ORIGINAL_COMMAND'] = {words!r}",
            "sys.exit(serve.main())",
        ]
        return [sys.executable, "-c", "\n".join(lines)]

    def pull(self) -> dict[str, Any]:
        """Fetch and take over; the status."""
        self.modules.pull.main()
        self.modules.replica.replicate(self.conf)
        return dict(json.loads(self.modules.replica.STATUS.read_text())["one"])

    def verify(self) -> list[str]:
        ledger = self.modules.ledger.Ledger(self.home / "ledger.jsonl")
        return list(self.modules.verify.verify(self.home / "store", ledger)[0])


@pytest.fixture
def copied(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Copied:
    for name in "ab":
        archive.put(f"{name}.png", PNG.replace(b"x", name.encode()))
        archive.step()
    return Copied(archive, monkeypatch)


def tree(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_a_copy_has_every_file_and_line_and_goes_on_where_it_was(copied: Copied) -> None:
    first = copied.pull()
    assert (first["error"], first["findings"], first["seq"], first["files"]) == ("", [], 2, 4)
    assert tree(copied.home / "store") == tree(copied.archive.base / "store")
    copied.archive.put("no.exe", b"MZ")
    copied.archive.step()
    second = copied.pull()
    assert (second["findings"], second["seq"], second["files"]) == ([], 3, 5)
    assert second["head"] == copied.archive.store.ledger.known.head
    assert tree(copied.home / "store") == tree(copied.archive.base / "store")
    assert copied.verify() == []


def test_a_source_that_changed_lost_or_added_a_file_is_found(copied: Copied) -> None:
    copied.pull()
    a, b = copied.archive.entries
    store = copied.archive.base / "store"
    for entry in (a, b):
        (store / entry["document"]["path"]).chmod(0o640)
    (store / a["document"]["path"]).write_bytes(b"%PDF-other")
    (store / b["document"]["path"]).unlink()
    (store / "documents/extra.pdf").write_bytes(b"x")
    assert copied.pull()["findings"] == [
        f"changed at the source: {a['document']['path']}",
        "extra at the source: documents/extra.pdf",
        f"missing at the source: {b['document']['path']}",
    ]
    assert copied.verify() == [], "the copy has it still"


def test_what_changed_before_it_was_copied_is_not_taken(copied: Copied) -> None:
    a = copied.archive.entries[0]
    path = copied.archive.base / "store" / a["document"]["path"]
    path.chmod(0o640)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    status = copied.pull()
    assert status["findings"] == [f"changed at the source: {a['document']['path']}"]
    assert (status["files"], status["last_success"]) == (3, "")
    assert not (copied.home / "store" / a["document"]["path"]).exists()


def rewritten(archive: Archive, change: Callable[[dict[str, Any]], Any]) -> None:
    """By root at the source: the chain is made anew and is sound in itself."""
    known = archive.modules.ledger.Known()
    lines = []
    for old in archive.entries:
        entry = {**old, "previous": known.head}
        change(entry)
        entry["hash"] = archive.modules.ledger.digest(entry)
        known.entries.append(entry)
        lines.append(json.dumps(entry, sort_keys=True) + "\n")
    archive.store.ledger.path.write_text("".join(lines))


def test_a_ledger_that_was_rewritten_is_refused(copied: Copied) -> None:
    before = copied.pull()
    rewritten(copied.archive, lambda entry: entry.update(name="other.png"))
    path = copied.archive.base / "state" / "ledger.jsonl"
    copied.archive.start()
    copied.archive.put("c.png", PNG.replace(b"x", b"c"))
    copied.archive.step()
    assert len(path.read_text().splitlines()) == 3
    status = copied.pull()
    assert status["findings"][0] == "its ledger does not continue ours at line 3: was it rewritten?"
    assert (status["seq"], status["head"]) == (2, before["head"])
    assert copied.verify() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry["scan"].update(path="../../../etc/cron.d/x"),
        lambda entry: entry["scan"].update(path="/etc/x"),
        lambda entry: entry["scan"].update(path="documents/a\nb"),
        lambda entry: entry["scan"].update(size="9"),
        lambda entry: entry["scan"].update(sha256="../x"),
        lambda entry: entry.pop("document"),
        lambda entry: entry.update(kind="other"),
        lambda entry: entry.update(kind="retry", of="x"),
        lambda entry: entry.update(seq=9),
    ],
)
def test_lines_of_a_hostile_source_are_refused(copied: Copied, change: Any) -> None:
    rewritten(copied.archive, change)
    status = copied.pull()
    assert "does not continue ours at line 1" in status["findings"][0]
    assert status["seq"] == 0
    assert not (copied.home / "ledger.jsonl").exists() or not (copied.home / "ledger.jsonl").read_text()


def test_a_source_that_cannot_be_reached_is_told(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    good = copied.pull()
    script = ["sh", "-c", "echo 'Connection refused' >&2; exit 255"]
    monkeypatch.setattr(copied.modules.pull, "command", lambda *_: script)
    status = copied.pull()
    assert status["error"] == "ended with 255: Connection refused"
    assert status["last_success"] == good["last_success"]


def test_only_files_that_were_asked_for_come_in(modules: Any, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w|") as archive:
        for name, kind, content in (
            ("1-scan", tarfile.REGTYPE, b"fine"),
            ("1-scan", tarfile.REGTYPE, b"twice"),
            ("../2-scan", tarfile.REGTYPE, b"out"),
            ("3-scan", tarfile.SYMTYPE, b""),
            ("4-scan", tarfile.REGTYPE, b"too long"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    out.seek(0)
    modules.pull.unpack(out, {"1-scan": 4, "2-scan": 3, "3-scan": 3, "4-scan": 3}, tmp_path / "incoming")
    assert tree(tmp_path / "incoming") == {"1-scan": b"fine", "4-scan": b"too "}


@pytest.mark.parametrize("words", ["", "ledger", "ledger -1", "ledger 1 2", "files x", "sh", "hashes; id"])
def test_the_forced_command_does_three_things_only(copied: Copied, words: str) -> None:
    done = subprocess.run(
        copied.command(None, words), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "refused\n")


def test_what_sshd_holds_scanners_to_is_not_cut_off() -> None:
    """Its SFTP server gets nine words of a forced command (OpenSSH 9.2, session.c, ARGV_MAX), no more."""
    text = render(
        "archive/sshd.conf.j2",
        scanners=["scan-one", "scan-two"], networks=["192.0.2.0/24"], reader="reader", pullers=["192.0.2.9"],
    )  # fmt: skip
    (forced,) = re.findall(r"^  ForceCommand (.*)$", text, re.MULTILINE)
    words = forced.split()
    assert words[0] == "internal-sftp" and len(words) <= 9
    (allowed,) = [word[2:].split(",") for word in words if word.startswith("-p")]
    assert not {"read", "remove", "mkdir", "symlink", "hardlink", "copy-data"} & set(allowed)
    assert "  AllowUsers scan-one@192.0.2.0/24 scan-two@192.0.2.0/24 \n" in text
    assert "  AllowUsers reader@192.0.2.9 \n" in text
    nowhere = render("archive/sshd.conf.j2", scanners=["scan-one"], networks=[], reader="reader", pullers=[])
    assert "AllowUsers" not in nowhere and "  DenyUsers *\n" in nowhere


class OfficeArchive:
    """What the check of copies asks of the office's archive, as Testinfra gives it."""

    def __init__(self, replicas: dict[str, Any], timer: str = "active\nenabled\n") -> None:
        self.replicas, self.timer = replicas, timer

    def run(self, script: str) -> Any:
        told = self.timer if "timer" in script else json.dumps({"replicas": self.replicas}) + "\n"
        return SimpleNamespace(rc=0, stdout=told, stderr="")


def copy_of(**changes: Any) -> dict[str, Any]:
    good = {"files": 4, "seq": 2, "head": "a", "findings": [], "error": "", "last_success": ago(1)}
    return {"loc-ninh-arc": {**good, **changes}}


def ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("host", "says"),
    [
        (OfficeArchive(copy_of()), ""),
        (
            OfficeArchive(copy_of(findings=["changed at the source: x"])),
            "loc-ninh-arc: changed at the source",
        ),
        (OfficeArchive(copy_of(last_success=ago(30), error="no route")), "old: no route"),
        (OfficeArchive(copy_of(last_success="", error="refused")), "never copied: refused"),
        (OfficeArchive({}), "never copied: nobody tried yet"),
        (OfficeArchive(copy_of(), "inactive\nenabled\n"), "the timer is"),
    ],
)
def test_the_check_of_copies_tells_what_is_wrong(host: OfficeArchive, says: str) -> None:
    plan = build(loaded(whole()))
    access = SimpleNamespace(reaches=lambda _: True)

    def check() -> None:
        test_archive.test_copies_are_young_and_whole(
            plan.nodes["tinh-uy-arc"], plan, access, host, lambda _: None
        )

    if says:
        with pytest.raises(AssertionError, match=says):
            check()
    else:
        check()
