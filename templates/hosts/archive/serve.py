#!/usr/bin/python3 -I
"""The one thing that a province's archive may do here. Written by Liên Thông; the forced command of `lienthong-archive`.

    ledger N     lines of the ledger after line N
    hashes       SHA-256 of every file there is, after how many lines the ledger had then
    files        on standard input lines `SEQ document` or `SEQ scan`: those files, as tar

The account may read what is archived and change nothing.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile

sys.path.insert(0, "/usr/local/lib/lienthong/archive")

import verify
from ledger import Ledger
from places import BASE, STATE, Failed, Gone, hashed, opened

STORE = BASE / "store"
LEDGER = STATE / "ledger.jsonl"
ASKED_AT_MOST = 2000


def lines(after: int) -> None:
    """From the file as it is: whoever altered it should be found out by who has the rest."""
    if LEDGER.exists():
        with LEDGER.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number > after and line.endswith("\n"):
                    sys.stdout.write(line)


def hashes() -> None:
    with LEDGER.open("rb") if LEDGER.exists() else open(os.devnull, "rb") as file:
        print(json.dumps({"seq": sum(line.endswith(b"\n") for line in file)}))
    for path in sorted(verify.files(STORE)):
        try:
            digest, size = hashed(STORE / path)
        except Gone:
            digest, size = "", -1
        print(json.dumps({"path": path, "sha256": digest, "size": size}))


def files() -> None:
    asked = [line.split() for line in sys.stdin.read(1 << 20).splitlines()[:ASKED_AT_MOST]]
    held = {(str(one.seq), one.which): one for one in Ledger(LEDGER).read().held.values()}
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for words in asked:
            one = held.get((words[0], words[1])) if len(words) == 2 else None
            if one is None:
                continue
            try:
                handle, seen = opened(STORE / one.path)
            except Gone:
                continue  # it will be missed
            with os.fdopen(handle, "rb") as file:
                info = tarfile.TarInfo(f"{one.seq}-{one.which}")
                info.size = seen.st_size
                archive.addfile(info, file)


def main() -> int:
    words = os.environ.get("SSH_ORIGINAL_COMMAND", "").split()
    try:
        match words:
            case ["ledger", after] if after.isdecimal():
                lines(int(after))
            case ["hashes"]:
                hashes()
            case ["files"]:
                files()
            case _:
                print("refused", file=sys.stderr)
                return 2
    except Failed as error:
        print(f"lienthong-archive: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
