"""The restore drill: the newest copy of every source into scratch, every hash compared, the figures kept.

RTO is how long it took from the start to the last hash; RPO is how old the data of the worst source was when
the drill began. A source that is in no archive, or a file that differs, fails the drill.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import Any

import ledger
import reader
import restoring
from places import DRILL, Failed, got, log, note, now, put, quiet, seconds, tell

#: A source that was not fetched lately is looked for in so many archives.
BACK = 40


def drill(conf: dict[str, Any]) -> int:
    """Do it, keep the result, say it; 1 when it is not good."""
    began, started = time.monotonic(), now()
    result: dict[str, Any] = {"started": started, "ok": False, "error": "", "sources": {}}
    try:
        with quiet():
            result |= drilled(conf, seconds(started))
        bad = sorted(name for name, one in result["sources"].items() if one["error"])
        result["error"] = "; ".join(f"{name}: {result['sources'][name]['error']}" for name in bad)
        result["ok"] = not bad
    except Failed as error:
        result["error"] = str(error)
    result |= {"rto_s": round(time.monotonic() - began, 1), "ended": now()}
    put(DRILL, result, 0o600)
    short = f"{result.get('matched', 0)} of {result.get('expected', 0)} hashes equal, RTO {result['rto_s']} s"
    log(f"drill {'ok' if result['ok'] else 'FAILED ' + result['error']}: {short}", alarm=not result["ok"])
    tell(event="result", **result)
    return 0 if result["ok"] else 1


def drilled(conf: dict[str, Any], at: float) -> dict[str, Any]:
    """Restore and compare; the lock is held by who calls."""
    names = [one["name"] for one in conf["sources"]]
    newest = restoring.newest()
    there = {one.id for one in reader.archives()}
    if newest["id"] not in there:
        raise Failed(f"the newest archive {newest['name']} has vanished")
    sources: dict[str, Any] = {}
    totals = {"expected": 0, "matched": 0, "bytes": 0}
    into = restoring.folder("drill")
    try:
        for archive, wanted in chosen(names, there):
            note(f"{archive['name']}: {', '.join(wanted)}")
            of = {name: [p for p in restoring.hashes(archive) if p.startswith(f"{name}/")] for name in wanted}
            full = [name for name in wanted if of[name]]
            place = into / archive["name"]
            place.mkdir(mode=0o700)
            compared = restoring.restore(archive, full, place) if full else restoring.Compared()
            totals["expected"] += sum(map(len, of.values()))
            totals["matched"] += compared.matched
            totals["bytes"] += compared.bytes
            bad = [*compared.different, *compared.missing, *compared.extra]
            for name in wanted:
                mine = [path for path in bad if path.startswith(f"{name}/")]
                sources[name] = {
                    "archive": archive["name"],
                    "rpo_s": round(at - seconds(archive["start"])),
                    "files": len(of[name]),
                    "error": f"{len(mine)} documents differ or are missing" if mine else "",
                }
    finally:
        shutil.rmtree(into, ignore_errors=True)
    for name in names:
        sources.setdefault(name, {"archive": "", "rpo_s": 0, "files": 0, "error": "is in no archive"})
    return {
        "archive": newest["name"],
        "archive_id": newest["id"],
        "rpo_s": max((one["rpo_s"] for one in sources.values()), default=0),
        "sources": sources,
        **totals,
    }


def chosen(names: list[str], there: set[str]) -> list[tuple[dict[str, Any], list[str]]]:
    """For each source the newest archive that has it whole."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    left = list(names)
    order = sorted(ledger.read().expected.values(), key=lambda one: str(one["start"]), reverse=True)
    for archive in [one for one in order if one["id"] in there][:BACK]:
        if not left:
            break
        has = reader.fetched(archive["name"])
        mine = [name for name in left if has.get(name)]
        if mine:
            found.append((archive, mine))
            left = [name for name in left if name not in mine]
    return found


def due(days: int) -> bool:
    """Whether the last good drill is a day short of too old, or there is none."""
    last = got(DRILL)
    if not last.get("ok"):
        return True
    return datetime.now(UTC).timestamp() - seconds(str(last["started"])) > (days - 1) * 86400
