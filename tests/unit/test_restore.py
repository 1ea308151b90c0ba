"""What `lienthong restore` takes, refuses and shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.errors import LienThongError, Unreachable
from lienthong.openssh import ways
from lienthong.restore import back, told
from lienthong.restore.far import Far, VaultFailed
from tests.boxes import province
from tests.shelled import NAME, Shelled

NODE = province().nodes[NAME]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("a/b.pdf", "a/b.pdf"), ("/srv/documents/a", "a"), ("", ""), (".", ""), ("công văn/số 1.pdf",) * 2],
)
def test_a_path_is_below_the_documents(said: str, meant: str) -> None:
    assert back.plain(said) == meant


@pytest.mark.parametrize("said", ["/etc/passwd", "../x", "a/../../x", "a\nb", "a\0"])
def test_a_path_that_leads_out_is_refused(said: str) -> None:
    with pytest.raises(LienThongError, match="no document's path"):
        back.plain(said)


def test_a_failed_drill_is_told_with_its_reason() -> None:
    good = {"ok": True, "matched": 5, "expected": 5, "rto_s": 1.2, "rpo_s": 60, "bytes": 9, "error": ""}
    bad = {"ok": False, "rto_s": 0.2, "error": "the newest archive x\x1b[2J has vanished"}
    text = told.drills([("v-1", good), ("v-2", bad)])
    assert "v-1          đạt / pass" in text
    assert "CHƯA ĐẠT / FAIL" in text
    assert "v-2: the newest archive x\\x1b[2J has vanished" in text


def test_a_vanished_archive_is_told() -> None:
    archives = [{"name": "a", "start": "2026-01-01T00:00:00", "there": False}]
    look = {"ok": False, "at": "then", "findings": ["1 archives vanished, the first is a"]}
    text = told.archives("v", {"archives": archives, "look": look})
    assert "a  VANISHED" in text
    assert "last look then: 1 archives vanished" in text


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Far, list[str]]]:
    """A vault whose program does what it is told by a shell, and what was said meanwhile."""
    far, said = Shelled(tmp_path / "far"), list[str]()
    monkeypatch.setattr("lienthong.restore.far.PROGRAM", "/bin/sh")
    with ways(far.access, far.addresses) as there:
        yield Far(there, said.append), said
    far.end()


def test_a_vault_tells_its_progress_and_then_its_answer(vault: tuple[Far, list[str]]) -> None:
    far, said = vault
    line = """echo nonsense; echo '["list"]'; head -c 200000 /dev/zero >&2
echo '{"event": "progress", "step": "look", "files": 1, "of": 2, "bytes": 3}'
echo '{"event": "note", "text": "slow"}'; echo '{"event": "result", "ok": true}'"""
    assert far.ask(NODE, "-c", line) == {"event": "result", "ok": True}
    assert said == [f"{NAME}: look: 1 of 2 documents, 3 bytes", f"{NAME}: slow"]


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        (
            """echo '{"event": "failed", "error": "no such archive"}'; exit 1""",
            VaultFailed,
            "no such archive",
        ),
        ("echo one >&2; echo two >&2; exit 1", Unreachable, "no answer from its vault program: one; two"),
        ("echo lost >&2; exit 255", Unreachable, "no login: lost"),
    ],
)
def test_a_vault_that_fails_says_why(
    vault: tuple[Far, list[str]], line: str, kind: type[LienThongError], told: str
) -> None:
    with pytest.raises(kind) as caught:
        vault[0].ask(NODE, "-c", line)
    assert caught.value.what == f"{NAME}: {told}"


def test_documents_are_carried_byte_for_byte_or_it_is_told(
    vault: tuple[Far, list[str]], tmp_path: Path
) -> None:
    far, _ = vault
    bytes_ = bytes(range(256)) * 1000
    (tmp_path / "a").write_bytes(bytes_)
    for target in (NODE, None):
        into = tmp_path / f"b {target is None}"
        far.carry(NODE, ["cat", str(tmp_path / "a")], ["dd", f"of={into}", "status=none"], target)
        assert into.read_bytes() == bytes_
        with pytest.raises(LienThongError, match=f"^{NAME}: what was restored did not arrive: .*o such file"):
            far.carry(NODE, ["true"], ["dd", f"of={tmp_path}/none/x"], target)
        with pytest.raises(LienThongError, match=f"^{NAME}: what was restored did not arrive: exit 5"):
            far.carry(NODE, ["sh", "-c", "exit 5"], ["cat"], target)
    assert far.run(NODE, ["echo", "a  b"]) == "a  b\n"
    with pytest.raises(LienThongError, match=f"^{NAME}: sh ended with 4: why"):
        far.run(NODE, ["sh", "-c", "echo why >&2; exit 4"])
