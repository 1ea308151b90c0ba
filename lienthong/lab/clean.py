"""Takes away what a lab left, whatever state it is in, from what the kernel itself knows of it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.lab import cgroup, disk, state
from lienthong.lab.place import NETNS_DIR, Place
from lienthong.lab.wire import ip

_NSPAWN = Path("/run/systemd/nspawn/propagate")


def wipe(place: Place) -> None:
    """Leave no process, mount, namespace, cgroup or file of this lab. Safe to repeat and to interrupt.

    Raises:
        Unreachable: something would not go away.
    """
    place.state_file.unlink(missing_ok=True)
    _end_processes(place)
    disk.unmount(place.folder)
    spaces = namespaces(place)
    if spaces:
        ip(f"netns delete {path.name}" for path in spaces)
    for leftover in _NSPAWN.glob(f"{place.prefix}*"):
        disk.unmount(leftover)
        shutil.rmtree(leftover, ignore_errors=True)
    disk.erase(place.folder)
    cgroup.remove(place.cgroup)  # last: it is what a later clean-up finds the rest by


def wipe_all(root: Path) -> list[str]:
    """Wipe every lab of a checkout, also those whose folder is gone.

    Returns:
        What was wiped, by name, or by id where the name is not known any more.
    """
    places = {lab.id: lab for lab in (Place(root, name) for name in state.names(root))}
    for lab in places.values():
        wipe(lab)
    orphans = [_Orphan(root, name) for name in _ids(root) if name not in places]
    for orphan in orphans:
        wipe(orphan)
    return [*(lab.name for lab in places.values()), *(orphan.name for orphan in orphans)]


def traces(place: Place) -> list[str]:
    """What the machine still holds of a lab, one line each; empty after `wipe`."""
    found = [f"process {pid}" for pid in sorted(_processes(place))]
    found += [f"mount {path}" for path in disk.mounts(place.folder)]
    found += [f"namespace {path.name}" for path in namespaces(place)]
    found += [f"cgroup {top / place.cgroup}" for top in cgroup.hierarchies() if (top / place.cgroup).exists()]
    if place.folder.exists():
        found.append(f"folder {place.folder}")
    return found


def namespaces(place: Place) -> list[Path]:
    """Network namespaces of a lab."""
    return sorted(NETNS_DIR.glob(f"{place.prefix}*"))


class _Orphan(Place):
    """A lab of which only the id is known: its folder was removed while it ran."""

    @property
    def id(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        return self.root / "run" / "lab" / f".orphan-{self.name}"


def _ids(root: Path) -> list[str]:
    top = f"lienthong/{Place(root, '').checkout_id}"
    return sorted(
        {path.name for tree in cgroup.hierarchies() for path in (tree / top).glob("*") if path.is_dir()}
    )


def _processes(place: Place) -> set[int]:
    """Those in the lab's cgroup, and those that are in one of its namespaces for whatever reason."""
    spaces = {path.stat().st_ino for path in namespaces(place)}
    found = cgroup.pids(place.cgroup)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns" / "net").stat().st_ino in spaces:
                    found.add(int(entry.name))
            except OSError:
                continue  # ended meanwhile
    return found - _ancestors()


def _ancestors() -> set[int]:
    """This process and those that wait for it: a test that works inside the lab may take it down."""
    found, pid = set(), os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        pid = int(text.rsplit(")", 1)[1].split()[1])
    return found


def _end_processes(place: Place, timeout_s: float = 10.0) -> None:
    left = cgroup.kill(place.cgroup, timeout_s)
    deadline = time.monotonic() + timeout_s
    while not left and (others := _processes(place)):
        for pid in others:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            left = others
        time.sleep(0.02)
    if left:
        raise Unreachable(f"processes of the lab would not end: {', '.join(map(str, sorted(left)))}")
