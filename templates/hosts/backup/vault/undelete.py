"""Takes the repository back to the last look without a finding: what an append-only client deleted is there again.

The data of an append-only repository is never removed, only written after: segments later than the good
transaction are moved aside (never thrown away), then the indexes, which borg makes anew, and both accounts'
memory of a newer state, which borg would take for an attack (docs of borg 1.2, "Append-only mode").
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ledger
import reader
from look import current
from places import ASIDE, LOOK, REPOSITORY, STORE, Failed, log, note, now, put, quiet, tell
from writer import as_vault


def undelete() -> int:
    """Go back, look, write it down."""
    with quiet():
        before = current()
        if not before.findings:
            raise Failed("the last look found nothing wrong: there is nothing to undo")
        files = reader.segments()
        if files.digest(before.transaction) != before.segments:
            raise Failed(
                f"data of transaction {before.transaction} was changed or removed: only the offline copy has it"
            )
        aside = ASIDE / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        moved = set_aside(before.transaction, files, aside)
        note(f"{moved} files after transaction {before.transaction} moved to {aside}")
        rebuild()
        now_there = {one.id: one for one in reader.archives()}
        lost = sorted(set(before.good) - set(now_there))
        if lost:
            raise Failed(f"{len(lost)} archives did not come back; what was moved is in {aside}")
        after_files = reader.segments()
        dropped = sorted(set(before.expected) - set(now_there))
        after = ledger.append(
            before,
            "undelete",
            lost=dropped,
            transaction=after_files.transaction,
            segments=after_files.digest(after_files.transaction),
            aside=str(aside),
        )
    result = {"at": now(), "findings": [], "ok": True, "job": "", "archives": len(now_there),
              "transaction": after_files.transaction, "seq": len(after.entries), "head": after.head,
              "good_at": after.good_at}  # fmt: skip
    put(LOOK, result)
    log(f"undelete: {len(now_there)} archives as of {before.good_at}, {moved} files aside", alarm=True)
    tell(
        event="result", back_to=before.good_at, aside=str(aside), moved=moved, dropped=len(dropped), **result
    )
    return 0


def accept(reason: str) -> int:
    """An officer says that what is missing is meant or past help: the ledger goes on from what is there."""
    with quiet():
        before = current()
        there = {one.id for one in reader.archives()}
        lost = sorted(set(before.expected) - there)
        files = reader.segments()
        after = ledger.append(
            before,
            "accept",
            reason=reason[:300],
            lost=lost,
            transaction=files.transaction,
            segments=files.digest(files.transaction),
        )
    result: dict[str, Any] = {"at": now(), "findings": [], "ok": True, "job": "", "archives": len(there),
                              "transaction": files.transaction, "seq": len(after.entries), "head": after.head,
                              "good_at": after.good_at}  # fmt: skip
    put(LOOK, result)
    log(f"accept: {len(lost)} archives lost, {reason[:200]}", alarm=True)
    tell(event="result", lost=len(lost), **result)
    return 0


def set_aside(transaction: int, files: reader.Segments, aside: Path) -> int:
    """Move what came after a transaction. As the account whose folder it is: root follows no path of `vault`'s."""
    later = [f"data/{folder}/{n}" for n, _, _ in files.files if n > transaction for folder in where(n)]
    derived = [name for name in os.listdir(REPOSITORY) if re.fullmatch(r"(hints|index|integrity)\.\d+", name)]
    script = 'set -e; umask 077; mkdir -p "$1"; cd "$2"; while read -r path; do mkdir -p "$1/${path%/*}"; mv -- "$path" "$1/$path"; done'
    names = "".join(f"{name}\n" for name in [*later, *(f"./{name}" for name in derived)])
    as_vault("sh", "-c", script, "sh", str(aside), str(REPOSITORY), stdin=names)
    return len(later)


def where(number: int) -> list[str]:
    """The folder that a segment lies in."""
    data = REPOSITORY / "data"
    return [
        folder
        for folder in os.listdir(data)
        if (data / folder / str(number)).exists() and stat.S_ISDIR(os.lstat(data / folder).st_mode)
    ]


def rebuild() -> None:
    """borg makes its indexes anew, as the account that may write them, knowing of no later state."""
    for memory in (STORE / "base", Path(reader.HOME)):
        if memory == STORE / "base":
            as_vault("rm", "-rf", str(memory))
        else:
            for child in memory.iterdir():
                shutil.rmtree(child, ignore_errors=True)
    as_vault("borg", "list", "--short")
