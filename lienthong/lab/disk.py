"""The disk of a node: the base, read-only, with a layer of the node's own over it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab.keys import SshKey, write_secret
from lienthong.lab.place import Place
from lienthong.lab.prepare import ACCOUNT, ACCOUNT_UID

_MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def mount(place: Place, node: str, *lower: Path) -> Path:
    """Lay the node's own layer over the base and over what lies on the base already.

    Args:
        lower: the base last, layers over it before it.

    Returns:
        The node's root folder.

    Raises:
        Unreachable: the kernel has no overlay, or not on this file system.
    """
    home = place.node(node)
    home.parent.mkdir(parents=True, exist_ok=True)
    home.parent.chmod(0o700)  # accounts of this machine have no business on the nodes' disks
    for name in ("upper", "work", "root"):
        (home / name).mkdir(parents=True, exist_ok=True)
    layers = overlay(lower, home / "upper", home / "work")
    # `volatile` spares every fsync: a lab that loses power is made anew anyway.
    for options in (f"{layers},metacopy=on,volatile", f"{layers},volatile", layers):
        if not _libc.mount(b"lab", os.fsencode(home / "root"), b"overlay", 0, options.encode()):
            return home / "root"
        if ctypes.get_errno() != errno.EINVAL:
            break
    reason = os.strerror(ctypes.get_errno())
    raise Unreachable(f"the lab needs overlay mounts on the file system of {place.folder}: {reason}")


def overlay(lower: Iterable[Path], upper: Path, work: Path) -> str:
    """The options that mount one layer over others, the uppermost of `lower` first."""
    below = ":".join(_escaped(path) for path in lower)
    return f"lowerdir={below},upperdir={_escaped(upper)},workdir={_escaped(work)}"


def mounts(below: Path) -> list[Path]:
    """Mount points at or below a folder, the innermost first."""
    below = below.resolve()  # the kernel names no link: a lab may have been reached through one
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        where = Path(line.split()[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8"))
        if where.is_relative_to(below):
            found.append(where)
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def unmount(below: Path) -> None:
    """Take away every mount at or below the folder, even where somebody still stands in it."""
    for where in mounts(below):
        _libc.umount2(os.fsencode(where), _MNT_DETACH)


def erase(folder: Path) -> None:
    """Remove a folder once nothing is mounted below it; else a mount would be emptied with it.

    Raises:
        Unreachable: something is still mounted there.
    """
    if left := mounts(folder):
        raise Unreachable(f"{left[0]} is still mounted")
    shutil.rmtree(folder, ignore_errors=True)


def personalise(root: Path, name: str, host_key: SshKey, authorized: str) -> None:
    """Day 0: a host name, the host's key, and the key by which the automation comes in."""
    write(root, "etc/hostname", f"{name}\n")
    write(root, "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost\n")
    write_secret(root / "etc/ssh/ssh_host_ed25519_key", host_key.private)
    write(root, "etc/ssh/ssh_host_ed25519_key.pub", host_key.public + "\n")
    folder = root / "home" / ACCOUNT / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    write(root, f"home/{ACCOUNT}/.ssh/authorized_keys", authorized + "\n", 0o600)
    for path in (folder, folder / "authorized_keys"):
        os.chown(path, ACCOUNT_UID, ACCOUNT_UID)


def write(root: Path, name: str, text: str, mode: int = 0o644) -> None:
    """A file in a node's root; never through a link, which could lead to this machine's own files."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as handle:
        handle.write(text)


def enable(root: Path, *units: str) -> None:
    """Start these units at boot."""
    subprocess.run(
        ["systemctl", f"--root={root}", "--quiet", "enable", *units], check=True, capture_output=True
    )


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
