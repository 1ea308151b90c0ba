"""A database out of a vault: into a scratch database on its own host, its tables compared with the dump."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.restore.back import NEWEST, SPOOL
from lienthong.restore.far import Answer, Far
from lienthong.restore.pick import Kept
from lienthong.services.database import Params

#: Where a source puts its dumps beside its documents (deploys/backup.py).
DUMPS = ".lienthong-databases"
PROGRAM = "/usr/local/sbin/lienthong-database"


@dataclass(frozen=True)
class DatabaseDone:
    """What a restored database came to."""

    vault: str
    source: str
    name: str
    archive: str
    answer: Answer

    @property
    def good(self) -> bool:
        return bool(self.answer.get("ok"))

    def data(self) -> dict[str, Any]:
        bare = {key: value for key, value in self.answer.items() if key != "event"}
        return {
            "vault": self.vault,
            "source": self.source,
            "name": self.name,
            "archive": self.archive,
            **bare,
        }

    def text(self) -> str:
        one = self.answer
        how = "every table equal" if self.good else f"DIFFERENT: {', '.join(one['different'])}"
        return (
            f"{self.source}: {self.name}: {one['tables']} tables, {one['came']}/{one['rows']} rows, {how}\n"
            f"  from archive {self.archive} of {self.vault}, {one['seconds']} s\n"
            f"  in the {one['engine']} database {one['database']} of {self.source}; "
            f"gone with: lienthong-database forget {one['database']}"
        )


def restore(far: Far, kept: Kept, source: Node, name: str, archive: str) -> DatabaseDone:
    """Restore a database to scratch and compare.

    Raises:
        LienThongError: the host runs none, the vault has no such dump, or the dump does not come in.
    """
    if not source.runs("database"):
        raise LienThongError(f"{source.name} runs no database", hint="see its `runs` in the inventory")
    params = source.services["database"].params
    assert isinstance(params, Params)
    inside = f"{source.name}/{DUMPS}/{params.engine}-{quote(name, safe='')}.dump"
    answer = far.ask(kept.vault, "restore", archive or NEWEST, inside)
    folder = str(answer["folder"])
    try:
        if not answer.get("ok"):
            raise LienThongError(f"{kept.vault.name}: the dump differs from its hash")
        spool = far.run(source, ["mktemp", f"{SPOOL}/lienthong-restore.XXXXXX"]).strip()
        try:
            send = ["cat", f"{folder}/{inside}"]
            far.carry(kept.vault, send, ["dd", f"of={spool}", "status=none"], source)
            script = f'exec < "$1"; {PROGRAM} restore || [ $? = 1 ]'
            told = far.run(source, ["sh", "-c", script, "restore", spool])
        finally:
            far.run(source, ["rm", "-f", spool])
    finally:
        far.ask(kept.vault, "forget", folder)
    if not told.strip():
        raise LienThongError(f"{source.name}: {name} did not come in", hint=f"try {PROGRAM} restore there")
    return DatabaseDone(kept.vault.name, source.name, name, str(answer["archive"]), json.loads(told))
