"""Soon after a document appears: what the fetch key may say, what a source tells, when a fetch is due."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from checks.test_backup import Login, tries_of, unexplained, waits
from lienthong.hosts.deploying import render

BACKUP = Path(__file__).parents[2] / "templates" / "hosts" / "backup"
NOW = 1_700_000_000.0


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"backup_{name}", BACKUP / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def watch() -> ModuleType:
    """The program of the vault."""
    return loaded("watch")


@pytest.fixture(scope="module")
def appeared() -> ModuleType:
    """The program of the source."""
    return loaded("appeared")


# What the key may say


@pytest.fixture
def forced(tmp_path: Path) -> Path:
    """The forced command, its places in a folder of the test's, with a program that stands for the other."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.txt").write_text("a")
    stands = tmp_path / "appeared"
    stands.write_text('#!/bin/sh\necho "told of $*"\n')
    stands.chmod(0o755)
    text = render("backup/snapshot.sh", documents=documents, databases="")
    script = tmp_path / "snapshot"
    owner = "--owner=docs --group=docs"
    assert owner in text
    script.write_text(text.replace("/usr/local/sbin/lienthong-appeared", str(stands)).replace(owner, ""))
    return script


def asked(forced: Path, words: str | None) -> tuple[int, bytes]:
    environment = {key: value for key, value in os.environ.items() if key != "SSH_ORIGINAL_COMMAND"}
    if words is not None:
        environment["SSH_ORIGINAL_COMMAND"] = words
    done = subprocess.run(["/bin/sh", str(forced)], env=environment, capture_output=True)
    return done.returncode, done.stdout


def test_without_a_word_the_documents_come(forced: Path) -> None:
    for words in (None, ""):
        code, out = asked(forced, words)
        assert code == 0
        assert out.startswith(b"./"), "a tar of the folder"


def test_with_the_one_word_it_is_told(forced: Path) -> None:
    assert asked(forced, "watch") == (0, f"told of {forced.parent / 'documents'}\n".encode())


@pytest.mark.parametrize(
    "words",
    ["cat /etc/passwd", "watch /etc", "watch; id", "watch\nid", " watch", "watch ", "WATCH", "w*", "$(id)"],
)  # fmt: skip
def test_anything_else_is_refused(forced: Path, words: str) -> None:
    assert asked(forced, words) == (64, b"")


# What a source tells


class Teller:
    """The program at work on a folder, in this process; its lines with what was measured of each."""

    def __init__(self, appeared: ModuleType, folder: Path, name: str, keys: Any = None) -> None:
        self.reads, self.writes = os.pipe()
        self.why = ""
        self._rest = b""

        def tell() -> None:
            try:
                appeared.tell(str(folder), name, self.writes, keys or (lambda: 1))
            except appeared.Ended as error:
                self.why = str(error)
            finally:
                os.close(self.writes)

        self.thread = threading.Thread(target=tell, daemon=True)
        self.thread.start()

    def line(self, within_s: float = 5.0) -> str:
        """The next line; empty when nothing comes."""
        while b"\n" not in self._rest:
            if not select.select([self.reads], [], [], within_s)[0]:
                return ""
            block = os.read(self.reads, 4096)
            if not block:
                return ""
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def end(self) -> str:
        """The reader goes away; why it ended."""
        os.close(self.reads)
        self.thread.join(5)
        assert not self.thread.is_alive()
        return self.why


@pytest.fixture
def quick(appeared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(appeared, "QUIET_S", 0.1)
    monkeypatch.setattr(appeared, "BEAT_S", 0.4)
    return appeared


@pytest.fixture
def teller(quick: ModuleType, tmp_path: Path) -> Iterator[Teller]:
    (tmp_path / "công văn").mkdir()
    found = Teller(quick, tmp_path, f"test-{os.getpid()}")
    assert found.line().startswith("waiting 1-")
    yield found
    assert found.end() == "the vault went away"


def news(teller: Teller) -> str:
    """The next line that is no sign of life."""
    line = "."
    until = time.monotonic() + 10
    while line == "." and time.monotonic() < until:
        line = teller.line(2.0)
    return line


def test_a_document_below_is_told_of_without_its_name(
    teller: Teller, tmp_path: Path, watch: ModuleType
) -> None:
    began = time.monotonic()
    (tmp_path / "công văn" / "mật.pdf").write_text("x")
    line = news(teller)
    assert line.startswith("changed ")
    assert float(line.split()[1]) <= time.monotonic() - began, "never longer ago than it was"
    assert watch.SAID.fullmatch(line), "the vault understands it"
    assert "pdf" not in line


def test_a_document_in_a_new_folder_and_one_moved_in_are_told_of(teller: Teller, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert news(teller).startswith("changed")
    (deep / "late.pdf").write_text("x")
    assert news(teller).startswith("changed"), "every folder of the new ones is watched"
    (tmp_path / "upload").touch()
    news(teller)
    (tmp_path / "upload").rename(deep / "moved.pdf")
    assert news(teller).startswith("changed")


def test_a_document_still_being_written_and_reading_are_not_told_of(teller: Teller, tmp_path: Path) -> None:
    with (tmp_path / "large.pdf").open("w") as file:
        file.write("x")
        file.flush()
        list(tmp_path.iterdir())
        assert [teller.line(1.0), teller.line(1.0)] == [".", "."]
    assert news(teller).startswith("changed")


def test_many_at_once_are_told_of_once(
    teller: Teller, quick: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "QUIET_S", 1.0)
    for number in range(300):
        (tmp_path / f"{number}.pdf").write_text("x")
    assert news(teller).startswith("changed")
    assert teller.line(1.0) == "."


def test_the_mark_changes_with_what_lies_there_and_with_nothing_else(
    appeared: ModuleType, tmp_path: Path
) -> None:
    file = tmp_path / "a.pdf"
    file.write_text("1")
    marks = [appeared.Tree(str(tmp_path)).look() for _ in range(2)]
    assert marks[0] == marks[1]
    file.read_text()
    assert appeared.Tree(str(tmp_path)).look() == marks[0]
    before = file.stat()
    file.write_text("2")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert appeared.Tree(str(tmp_path)).look() != marks[0], "whoever sets its date back is seen too"


def test_a_second_session_of_one_vault_ends_the_first(quick: ModuleType, tmp_path: Path) -> None:
    name = f"test-{os.getpid()}-twice"
    first = Teller(quick, tmp_path, name)
    assert first.line().startswith("waiting")
    second = Teller(quick, tmp_path, name)
    assert second.line().startswith("waiting")
    first.thread.join(5)
    assert first.why == "the vault asks anew"
    assert second.line() == ".", "and goes on itself"
    second.end()


def test_a_session_does_not_outlive_the_list_of_keys(quick: ModuleType, tmp_path: Path) -> None:
    keys = [1]
    found = Teller(quick, tmp_path, f"test-{os.getpid()}-keys", lambda: keys[0])
    assert found.line().startswith("waiting")
    keys[0] = 2
    found.thread.join(5)
    assert found.why == "the list of keys changed"


def test_it_ends_at_once_when_the_vault_goes_away(
    quick: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "BEAT_S", 60.0)
    found = Teller(quick, tmp_path, f"test-{os.getpid()}-away")
    assert found.line().startswith("waiting")
    assert found.end() == "the vault went away"


def test_a_folder_that_goes_away_ends_it(quick: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    found = Teller(quick, folder, f"test-{os.getpid()}-gone")
    assert found.line().startswith("waiting")
    folder.rmdir()
    found.thread.join(5)
    assert found.why == "the folder of documents went away"


# When a fetch is due


def at(seconds: float) -> str:
    """As the job writes a moment."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def fetched(began: float, ended: float, ok: bool = True, archived: bool = True) -> dict[str, Any]:
    """A job's status."""
    source = {"ok": ok, "began": at(began)}
    return {"started": at(began), "ended": at(ended), "archived": at(ended if archived else began - 99),
            "sources": {"srv": source}}  # fmt: skip


@pytest.fixture
def desk(watch: ModuleType) -> Any:
    """A vault that waits at one source, whose documents are in the archive as of mark 1-1."""
    found = watch.Desk(60.0, {"srv": watch.Source(kept="1-1")})
    found.hear("srv", "waiting 1-1", NOW)
    return found


def test_nothing_is_asked_for_when_nothing_appeared(desk: Any) -> None:
    assert desk.sources["srv"].waiting
    desk.hear("srv", ".", NOW + 20)
    assert desk.due(NOW + 999, {}, busy=False) == []


def test_a_document_is_asked_for_at_once_and_then_kept(desk: Any) -> None:
    desk.hear("srv", "changed 1.0 2-2", NOW + 100)
    assert desk.due(NOW + 100, fetched(NOW - 500, NOW - 490), busy=False) == ["srv"]
    assert desk.due(NOW + 170, fetched(NOW + 101, NOW + 105), busy=False) == []
    assert (desk.sources["srv"].kept, desk.sources["srv"].changed) == ("2-2", None)


def test_a_change_during_a_fetch_leads_to_one_more_and_only_one(desk: Any) -> None:
    desk.hear("srv", "changed 1.0 2-2", NOW + 100)
    assert desk.due(NOW + 100, {}, busy=False) == ["srv"]
    desk.hear("srv", "changed 1.0 3-3", NOW + 110)
    assert not any(desk.due(NOW + second, {}, busy=True) for second in range(111, 180)), "it is under way"
    first = fetched(NOW + 101, NOW + 180)
    asked = [second for second in range(180, 400) if desk.due(NOW + second, first, busy=False)][:1]
    assert asked == [240], "a gap after the end of the one before"
    assert desk.due(NOW + 400, fetched(NOW + 191, NOW + 195), busy=False) == []


def test_what_a_fetch_of_the_timer_has_brought_is_not_asked_for_again(desk: Any) -> None:
    desk.hear("srv", "changed 2.0 2-2", NOW + 100)
    assert desk.due(NOW + 101, fetched(NOW + 98.5, NOW + 100.5), busy=False) == []
    assert desk.sources["srv"].kept == "2-2"


def test_the_gap_bounds_how_often(desk: Any) -> None:
    """A source that cries each second gets a fetch a minute (of ten seconds), not more."""
    status: dict[str, Any] = {}
    until, asked = 0.0, []
    for second in range(1, 700):
        now = NOW + second
        desk.hear("srv", f"changed 0.0 {second}-{second}", now)
        busy = now < until
        if desk.due(now, status, busy):
            asked.append(second)
            until, status = now + 10, fetched(now, now + 10)
    assert asked == list(range(1, 700, 70))


def test_where_a_fetch_takes_long_it_is_at_work_a_quarter_of_the_time_at_most(desk: Any) -> None:
    desk.hear("srv", "changed 0.0 2-2", NOW + 100)
    status = {**fetched(NOW - 100, NOW), "seconds": 100.0}
    assert [at for at in range(400) if desk.due(NOW + at, status, busy=False)][:1] == [300]


@pytest.mark.parametrize("how", [{"ok": False}, {"archived": False}])
def test_a_fetch_that_failed_is_asked_for_again_more_and_more_seldom(desk: Any, how: dict[str, bool]) -> None:
    desk.hear("srv", "changed 0.0 2-2", NOW)
    status: dict[str, Any] = {}
    asked = []
    for second in range(30000):
        if desk.due(NOW + second, status, busy=False):
            asked.append(second)
            status = fetched(NOW + second, NOW + second, **how)
    gaps = [b - a for a, b in pairwise(asked)]
    assert gaps[:7] == [120, 240, 480, 960, 1920, 3840, 3840]
    desk.due(NOW + 30000, fetched(NOW + 30000, NOW + 30001), busy=False)
    assert desk.sources["srv"].changed is None
    assert desk.failures == 0


def test_what_appeared_while_nobody_waited_is_asked_for(desk: Any) -> None:
    desk.lose("srv", "silent", NOW + 10)
    assert desk.sources["srv"].error == "silent"
    desk.hear("srv", "waiting 1-1", NOW + 50)
    assert desk.due(NOW + 50, {}, busy=False) == [], "nothing did"
    desk.lose("srv", "silent", NOW + 60)
    desk.hear("srv", "waiting 2-2", NOW + 90)
    assert desk.due(NOW + 90, {}, busy=False) == ["srv"]


def test_a_clock_put_back_keeps_no_fetch_away(desk: Any) -> None:
    desk.hear("srv", "changed 0.0 2-2", NOW)
    back = NOW - 86400
    status = fetched(NOW, NOW + 1, ok=False)
    assert desk.due(back, status, busy=False) == ["srv"]
    assert desk.due(back + 600, fetched(back + 1, back + 2), busy=False) == []


@pytest.mark.parametrize(
    "line",
    ["", "changed", "waiting", "changed 1 2-2", "changed -1.0 2-2", "changed 1.0 2-2 x", "waiting a.pdf",
     "changed 1.0 " + "9" * 30 + "-1", "wanted", "..", "changed 1.0 ٢-2"],
)  # fmt: skip
def test_a_source_that_says_anything_else_is_left(watch: ModuleType, desk: Any, line: str) -> None:
    with pytest.raises(watch.Lost):
        desk.hear("srv", line, NOW)


def test_a_source_that_floods_is_read_slowly_and_one_without_an_end_is_left(
    watch: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(watch.time, "sleep", slept.append)
    reads, writes = os.pipe()
    os.write(writes, b".\n" * 50 + b"x" * 1000)
    with pytest.raises(watch.Lost, match="no source says"):
        list(watch.lines(reads, 0.2))
    assert slept == [watch.SLOWLY_S] * 50
    os.close(writes)
    os.close(reads)


def test_a_silent_source_is_left(watch: ModuleType) -> None:
    reads, writes = os.pipe()
    with pytest.raises(watch.Lost, match="silent"):
        list(watch.lines(reads, 0.05))
    os.close(writes)
    os.close(reads)


def test_a_fetch_under_way_is_seen_by_its_lock(
    watch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(watch, "WANTED", tmp_path / "wanted")
    assert not watch.busy()
    with (tmp_path / "lock").open("w") as lock:
        assert not watch.busy()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert watch.busy()
    assert not watch.busy()
    (tmp_path / "wanted").touch()
    assert watch.busy(), "it was asked for and did not begin yet"


def test_every_login_is_written_down_and_old_ones_are_forgotten(
    watch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOGINS", tmp_path / "logins-watch")
    watch.LOGINS.write_text("1000.000 srv\n" * 30000)
    young = time.time()
    watch.remember("srv")
    lines = watch.LOGINS.read_text().splitlines()
    assert len(lines) == 1
    assert float(lines[0].split()[0]) >= round(young, 3)


# What the controls make of it


def test_a_watch_and_a_fetch_beside_each_other_explain_one_login_each() -> None:
    text = "1000.000 srv\n1000.000 other\n--\n1000.100 srv\n"
    fetched_, waited = tries_of(text, "srv")
    assert (fetched_, waited) == ([1000.0], [1000.1])
    logins = [Login(at, True, "10.0.5.10", "SHA256:a") for at in (1000.5, 1000.6, 1000.7)]
    left = unexplained(logins, fetched_, "10.0.5.10", waited)
    assert left == [logins[2]], "a third one is a thief's"
    assert tries_of("--\n5.000 srv\n", "srv") == ([], [5.0])


def test_what_the_control_says_of_a_watch(watch: ModuleType) -> None:
    def told(age_s: float, **what: Any) -> str:
        source = {**vars(watch.Source(waiting=True, since=NOW, error="")), **what}
        return f"{NOW + age_s:.3f}\n" + json.dumps({"at": NOW, "sources": {"srv": source}})

    assert waits(told(5), "srv")[0] == ""
    assert "nothing for 100 s" in waits(told(100), "srv")[0]
    assert "Permission denied" in waits(told(5, waiting=False, error="Permission denied"), "srv")[0]
    assert "knows nothing" in waits(told(5), "other")[0]
    assert "knows nothing" in waits(f"{NOW}\n", "srv")[0]
