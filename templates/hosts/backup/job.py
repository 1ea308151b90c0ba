#!/usr/bin/python3
"""The vault's job. Written by Liên Thông as /usr/local/sbin/lienthong-backup; runs as the account `vault`.

    lienthong-backup run [--patience SECONDS]     fetch, hash, archive; the status says how it went
    lienthong-backup info                         how the repository is kept, as JSON

What is pruned, what comes back, and whether anything vanished, is not this account's to say: `lienthong-vault` does, as root.
The vault pulls: each source's account has one forced command that streams a tar of its documents. A source
may be hostile: only plain files and folders with plain names are taken from its stream, up to a set size.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import syslog
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

CONF = Path("/etc/lienthong/backup")
STORE = Path("/srv/vault")
STATE = Path("/var/lib/lienthong/backup")
REPOSITORY = STORE / "borg"
STAGING = STORE / "staging"
QUARANTINE = STORE / "quarantine"
STATUS = STATE / "status.json"
LOGINS = STATE / "logins"
#: So long a source is tried whose line breaks, again from the start.
BROKEN_S = 900.0
#: So long it is remembered when this vault logged in at a source.
REMEMBER_S = 40 * 86400


class Failed(Exception):
    """A step did not work; the message is for people."""


class Broken(Failed):
    """The line to a source broke: it is worth trying again, which a refusal is not."""


def now() -> str:
    """UTC, ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def plain(name: str) -> PurePosixPath | None:
    """The relative path of a tar member, None when it would lead out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or "\n" in name:
        return None
    return path


def unpack(stream: IO[bytes], into: Path, max_bytes: int) -> dict[str, Any]:
    """Take a source's tar stream into a new folder.

    Returns:
        `files`, `bytes`, `left_out` (members that are no plain file or folder), `hashes` (SHA-256 by path).

    Raises:
        Failed: the stream is no tar, ends early, leads out of the folder or is too large.
    """
    hashes: dict[str, str] = {}
    left_out: list[str] = []
    total = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                path = plain(member.name)
                if path is None:
                    raise Failed(f"refused a path that leads out: {member.name!r}")
                target = into / path
                if member.isdir():
                    target.mkdir(mode=0o700, parents=True, exist_ok=True)
                    continue
                if not member.isreg():
                    left_out.append(str(path))
                    continue
                total += member.size
                if total > max_bytes:
                    raise Failed(f"more than {max_bytes} bytes")
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                hashes[str(path)] = take(archive, member, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Failed(f"the stream broke: {error}") from error
    return {"files": len(hashes), "bytes": total, "left_out": sorted(left_out), "hashes": hashes}


def take(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    """Write one file and hash what was written."""
    content = archive.extractfile(member)
    if content is None:
        raise Failed(f"no content: {member.name!r}")
    digest = hashlib.sha256()
    # O_EXCL and O_NOFOLLOW: a second member of the same name does not write through the first.
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out:
        while block := content.read(1 << 20):
            digest.update(block)
            out.write(block)
    os.utime(target, (member.mtime, member.mtime))
    return digest.hexdigest()


def fetch(conf: dict[str, Any], source: dict[str, str], deadline: float) -> dict[str, Any]:
    """One source's documents into the staging folder; tries again until `deadline`, and longer on a broken line."""
    began = time.monotonic()
    while True:
        remember(source["name"])
        tried = now()
        try:
            # What appeared before a try began is in what it brings: lienthong-watch goes by that.
            return {**fetch_once(conf, source), "began": tried}
        except Failed as error:
            until = max(deadline, began + BROKEN_S if isinstance(error, Broken) else 0.0)
            if time.monotonic() > until:
                raise
            time.sleep(2)


def remember(source: str) -> None:
    """Write down, before it begins, that we log in at a source: any other login there with our key is a thief's."""
    with LOGINS.open("a", encoding="utf-8") as file:
        file.write(f"{time.time():.3f} {source}\n")


def forget_logins() -> None:
    """Keep what is young enough to be compared with a source's journal."""
    if LOGINS.exists():
        lines = LOGINS.read_text(encoding="utf-8").splitlines(keepends=True)
        young = [line for line in lines if float(line.split()[0]) > time.time() - REMEMBER_S]
        fresh = LOGINS.with_suffix(".new")
        fresh.write_text("".join(young), encoding="utf-8")
        fresh.replace(LOGINS)


def fetch_once(conf: dict[str, Any], source: dict[str, str]) -> dict[str, Any]:
    into = STAGING / source["name"]
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    command = [
        "ssh", "-F", "none", "-T", "-i", str(CONF / "fetch_ed25519"),
        "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=5",
        "-o", "ServerAliveInterval=10", "-o", "StrictHostKeyChecking=yes",
        "-o", f"UserKnownHostsFile={CONF / 'known_hosts'}", "-o", "GlobalKnownHostsFile=/dev/null",
        f"{conf['account']}@{source['address']}",
    ]  # fmt: skip
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as ssh:
        assert ssh.stdout is not None and ssh.stderr is not None
        problem = ""
        try:
            taken = unpack(ssh.stdout, into, conf["max_bytes"])
        except Failed as error:
            problem = str(error)
            with contextlib.suppress(subprocess.TimeoutExpired):
                ssh.wait(5 if "the stream broke" in problem else 0)  # why it broke is ssh's to say
            ssh.kill()
        complaint = ssh.stderr.read(2000).decode(errors="replace").strip()
        code = ssh.wait()
    if code or problem:
        told = complaint.splitlines()[-1] if complaint else problem
        line_broke = code == 255 and not re.search(
            "denied|verification|not accessible|invalid format", complaint
        )
        kind = Broken if line_broke else Failed
        raise kind(f"fetch ended with {code}: {told}")
    return taken


def scan(conf: dict[str, Any], sources: dict[str, Any], hashes: dict[str, str]) -> list[str]:
    """Move what the scanner knows as malware out of staging, into quarantine, where it lies as a number.

    Returns:
        What was found, a line each: path, signature, SHA-256. It is taken out of `hashes`.

    Raises:
        Failed: the scanner does not run, or has no signatures: nothing is kept unseen.
    """
    command = [
        "clamscan", "--recursive", "--infected", "--no-summary", "--stdout", "--allmatch=no", "--max-filesize=0",
        "--max-scansize=0", "--max-files=0", "--follow-dir-symlinks=0", "--follow-file-symlinks=0",
        f"--database={conf['scan']['signatures']}", ".",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=STAGING, capture_output=True, check=False)
    if done.returncode not in {0, 1}:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"clamscan ended with {done.returncode}: {said[-1]}")
    found = []
    for line in done.stdout.decode("utf-8", "surrogateescape").splitlines():
        name, _, signature = line.removesuffix(" FOUND").rpartition(": ")
        path = name.removeprefix(f"{STAGING.resolve()}/")  # it writes out the whole path
        if not line.endswith(" FOUND") or path not in hashes:
            continue
        digest = hashes.pop(path)
        QUARANTINE.mkdir(mode=0o700, exist_ok=True)
        (STAGING / path).replace(QUARANTINE / digest)
        (QUARANTINE / digest).chmod(0o400)
        source = sources[path.split("/")[0]]
        source["files"] -= 1
        source["quarantined"] = source.get("quarantined", 0) + 1
        found.append(f"{path!a} {signature} {digest}")
    if done.returncode == 1 and not found:
        raise Failed("clamscan found something that was not fetched")
    return found


def report(found: list[str]) -> None:
    """Each document that was kept out, in syslog and so at the collector."""
    syslog.openlog("lienthong-backup", syslog.LOG_PID, syslog.LOG_AUTH)
    for line in found:
        syslog.syslog(syslog.LOG_CRIT, f"ALARM quarantined {line}"[:900])


def borg(*words: str, cwd: Path = STORE) -> subprocess.CompletedProcess[bytes]:
    """Run borg; the passphrase reaches it by a command that reads a file, never by an argument."""
    environment = {
        **os.environ,
        "TZ": "UTC",  # an archive's start is compared with root's clock
        "BORG_REPO": str(REPOSITORY),
        "BORG_PASSCOMMAND": f"cat {CONF / 'passphrase'}",
        "BORG_BASE_DIR": str(STORE / "base"),
    }
    done = subprocess.run(["borg", *words], env=environment, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failed(f"borg {words[0]} ended with {done.returncode}: {lines[-1]}")
    return done


def run(conf: dict[str, Any], patience_s: float) -> dict[str, Any]:
    """The whole job; the new status. A source that fails does not keep the others from the archive."""
    before = json.loads(STATUS.read_text()) if STATUS.exists() else {}
    began = time.monotonic()
    status: dict[str, Any] = {**before, "started": now(), "ok": False, "error": ""}
    sources: dict[str, Any] = {}
    hashes: dict[str, str] = {}
    shutil.rmtree(STAGING, ignore_errors=True)
    STAGING.mkdir(mode=0o700)
    forget_logins()
    try:
        with ThreadPoolExecutor(4) as pool:
            until = began + patience_s
            asked = {one["name"]: pool.submit(fetch, conf, one, until) for one in conf["sources"]}
        for name, answer in asked.items():
            old = before.get("sources", {}).get(name, {})
            try:
                taken = answer.result()
                hashes |= {f"{name}/{path}": digest for path, digest in taken.pop("hashes").items()}
                sources[name] = {**taken, "ok": True, "error": "", "last_success": status["started"]}
            except Failed as error:
                shutil.rmtree(STAGING / name, ignore_errors=True)
                sources[name] = {**old, "ok": False, "error": str(error)}
        found = scan(conf, sources, hashes) if conf.get("scan") else []
        report(found)
        whole = {name: source["ok"] for name, source in sources.items()}
        (STAGING / "SOURCES.json").write_text(json.dumps(whole, sort_keys=True), encoding="utf-8")
        manifest = "".join(f"{digest}  {path}\n" for path, digest in sorted(hashes.items()))
        (STAGING / "SHA256SUMS").write_text(manifest, encoding="utf-8", errors="surrogateescape")
        archive = f"{conf['name']}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        how = ("--files-cache", "disabled", "--compression", "zstd,3")
        borg("create", *how, f"::{archive}", ".", cwd=STAGING)
        status |= {
            "archive": archive,
            "archived": now(),
            "files": len(hashes),
            "quarantined": len(found),
            "bytes": sum(source.get("bytes", 0) for source in sources.values() if source["ok"]),
            "manifest_sha256": hashlib.sha256(manifest.encode(errors="surrogateescape")).hexdigest(),
        }
        failed = sorted(name for name, source in sources.items() if not source["ok"])
        status["ok"] = not failed
        if failed:
            status["error"] = "; ".join(f"{name}: {sources[name]['error']}" for name in failed)
        else:
            status["last_success"] = status["started"]
    except (Failed, OSError) as error:
        status["error"] = str(error)
    finally:
        # Documents lie unencrypted here only while the job runs.
        shutil.rmtree(STAGING, ignore_errors=True)
    status |= {"sources": sources, "seconds": round(time.monotonic() - began, 1), "ended": now()}
    return status


def write(status: dict[str, Any]) -> None:
    """Put the status in place whole; anybody may read it, it names no document."""
    fresh = STATUS.with_suffix(".new")
    fresh.write_text(json.dumps(status, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(STATUS)


def main(words: list[str]) -> int:
    conf = json.loads((CONF / "job.json").read_text(encoding="utf-8"))
    os.umask(0o077)
    try:
        match words:
            case ["run", *rest]:
                with (STORE / "lock").open("w") as lock, contextlib.suppress(KeyboardInterrupt):
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    status = run(conf, float(rest[1]) if rest[:1] == ["--patience"] else 0.0)
                    write(status)
                    print(
                        status.get("archive", "no archive"), status["error"] or "ok", status["seconds"], "s"
                    )
                    return 0 if status["ok"] else 1
            case ["info"]:
                print(borg("info", "--json").stdout.decode())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Failed as error:
        print(f"lienthong-backup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
