"""From a job to the archive: hash, line in the ledger, file in its place, in this order; a crash between is mended.

What is new lies in `new/` under its hash, then the ledger says where it belongs, then it is renamed. So a line without
its file finds it in `new/`, and a file without a line is made again from the scan, which is still in the spool.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import intake
import verify
from judge import clean
from ledger import Known, Ledger
from places import Failed, copy, hashed, plain, settle

STORE = "store"
NEW = "new"
KINDS = {"document": "documents", "scan": "scans"}


class Store:
    """The archive below `base`, and its ledger."""

    def __init__(self, base: Path, ledger: Ledger) -> None:
        self.base, self.ledger = base, ledger
        self.store, self.new = base / STORE, base / NEW

    def archive(self, job: Path, kind: str, document: Path, limit: int, **told: Any) -> None:
        """A scan and the document that was made of it."""
        fresh = self.new / ".copying"
        fresh.unlink(missing_ok=True)
        digest, size = copy(document, fresh, limit)
        fresh.chmod(0o440)
        fresh.replace(self.new / digest)
        said = intake.said(job)
        scan = self._scan(job, said)
        with self.ledger.locked() as known:
            if said["sha256"] not in known.scans:
                scanner, name = said["names"][0]
                day = _day()
                files = {
                    "scan": {**scan, "path": _place("scans", day, name, scan["sha256"], kind)},
                    "document": {
                        "sha256": digest, "size": size, "path": _place("documents", day, name, digest, "pdf")
                    },
                }  # fmt: skip
                self.ledger.append("document", scanner=scanner, name=name, **files, **told)
            self._settle(known)
        self._done(job, said)

    def reject(self, job: Path, kind: str, reason: str) -> None:
        """A scan of which no document can be made: it is kept as it came."""
        said = intake.said(job)
        scan = self._scan(job, said)
        with self.ledger.locked() as known:
            if said["sha256"] not in known.scans:
                scanner, name = said["names"][0]
                where = _place("rejected", _day(), name, scan["sha256"], kind)
                self.ledger.append(
                    "rejected", scanner=scanner, name=name, scan={**scan, "path": where}, reason=plain(reason)
                )
            self._settle(known)
        self._done(job, said)

    def known_already(self, job: Path) -> bool:
        """Whether the ledger has this scan: then only its new names are written down, and the job is over."""
        said = intake.said(job)
        with self.ledger.locked() as known:
            if said["sha256"] not in known.scans:
                return False
        self._done(job, said)
        return True

    def mend(self) -> None:
        """After a start: what the ledger knows goes to its place, the rest of `new/` was never promised."""
        with self.ledger.locked() as known:
            self._settle(known)
            for path in self.new.iterdir():
                path.unlink()
        shutil.rmtree(self.base / "spool" / intake.TAKING, ignore_errors=True)

    def retry(self, digest: str, spool: Path, group: int) -> str:
        """A rejected scan back into the spool, under all its names; the job's name."""
        with self.ledger.locked() as known:
            sha = _one(known, digest)
            entry = known.rejected[sha]
            path = self.store / entry["scan"]["path"]
            names = [list(pair) for pair in sorted(known.names[sha])]
            intake.again(path, spool, sha, entry["scan"]["size"], names, group)
            self.ledger.append("retry", of=sha)
            path.unlink(missing_ok=True)
            return sha[:32]

    def dismiss(self, digest: str, reason: str) -> None:
        """A rejected scan that is to stay so."""
        with self.ledger.locked() as known:
            self.ledger.append("dismissed", of=_one(known, digest), reason=plain(reason))

    def lost(self, reason: str) -> list[str]:
        """What is missing or changed now is not looked for any more; what lies in its place is set aside.

        Raises:
            Failed: nothing is.
        """
        suspect = [held for held in self.ledger.read().held.values() if verify.wrong(self.store, held)]
        with self.ledger.locked() as known:
            paths = sorted(held.path for held in suspect if held.path in known.held)
            if not paths:
                raise Failed("nothing of this archive is missing or changed")
            entry = self.ledger.append("lost", paths=paths, reason=plain(reason))
            for number, path in enumerate(paths):
                there = self.store / path
                if there.is_symlink() or there.exists():
                    aside = self.base / "aside"
                    aside.mkdir(exist_ok=True)
                    there.replace(aside / f"{entry['seq']}-{number}-{there.name}")
        return paths

    def _scan(self, job: Path, said: dict[str, Any]) -> dict[str, Any]:
        """The scan under its hash in `new/`: the same file under a second name."""
        held = self.new / said["sha256"]
        if not held.exists():
            os.link(job / intake.SCAN, held)
        digest, size = hashed(held)
        if digest != said["sha256"]:
            held.unlink()
            raise Failed(f"{job.name}: the scan changed in the spool")
        return {"sha256": digest, "size": size}

    def _settle(self, known: Known) -> None:
        """Everything of which there is a line lies where that says."""
        settle(self.new)
        waiting = {path.name for path in self.new.iterdir()}
        for held in known.held.values() if waiting else ():
            target = self.store / held.path
            if held.sha256 in waiting and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                group = self.store.stat().st_gid
                os.chown(self.new / held.sha256, 0 if os.geteuid() == 0 else -1, group)
                (self.new / held.sha256).replace(target)
                target.chmod(0o440)
                settle(target.parent)

    def _done(self, job: Path, said: dict[str, Any]) -> None:
        """Names that the ledger does not have yet, then the job goes."""
        with self.ledger.locked() as known:
            for scanner, name in said["names"]:
                if (scanner, name) not in known.names.get(said["sha256"], set()):
                    self.ledger.append("again", of=said["sha256"], scanner=scanner, name=name)
        shutil.rmtree(job)


def _one(known: Known, digest: str) -> str:
    """The rejected scan whose SHA-256 begins so."""
    hits = [sha for sha in known.rejected if digest and sha.startswith(digest)]
    if len(hits) != 1:
        raise Failed(f"{digest!r} is the beginning of {len(hits)} rejected scans' SHA-256")
    return hits[0]


def _place(folder: str, day: str, name: str, digest: str, kind: str) -> str:
    return f"{folder}/{day}/{clean(name)}.{digest[:12]}.{kind}"


def _day() -> str:
    from places import now

    return now()[:10].replace("-", "/")
