#!/usr/bin/python3 -IB
"""What root does on a vault. Written by Liên Thông as /usr/local/sbin/lienthong-vault; answers are lines of JSON.

lienthong-vault began                       a job begins
lienthong-vault look [--after-job]          compare the repository with the ledger; alarm
lienthong-vault list                        archives that the ledger knows, and whether they are there
lienthong-vault files ARCHIVE|newest PATH   documents under a path with their hashes, at most 1000
lienthong-vault restore ARCHIVE|newest PATH…   into a new folder under /srv/restore, hashes compared
lienthong-vault send FOLDER                 a restored folder as tar on standard output
lienthong-vault forget FOLDER               remove a restored folder
lienthong-vault drill [--if-due]            restore the newest of all, compare, keep the figures
lienthong-vault undelete                    back to the last look without a finding
lienthong-vault accept REASON               what is missing is meant or past help: go on from here
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, "/usr/local/lib/lienthong/vault")

import drilling
import ledger
import look
import offline
import reader
import restoring
import undelete
from places import BEGAN, LOOK, SCRATCH, Failed, conf, fail, got, quiet, tell

FILES_AT_MOST = 1000


def listed() -> int:
    """The ledger's archives beside the repository's."""
    with quiet():
        there = {one.id for one in reader.archives()}
    known = ledger.read()
    rows = [
        {"name": one["name"], "start": one["start"], "manifest": one["manifest"], "there": one["id"] in there}
        for one in sorted(known.expected.values(), key=lambda one: str(one["start"]))
    ]
    tell(event="result", archives=rows, look=got(LOOK))
    return 0


def files(wanted: str, path: str) -> int:
    """Documents under a path."""
    archive = restoring.newest("" if wanted == "newest" else wanted)
    under = path.rstrip("/")
    found = [
        [name, digest]
        for name, digest in sorted(restoring.hashes(archive).items())
        if name == under or name.startswith(f"{under}/")
    ]
    tell(event="result", archive=archive["name"], total=len(found), files=found[:FILES_AT_MOST])
    return 0


def restore(wanted: str, paths: list[str]) -> int:
    """Into a new folder, which stays only when something came."""
    with quiet():
        archive = restoring.newest("" if wanted == "newest" else wanted)
        into = restoring.folder("restore")
        try:
            compared = restoring.restore(archive, paths, into)
        except BaseException:
            shutil.rmtree(into, ignore_errors=True)
            raise
    told = {"archive": archive["name"], "start": archive["start"], "folder": str(into), "ok": compared.ok}
    tell(event="result", **told, **compared.data())
    return 0 if compared.ok else 1


def restored(text: str) -> Path:
    """A folder that a restore made, by its path.

    Raises:
        Failed: it is none.
    """
    path = Path(text)
    if path.parent != SCRATCH or path.name in {"", ".", ".."} or path.is_symlink() or not path.is_dir():
        raise Failed(f"{text!r} is no restored folder")
    return path


def main(words: list[str]) -> int:
    os.umask(0o077)
    try:
        match words:
            case ["began"]:
                BEGAN.write_text("", encoding="utf-8")
            case ["look", *rest]:
                return look.look(conf(), rest == ["--after-job"])
            case ["list"]:
                return listed()
            case ["files", archive, path]:
                return files(archive, path)
            case ["restore", archive, *paths]:
                return restore(archive, paths)
            case ["send", folder]:
                argv = [
                    "tar",
                    "--create",
                    "--file=-",
                    "--directory",
                    str(restored(folder)),
                    "--sort=name",
                    ".",
                ]
                return subprocess.run(argv, check=False).returncode
            case ["forget", folder]:
                shutil.rmtree(restored(folder))
                tell(event="result", ok=True)
            case ["drill", *rest]:
                if rest == ["--if-due"] and not drilling.due(conf()["drill_days"]):
                    tell(event="result", ok=True, due=False)
                    return 0
                return drilling.drill(conf())
            case ["copy", *rest]:
                name = rest[0] if rest and rest[0] != "--if-there" else ""
                return offline.copies(conf(), name, if_there=rest == ["--if-there"])
            case ["undelete"]:
                return undelete.undelete()
            case ["accept", reason]:
                return undelete.accept(reason)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Failed as error:
        return fail(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
