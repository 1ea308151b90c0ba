"""A successor takes a dead device's place: a new serial, the same name, address and ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lienthong.edit.draft import Draft
from lienthong.edit.find import Named
from lienthong.edit.keys import forget
from lienthong.edit.layers import MISSING, SiteFile
from lienthong.edit.splice import Note, Put
from lienthong.errors import LienThongError
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory
from lienthong.secrets.names import needs


@dataclass(frozen=True)
class Successor:
    """What is known of the new device; None is not known, or for the first two as before."""

    serial: str
    model: str | None = None
    firmware: str | None = None
    asset_code: str | None = None
    purchased: str | None = None
    supported_until: str | None = None


_ASSET = {"asset_code": "code", "purchased": "purchased", "supported_until": "supported_until"}


def replace(
    draft: Draft, inventory: Inventory, plan: ProvincePlan, thing: Named, new: Successor, today: date
) -> list[str]:
    """Put the change into the draft; what it does, a sentence each.

    Raises:
        LienThongError: that is no device or host, or the serial is the old one.
    """
    if thing.group not in {"devices", "hosts"}:
        raise LienThongError(
            f"{thing.node} is no device or host", hint="say a node's full name, e.g. loc-ninh-gw-wan"
        )
    site = inventory.sites[thing.site]
    old = getattr(site, thing.group)[thing.short]
    if old.serial == new.serial:
        raise LienThongError(f"{new.serial} is the serial that {thing.node} has already")
    file, here = SiteFile(draft, site.slug, site.kind), (thing.group, thing.short)
    file.edit(Put((*here, "serial"), new.serial))
    gone = _gone(old.serial, old.asset.code if old.asset else None, old.model)
    file.edit(Note((*here, "serial"), f"{today.isoformat()}: took the place of {gone}"))
    for name in ("model", "firmware"):
        if getattr(new, name) is not None:
            file.edit(Put((*here, name), getattr(new, name)))
    done = [f"{thing.node} is {new.serial} now, in the place of {gone}"]
    for name, key in _ASSET.items():
        value = getattr(new, name)
        if value is not None:
            file.edit(Put((*here, "asset", key), value))
        elif old.asset is not None and getattr(old.asset, key) is not None:
            file.retract((*here, "asset", key))
            done.append(
                f"asset.{key} was the old one's and is taken away; --{name.replace('_', '-')} says the new"
            )
    if file.own((*here, "asset", "state")) is not MISSING:
        file.edit(Put((*here, "asset", "state"), "in-use"))
    node = plan.nodes[thing.node]
    done += [f"the host key of {name} is no longer trusted" for name in forget(draft, [node])]
    done.append(f"it keeps its name, its address {node.address} and its ports")
    return done


def _gone(serial: str | None, code: str | None, model: str | None) -> str:
    said: Mapping[str, str | None] = {"serial": serial, "asset": code}
    parts = [f"{what} {value}" for what, value in said.items() if value]
    return ", ".join([*parts, *([model] if model else [])]) or "one whose serial nobody wrote down"


def secrets_it_held(plan: ProvincePlan, node: str) -> list[str]:
    """Secrets whose value lay on that node itself, by name; the province's authority is not among them."""
    return [
        str(need.ref)
        for need in needs(plan)
        if node in need.nodes
        and not need.ref.startswith("pki/")
        and need.ref.partition("/")[2] in {node, plan.nodes[node].site}
    ]
