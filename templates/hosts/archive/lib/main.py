#!/usr/bin/python3 -I
"""Root's program on an archive. Written by Liên Thông as /usr/local/sbin/lienthong-archive.

lienthong-archive work                      take scans in, until stopped (lienthong-archive.service)
lienthong-archive status                    what waits, what is archived, what the last look found, as JSON
lienthong-archive find TEXT                 documents whose name, path or hash has it, the newest first, at most 100
lienthong-archive verify                    compare every file with its hash
lienthong-archive rejected                  scans of which no document could be made, and why
lienthong-archive retry HASH                try a rejected one again
lienthong-archive dismiss HASH REASON       it is to stay so
lienthong-archive lost REASON               what is missing or changed is past help: it is not looked for any more
lienthong-archive replicate                 take over what was fetched from other archives
"""

from __future__ import annotations

import os
import sys
from typing import Any

sys.path.insert(0, "/usr/local/lib/lienthong/archive")

import intake
import replica
import verify
import work
from ledger import Ledger
from places import BASE, DROP, STATE, Failed, conf, fail, got, log, now, put, tell, workers
from store import Store

FOUND_AT_MOST = 100


def verified() -> int:
    """Look, keep what was found, tell; 1 with a finding."""
    began = now()
    findings: list[str] = []
    count = 0
    for name, store, ledger in (("", BASE / "store", STATE / "ledger.jsonl"), *replica.stores()):
        try:
            found, files = verify.verify(store, Ledger(ledger))
        except Failed as error:
            found, files = [str(error)], 0
        count += files
        findings += [f"{name}: {one}" if name else one for one in found]
    result = {"started": began, "ended": now(), "files": count, "ok": not findings,
              "findings": findings[: verify.NAMED], "count": len(findings)}  # fmt: skip
    put(STATE / "verify.json", result)
    for one in result["findings"]:
        log(one, alarm=True)
    tell(**result)
    return 1 if findings else 0


def status() -> int:
    known = Ledger(STATE / "ledger.jsonl").read()
    waiting = [one.changed / 1e9 for one in intake.found(DROP)] + intake.since(BASE / "spool")
    documents = [entry for entry in known.entries if entry["kind"] == "document"]
    tell(
        documents=len(documents),
        words=sum(entry["words"] for entry in documents),
        waiting=len(waiting),
        waiting_since=min(waiting, default=None),
        rejected=len(known.rejected),
        seq=len(known.entries),
        head=known.head,
        verify=got(STATE / "verify.json"),
        replicas=got(STATE / "replicas.json"),
    )
    return 0


def find(text: str) -> int:
    """Names, paths and hashes; what a document says is found by who reads it."""
    wanted = text.casefold()
    rows: list[dict[str, Any]] = []
    for name, _, path in (("", None, STATE / "ledger.jsonl"), *replica.stores()):
        for entry in reversed(Ledger(path).read().entries):
            if entry["kind"] != "document":
                continue
            where = [
                entry["name"],
                *(entry[w][key] for w in ("document", "scan") for key in ("path", "sha256")),
            ]
            if any(wanted in str(word).casefold() for word in where) and len(rows) < FOUND_AT_MOST:
                rows.append({"archive": name, **entry})
    tell(found=rows)
    return 0 if rows else 1


def lost(store: Store, reason: str) -> int:
    """What cannot be had back is written down as such; the ledger still says that it was there."""
    paths = store.lost(reason)
    tell(paths=paths)
    return 0


def main(words: list[str]) -> int:
    os.umask(0o027)
    try:
        store = Store(BASE, Ledger(STATE / "ledger.jsonl"))
        match words:
            case ["work"]:
                return work.run(store)
            case ["verify"]:
                return verified()
            case ["status"]:
                return status()
            case ["find", text]:
                return find(text)
            case ["rejected"]:
                known = store.ledger.read()
                tell(rejected=[{**entry, "sha256": sha} for sha, entry in known.rejected.items()])
            case ["retry", digest]:
                tell(job=store.retry(digest, BASE / "spool", workers()))
            case ["dismiss", digest, reason]:
                store.dismiss(digest, reason)
                tell(ok=True)
            case ["lost", reason]:
                return lost(store, reason)
            case ["replicate"]:
                return replica.replicate(conf())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Failed as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
