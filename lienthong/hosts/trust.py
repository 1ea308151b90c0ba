"""Which SSH keys are believed: those of the target's known_hosts file, and a vault's own public key.

Deploys need both to let one node log in to another: the vault is told the keys of its sources, the sources
are told the key that the vault made for itself and whose private half never leaves it.
"""

from __future__ import annotations

import re
import threading
import time

from lienthong.errors import LienThongError, Unreachable
from lienthong.model.intent import Node
from lienthong.openssh import ways
from lienthong.target import Access

WITHIN_S = 16.0
PUBLIC_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/=]{60,80}")


def host_keys(access: Access, node: Node) -> tuple[str, ...]:
    """The host keys of a node, `<type> <base64>` each, as the target's known_hosts file has them.

    Raises:
        LienThongError: the file does not know the node.
    """
    wanted = {node.name, node.fqdn, str(node.address)}
    if access.reaches(node):
        wanted.add(str(access.address(node)))
    found = []
    for line in access.known_hosts.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) >= 3 and not line.startswith(("#", "@")) and wanted & set(fields[0].split(",")):
            found.append(f"{fields[1]} {fields[2]}")
    if not found:
        raise LienThongError(
            f"{access.known_hosts}: no host key of {node.name}",
            hint="add it once a person has compared it with the one that the console shows",
        )
    return tuple(sorted(set(found)))


def public_key(access: Access, node: Node, path: str) -> str | None:
    """An Ed25519 public key from a file on a node; None while there is no such file or no way to it."""
    found = PUBLIC_KEY.match(content(access, node, path) or "")
    return found.group() if found else None


def content(access: Access, node: Node, path: str) -> str | None:
    """A small file on a node, as text; None while there is no such file or no way to it."""
    with ways(access, {node.name: access.address(node)}, shared=False) as there:
        try:
            done = there.run(node.name, ("cat", path), within_s=WITHIN_S)
        except Unreachable:
            return None
    return done.stdout if done.returncode == 0 else None


def content_once(access: Access, node: Node, path: str) -> str | None:
    """The same, asked once for all nodes of a run; that there is none is believed for a moment only."""
    with _LOCK:
        asked, found = _CONTENTS.get((node.name, path), (-NONE_FOR_S, None))
        if found is None and time.monotonic() - asked >= NONE_FOR_S:
            found = content(access, node, path)
            _CONTENTS[node.name, path] = (time.monotonic(), found)
        return found


#: When it was asked, and what a file held, by node and path.
_CONTENTS: dict[tuple[str, str], tuple[float, str | None]] = {}
_LOCK = threading.Lock()
NONE_FOR_S = 2.0
