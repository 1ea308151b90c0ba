"""Root's programs on a vault: the chain, retention, what a look finds, and archives with hostile names."""

from __future__ import annotations

import importlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

VAULT = Path(__file__).parents[2] / "templates" / "hosts" / "backup" / "vault"
MODULES = (
    "places",
    "reader",
    "ledger",
    "retention",
    "writer",
    "look",
    "restoring",
    "undelete",
    "drilling",
    "offline",
)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The modules as they stand on a vault, with its places below a folder of the test."""
    monkeypatch.syspath_prepend(str(VAULT))
    for name in MODULES:
        sys.modules.pop(name, None)
    found = SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    monkeypatch.setattr(found.ledger, "LEDGER", tmp_path / "ledger.jsonl")
    monkeypatch.setattr(found.ledger, "log", lambda *_, **__: None)
    monkeypatch.setattr(found.restoring, "SCRATCH", tmp_path / "restore")
    yield found
    for name in MODULES:
        sys.modules.pop(name, None)


def entry(name: str, start: str = "2026-01-01T00:00:00") -> dict[str, str]:
    return {"name": name, "id": f"id-{name}", "start": start, "manifest": "m"}


def looked(vault: Any, *archives: dict[str, str], transaction: int = 5, **what: Any) -> Any:
    return vault.ledger.append(
        vault.ledger.read(), "look", archives=list(archives), transaction=transaction, segments="s", **what
    )


def test_the_chain_remembers_what_must_be_there(vault: Any) -> None:
    looked(vault, entry("a"), entry("b"))
    looked(vault, entry("c"), transaction=9, gone=["id-a"])
    known = vault.ledger.read()
    assert sorted(known.expected) == ["id-b", "id-c"]
    assert (known.transaction, known.findings) == (9, ())


def test_a_finding_does_not_become_the_good_state(vault: Any) -> None:
    looked(vault, entry("a"))
    looked(vault, entry("b"), transaction=9, findings=["1 archives vanished"])
    known = vault.ledger.read()
    assert (known.transaction, sorted(known.good)) == (5, ["id-a"])
    assert sorted(known.expected) == ["id-a", "id-b"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [lines[0].replace("id-a", "id-x"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [*lines, "{}"],
        lambda lines: [*lines, "no json"],
    ],
    ids=["changed", "first gone", "order", "one gone", "empty", "garbage"],
)
def test_an_altered_ledger_is_refused(vault: Any, harm: Any) -> None:
    for name in "abc":
        looked(vault, entry(name))
    path = vault.ledger.LEDGER
    assert len(vault.ledger.read().entries) == 3
    path.write_text("\n".join(harm(path.read_text().splitlines())) + "\n")
    with pytest.raises(vault.places.Failed, match="altered at line"):
        vault.ledger.read()


def days(count: int) -> list[tuple[str, str]]:
    """Two archives a day, back from a day."""
    last = datetime(2026, 3, 31, tzinfo=UTC)
    return [
        (f"{back}-{hour}", (last - timedelta(days=back, hours=-hour)).replace(tzinfo=None).isoformat())
        for back in range(count)
        for hour in (2, 20)
    ]


def test_retention_keeps_the_newest_of_each_day_and_month(vault: Any) -> None:
    kept = vault.retention.kept(days(90), 14, 2)
    assert {f"{back}-20" for back in range(14)} <= kept
    # 17 March is the last daily; the newest of February and of January are the monthlies.
    assert kept - {f"{back}-20" for back in range(14)} == {"31-20", "59-20"}


def test_retention_keeps_the_oldest_until_there_are_enough(vault: Any) -> None:
    assert vault.retention.kept(days(3), 14, 0) == {"0-20", "1-20", "2-20", "2-2"}


def test_what_a_look_finds(vault: Any) -> None:
    looked(vault, entry("a"), segments_at=1)
    before = vault.ledger.read()
    segments = vault.reader.Segments
    whole = segments(9, ((1, 100, 7), (5, 50, 8), (9, 10, 9)))
    before.segments = whole.digest(5)
    judged = vault.look.judged
    fresh = [{**entry("b"), "start": vault.places.now()}]
    assert judged(before, whole, fresh, []) == []
    assert "2 archives vanished, the first is a" in judged(before, whole, [], ["b", "a"])[0]
    compacted = segments(9, ((5, 50, 8), (9, 10, 9)))
    rewritten = segments(9, ((1, 100, 77), (5, 50, 8), (9, 10, 9)))
    for harmed in (compacted, rewritten):
        assert "not append-only any more" in judged(before, harmed, [], [])[0]
    back = segments(3, ((1, 100, 7), (3, 50, 8)))
    assert "went back from 5 to 3" in judged(before, back, [], [])[0]
    for odd in ("2020-01-01T00:00:00", "2099-01-01T00:00:00"):
        assert "not dated when they came" in judged(before, whole, [{**entry("b"), "start": odd}], [])[0]


def tar(*members: tuple[str, bytes, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w|") as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    out.seek(0)
    return out


def test_what_comes_back_is_compared_with_what_was_fetched(vault: Any, tmp_path: Path) -> None:
    into = vault.restoring.folder("test")
    stream = tar(
        ("h/a", tarfile.REGTYPE, b"a"), ("h/b", tarfile.REGTYPE, b"X"), ("h/x", tarfile.REGTYPE, b"x")
    )
    vault.restoring.write(stream, into, 3)
    sha = {name: vault.restoring.hashlib.sha256(name.encode()).hexdigest() for name in "abc"}
    found = vault.restoring.compare(into, {f"h/{name}": digest for name, digest in sha.items()})
    assert not found.ok
    assert (found.matched, found.different, found.missing, found.extra) == (1, ["h/b"], ["h/c"], ["h/x"])
    assert into.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["../out", "/abs", "a/../../b"])
def test_a_name_that_leads_out_is_refused(vault: Any, name: str) -> None:
    into = vault.restoring.folder("test")
    with pytest.raises(vault.places.Failed, match="leads out"):
        vault.restoring.write(tar((name, tarfile.REGTYPE, b"x")), into, 1)
    assert list(into.iterdir()) == []


def test_nothing_is_written_through_a_link(vault: Any) -> None:
    into = vault.restoring.folder("test")
    vault.restoring.write(tar(("l", tarfile.SYMTYPE, b""), ("p", tarfile.FIFOTYPE, b"")), into, 0)
    assert list(into.iterdir()) == []
    twice = [("a", tarfile.REGTYPE, b"1"), ("a", tarfile.REGTYPE, b"2")]
    with pytest.raises(vault.places.Failed, match="does not come out"):
        vault.restoring.write(tar(*twice), into, 2)


def test_a_drill_is_due_when_none_was_good_lately(
    vault: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "drill.json"
    monkeypatch.setattr(vault.drilling, "DRILL", path)
    assert vault.drilling.due(7)
    for ok, age_days, due in ((True, 1, False), (True, 6.5, True), (False, 1, True)):
        started = datetime.now(UTC) - timedelta(days=age_days)
        path.write_text(json.dumps({"ok": ok, "started": started.isoformat()}))
        assert vault.drilling.due(7) is due


def test_a_status_that_is_a_link_is_not_followed(vault: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"ok": true}')
    (tmp_path / "status.json").symlink_to(secret)
    assert vault.places.got(tmp_path / "status.json") == {}
    assert vault.places.got(secret) == {"ok": True}


def test_a_medium_is_only_added_to(vault: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "7", tmp_path / "medium" / "data" / "0" / "7"
    source.write_bytes(b"segment")
    assert vault.offline.add(source, target) == (1, 7)
    assert target.read_bytes() == b"segment"
    assert target.stat().st_mode & 0o777 == 0o400
    assert vault.offline.add(source, target) == (0, 7)
    source.write_bytes(b"altered")
    with pytest.raises(vault.places.Failed, match="one of them was altered"):
        vault.offline.add(source, target)
    assert target.read_bytes() == b"segment"
    assert [path.name for path in target.parent.iterdir()] == ["7"]


def test_a_link_in_the_repository_is_not_copied(vault: Any, tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text("secret")
    (tmp_path / "8").symlink_to(tmp_path / "shadow")
    with pytest.raises(OSError, match="symbolic links"):
        vault.offline.add(tmp_path / "8", tmp_path / "medium" / "8")


def test_nothing_is_copied_after_a_finding(
    vault: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked(vault, entry("a"))
    looked(vault, findings=["1 archives vanished"])
    known = vault.ledger.read()
    monkeypatch.setattr(vault.reader, "segments", lambda *_: vault.reader.Segments(5, ()))
    with pytest.raises(vault.places.Failed, match="nothing is copied from it"):
        vault.offline.copied("v", tmp_path / "medium", known)
    assert not (tmp_path / "medium").exists()


def test_a_copy_stands_in_the_ledger_and_changes_nothing_else(
    vault: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked(vault, entry("a"))
    monkeypatch.setattr(vault.offline, "MEDIA", tmp_path)
    monkeypatch.setattr(vault.offline, "COPIES", tmp_path / "copies.json")
    monkeypatch.setattr(vault.offline, "log", lambda *_, **__: None)
    monkeypatch.setattr(vault.offline.os.path, "ismount", lambda _: True)
    monkeypatch.setattr(vault.offline, "copied", lambda *_: {"archives": 1, "transaction": 5})
    monkeypatch.setattr(vault.places, "STORE", tmp_path)
    conf = {"name": "v", "copies": ["tu-sat"]}
    assert vault.offline.copies(conf) == 0
    known = vault.ledger.read()
    assert [one["kind"] for one in known.entries] == ["look", "copy"]
    assert (sorted(known.expected), known.transaction) == (["id-a"], 5)
    # What is there already is not copied again.
    assert vault.offline.copies(conf, if_there=True) == 0
    assert len(vault.ledger.read().entries) == 2
