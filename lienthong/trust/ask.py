"""Asks all devices of a run for their keys, many at a time, and keeps what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from lienthong.errors import Unreachable
from lienthong.jump import connect
from lienthong.model.intent import Node
from lienthong.target import Access
from lienthong.trust.hostkey import HostKey
from lienthong.trust.judge import Seen, State, state_of
from lienthong.trust.offer import offered
from lienthong.trust.record import editing, host_name, keys_of, read, revoked, with_key, write

AT_ONCE = 16


def look(access: Access, nodes: Sequence[Node]) -> list[Seen]:
    """What every device offers, and what is on record for it; in the order of the nodes."""
    text = read(access.known_hosts)
    if not nodes:
        return []
    with ThreadPoolExecutor(min(AT_ONCE, len(nodes))) as pool:
        return list(pool.map(lambda node: _one(access, node, text), nodes))


def keep(path: Path, host: str, key: HostKey) -> None:
    """Put a key on record as the only one of a host; everything else in the file stays as it is."""
    with editing(path):
        write(path, with_key(read(path), host, key))


def _one(access: Access, node: Node, text: str) -> Seen:
    address, port = str(access.address(node)), access.port(node)
    host = host_name(address, port)
    recorded = keys_of(text, host)
    platform = node.device.platform if node.device is not None else node.platform or ""
    try:
        keys = offered(node.name, partial(connect, access, address, port))
    except Unreachable as error:
        return Seen(node.name, platform, host, (), recorded, State.AWAY, error.what)
    state = state_of(keys, recorded, any(revoked(text, key) for key in keys))
    return Seen(node.name, platform, host, keys, recorded, state)
