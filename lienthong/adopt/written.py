"""A proposal as YAML that an officer reads, and as edits of the site's file. All of it has passed a type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.adopt.propose import Proposal
from lienthong.edit.draft import Draft
from lienthong.edit.layers import MISSING, SiteFile, at
from lienthong.edit.layers import layers as merged_layers
from lienthong.edit.splice import Put, Take
from lienthong.edit.write import Value, entry
from lienthong.errors import LienThongError

UNNAMED = "unnamed"


def told(proposal: Proposal) -> str:
    """The entry as YAML; what is not sure stands below it as `# key: ask …`, then what contradicts."""
    site = f"inventory/sites/{proposal.site}.yaml" if proposal.site else "a site's file: ask which"
    short = proposal.short or UNNAMED
    lines = [f"# {site}", *(f"# {line}" for line in proposal.told)]
    lines += [entry(proposal.group, {short: proposal.entry}, 0, 1)]
    lines += [
        f"    # {key}: ask ({what.strip()})" for key, _, what in (a.partition(":") for a in proposal.asks)
    ]
    if proposal.cabled:
        switch, port = proposal.cabled
        value: Value = {switch: {"ports": {port: {"host": short}}}}
        lines += ["# it is plugged in there:", entry("devices", value, 0, 1)]
    lines += [f"# contradicts the inventory: {line}" for line in proposal.contradicts]
    return "\n".join(lines) + "\n"


def as_data(proposal: Proposal) -> dict[str, Any]:
    """The same for programs."""
    return {
        "site": proposal.site,
        "group": proposal.group,
        "name": proposal.short,
        "entry": proposal.entry,
        "cabled": list(proposal.cabled) if proposal.cabled else None,
        "told": list(proposal.told),
        "asks": list(proposal.asks),
        "contradicts": list(proposal.contradicts),
    }


def put(draft: Draft, kind: str, proposal: Proposal) -> None:
    """Put the entry into its site's file: only what the layers below do not say already.

    Raises:
        LienThongError: the site or the name has to be asked first, or the entry contradicts the inventory.
    """
    if proposal.site is None or proposal.short is None or proposal.contradicts:
        raise LienThongError(
            "not written: " + "; ".join(proposal.contradicts or proposal.asks),
            hint="settle this first, or write the entry by hand",
        )
    file = SiteFile(draft, proposal.site, kind)
    below = merged_layers(draft.folder, kind)
    _put(file, below, (proposal.group, proposal.short), proposal.entry)
    if proposal.cabled:
        switch, port = proposal.cabled
        _put(file, below, ("devices", switch, "ports", port), {"host": proposal.short})


def _put(file: SiteFile, below: dict[str, Any], path: tuple[str, ...], value: Mapping[str, Any]) -> None:
    under = at(below, path)
    mine = over(under, value) if isinstance(under, Mapping) else dict(value)
    own = file.own(path)
    if isinstance(own, Mapping) and "asset" in own:
        mine = {**mine, "asset": own["asset"]}  # what a device cannot know stays as it was written
    if mine:
        file.edit(Put(path, mine))
    elif own is not MISSING:
        file.edit(Take(path))


def over(below: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be laid over `below` so that it is `value`: null takes away."""
    found: dict[str, Any] = {key: None for key in below if key not in value}
    for key, item in value.items():
        under = below.get(key)
        if isinstance(item, Mapping) and isinstance(under, Mapping):
            rest = over(under, item)
            if rest:
                found[key] = rest
        elif key not in below or under != item:
            found[key] = item
    return found
