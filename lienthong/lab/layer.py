"""Packages that only some nodes need: a layer over the base for each set of them, made when first wanted.

`<image>/layers/<name>/` holds `upper/`, which is what installing the set changed in the base, and
`packages.json`. The name follows from the base, the set and this file. A layer is made as the base is: under
another name, under the same lock, renamed when it is whole; and it goes when its image goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from lienthong.lab import disk, image
from lienthong.lab.install import HELPERS, install
from lienthong.lab.prepare import PER_NODE
from lienthong.lab.progress import say

_KEEP = 8
# Where the layer has none, the base's own shows again: neutral, empty, or not there.
_NOT_KEPT = (
    *HELPERS, *PER_NODE, "dev", "etc/apt/sources.list", "etc/resolv.conf", "proc", "run", "tmp",
    "var/cache/apt", "var/lib/apt/lists",
)  # fmt: skip


def ensure(base: Path, sets: Iterable[frozenset[str]]) -> dict[frozenset[str], tuple[Path, ...]]:
    """What lies over the base for each set of packages, made first where it is not there.

    Args:
        base: the base that the layers are for, see `image.ensure`.
        sets: names of packages; an empty set needs nothing.

    Raises:
        Unreachable: the packages cannot be had.
    """
    return {names: (_ensure(base, names),) if names else () for names in sorted(set(sets), key=sorted)}


def _ensure(base: Path, names: frozenset[str]) -> Path:
    home = base.parent / "layers" / _name(base, names)
    if not (home / "upper").is_dir():
        with image.lock():
            if not (home / "upper").is_dir():
                _make(base, names, home)
                _forget_old(home)
    os.utime(home)
    return home / "upper"


def _name(base: Path, names: frozenset[str]) -> str:
    digest = hashlib.sha256(json.dumps([base.parent.name, sorted(names)]).encode())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _make(base: Path, names: frozenset[str], home: Path) -> None:
    image.remove_unfinished()
    new = image.CACHE / "images" / f".new-layer-{home.name[:16]}"
    new.mkdir()
    for name in ("upper", "work", "root"):
        (new / name).mkdir(mode=0o755)
    say(f"image: adding a layer with {', '.join(sorted(names))}; once, it may take a minute or two")
    # Whole files only, so that what the layer holds does not depend on how it is mounted later.
    options = disk.overlay((base,), new / "upper", new / "work") + ",metacopy=off,redirect_dir=off"
    install(new / "root", sorted(names), options)
    neutral(new / "upper")
    for name in ("work", "root"):
        shutil.rmtree(new / name)
    (new / "packages.json").write_text(json.dumps(sorted(names), indent=1), encoding="utf-8")
    home.parent.mkdir(exist_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    new.rename(home)
    say(f"image: the layer is ready in {home}")


def neutral(upper: Path) -> None:
    """Switch off whatever the packages switched on, and leave nothing of this machine or of one node."""
    for name in _NOT_KEPT:
        path = upper / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for key in (upper / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # A unit is on by a link, or by the name of a link to its init script; new ones are in the layer only.
    for link in (upper / "etc/systemd/system").rglob("*"):
        if link.is_symlink() and str(link.readlink()) != os.devnull:
            link.unlink()
    for folder in (upper / "etc").glob("rc?.d"):
        shutil.rmtree(folder)


def _forget_old(newest: Path) -> None:
    others = [path for path in newest.parent.iterdir() if path != newest]
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[_KEEP - 1 :]:
        if not image.in_use(path):
            shutil.rmtree(path, ignore_errors=True)
