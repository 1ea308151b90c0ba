#!/usr/bin/python3 -IB
"""Tells a vault that a document appeared. Written by Liên Thông as /usr/local/sbin/lienthong-appeared.

    lienthong-appeared FOLDER       until the vault goes away, its key is taken away, or it asks anew

Started by `lienthong-snapshot` for a vault that says `watch`; as the account that reads documents and changes
nothing. A line of output is all that leaves here, and no line names a document:

    waiting MARK            what lies there now; the same mark means that nothing changed since
    changed SECONDS MARK    something was closed after writing, or moved in, so long ago
    .                       still here

Inotify tells of folders, not of trees (inotify(7)): each folder is watched before it is read, and all are looked
at again after every change. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable, Iterator

#: A change is told when it was quiet for so long, or so long after the first one.
QUIET_S, AT_MOST_S = 1.0, 10.0
#: A vault that hears nothing for three of these gives up and comes again.
BEAT_S = 20.0
#: How long a former session of the same vault has to go.
YIELD_S = 3.0
#: From linux/inotify.h.
CLOSE_WRITE, MOVED_TO, CREATE, DELETE_SELF, MOVE_SELF = 0x8, 0x80, 0x100, 0x400, 0x800
UNMOUNT, OVERFLOW, IS_FOLDER, ONLY_FOLDER, NO_LINK = 0x2000, 0x4000, 0x40000000, 0x01000000, 0x02000000
MASK = CLOSE_WRITE | MOVED_TO | CREATE | DELETE_SELF | MOVE_SELF | ONLY_FOLDER | NO_LINK
EVENT = struct.Struct("iIII")


class Ended(Exception):
    """Nothing is told any more; the message says why."""


class Tree:
    """A folder and all below it, watched."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.handle = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.handle < 0:
            raise Ended(f"no inotify: {os.strerror(ctypes.get_errno())}")
        self.root = self._add(folder)
        if self.root < 0:
            raise Ended("there is no folder of documents")

    def _add(self, folder: str) -> int:
        """Watch one folder; -1 for one that went meanwhile or may not be read (the fetch will say so).

        Raises:
            Ended: the kernel allows no more.
        """
        found = int(self._libc.inotify_add_watch(self.handle, os.fsencode(folder), MASK))
        if found < 0 and (code := ctypes.get_errno()) in {errno.ENOSPC, errno.ENOMEM}:
            raise Ended(f"more folders than fs.inotify.max_user_watches: {os.strerror(code)}")
        return found

    def look(self) -> str:
        """Watch what is new below, and say what lies there: how many entries, and the newest change of any."""
        count, newest, todo = 0, 0, [self.folder]
        while todo:
            here = todo.pop()
            self._add(here)
            try:
                newest = max(newest, os.stat(here, follow_symlinks=False).st_ctime_ns)
                with os.scandir(here) as entries:
                    for entry in entries:
                        info = entry.stat(follow_symlinks=False)
                        count, newest = count + 1, max(newest, info.st_ctime_ns)
                        if stat.S_ISDIR(info.st_mode):
                            todo.append(entry.path)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue
        return f"{count}-{newest}"

    def news(self) -> bool:
        """Whether, among what has happened since, something has appeared.

        Raises:
            Ended: the folder itself went away.
        """
        found = False
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self.handle, 1 << 16):
                for which, mask in events(block):
                    if which == self.root and mask & (DELETE_SELF | MOVE_SELF | UNMOUNT):
                        raise Ended("the folder of documents went away")
                    found = found or appeared(mask)
        return found


def events(block: bytes) -> Iterator[tuple[int, int]]:
    """Watch and mask of each event."""
    at = 0
    while at + EVENT.size <= len(block):
        which, mask, _, length = EVENT.unpack_from(block, at)
        yield which, mask
        at += EVENT.size + length


def appeared(mask: int) -> bool:
    """Whether that is a document that is whole, a folder (which may hold some), or more than was noted down."""
    return (
        bool(mask & (CLOSE_WRITE | MOVED_TO | OVERFLOW)) or mask & (CREATE | IS_FOLDER) == CREATE | IS_FOLDER
    )


def session(name: str) -> socket.socket:
    """The one session of a vault here: a former one is asked to go. The name is no file and ends with us."""
    until = time.monotonic() + YIELD_S
    while True:
        mine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mine.bind(f"\0lienthong-appeared/{name}")
        except OSError:
            mine.close()
            if time.monotonic() > until:
                raise Ended("another session waits here and does not go") from None
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other, contextlib.suppress(OSError):
                other.connect(f"\0lienthong-appeared/{name}")
            time.sleep(0.1)
            continue
        mine.listen(1)
        mine.setblocking(False)
        return mine


def asked_to_go(mine: socket.socket) -> bool:
    """Whether somebody of our own account wants the place."""
    with contextlib.suppress(OSError):
        other, _ = mine.accept()
        with other:
            _, uid, _ = struct.unpack("iII", other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return bool(uid == os.getuid())
    return False


def admitted() -> tuple[int, int] | None:
    """Which list of keys is in force; another one may not have the key that this session came in with."""
    try:
        found = os.stat(os.path.expanduser("~/.ssh/authorized_keys"))
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def tell(folder: str, name: str, out: int, keys: Callable[[], object] = admitted) -> None:
    """Tell until it ends.

    Args:
        name: whose session it is: the vault's address.
        out: where lines go; when nobody reads there any more it ends.

    Raises:
        Ended: why.
    """
    mine, tree, known = session(name), Tree(folder), keys()
    ready = select.poll()
    ready.register(out, 0)  # POLLERR: the reader is gone
    ready.register(tree.handle, select.POLLIN)
    ready.register(mine.fileno(), select.POLLIN)
    say(out, f"waiting {tree.look()}")
    said, first, last = time.monotonic(), 0.0, 0.0
    while True:
        until = min(said + BEAT_S, last + QUIET_S, first + AT_MOST_S) if first else said + BEAT_S
        found = {handle for handle, _ in ready.poll(max(until - time.monotonic(), 0.0) * 1000 + 1)}
        if out in found:
            raise Ended("the vault went away")
        if mine.fileno() in found and asked_to_go(mine):
            raise Ended("the vault asks anew")
        now = time.monotonic()
        if tree.handle in found and tree.news():
            first, last = first or now, now
        if first and (now >= last + QUIET_S or now >= first + AT_MOST_S):
            mark = tree.look()
            # Never longer ago than it was: a fetch that began just before must not pass for one that has it.
            say(out, f"changed {int((time.monotonic() - last) * 10) / 10} {mark}")
            said, first = time.monotonic(), 0.0
        if now >= said + BEAT_S:
            if keys() != known:
                raise Ended("the list of keys changed")
            say(out, ".")
            said = now


def say(out: int, line: str) -> None:
    """One line, at once.

    Raises:
        Ended: nobody reads it.
    """
    try:
        os.write(out, f"{line}\n".encode())
    except OSError as error:
        raise Ended("the vault went away") from error


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    os.nice(5)
    try:
        # sshd names who is there; a key is bound to its vault's address.
        tell(words[0], os.environ.get("SSH_CONNECTION", "nobody").split()[0], 1)
    except Ended as error:
        print(f"lienthong-appeared: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
