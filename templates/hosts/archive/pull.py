#!/usr/bin/python3 -I
"""Fetches other archives. Written by Liên Thông; runs as `lienthong-archive`, and root takes over what it brings.

Of each source, into `incoming/<name>/`: the new lines of its ledger, the files that are not here yet, and once a day
what it says of all its files. Only what root's copy of the ledger asks for is kept; a source may be hostile.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, "/usr/local/lib/lienthong/archive")

import replica
from ledger import Ledger
from places import STATE, Failed, conf, got

KEY = "/etc/lienthong/archive/fetch_ed25519"
KNOWN = "/etc/lienthong/archive/known_hosts"
ACCOUNT = "lienthong-archive"
#: Asked for at once, so that what has come is taken over before all of a first copy has.
FILES, BYTES = 1000, 4 << 30
COMPARE_S = 20 * 3600
TEXT = replica.TEXT


def command(source: dict[str, str], words: str) -> list[str]:
    return [
        "ssh", "-F", "none", "-T", "-i", KEY, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
        "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "StrictHostKeyChecking=yes",
        "-o", f"UserKnownHostsFile={KNOWN}", "-o", "GlobalKnownHostsFile=/dev/null",
        f"{ACCOUNT}@{source['address']}", words,
    ]  # fmt: skip


def ask(argv: list[str], asked: str = "") -> bytes:
    """What a source answers, as text of a limited length.

    Raises:
        Failed: it does not, or says too much.
    """
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ssh:
        assert ssh.stdin and ssh.stdout and ssh.stderr
        ssh.stdin.write(asked.encode())
        ssh.stdin.close()
        found = ssh.stdout.read(TEXT)
        if ssh.stdout.read(1):
            ssh.kill()
            raise Failed(f"more than {TEXT} bytes of text")
        complain(ssh)
    return found


def complain(ssh: subprocess.Popen[bytes]) -> None:
    assert ssh.stderr
    said = ssh.stderr.read(2000).decode(errors="replace").strip().splitlines() or ["no message"]
    if ssh.wait():
        raise Failed(f"ended with {ssh.returncode}: {said[-1]}")


def receive(argv: list[str], wanted: list[replica.Held], folder: Path) -> None:
    """Files as tar: only those that were asked for, none larger than its ledger says.

    Raises:
        Failed: the line broke.
    """
    asked = "".join(f"{one.seq} {one.which}\n" for one in wanted)
    sizes = {f"{one.seq}-{one.which}": one.size for one in wanted}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ssh:
        assert ssh.stdin and ssh.stdout
        ssh.stdin.write(asked.encode())
        ssh.stdin.close()
        try:
            unpack(ssh.stdout, sizes, folder)
        except (tarfile.TarError, EOFError, OSError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ssh.wait(5)
            ssh.kill()
            complain(ssh)
            raise Failed(f"the stream broke: {error}") from None
        complain(ssh)


def unpack(stream: IO[bytes], sizes: dict[str, int], folder: Path) -> None:
    """Each file once, under the name that was asked for."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            limit = sizes.pop(member.name, None)
            content = archive.extractfile(member) if member.isreg() and limit is not None else None
            if content is None or limit is None:
                continue
            with (folder / member.name).open("xb") as out:
                left = limit + 1  # one more tells root that it is too large
                while left and (block := content.read(min(left, 1 << 20))):
                    out.write(block)
                    left -= len(block)


def fetch(source: dict[str, str], into: Path, compare: bool) -> int:
    """One source; how many files were not asked for yet.

    Its hashes come before its lines, so that every file it speaks of has its line here.
    """
    if compare:
        (into / "hashes.jsonl").write_bytes(ask(command(source, "hashes")))
    ledger = Ledger(replica.REPLICA / source["name"] / "ledger.jsonl")
    known = ledger.read()
    text = ask(command(source, f"ledger {len(known.entries)}"))
    (into / "ledger.jsonl").write_bytes(text)
    after, _ = replica.continued(known, text.decode("utf-8", "replace"))  # root says what is wrong
    missing = replica.wanted(after, replica.REPLICA / source["name"])
    wanted = missing[:FILES]
    while len(wanted) > 1 and sum(one.size for one in wanted) > BYTES:
        wanted.pop()
    (into / "files").mkdir()
    if wanted:
        receive(command(source, "files"), wanted, into / "files")
    return len(missing) - len(wanted)


def main() -> int:
    os.umask(0o027)
    failed = 0
    status: dict[str, Any] = got(STATE / "replicas.json")
    for source in conf()["sources"]:
        into = replica.INCOMING / source["name"]
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        last = status.get(source["name"], {}).get("compared")
        age = time.time() - datetime.fromisoformat(last).timestamp() if last else COMPARE_S
        try:
            left, error = fetch(source, into, age >= COMPARE_S or "--compare" in sys.argv), ""
        except (Failed, OSError) as failure:
            left, error, failed = 0, str(failure)[:300], 1
        said = {"error": error, "left": left, "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        (into / "fetched.json").write_text(json.dumps(said), encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main())
