"""The base image: built once, kept packed, made anew when what it is made from changes.

`/var/cache/lienthong/images/<recipe>/` holds `base/` (what nodes mount read-only), `base.tar.zst` (the
packages alone, before they are prepared) and `packages.json`. An image comes into being under another name
and is renamed when it is whole, under a lock, so that a killed build leaves nothing that passes for one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import apt
from lienthong.lab.prepare import FILES, prepare
from lienthong.lab.progress import say

CACHE = Path("/var/cache/lienthong")
PACKAGES = Path(__file__).with_name("packages.txt")
_KEEP = 3
_TAR = ("--numeric-owner", "--xattrs", "--xattrs-include=*")
_DPKG = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/locale/*")


def packages() -> frozenset[str]:
    """Names of the Debian packages that the image holds."""
    lines = (line.split("#")[0].strip() for line in PACKAGES.read_text(encoding="utf-8").splitlines())
    return frozenset(line for line in lines if line)


def recipe() -> str:
    """The SHA-256 of everything that an image follows from."""
    digest = hashlib.sha256(json.dumps([apt.SUITE, sorted(packages())]).encode())
    for path in [Path(prepare.__code__.co_filename), *sorted(p for p in FILES.rglob("*") if p.is_file())]:
        digest.update(f"{path.name} {path.stat().st_mode & 0o111}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def ensure() -> Path:
    """The folder of the base, made first if it is not there.

    Raises:
        Unreachable: the packages cannot be had.
    """
    home = CACHE / "images" / recipe()
    if not (home / "base").is_dir():
        with _lock():
            if not (home / "base").is_dir():
                _make(home)
                _forget_old(home)
    os.utime(home)
    return home / "base"


def sweep() -> None:
    """Throw away what killed builds left, unless one is under way."""
    if CACHE.is_dir():
        with _lock(wait=False) as held:
            if held:
                _remove_unfinished()


@contextmanager
def _lock(wait: bool = True) -> Iterator[bool]:
    (CACHE / "images").mkdir(parents=True, exist_ok=True)
    with (CACHE / "build.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            say("image: another build is under way; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield True


def _make(home: Path) -> None:
    _remove_unfinished()
    new = home.with_name(f".new-{home.name[:16]}")
    new.mkdir()
    root, packed = new / "base", home / "base.tar.zst"
    if packed.exists():
        say("image: unpacking")
        _unpack(packed, root)
        os.link(packed, new / packed.name)
    elif not _grow(new, root):
        _bootstrap(root)
        _pack(new, root)
    say("image: preparing the base")
    prepare(root)
    (new / "packages.json").write_text(json.dumps(sorted(packages()), indent=1), encoding="utf-8")
    shutil.rmtree(home, ignore_errors=True)
    new.rename(home)
    say(f"image: ready in {home}")


def _bootstrap(root: Path) -> None:
    say(f"image: installing {len(packages())} packages into a new Debian; this takes one to four minutes")
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", "--verbose"]
    command += [f"--aptopt={line}" for line in apt.options()]
    command += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
    command += [f"--dpkgopt={line}" for line in (*_DPKG, "force-unsafe-io")]
    command += [f"--include={','.join(sorted(packages()))}", apt.SUITE, str(root)]
    command += [str(source) for source in apt.debian_sources()]
    _watch(command)


def _grow(new: Path, root: Path) -> bool:
    """Start from the newest image that has nothing we do not want; only the difference is installed."""
    for older in _images():
        listed, packed = older / "packages.json", older / "base.tar.zst"
        if not (listed.exists() and packed.exists()):
            continue
        has = frozenset(json.loads(listed.read_text(encoding="utf-8")))
        if not has <= packages():
            continue
        missing = sorted(packages() - has)
        say(
            f"image: starting from {older.name[:16]}"
            + (f" and adding {', '.join(missing)}" if missing else "")
        )
        _unpack(packed, root)
        if not missing:
            os.link(packed, new / packed.name)
            return True
        try:
            _install(root, missing)
        except Unreachable as error:
            say(f"image: {error.what}; building it from nothing")
            shutil.rmtree(root)
            return False
        _pack(new, root)
        return True
    return False


def _install(root: Path, names: list[str]) -> None:
    sources = "".join(f"{source}\n" for source in apt.debian_sources())
    (root / "etc/apt/sources.list").write_text(sources, encoding="utf-8")
    settings = "".join(f"{line};\n" for line in apt.options())
    (root / "etc/apt/apt.conf.d/01lab").write_text(
        settings + 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n', encoding="utf-8"
    )
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    # A mount and process namespace of its own: a killed build leaves neither mount nor process behind.
    script = """set -e
    mount --make-rprivate /
    mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; cat /etc/resolv.conf > "$1/etc/resolv.conf"
    root=$1; shift
    export DEBIAN_FRONTEND=noninteractive
    chroot "$root" apt-get -qq update
    chroot "$root" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install "$@"
    chroot "$root" apt-get clean"""
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", str(root)]
    try:
        _watch([*unshare, *names])
    finally:
        (root / "usr/sbin/policy-rc.d").unlink()
        (root / "etc/apt/apt.conf.d/01lab").unlink()


def _pack(new: Path, root: Path) -> None:
    say("image: packing")
    part = new / "base.tar.zst"
    _run(["tar", *_TAR, "-I", "zstd -T0 -3", "-cf", str(part), "-C", str(root), "."])


def _unpack(packed: Path, root: Path) -> None:
    root.mkdir()
    _run(["tar", *_TAR, "-I", "zstd -d", "-xpf", str(packed), "-C", str(root)])


def _images() -> list[Path]:
    found = [path for path in (CACHE / "images").iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _remove_unfinished() -> None:
    for path in (CACHE / "images").glob(".new-*"):
        shutil.rmtree(path, ignore_errors=True)


def _forget_old(newest: Path) -> None:
    mounted = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    for path in [path for path in _images() if path != newest][_KEEP - 1 :]:
        if str(path) not in mounted:
            shutil.rmtree(path, ignore_errors=True)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Unreachable(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def _watch(command: list[str]) -> None:
    """Run a long command; its milestones become progress, its last lines the error."""
    said: list[str] = []
    steps = ("I: ", "Unpacking ", "Setting up ", "Fetched ")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        count = 0
        for line in process.stdout:
            said = [*said[-20:], line.rstrip()]
            count += line.startswith(steps[1:3])
            if line.startswith((steps[0], steps[3])):
                say(f"image: {line.strip().removeprefix('I: ')}")
            elif line.startswith(steps[1:3]) and count % 100 == 0:
                say(f"image: {count} packages unpacked or set up")
    if process.returncode:
        raise Unreachable(f"{command[0]} failed (exit {process.returncode}):\n" + "\n".join(said[-8:]))
