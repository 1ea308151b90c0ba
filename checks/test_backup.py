"""Backups: young, apart, encrypted, and really restorable."""

from __future__ import annotations

import hashlib
import json
import secrets as random
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Any

from lienthong.checks import control, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.words import Zone
from lienthong.services.backup import Params

SOURCES = runs("portal") | runs("app")
DOCUMENTS = "/srv/documents"
STATUS = "/var/lib/lienthong/backup/status.json"
JOB = "/usr/local/sbin/lienthong-backup"


def vault_of(plan: ProvincePlan, node: Node) -> tuple[Node, Params]:
    """The vault of the node's side that is to pull it, and how."""
    for vault in plan.running("backup", node.side):
        params = vault.services["backup"].params
        assert isinstance(params, Params)
        if node.runs(params.sources):
            return vault, params
    raise AssertionError(f"no vault pulls {node.name}")


def status_of(host: Any) -> dict[str, Any]:
    """What the last job said; empty before the first."""
    told = host.run(f"cat {STATUS}")
    return dict(json.loads(told.stdout)) if told.rc == 0 else {}


@control("BAK-01", nodes=SOURCES)
def test_last_copy_is_young(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The documents' last good copy is younger than the recovery point, and the daily job is armed."""
    vault, params = vault_of(plan, node)
    host = hosts(vault.name)
    known = status_of(host).get("sources", {}).get(node.name, {})
    evidence(f"{vault.name}: last good copy of {node.name}: {known.get('last_success', 'never')}")
    armed = host.run(
        "systemctl is-active lienthong-backup.timer; systemctl is-enabled lienthong-backup.timer"
    )
    evidence(f"timer: {' '.join(armed.stdout.split())}")
    assert known.get("last_success"), f"{node.name} was never copied: {known.get('error', 'no job yet')}"
    age = datetime.now(UTC) - datetime.fromisoformat(known["last_success"])
    assert age <= timedelta(hours=params.rpo_hours), (
        f"the copy is {age} old, allowed are {params.rpo_hours} h"
    )
    assert armed.stdout.split() == ["active", "enabled"]


@control("BAK-02", kind="probe", nodes=SOURCES)
def test_store_is_apart(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """The store is in a segment of its own, and the source cannot open a connection to it."""
    vault, _ = vault_of(plan, node)
    for who in (node, vault):
        evidence(f"{who.name} in {who.segment.name}, VLAN {who.segment.vlan}")
    assert vault.segment.zone is Zone.BACKUP
    assert vault.segment.prefix != node.segment.prefix
    tries = "\n".join(
        f"timeout 1.5 bash -c '</dev/tcp/{vault.address}/{port}' 2>/dev/null && echo open {port} &"
        for port in (22, 443, 9100)
    )
    told = hosts(node.name).run(f"{tries}\nwait")
    evidence(
        f"from {node.name} to {vault.address}, ports 22, 443, 9100: {told.stdout.split() or 'nothing opens'}"
    )
    assert "open" not in told.stdout


@control("BAK-04", nodes=runs("backup"))
def test_store_is_encrypted(node: Node, hosts: Any, evidence: Any) -> None:
    """The repository is encrypted and append-only, and nothing lies open beside it."""
    # The lock is the job's: while it runs, documents do lie in the staging folder.
    script = f"""runuser -u vault -- {JOB} info; echo
        grep -c '^append_only = 1' /srv/vault/borg/config
        stat -c '%a %U %n' /srv/vault /srv/vault/borg
        cd /etc/lienthong/backup && stat -c '%a %U %n' passphrase
        runuser -u vault -- flock -w 20 /srv/vault/lock find /srv/vault/staging -type f 2>/dev/null | wc -l"""
    told = hosts(node.name).run(script).stdout
    assert "}" in told, "the repository does not open as an encrypted one"
    document, rest = told[: told.rindex("}") + 1], told[told.rindex("}") + 1 :]
    mode = json.loads(document)["encryption"]["mode"]
    append_only, store, repository, passphrase, loose = filter(None, rest.split("\n"))
    for line in (f"encryption {mode}", f"append-only {append_only}", store, repository, passphrase):
        evidence(line)
    assert mode.startswith(("repokey", "keyfile")), f"encryption is {mode}"
    assert append_only == "1", "the repository is not append-only"
    assert store.split()[:2] == ["700", "vault"]
    assert repository.split()[:2] == ["700", "vault"]
    assert passphrase.split()[0] == "400"
    assert loose == "0", f"{loose} files lie unencrypted in the staging folder"


@control("BAK-05", kind="probe", nodes=SOURCES)
def test_document_comes_back(node: Node, plan: ProvincePlan, hosts: Any, evidence: Any) -> None:
    """A document put on the server is in the vault after the job, and comes back identical."""
    vault, _ = vault_of(plan, node)
    source, keeper = hosts(node.name), hosts(vault.name)
    content = random.token_hex(512)
    name = f"lienthong-check-{random.token_hex(6)}.txt"
    wanted = hashlib.sha256(content.encode()).hexdigest()
    there = f"{DOCUMENTS}/{name}"
    put = source.run(
        f"runuser -u docs -- sh -c 'umask 027; printf %s {content} > {there}'; sha256sum {there}"
    )
    assert put.stdout.startswith(wanted), f"could not put a document: {put.stderr.strip()}"
    try:
        status = run_job(keeper)
        back = keeper.run(f"runuser -u vault -- {JOB} restore {quote(node.name)} {quote(name)} | sha256sum")
    finally:
        source.run(f"rm -f {there}")
    mine = status.get("sources", {}).get(node.name, {})
    evidence(f"put on {node.name}: sha256 {wanted}")
    evidence(f"{vault.name}: {status.get('archive')}, {mine.get('files')} files, {status.get('seconds')} s")
    evidence(f"came back: sha256 {back.stdout.split()[0]}")
    assert mine.get("ok"), f"{vault.name} could not fetch: {mine.get('error')}"
    assert back.stdout.split()[0] == wanted, f"came back different or not at all: {back.stderr.strip()}"


def run_job(keeper: Any) -> dict[str, Any]:
    """Run the job now and wait for it; its status.

    A job that runs already is joined by systemd and has seen nothing of what was put since, hence twice.
    """
    status: dict[str, Any] = {}
    for _ in range(2):
        told = keeper.run(f"date +%s.%N; systemctl start lienthong-backup.service; cat {STATUS}").stdout
        asked, _, text = told.partition("\n")
        status = json.loads(text) if text.strip() else {}
        if status and datetime.fromisoformat(status["started"]).timestamp() >= float(asked):
            break
    return status
