"""The base image: built once, kept packed, made anew when what it is made from changes.

`/var/cache/lienthong/images/<recipe>/` holds `base/` (what nodes mount read-only), `base.tar.zst` (the
packages alone, before they are prepared), `packages.json`, and `layers/` (see `layer`). An image comes into
being under another name and is renamed when it is whole, under a lock, so that a killed build leaves nothing
that passes for one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import apt
from lienthong.lab.install import install, run, watch
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
        with lock():
            if not (home / "base").is_dir():
                _make(home)
                _forget_old(home)
    os.utime(home)
    return home / "base"


def sweep() -> None:
    """Throw away what killed builds left, unless one is under way."""
    if CACHE.is_dir():
        with lock(wait=False) as held:
            if held:
                remove_unfinished()


def in_use(folder: Path) -> bool:
    """Whether some node's disk lies on what is in there."""
    return str(folder) in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


@contextmanager
def lock(wait: bool = True) -> Iterator[bool]:
    """One build at a time on this machine; whether it is held, which without `wait` it need not be."""
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
    remove_unfinished()
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
    watch(command)


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
            install(root, missing)
        except Unreachable as error:
            say(f"image: {error.what}; building it from nothing")
            shutil.rmtree(root)
            return False
        _pack(new, root)
        return True
    return False


def _pack(new: Path, root: Path) -> None:
    say("image: packing")
    part = new / "base.tar.zst"
    run(["tar", *_TAR, "-I", "zstd -T0 -3", "-cf", str(part), "-C", str(root), "."])


def _unpack(packed: Path, root: Path) -> None:
    root.mkdir()
    run(["tar", *_TAR, "-I", "zstd -d", "-xpf", str(packed), "-C", str(root)])


def _images() -> list[Path]:
    found = [path for path in (CACHE / "images").iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def remove_unfinished() -> None:
    """Throw away what killed builds left; who calls holds the lock."""
    for path in (CACHE / "images").glob(".new-*"):
        shutil.rmtree(path, ignore_errors=True)


def _forget_old(newest: Path) -> None:
    for path in [path for path in _images() if path != newest][_KEEP - 1 :]:
        if not in_use(path):
            shutil.rmtree(path, ignore_errors=True)
