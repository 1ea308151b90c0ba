"""Databases: closed to the network, read by an account that may only read, in every copy."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from checks.test_backup import SOURCES, answer, vault_of
from lienthong.checks import control, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.database import Params

PROGRAM = "/usr/local/sbin/lienthong-database"
DUMPS = ".lienthong-databases"
AS_FETCHER = "cd / && runuser -u lienthong-fetch --"
#: What each engine answers; each write must be refused.
ASK = {
    "postgresql": "psql -XAtq -d postgres -c",
    "mariadb": "mariadb -N -B -e",
}
LIST = {
    "postgresql": "select datname from pg_database where datallowconn and not datistemplate",
    "mariadb": "select schema_name from information_schema.schemata where schema_name not in "
    "('information_schema','performance_schema','mysql','sys')",
}
WRITES = {
    "postgresql": (
        "create database lienthong_check",
        "create role lienthong_check",
        "alter system set work_mem = 64",
        "copy (select 1) to program $$true$$",
    ),
    "mariadb": (
        "create database lienthong_check",
        "create user lienthong_check",
        "set global read_only = 0",
        "select 1 into outfile '/tmp/lienthong_check'",
    ),
}


def engine_of(node: Node) -> str:
    """Which engine a host runs."""
    params = node.services["database"].params
    assert isinstance(params, Params)
    return params.engine


@control("SRV-10", nodes=runs("database"))
def test_database_is_closed(node: Node, host: Any, evidence: Any) -> None:
    """The database answers on its host's socket only, and the account that dumps it may change nothing."""
    engine = engine_of(node)
    listening = host.run("ss -Hltnp").stdout.splitlines()
    heard = [line for line in listening if "postgres" in line or "mariadb" in line or "mysql" in line]
    evidence(f"{engine}: {len(heard)} TCP listeners")
    assert not heard, f"it listens: {heard[0]}"
    reads = host.run(f'{AS_FETCHER} {ASK[engine]} "{LIST[engine]}"')
    assert reads.rc == 0, f"the account that dumps cannot read: {reads.stderr.strip()}"
    for write in WRITES[engine]:
        told = host.run(f'{AS_FETCHER} {ASK[engine]} "{write.replace("$", chr(92) + "$")}"')
        evidence(f"{write}: {'done' if told.rc == 0 else 'refused'}")
        assert told.rc != 0, f"the account that dumps may {write}"


@control("BAK-05", nodes=runs("database") & SOURCES)
def test_databases_are_in_the_copy(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The newest copy has a dump of every database that the host has."""
    engine = engine_of(node)
    vault, _ = vault_of(plan, node)
    told = hosts(node.name).run(f'{AS_FETCHER} {ASK[engine]} "{LIST[engine]}"')
    assert told.rc == 0, f"the account that dumps cannot read: {told.stderr.strip()}"
    there = {name for name in told.stdout.splitlines() if not name.startswith("lienthong_restore_")}
    found = answer(hosts(vault.name), f"files newest {node.name}/{DUMPS}")
    assert "error" not in found, found["error"]
    kept = {str(path).rsplit("/", 1)[-1] for path, _ in found["files"]}
    evidence(f"{found['archive']}: {', '.join(sorted(kept)) or 'no dump'}")
    missing = {name for name in there if f"{engine}-{quote(name, safe='')}.dump" not in kept}
    assert not missing, f"not in the newest copy: {', '.join(sorted(missing))}"
