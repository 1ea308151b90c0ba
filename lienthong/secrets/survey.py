"""What the vault holds beside what the plan needs: names, files, days. Never a value, never its length."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.model.intent import ProvincePlan
from lienthong.model.secret import SecretRef
from lienthong.model.words import Side
from lienthong.secrets.kinds import kind
from lienthong.secrets.names import SUFFIX, Identity, Need, identities, needs
from lienthong.secrets.passwords import NoPassword
from lienthong.secrets.public import PublicFile
from lienthong.secrets.vaultfile import Entry, VaultFile
from lienthong.secrets.wireguard import public_key

SET, MISSING, UNUSED, WRONG, LOCKED, SHUT = (
    "set",
    "missing",
    "unused",
    "wrong",
    "no password",
    "does not open",
)


@dataclass(frozen=True)
class Row:
    """One name. `since` is a day (ISO), `age_days` from it; None where nobody wrote it down."""

    name: str
    identity: str
    file: str
    state: str
    why: str
    since: str | None
    age_days: int | None
    nodes: tuple[str, ...]


def survey(folder: Path, root: Path, plan: ProvincePlan, side: Side | None, today: date) -> list[Row]:
    """Every name that the plan needs or the vault holds; opens the files that it has passwords for."""
    wanted: dict[str, list[Need]] = {}
    for need in needs(plan):
        wanted.setdefault(need.identity.label, []).append(need)
    rows: list[Row] = []
    known = identities(plan)
    for label, identity in sorted(known.items()):
        if side is None or identity.side is side:
            rows += _of_identity(folder, root, identity, wanted.get(label, []), today)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        label = path.name.removesuffix(SUFFIX)
        if label not in known and (side is None or label.endswith(f"-{side}")):
            why = "no site of the inventory has this identity"
            rows.append(Row("*", label, path.name, UNUSED, why, None, None, ()))
    return rows


def _of_identity(folder: Path, root: Path, identity: Identity, wanted: list[Need], today: date) -> list[Row]:
    file = VaultFile(folder, identity.label, root)
    name = file.path.name
    try:
        entries, halves = file.read(), PublicFile(folder, identity.label).read()
    except LienThongError as error:
        state = LOCKED if isinstance(error, NoPassword) else SHUT
        return [Row(n.ref, identity.label, name, state, error.what, None, None, n.nodes) for n in wanted] or [
            Row("*", identity.label, name, state, error.what, None, None, ())
        ]
    rows = []
    for need in wanted:
        entry = entries.pop(need.ref, None)
        state, why = _state(need.ref, entry, halves)
        since = entry.since if entry else None
        rows.append(Row(need.ref, identity.label, name, state, why, since, _age(since, today), need.nodes))
    for unused, entry in sorted(entries.items()):
        why = "nothing of the plan asks for it"
        rows.append(Row(unused, identity.label, name, UNUSED, why, entry.since, _age(entry.since, today), ()))
    return rows


def _state(ref: SecretRef, entry: Entry | None, halves: dict[str, str]) -> tuple[str, str]:
    if entry is None:
        return MISSING, f"lienthong secret set {ref}"
    known = kind(ref)
    if not known.passes(entry.value.reveal()):
        return WRONG, f"not {known.what}: {known.made_of}"
    if ref.startswith("wireguard/") and halves.get(ref) != public_key(entry.value):
        return WRONG, "its public half beside the vault is another one: lienthong secret rotate writes both"
    return SET, ""


def _age(since: str | None, today: date) -> int | None:
    try:
        return (today - date.fromisoformat(since)).days if since else None
    except ValueError:
        return None
