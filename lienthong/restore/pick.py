"""Which vault a name means, and what it pulls."""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.errors import LienThongError
from lienthong.model.intent import Node
from lienthong.model.words import Side
from lienthong.services.backup import Params
from lienthong.workspace import Workspace


@dataclass(frozen=True)
class Kept:
    """A vault, and the sources it pulls from that this target has."""

    vault: Node
    sources: tuple[Node, ...]


def vaults(ws: Workspace, side: Side | None = None) -> list[Kept]:
    """Every vault that this target and this controller's side have."""
    own = side or (Side(ws.access.side) if ws.access.side else None)
    found = []
    for node in ws.plan.nodes.values():
        if not node.runs("backup") or not ws.access.reaches(node) or (own and node.side is not own):
            continue
        params = node.services["backup"].params
        assert isinstance(params, Params)
        sources = [one for one in ws.plan.running(params.sources, node.side) if ws.access.reaches(one)]
        found.append(Kept(node, tuple(sorted(sources, key=lambda one: one.name))))
    return found


def of_source(ws: Workspace, name: str) -> tuple[Kept, Node]:
    """The vault that pulls a host, and the host.

    Raises:
        LienThongError: no vault pulls it; says which hosts are.
    """
    all_vaults = vaults(ws)
    for kept in all_vaults:
        for source in kept.sources:
            if source.name == name:
                return kept, source
    pulled = [source.name for kept in all_vaults for source in kept.sources]
    raise LienThongError(
        f"no vault pulls {name!r}", hint=f"they pull: {', '.join(pulled) or 'nothing that this target has'}"
    )


def named(ws: Workspace, names: list[str]) -> list[Kept]:
    """The vaults that sites, vaults or sources mean; all of them for no name.

    Raises:
        LienThongError: a name means none.
    """
    all_vaults = vaults(ws)
    if not all_vaults:
        raise LienThongError("this target has no vault", hint="lienthong lab status, or LIENTHONG_SIDE")
    found: dict[str, Kept] = {}
    for name in names or [kept.vault.site for kept in all_vaults]:
        hits = [
            kept
            for kept in all_vaults
            if name in {kept.vault.name, kept.vault.site} or name in {source.name for source in kept.sources}
        ]
        if not hits:
            raise LienThongError(
                f"{name!r} is no site with a vault, no vault and no host that one pulls",
                hint=f"vaults: {', '.join(kept.vault.name for kept in all_vaults)}",
            )
        found |= {kept.vault.name: kept for kept in hits}
    return list(found.values())
