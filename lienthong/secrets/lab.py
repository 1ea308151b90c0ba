"""The secrets of a lab: each comes into being when it is first asked for.

They are random, and are kept in `run/lab/<name>/secrets.json` (mode 0600, under a lock). Nobody keeps
a lab's secrets from the lab: one file for both sides.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from lienthong.model.secret import Secret, SecretRef
from lienthong.secrets.kinds import fresh
from lienthong.secrets.wireguard import public_key


class LabSecrets:
    """Makes what is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, ref: SecretRef) -> Secret:
        """The secret of that name, made now if it is new."""
        found = self._known(ref, "")
        # Made without the lock: a key may come of another program, and who waits for that in one greenlet
        # must not keep the lock from the next, which would wait for it with the whole process.
        return Secret(found or self._known(ref, fresh(ref)))

    def _known(self, ref: SecretRef, new: str) -> str:
        """What is kept under that name, `new` if nothing was and that is something; else nothing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known: dict[str, str] = {}
            if self._path.exists():
                known = json.loads(self._path.read_text(encoding="utf-8"))
            if ref not in known and new:
                known[str(ref)] = new
                path = self._path.with_suffix(".new")
                # What a killed run left may be anybody's to read: it is not written into but replaced.
                path.unlink(missing_ok=True)
                fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(fd, "w", encoding="utf-8") as handle:
                    json.dump(known, handle, indent=1, sort_keys=True)
                path.replace(self._path)
            return known.get(str(ref), "")
        finally:
            os.close(lock)

    def public(self, ref: SecretRef) -> str:
        """The public half of a WireGuard key, made now if it is new."""
        return public_key(self.get(ref))
