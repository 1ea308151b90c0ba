"""Host keys and secrets of nodes: which go with a node that goes."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.edit.draft import Draft
from lienthong.model.intent import Node, ProvincePlan
from lienthong.secrets.names import needs

KNOWN_HOSTS = "known_hosts"


def forget(draft: Draft, nodes: Iterable[Node]) -> list[str]:
    """Take the host keys of these nodes out of the draft's known_hosts; the names that lost one."""
    text = draft.text(KNOWN_HOSTS)
    if text is None:
        return []
    names = {name: node.name for node in nodes for name in (node.name, node.fqdn, str(node.address))}
    kept, gone = [], []
    for line in text.splitlines(keepends=True):
        fields = line.split()
        hosts = fields[0].split(",") if fields and not line.startswith(("#", "@")) else []
        going = [host for host in hosts if host in names]
        gone += [names[host] for host in going]
        staying = [host for host in hosts if host not in names]
        if not going:
            kept.append(line)
        elif staying:  # a line may name several nodes that share a key
            kept.append(line.replace(fields[0], ",".join(staying), 1))
    if gone:
        draft.replace(KNOWN_HOSTS, "".join(kept))
    return list(dict.fromkeys(gone))


def secrets_of(plan: ProvincePlan) -> set[str]:
    """Names of the secrets that a plan needs."""
    return {str(need.ref) for need in needs(plan)}
