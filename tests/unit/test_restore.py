"""What `lienthong restore` takes, refuses and shows."""

from __future__ import annotations

import pytest

from lienthong.errors import LienThongError
from lienthong.restore import back, told


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
