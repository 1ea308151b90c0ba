"""A province's copy of other archives: what was fetched is taken over by root, if it is what the source's ledger says.

Of every source a copy of its ledger (`replica/<name>.jsonl`) and of every file (`replica/<name>/store/`). A source may
be in wrong hands: lines that do not continue what is here already are refused and told, and so is a file whose hash is
another. What a source says of its files now (`hashes.jsonl`) is compared with the copy of its ledger.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger import Entry, Held, Known, Ledger, extend
from places import BASE, STATE, Failed, Gone, copy, got, log, now, opened, plain, put, settle
from verify import NAMED, told

REPLICA = BASE / "replica"
INCOMING = BASE / "incoming"
STATUS = STATE / "replicas.json"
#: The largest ledger, or list of hashes, that is read at once.
TEXT = 64 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def stores() -> Iterator[tuple[str, Path, Path]]:
    """Name, store and ledger of every copy."""
    for path in sorted(REPLICA.glob("*/ledger.jsonl")) if REPLICA.is_dir() else ():
        yield path.parent.name, path.parent / "store", path


def replicate(conf: dict[str, Any]) -> int:
    """Take over what was fetched of each source, keep what was found, tell; 1 with a finding or a failed fetch."""
    before, after = got(STATUS), {}
    for source in conf["sources"]:
        name = source["name"]
        after[name] = taken(INCOMING / name, REPLICA / name, before.get(name, {}))
        for one in after[name]["findings"]:
            log(f"{name}: {one}", alarm=True)
    put(STATUS, after)
    return 1 if any(one["findings"] or one["error"] for one in after.values()) else 0


def taken(incoming: Path, home: Path, before: dict[str, Any]) -> dict[str, Any]:
    """One source: its new lines, its files, what it says of them; the new status."""
    fetched = got(incoming / "fetched.json")
    error = str(fetched.get("error", "nothing was fetched yet"))
    home.mkdir(mode=0o2750, exist_ok=True)
    (home / "store").mkdir(mode=0o2750, exist_ok=True)
    ledger = Ledger(home / "ledger.jsonl")
    findings: list[str] = []
    try:
        with ledger.locked() as known:
            lines(ledger, text(incoming / "ledger.jsonl"))
            findings += files(known, incoming / "files", home)
            compared = said(known, incoming / "hashes.jsonl")
    except Failed as failure:
        # Its lines are refused: what was found of its files before still holds.
        findings.append(str(failure))
        known, compared = ledger.known, None
    old = {key: before.get(key) for key in ("compared", "differences")}
    if compared is not None:
        old = {"compared": now(), "differences": compared}
    missing = [path for path in known.held if not (home / "store" / path).exists()]
    if not error and missing and not findings and not fetched.get("left"):
        findings += told(("missing at the source", path) for path in missing)
    shutil.rmtree(incoming, ignore_errors=True)
    findings += old["differences"] or []
    good = not error and not findings
    return {
        **old,
        "at": now(),
        "error": plain(error),
        "findings": list(dict.fromkeys(findings))[:NAMED],
        "seq": len(known.entries),
        "head": known.head,
        "files": len(known.held) - len(missing),
        "last_success": now() if good else before.get("last_success", ""),
    }


def text(path: Path) -> str:
    """What was fetched as text; empty where nothing was."""
    try:
        handle, _ = opened(path)
    except Gone:
        return ""
    with os.fdopen(handle, "rb") as file:
        found = file.read(TEXT)
    return found[: found.rfind(b"\n") + 1].decode("utf-8", "replace")


def lines(ledger: Ledger, text: str) -> None:
    """Lines of a source's ledger that continue ours, into ours.

    Raises:
        Failed: one does not continue it (it was rewritten, or is another one), or is no line of ours; those before are in.
    """
    trial, good = continued(ledger.known, text)
    ledger.write(trial.entries[len(ledger.known.entries) :])
    if not good:
        wrong = len(trial.entries) + 1
        raise Failed(f"its ledger does not continue ours at line {wrong}: was it rewritten?")


def continued(known: Known, text: str) -> tuple[Known, bool]:
    """What is known with the lines of a source that continue it, and whether all do."""
    trial = Known()
    for entry in known.entries:
        trial.add(entry)
    try:
        extend(trial, text, sound)
    except Failed:
        return trial, False
    return trial, True


def sound(entry: Entry) -> bool:
    """Whether a line, whose hash is right, speaks of files as ours do."""
    kinds = {"document": 2, "rejected": 1, "again": 0, "retry": 0, "dismissed": 0, "lost": 0}
    files = [entry[which] for which in ("document", "scan") if which in entry]
    if len(files) != kinds.get(entry["kind"]):
        return False
    return all(
        proper(one["path"])
        and isinstance(one["size"], int)
        and one["size"] >= 0
        and _SHA256.fullmatch(str(one["sha256"]))
        for one in files
    )


def proper(path: object) -> bool:
    """Whether a path of another's ledger stays below the store, in the folders that there are."""
    if not isinstance(path, str) or "\0" in path or not path.isprintable() or len(path) > 300:
        return False
    parts = path.split("/")
    return parts[0] in {"documents", "scans", "rejected"} and all(
        part not in {"", ".", ".."} for part in parts
    )


def files(known: Known, folder: Path, home: Path) -> list[str]:
    """Fetched files, `<seq>-<which>` each, into the store of their source; findings by name."""
    expected = {f"{held.seq}-{held.which}": held for held in known.held.values()}
    findings = []
    for name in sorted(os.listdir(folder)) if folder.is_dir() and not folder.is_symlink() else ():
        held = expected.get(name)
        if held is None or (home / "store" / held.path).exists():
            continue
        fresh = home / ".copying"
        fresh.unlink(missing_ok=True)
        try:
            found = copy(folder / name, fresh, held.size + 1)
        except Failed:
            found = ("", -1)
        if found != (held.sha256, held.size):
            findings.append(("changed at the source", held.path))
            continue
        place(fresh, home / "store" / held.path)
    (home / ".copying").unlink(missing_ok=True)
    return told(findings)


def place(fresh: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o2750, parents=True, exist_ok=True)
    fresh.chmod(0o440)
    fresh.replace(target)
    settle(target.parent)


def said(known: Known, path: Path) -> list[str] | None:
    """What a source's own files are, against our copy of its ledger; None when it was not asked."""
    first, *rest = text(path).splitlines() or [""]
    if not first:
        return None
    try:
        upto = int(json.loads(first)["seq"])
        there = {str(one["path"]): (one["sha256"], one["size"]) for one in map(json.loads, rest)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ["what it says of its files cannot be read"]
    found: list[tuple[str, str]] = []
    for held in known.held.values():
        if held.path in there:
            if there[held.path] != (held.sha256, held.size):
                found.append(("changed at the source", held.path))
        elif held.seq <= upto:
            found.append(("missing at the source", held.path))
    # A file without its line may be one that is being archived: the lines were fetched after the hashes.
    found += [("extra at the source", path) for path in there if path not in known.held]
    return told(found)


def wanted(known: Known, home: Path) -> list[Held]:
    """Files that the ledger has and the copy lacks, the oldest first."""
    return [held for held in known.held.values() if not (home / "store" / held.path).exists()]
