"""Reads the repository as `vault-read`: sees all, changes nothing, and is not the account it judges.

borg writes its caches to a folder of that account's own; the repository's lock is left alone (`--bypass-lock`),
since the job's own lock is held meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from places import CONF, MANIFEST, REPOSITORY, SOURCES, Failed

READER = "vault-read"
HOME = "/var/lib/lienthong/vault-read"
_CAPS = "-all,+dac_read_search"


@dataclass(frozen=True)
class Archive:
    """One archive as the repository lists it; `start` is UTC."""

    name: str
    id: str
    start: str


@dataclass(frozen=True)
class Segments:
    """The repository's files of data: their last transaction, and (number, size, change time) of each."""

    transaction: int
    files: tuple[tuple[int, int, int], ...]

    def digest(self, upto: int) -> str:
        """SHA-256 over what is known of every segment up to a transaction: an append-only one never changes."""
        lines = "".join(f"{n} {size} {ctime}\n" for n, size, ctime in self.files if n <= upto)
        return hashlib.sha256(lines.encode()).hexdigest()


def command(*words: str, repository: Path = REPOSITORY) -> tuple[list[str], dict[str, str]]:
    """A borg command as that account: argument list and environment."""
    who = ["setpriv", "--reuid", READER, "--regid", READER, "--clear-groups", "--no-new-privs",
           "--inh-caps", _CAPS, "--ambient-caps", _CAPS, "--bounding-set", _CAPS]  # fmt: skip
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": HOME,
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "BORG_REPO": str(repository),
        "BORG_PASSCOMMAND": f"cat {CONF / 'passphrase'}",
        "BORG_BASE_DIR": HOME,
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    }
    return [*who, "borg", words[0], "--bypass-lock", *words[1:]], environment


def borg(*words: str, repository: Path = REPOSITORY) -> bytes:
    """What borg prints.

    Raises:
        Failed: with borg's last line.
    """
    argv, environment = command(*words, repository=repository)
    done = subprocess.run(argv, env=environment, cwd="/", capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"borg {words[0]} ended with {done.returncode}: {lines[-1]}")
    return done.stdout


def archives(repository: Path = REPOSITORY) -> list[Archive]:
    """All archives, oldest first."""
    told = json.loads(borg("list", "--json", repository=repository))
    return [Archive(one["name"], one["id"], one["start"]) for one in told["archives"]]


def member(archive: str, path: str) -> bytes:
    """One small file of an archive; empty when it is not in there."""
    try:
        return borg("extract", "--stdout", f"::{archive}", path)
    except Failed as error:
        if "never matched" in str(error):
            return b""
        raise


def manifest(archive: str) -> tuple[dict[str, str], str]:
    """SHA-256 by path as hashed when the documents were fetched, and the manifest's own SHA-256."""
    text = member(archive, MANIFEST)
    found = {}
    for line in text.decode("utf-8", "surrogateescape").splitlines():
        digest, _, path = line.partition("  ")
        found[path] = digest
    return found, hashlib.sha256(text).hexdigest()


def fetched(archive: str) -> dict[str, bool]:
    """Which sources are in an archive, and whether each was fetched whole."""
    text = member(archive, SOURCES)
    return {str(name): bool(ok) for name, ok in json.loads(text or b"{}").items()}


@contextmanager
def exported(archive: str, *paths: str) -> Iterator[IO[bytes]]:
    """An archive, or some paths of it, as a tar stream.

    Raises:
        Failed: borg failed; a path that is not in the archive counts.
    """
    argv, environment = command("export-tar", f"::{archive}", "-", *paths)
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=environment, cwd="/", stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            yield process.stdout
            while process.stdout.read(1 << 20):
                pass
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read(4000).decode(errors="replace").strip()
        if process.wait():
            raise Failed(
                f"borg export-tar ended with {process.returncode}: {said.splitlines()[-1] if said else ''}"
            )


def segments(repository: Path = REPOSITORY) -> Segments:
    """What lies in the repository's folders, by number; nothing is opened and no link followed."""
    files = []
    data = repository / "data"
    for folder in sorted(os.listdir(data)):
        if not stat.S_ISDIR(os.lstat(data / folder).st_mode):
            raise Failed(f"{data / folder} is no folder")
        for name in os.listdir(data / folder):
            seen = os.lstat(data / folder / name)
            if name.isdigit() and stat.S_ISREG(seen.st_mode):
                files.append((int(name), seen.st_size, seen.st_ctime_ns))
    found = [int(hit[1]) for name in os.listdir(repository) if (hit := re.fullmatch(r"index\.(\d+)", name))]
    return Segments(max(found, default=-1), tuple(sorted(files)))
