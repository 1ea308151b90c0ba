"""The answer that `inventory/hosts.py` gave last time, while everything it depends on is the same.

Only the standard library is imported: Ansible starts that file with a Python that need not know our packages,
several times a run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from lienthong.cache import Cache, engine, files_key, key_of
from lienthong.root import find_root

#: Every variable that the answer depends on.
VARIABLES = (
    "LIENTHONG_ROOT",
    "LIENTHONG_LAB",
    "LIENTHONG_TARGET",
    "LIENTHONG_SIDE",
    "LIENTHONG_JUMP",
    "LIENTHONG_SITES",
    "LIENTHONG_KEY",
    "HOME",
)


#: Parts of the engine that an answer is made with; a test compares them with what is imported then.
ROOMS = (
    "__init__.py", "cache.py", "errors.py", "hostsfile.py", "inventory", "jump.py", "lab", "model", "plan",
    "platforms", "root.py", "secrets", "services", "target.py", "workspace.py",
)  # fmt: skip


def answered(checkout: Path, python: str) -> str | None:
    """The kept answer, or None. `python` is the interpreter that would answer anew."""
    entry = _Entry(checkout, python)
    body = entry.cache.find(entry.name, entry.key())
    return None if body is None else body.decode("utf-8")


def answer(checkout: Path, python: str, make: Callable[[], str]) -> str:
    """A new answer, kept for next time unless something changed while it was made."""
    entry = _Entry(checkout, python)
    before = entry.key()
    text = make()
    if entry.key() == before:
        entry.cache.keep(entry.name, before, text.encode("utf-8"))
    return text


class _Entry:
    """Where the answer to this question is kept, and the hash of all that decides it.

    Raises:
        LienThongError: there is no checkout.
    """

    def __init__(self, checkout: Path, python: str) -> None:
        self._checkout = checkout
        self._root = find_root(checkout)
        self._asked = [f"{name}={os.environ.get(name)}" for name in VARIABLES]
        self._asked += [python, str(checkout), str(self._root)]
        self.cache = Cache(self._root / "run" / "cache" / "hosts")
        self.name = hashlib.sha256("\n".join(self._asked).encode()).hexdigest()[:24]

    def key(self) -> str:
        root = self._root
        lab = root / "run" / "lab" / os.environ.get("LIENTHONG_LAB", "default")
        key = Path(os.environ.get("LIENTHONG_KEY", "~/.ssh/id_ed25519")).expanduser()
        files = [self._checkout / "inventory" / "hosts.py", self._checkout / "lock" / "requirements.txt"]
        files += [lab / "state.json", lab / "id_ed25519.pub", key.with_name(key.name + ".pub")]
        content = root / "inventory"
        content_files = sorted(content.rglob("*.yaml"))
        return key_of(
            *self._asked,
            engine(*ROOMS),
            files_key(Path("/"), [path.absolute() for path in files]),
            files_key(content, content_files),
            *_namespaces(),
        )


def _namespaces() -> list[str]:
    """Network namespaces of labs, and our own: whether ssh needs a way into the lab follows from them."""
    found = []
    places = [*sorted(Path("/run/netns").glob("lt-*-oob")), Path("/proc/self/ns/net")]
    for path in places:
        try:
            state = path.stat()
            found.append(f"{path} {state.st_dev} {state.st_ino}")
        except OSError:
            found.append(f"{path} absent")
    return found
