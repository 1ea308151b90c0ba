"""Installs Debian packages into a root file system that no computer runs, and watches long commands.

It happens in a mount and process namespace of its own: a killed build leaves neither mount nor process.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import apt
from lienthong.lab.progress import say

#: What only the installation needs, and takes away again.
HELPERS = ("usr/sbin/policy-rc.d", "etc/apt/apt.conf.d/01lab")
_SETTINGS = ('APT::Install-Recommends "false"', 'Acquire::Languages "none"')
_SCRIPT = """set -e
mount --make-rprivate /
root=$1 over=$2; shift 2
[ -z "$over" ] || mount -t overlay lab-layer -o "$over" "$root"
mount --rbind /dev "$root/dev"; mount -t proc proc "$root/proc"
cat /etc/resolv.conf > "$root/etc/resolv.conf"
printf '%s' "$LAB_SOURCES" > "$root/etc/apt/sources.list"
printf '%s' "$LAB_SETTINGS" > "$root/etc/apt/apt.conf.d/01lab"
printf '#!/bin/sh\\nexit 101\\n' > "$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -qq update
chroot "$root" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install "$@"
chroot "$root" apt-get clean
rm "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/01lab"
"""


def install(root: Path, names: Sequence[str], over: str = "") -> None:
    """Install packages; nothing is started.

    Args:
        root: the root file system, or an empty folder where `over` is mounted.
        over: options of an overlay mount that makes the root; empty if it is there.

    Raises:
        Unreachable: apt did not do it; what it said last.
    """
    settings = "".join(f"{line};\n" for line in (*apt.options(), *_SETTINGS))
    told = {
        "LAB_SOURCES": "".join(f"{source}\n" for source in apt.debian_sources()),
        "LAB_SETTINGS": settings,
    }
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _SCRIPT, "sh"]
    try:
        watch([*unshare, str(root), over, *names], told)
    finally:
        for name in HELPERS:
            (root / name).unlink(missing_ok=True)


def run(command: Sequence[str]) -> None:
    """Run a short command.

    Raises:
        Unreachable: it failed.
    """
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Unreachable(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def watch(command: Sequence[str], told: Mapping[str, str] | None = None) -> None:
    """Run a long command; its milestones become progress, its last lines the error.

    Args:
        told: what its environment has beside this process's.

    Raises:
        Unreachable: it failed.
    """
    said: list[str] = []
    steps = ("I: ", "Unpacking ", "Setting up ", "Fetched ")
    env = {**os.environ, **(told or {})}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=env
    ) as process:
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
