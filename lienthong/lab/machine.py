"""Whether this machine can host a lab, said in one line when it cannot."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from lienthong.errors import Exit, Unreachable
from lienthong.lab import cgroup

#: Commands and the Debian packages they come in.
_COMMANDS = {
    "apt-get": "apt",
    "chroot": "coreutils",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "tar": "tar",
    "unshare": "util-linux",
    "zstd": "zstd",
}


#: Every systemd keeps about six inotify instances, all of them root's; Debian's 128 end at twenty nodes.
_LIMITS = {"fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 524288}


def require() -> None:
    """Refuse before anything is begun; raise what limits of the kernel would stop a lab half-way.

    Raises:
        Unreachable: this machine cannot host a lab; the message is one line.
    """
    if reason := obstacle():
        raise Unreachable(f"the lab needs {reason}")
    for name, least in _LIMITS.items():
        path = Path("/proc/sys") / name
        if int(path.read_text(encoding="ascii")) < least:
            path.write_text(str(least), encoding="ascii")


def require_root() -> None:
    """For what only takes away.

    Raises:
        Unreachable: this is not root on Linux.
    """
    if reason := _not_root():
        raise Unreachable(f"the lab needs {reason}")


def obstacle() -> str | None:
    """What is missing, or None."""
    if reason := _not_root():
        return reason
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    missing = sorted({package for command, package in _COMMANDS.items() if not shutil.which(command)})
    if missing:
        return f"Debian packages: apt-get install {' '.join(missing)}"
    if not _namespaces():
        return "network and mount namespaces, and this machine does not let it make any"
    if not cgroup.hierarchies() or not any(os.access(top, os.W_OK) for top in cgroup.hierarchies()):
        return "a writable cgroup hierarchy (cgroup2, or version 1 named systemd)"
    if not Path("/dev/net/tun").exists():
        return "/dev/net/tun (modprobe tun)"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii") and not _load("overlay"):
        return "a kernel with overlay mounts"
    return None


def _not_root() -> str | None:
    if platform.system() != "Linux":
        return f"root on Linux, and this is {platform.system() or 'something else'}"
    return None if os.geteuid() == 0 else "root (it makes network namespaces and mounts)"


def _namespaces() -> bool:
    trial = ["unshare", "--net", "--mount", "--pid", "--fork", "--uts", "--ipc", "true"]
    return subprocess.run(trial, capture_output=True).returncode == 0


def _load(module: str) -> bool:
    return (
        bool(shutil.which("modprobe"))
        and not subprocess.run(["modprobe", module], capture_output=True).returncode
    )


if __name__ == "__main__":  # for scripts: prints what is missing, and nothing where a lab can be hosted
    if missing := obstacle():
        print(f"the lab needs {missing}")
        raise SystemExit(Exit.UNREACHABLE)
