"""How a restored database is compared with its dump."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from lienthong.hosts.deploying import render


@pytest.fixture(scope="module")
def database() -> Any:
    """The program as it stands on a host with MariaDB."""
    module = types.ModuleType("database")
    exec(compile(render("database/database.py", engine="mariadb"), "database.py", "exec"), module.__dict__)
    return module


COPY = b"""COPY public.hoso (id, ten) FROM stdin;
1\tNguy\xe1\xbb\x85n
2\t\\N
\\.

COPY public."trong, rong" (id) FROM stdin;
\\.

SELECT pg_catalog.setval('public.hoso_id_seq', 2, true);
"""


def test_rows_of_postgresql_are_counted_and_hashed(database: Any) -> None:
    found = database.copied(COPY.splitlines(keepends=True))
    assert {table: count for table, (count, _) in found.items()} == {
        "public.hoso": 2,
        'public."trong, rong"': 0,
        "sequences": 1,
    }
    turned = COPY.replace(b"1\tNguy\xe1\xbb\x85n\n2\t\\N\n", b"2\t\\N\n1\tNguy\xe1\xbb\x85n\n")
    assert turned != COPY
    assert database.copied(turned.splitlines(keepends=True)) == found
    for before, after in ((b"1\tN", b"1\tn"), (b"2, true", b"3, true"), (b"2\t\\N\n", b"")):
        assert database.copied(COPY.replace(before, after).splitlines(keepends=True)) != found


def test_rows_of_mariadb_are_counted_and_hashed(database: Any) -> None:
    text = (
        b"CREATE TABLE `ho``so` (\n  `id` int\n);\nINSERT INTO `ho``so` VALUES (1);\n"
        b"INSERT INTO `ho``so` VALUES (2);\nCREATE TABLE `trong` (\n"
    )
    found = database.inserted(text.splitlines(keepends=True))
    assert {table: count for table, (count, _) in found.items()} == {"ho``so": 2, "trong": 0}
    assert database.inserted(text.replace(b"(2)", b"(3)").splitlines(keepends=True)) != found


def test_only_a_scratch_database_is_dropped(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(database, "run", lambda *words, **_: said.append(words))
    for name in ("hoso", "lienthong_restore_", "lienthong_restore_1; drop database hoso"):
        with pytest.raises(database.Failed, match="no scratch database"):
            database.forget(name)
    assert said == []
    database.forget("lienthong_restore_20260101000000")
    assert said == [("mariadb", "-e", "drop database lienthong_restore_20260101000000")]


def test_a_database_name_that_is_no_file_name_is_written_out(
    database: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(database, "databases", lambda: ["../../etc/x", "--help"])
    monkeypatch.setattr(database, "run", lambda *words, **_: said.append(words))
    database.dump(tmp_path)
    files = [words[words.index("--result-file") + 1] for words in said]
    assert files == [f"{tmp_path}/mariadb-..%2F..%2Fetc%2Fx.dump", f"{tmp_path}/mariadb---help.dump"]
    assert [words[-2:] for words in said] == [("--", "../../etc/x"), ("--", "--help")]
