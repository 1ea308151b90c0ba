"""The look at the repository after every job: what is new goes to the ledger, what vanished is reported.

`borg delete` succeeds in an append-only repository (docs of borg 1.2, "Append-only mode"): the archive is gone
from the list and its data is still there. So the list is compared with the ledger, and the files of data with
what was seen of them, by an account that the deleting one cannot write to.
"""

from __future__ import annotations

from typing import Any

import ledger
import reader
from places import BEGAN, LOOK, STATUS, Failed, got, log, now, put, quiet, seconds, tell
from retention import kept
from writer import as_vault

PRUNE_EVERY_S = 20 * 3600
#: A job's archive is dated when its job began to write it.
SLACK_S = 5.0


def look(conf: dict[str, Any], after_job: bool) -> int:
    """Look, write down, report; 1 with a finding or a failed job."""
    with quiet():
        result = seen(conf)
    job = said_by_job() if after_job else ""
    result |= {"job": job, "ok": not result["findings"]}
    put(LOOK, result)
    for finding in result["findings"]:
        log(f"ALARM {finding}", alarm=True)
    if job:
        log(f"job: {job}")
    tell(event="result", **result)
    return 1 if result["findings"] or job else 0


def seen(conf: dict[str, Any]) -> dict[str, Any]:
    """Compare what is there with the ledger, and append to it; the lock is held by who calls."""
    before = ledger.read()
    files = reader.segments()
    there = {one.id: one for one in reader.archives()}
    new = [
        {"name": one.name, "id": one.id, "start": one.start, "manifest": reader.manifest(one.name)[1]}
        for one in there.values()
        if one.id not in before.expected
    ]
    vanished = [archive["name"] for ident, archive in before.expected.items() if ident not in there]
    findings = judged(before, files, new, vanished)
    after = before
    if new or findings != list(before.findings) or files.transaction != before.transaction:
        after = written(before, files, findings, archives=new)
    if not findings and due(after):
        after, findings = pruned(conf, after)
    return {
        "at": now(),
        "findings": findings,
        "archives": len(after.expected),
        "transaction": after.transaction,
        "seq": len(after.entries),
        "head": after.head,
        "good_at": after.good_at,
    }


def written(before: ledger.Known, files: reader.Segments, findings: list[str], **what: Any) -> ledger.Known:
    """A look in the ledger."""
    where = {"transaction": files.transaction, "segments": files.digest(files.transaction)}
    return ledger.append(before, "look", findings=findings, **where, **what)


def due(known: ledger.Known) -> bool:
    """Whether the last pruning is a day ago."""
    last = max((seconds(entry["at"]) for entry in known.entries if entry.get("pruned")), default=0.0)
    return seconds(now()) - last > PRUNE_EVERY_S


def pruned(conf: dict[str, Any], before: ledger.Known) -> tuple[ledger.Known, list[str]]:
    """Let borg forget what is past its time, here and nowhere else: so whatever else is missing was taken."""
    daily, monthly = conf["keep_daily"], conf["keep_monthly"]
    as_vault("borg", "prune", "--keep-daily", str(daily), "--keep-monthly", str(monthly))
    there = {one.id for one in reader.archives()}
    gone = sorted(set(before.expected) - there)
    keep = kept([(ident, one["start"]) for ident, one in before.expected.items()], daily, monthly)
    files = reader.segments()
    wrong = sorted(before.expected[ident]["name"] for ident in gone if ident in keep)
    findings = judged(before, files, [], wrong)
    lawful = [] if findings else gone
    return written(before, files, findings, gone=lawful, pruned=True), findings


def judged(
    before: ledger.Known, files: reader.Segments, new: list[dict[str, Any]], vanished: list[str]
) -> list[str]:
    """What is wrong, in words that stay the same while it is."""
    findings = []
    if vanished:
        findings.append(f"{len(vanished)} archives vanished, the first is {sorted(vanished)[0]}")
    if before.entries:
        if files.transaction < before.transaction:
            findings.append(f"the transactions went back from {before.transaction} to {files.transaction}")
        if files.digest(before.transaction) != before.segments:
            findings.append(
                f"data of transaction {before.transaction} and before was changed or removed: "
                "the repository is not append-only any more"
            )
        since, until = seconds(before.looked) - SLACK_S, seconds(now()) + SLACK_S
        odd = [one["name"] for one in new if not since - 4 * 3600 <= seconds(one["start"]) <= until]
        if odd:
            findings.append(f"{len(odd)} archives are not dated when they came, the first is {odd[0]}")
    return findings


def said_by_job() -> str:
    """Why the job that just ended was not good; empty when it was."""
    status = got(STATUS)
    try:
        fresh = seconds(status["ended"]) >= BEGAN.stat().st_mtime
    except (KeyError, OSError, ValueError):
        fresh = False
    if not fresh:
        return "the job ended without a word"
    return "" if status.get("ok") else str(status.get("error") or "not ok")[:500]


def current() -> ledger.Known:
    """The ledger, for who acts on it.

    Raises:
        Failed: nobody ever looked.
    """
    found = ledger.read()
    if not found.entries:
        raise Failed("the ledger is empty: no job has run yet")
    return found
