#!/usr/bin/python3
# Written by Liên Thông (pyinfra, deploys/mirror.py).
"""Takes a snapshot of packages, judges it, and puts it in the place of the one that is served; tells of it.

    lienthong-mirror take < snapshot.tar     one line of JSON; 2: refused, with its reason
    lienthong-mirror status                  one line of JSON about what is served

Refused: `unsigned` (not by the one key), `altered` (a file that is not what was signed, missing or extra),
`expired`, `not-yet` (made later than now), `older` (than what is served), `other` (of another Debian release).
What counts is what gpgv gives back of InRelease, never the file itself. The swap is the rename of a link: a
run that is killed at any moment leaves what was served, or the new one.
"""

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

CONF = Path("/etc/lienthong/mirror/mirror.json")
#: Files beside those that are listed; they say nothing that InRelease does not.
UNUSED = ("Release", "Release.gpg")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~%:-]{0,254}")
MAX_FILES, MAX_BYTES = 50_000, 64 << 30
#: Clocks of two controllers.
SKEW = timedelta(minutes=10)
#: The one that is served, and the one before it.
KEEP = 2


class Refused(Exception):
    """A snapshot that is not taken."""

    def __init__(self, reason, what):
        super().__init__(f"{reason}: {what}")
        self.reason, self.what = reason, what


class Mirror:
    """The folder that is served from: `snapshots/<when made>`, and the link `current` to one of them."""

    def __init__(self, conf, now=None):
        self.store, self.key = Path(conf["store"]), Path(conf["key"])
        self.suite = conf["suite"]
        self.now = now or datetime.now(timezone.utc)
        self.current = self.store / "current"

    def take(self, stream):
        """Take a tar from a stream.

        Raises:
            Refused: it is not taken; what is served is what was served.
        """
        (self.store / "snapshots").mkdir(mode=0o755, exist_ok=True)
        with (self.store / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self.store.glob(".new-*"):
                shutil.rmtree(left, ignore_errors=True)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self.store))
            try:
                unpack(stream, new)
                found = self.judge(new)
                served = self.served()
                if served and served["sha256"] == found["sha256"]:
                    return {**found, "changed": False}
                if served and found["date"] <= served["date"]:
                    raise Refused("older", f"it is of {found['date']}, what is served is of {served['date']}")
                name = f"{found['date']:%Y%m%dT%H%M%SZ}-{found['sha256'][:12]}"
                place = self.store / "snapshots" / name
                if place.exists():  # a run that was killed before the swap
                    shutil.rmtree(place)
                new.chmod(0o755)
                os.sync()
                new.rename(place)
            finally:
                shutil.rmtree(new, ignore_errors=True)
            self.point(place)
            self.forget(place)
            return {**found, "changed": True}

    def point(self, place):
        """The swap."""
        link = self.store / ".current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(place.relative_to(self.store))
        link.rename(self.current)
        os.sync()

    def forget(self, place):
        """Older snapshots go, all but the last before this one."""
        others = sorted(path for path in (self.store / "snapshots").iterdir() if path != place)
        for path in others[: -(KEEP - 1)]:
            shutil.rmtree(path, ignore_errors=True)

    def served(self):
        """Date and hash of what is served; None where nothing is, or nothing that the key has signed."""
        try:
            return self.release(self.current)[0]
        except (OSError, Refused):
            return None

    def judge(self, folder, contents=True):
        """What a snapshot is, every file of it looked at.

        Args:
            contents: hash packages too; without, only that they are there and how large they are.

        Raises:
            Refused: it is no good now.
        """
        about, listed = self.release(folder)
        if about["date"] > self.now + SKEW:
            raise Refused("not-yet", f"it is of {about['date']}, and now is {self.now}")
        if about["valid_until"] <= self.now:
            raise Refused("expired", f"it was valid until {about['valid_until']}")
        dists = folder / "dists" / self.suite
        known = {dists / "InRelease"}
        packages = 0
        for path, (digest, size) in listed.items():
            same(folder, dists / path, digest, size)
            known.add(dists / path)
            if path.endswith("/Packages"):
                for name, digest, size in packages_of(dists / path):
                    same(folder, folder / name, digest if contents else None, size)
                    known.add(folder / name)
                    packages += 1
        if not packages:
            raise Refused("altered", "it lists no package")
        unused = {dists / name for name in UNUSED}
        total = 0
        for path in folder.rglob("*"):
            if path.is_symlink() or not (path.is_dir() or path in known or path in unused):
                raise Refused("altered", f"{path.relative_to(folder)} is not listed")
            total += path.stat().st_size if path.is_file() else 0
        return {**about, "packages": packages, "bytes": total}

    def release(self, folder):
        """(about it, files by path with hash and size) as the one key has signed it."""
        path = folder / "dists" / self.suite / "InRelease"
        if not path.is_file():
            raise Refused("unsigned", f"it has no dists/{self.suite}/InRelease")
        text = self.signed(path)
        fields, listed, inside = {}, {}, ""
        for line in text.splitlines():
            if not line.startswith(" "):
                inside, _, value = line.partition(":")
                fields[inside] = value.strip()
            elif inside == "SHA256":
                digest, size, name = line.split()
                listed[plain(name)] = (digest, int(size))
        if fields.get("Codename") != self.suite:
            raise Refused("other", f"it is of {fields.get('Codename')}, not of {self.suite}")
        about = {"sha256": hashlib.sha256(text.encode()).hexdigest()}
        for key, name in (("date", "Date"), ("valid_until", "Valid-Until")):
            try:
                about[key] = parsedate_to_datetime(fields[name].replace("UTC", "+0000"))
            except (KeyError, TypeError, ValueError):
                raise Refused("altered", f"it has no {name}") from None
        return about, listed

    def signed(self, path):
        """The text that the key has signed.

        Raises:
            Refused: it has not.
        """
        with tempfile.TemporaryDirectory(prefix="lienthong-mirror-") as folder:
            ring = Path(folder) / "ring.gpg"
            ring.write_bytes(dearmoured(self.key.read_text("ascii")))
            words = ["gpgv", "--keyring", str(ring), "--status-fd", "2", "--output", "-", str(path)]
            done = subprocess.run(words, capture_output=True, check=False)
        status = re.findall(r"^\[GNUPG:\] (\w+)", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
        if done.returncode or status.count("VALIDSIG") != 1 or not done.stdout:
            raise Refused("unsigned", "its InRelease is not signed by the key of the inventory")
        return done.stdout.decode("utf-8")


def dearmoured(text):
    """An armoured block (RFC 9580, 6) as bytes; gpgv takes no other key rings."""
    lines = text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----")[1].split("-----END")[0].splitlines()
    body = lines[lines.index("", 1) + 1 :]
    return base64.b64decode("".join(line for line in body if not line.startswith("=")))


def plain(path):
    """A path that leads nowhere else.

    Raises:
        Refused: it does not.
    """
    if len(path) > 1024 or not all(NAME.fullmatch(part) for part in path.split("/")):
        raise Refused("altered", f"{path[:80]!r} is no plain path")
    return path


def unpack(stream, folder):
    """Plain files below dists/ and pool/, with our own modes; nothing else is taken from a tar."""
    count = total = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                path = member.name.removeprefix("./")
                if member.isdir():
                    continue
                if not member.isfile() or not path.startswith(("dists/", "pool/")):
                    raise Refused("altered", f"{path[:80]!r} is no file of a snapshot")
                count, total = count + 1, total + member.size
                if count > MAX_FILES or total > MAX_BYTES:
                    raise Refused("altered", "it is too large")
                to = folder / plain(path)
                to.parent.mkdir(parents=True, exist_ok=True)
                with archive.extractfile(member) as source, to.open("xb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                to.chmod(0o644)
    except (tarfile.TarError, FileExistsError, NotADirectoryError) as error:
        raise Refused("altered", f"its transport: {error}") from None
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def same(folder, path, digest, size):
    """A file is what was signed.

    Raises:
        Refused: it is not.
    """
    name = path.relative_to(folder)
    if path.is_symlink() or not path.is_file():
        raise Refused("altered", f"{name} is missing")
    if path.stat().st_size != size:
        raise Refused("altered", f"{name} has another size than was signed")
    if digest is not None:
        found = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
        if found.hexdigest() != digest:
            raise Refused("altered", f"{name} is not what was signed")


def packages_of(path):
    """(file, SHA-256, size) of every package of an index."""
    for stanza in path.read_text("utf-8").split("\n\n"):
        fields = dict(re.findall(r"^(Filename|SHA256|Size): (\S+)$", stanza, re.MULTILINE))
        if stanza.strip():
            if len(fields) != 3 or not fields["Filename"].startswith("pool/"):
                raise Refused("altered", "a package of its index has no file")
            yield plain(fields["Filename"]), fields["SHA256"], int(fields["Size"])


def status(mirror):
    """What is served, as the check asks."""
    if not mirror.current.is_symlink():
        return {"served": False}
    try:
        return {"served": True, "good": True, **mirror.judge(mirror.current.resolve(), contents=False)}
    except (OSError, Refused) as error:
        try:
            about = mirror.release(mirror.current)[0]
        except (OSError, Refused):
            about = {}
        return {"served": True, "good": False, "why": str(error), **about}


def main(words, conf=CONF, stream=None, now=None):
    """A verb; its exit code."""
    mirror = Mirror(json.loads(Path(conf).read_text("utf-8")), now)
    try:
        if words == ["take"]:
            told, code = mirror.take(stream or sys.stdin.buffer), 0
        elif words == ["status"]:
            told, code = status(mirror), 0
        else:
            print("lienthong-mirror take|status", file=sys.stderr)
            return 64
    except Refused as error:
        told, code = {"refused": error.reason, "what": error.what}, 2
    except OSError as error:
        told, code = {"failed": str(error)}, 1
    print(json.dumps(told, default=lambda when: when.astimezone(timezone.utc).isoformat()), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
