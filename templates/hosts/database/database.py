#!/usr/bin/python3 -IB
"""Dumps and restores databases. Written by Liên Thông as /usr/local/sbin/lienthong-database.

    lienthong-database dump FOLDER        every database into a file of its own; as the account that fetches
    lienthong-database restore < DUMP     as root: into a new scratch database, compared with the dump; JSON
    lienthong-database forget NAME        as root: drop such a scratch database

A dump is one consistent state: pg_dump works in one snapshot, mariadb-dump in one transaction (InnoDB).
What was restored is dumped again, and each table's rows are compared with the dump's: their number, and the sum
of their SHA-256, which does not depend on their order.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

ENGINE = "{{ engine }}"
SCRATCH = "lienthong_restore_"
LIVE = {"postgresql": ("runuser", "-u", "postgres", "--"), "mariadb": ()}[ENGINE]
MARIADB = ("--single-transaction", "--no-tablespaces", "--routines", "--triggers", "--events",
           "--skip-extended-insert", "--skip-comments", "--hex-blob", "--default-character-set=utf8mb4")  # fmt: skip
Rows = dict[str, tuple[int, int]]


class Failed(Exception):
    """A step did not work; the message is for people."""


def run(*words: str, stdin: Path | str | None = None) -> str:
    """What a program prints; `stdin` is a file, or text."""
    source = stdin.open("rb") if isinstance(stdin, Path) else None
    try:
        done = subprocess.run(
            words,
            stdin=source if source else (None if isinstance(stdin, str) else subprocess.DEVNULL),
            input=stdin.encode() if isinstance(stdin, str) else None,
            capture_output=True,
            check=False,
            cwd="/",
        )
    finally:
        if source:
            source.close()
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"{words[0]} ended with {done.returncode}: {said[-1]}")
    return done.stdout.decode("utf-8", "surrogateescape")


def databases() -> list[str]:
    """Every database that is somebody's."""
    if ENGINE == "postgresql":
        told = run("psql", "-XAtq0", "-d", "postgres", "-c",
                   "select datname from pg_database where datallowconn and not datistemplate order by 1")  # fmt: skip
        found = told.rstrip("\0\n").split("\0")
    else:
        found = run("mariadb", "-N", "-B", "-e", "show databases").splitlines()
    own = {"information_schema", "performance_schema", "mysql", "sys"}
    return [name for name in found if name and name not in own and not name.startswith(SCRATCH)]


def dump(folder: Path) -> None:
    """One file a database; a name that is no file's is written out."""
    for name in databases():
        target = folder / f"{ENGINE}-{quote(name, safe='')}.dump"
        if ENGINE == "postgresql":
            run("pg_dump", "--format=custom", "--file", str(target), f"--dbname=dbname='{escaped(name)}'")
        else:
            run("mariadb-dump", *MARIADB, "--result-file", str(target), "--", name)


def escaped(name: str) -> str:
    """A database's name within a connection string of libpq."""
    return name.replace("\\", "\\\\").replace("'", "\\'")


def restore(file: Path) -> dict[str, object]:
    """A dump into a new database, and how the two compare."""
    began = time.monotonic()
    name = f"{SCRATCH}{time.strftime('%Y%m%d%H%M%S', time.gmtime())}"
    wanted = rows_of(file)
    if ENGINE == "postgresql":
        run(*LIVE, "createdb", "--template=template0", name)
        run(*LIVE, "pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "-d", name, stdin=file)
    else:
        run("mariadb", "-e", f"create database {name} character set utf8mb4")
        run("mariadb", "--default-character-set=utf8mb4", name, stdin=file)
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as again:
        again_path = Path(again.name)
        if ENGINE == "postgresql":
            told = subprocess.run(
                (*LIVE, "pg_dump", "--format=custom", name), stdout=again, check=False, cwd="/"
            )
        else:
            told = subprocess.run(("mariadb-dump", *MARIADB, name), stdout=again, check=False, cwd="/")
        if told.returncode:
            raise Failed("what was restored could not be dumped again")
        found = rows_of(again_path)
    different = sorted(
        table for table in wanted.keys() | found.keys() if wanted.get(table) != found.get(table)
    )
    return {
        "event": "result", "ok": not different, "database": name, "engine": ENGINE, "tables": len(wanted),
        "rows": sum(count for count, _ in wanted.values()), "came": sum(count for count, _ in found.values()),
        "different": different[:5], "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def rows_of(file: Path) -> Rows:
    """Rows by table, with the sum of their hashes, from a dump."""
    if ENGINE == "mariadb":
        with file.open("rb") as lines:
            return inserted(lines)
    with (
        file.open("rb") as source,
        subprocess.Popen(
            ("pg_restore", "--data-only", "--file=-"), stdin=source, stdout=subprocess.PIPE, cwd="/"
        ) as process,
    ):
        assert process.stdout is not None
        found = copied(process.stdout)
    if process.returncode:
        raise Failed("that is no dump of PostgreSQL, or it is damaged")
    return found


def copied(lines: Iterable[bytes]) -> Rows:
    """From COPY blocks, as pg_restore writes them."""
    found: Rows = {}
    table = ""
    for line in lines:
        if table:
            if line == b"\\.\n":
                table = ""
            else:
                add(found, table, line)
        elif line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;"):
            table = line.decode("utf-8", "replace").split(" (")[0].removeprefix("COPY ").split(" FROM ")[0]
            found.setdefault(table, (0, 0))
        elif line.startswith(b"SELECT pg_catalog.setval("):
            add(found, "sequences", line)
    return found


def inserted(lines: Iterable[bytes]) -> Rows:
    """From INSERT statements, one a row, as mariadb-dump writes them with --skip-extended-insert."""
    found: Rows = {}
    for line in lines:
        if hit := re.match(rb"CREATE TABLE `((?:[^`]|``)+)`", line):
            found.setdefault(hit[1].decode("utf-8", "replace"), (0, 0))
        elif hit := re.match(rb"INSERT INTO `((?:[^`]|``)+)` ", line):
            add(found, hit[1].decode("utf-8", "replace"), line)
    return found


def add(found: Rows, table: str, row: bytes) -> None:
    count, total = found.get(table, (0, 0))
    found[table] = (count + 1, (total + int.from_bytes(hashlib.sha256(row).digest())) % 2**256)


def forget(name: str) -> None:
    """Drop a scratch database, and only such a one."""
    if not re.fullmatch(rf"{SCRATCH}\d+", name):
        raise Failed(f"{name!r} is no scratch database")
    if ENGINE == "postgresql":
        run(*LIVE, "dropdb", name)
    else:
        run("mariadb", "-e", f"drop database {name}")


def main(words: list[str]) -> int:
    os.umask(0o077)
    os.environ["LC_ALL"] = "C.UTF-8"
    try:
        match words:
            case ["dump", folder]:
                dump(Path(folder))
            case ["restore"]:
                with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
                    while block := sys.stdin.buffer.read(1 << 20):
                        file.write(block)
                    file.flush()
                    with suppress(KeyboardInterrupt):
                        result = restore(Path(file.name))
                        print(json.dumps(result))
                        return 0 if result["ok"] else 1
            case ["forget", name]:
                forget(name)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Failed as error:
        print(f"lienthong-database: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
