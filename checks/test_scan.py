"""Malware: the scanner of a vault knows something, what it knows is young, and what it finds is kept out."""

from __future__ import annotations

import hashlib
import re
import secrets as random
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.test_backup import answer, pulled, run_job
from lienthong.checks import control, not_applicable, runs
from lienthong.model.intent import Node, ProvincePlan
from lienthong.services.scan import Params

SIGNATURES = "/srv/signatures"
DOCUMENTS = "/srv/documents"
QUARANTINE = "/srv/vault/quarantine"
#: The test file that every scanner knows (eicar.org), in two halves, so that this file is not one.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@control("SRV-19", nodes=runs("scan"))
def test_scanner_is_fresh_and_finds(node: Node, host: Any, evidence: Any) -> None:
    """The scanner's signatures are young, and with them it finds the test file."""
    params = node.services["scan"].params
    assert isinstance(params, Params)
    told = host.run(
        f'cd {SIGNATURES} && for f in *.*; do [ -f "$f" ] || continue; stat -c \'%Y %n\' "$f"; '
        'case "$f" in *.cvd|*.cld) head -c 100 "$f" | cut -d: -f2 | tr -d "\\n"; echo " <";; esac; done'
    )
    made = list(ages(told.stdout))
    assert made, f"no signatures in {SIGNATURES}"
    newest = max(made)
    evidence(f"{len(made)} files of signatures, the newest of {newest.isoformat(timespec='minutes')}")
    scan = host.run(f"printf %s '{EICAR}' | clamscan --no-summary --database={SIGNATURES} -")
    evidence(f"test file: {scan.stdout.strip()}")
    assert scan.rc == 1, f"the test file is not found: {(scan.stderr or scan.stdout).strip()}"
    age = datetime.now(UTC) - newest
    assert age <= timedelta(days=params.signature_days), f"signatures are {age.days} days old"


def ages(text: str) -> list[datetime]:
    """When each file was made: as a database of ClamAV's says, else when it was put there."""
    found: list[datetime] = []
    for line in text.splitlines():
        if line.endswith(" <"):
            # `17 Sep 2024 04-22 -0400`
            said = re.sub(r"(\d\d)-(\d\d) ", r"\1:\2 ", line.removesuffix(" <").strip())
            found[-1] = datetime.strptime(said, "%d %b %Y %H:%M %z")
        else:
            found.append(datetime.fromtimestamp(int(line.split()[0]), UTC))
    return found


@control("SRV-19", kind="probe", nodes=runs("scan") & runs("backup"))
def test_infected_document_is_kept_out(
    node: Node, plan: ProvincePlan, access: Any, hosts: Any, evidence: Any
) -> None:
    """A document with the test signature is kept out and reported, its neighbour is archived."""
    sources = pulled(plan, node, access)
    if not sources:
        not_applicable("inventory: it pulls from nothing that this target has")
    name = f"lienthong-check-{random.token_hex(6)}"
    source, keeper = hosts(sources[0]), hosts(node.name)
    put = (
        f'umask 027; printf %s \\"\\$0\\" > {DOCUMENTS}/{name}.com; printf %s {name} > {DOCUMENTS}/{name}.txt'
    )
    told = source.run(f"runuser -u docs -- sh -c \"{put}\" '{EICAR}'")
    assert told.rc == 0, f"could not put a document: {told.stderr.strip()}"
    digest = hashlib.sha256(EICAR.encode()).hexdigest()
    try:
        status = run_job(keeper)
        kept = answer(keeper, f"files newest {sources[0]}")
        lies = keeper.run(f"stat -c '%a %U' {QUARANTINE}/{digest}").stdout.strip()
        said = keeper.run(f"journalctl -t lienthong-backup --since -10min -o cat --grep {name}.com").stdout
    finally:
        source.run(f"rm -f {DOCUMENTS}/{name}.com {DOCUMENTS}/{name}.txt")
    assert "error" not in kept, kept["error"]
    names = {str(path).rsplit("/", 1)[-1] for path, _ in kept["files"]}
    evidence(f"{status.get('archive')}: {status.get('quarantined')} kept out, quarantine: {lies}")
    assert f"{name}.com" not in names, "the infected document is in the archive"
    assert f"{name}.txt" in names, "its neighbour is not in the archive"
    assert lies == "400 vault", f"it is not in quarantine: {lies or 'nothing'}"
    assert "ALARM quarantined" in said, "nobody was told"
