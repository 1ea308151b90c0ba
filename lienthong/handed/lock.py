"""What was accepted: `inventory/roles.lock`, a line a role: its hash, where it may run, who signed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import LienThongError
from lienthong.handed.signed import Role
from lienthong.model.words import Target

LOCK = "inventory/roles.lock"
#: Roles that ran in a lab of this checkout without a failure, by hash.
PROVED = "run/roles-in-lab"
_LINE = re.compile(r"(\S+) sha256:([0-9a-f]{64}) (lab|live) (\S+)")
_HEAD = "# Roles of Central as accepted (lienthong role accept): name, hash, where, who signed.\n"


@dataclass(frozen=True)
class Pin:
    """One accepted role."""

    name: str
    digest: str
    where: Target
    """`lab`: there only; `live`: it has run in a lab, and may run everywhere"""
    signer: str


def pins(root: Path) -> dict[str, Pin]:
    """Every accepted role by name.

    Raises:
        LienThongError: a line makes no sense.
    """
    path = root / LOCK
    found: dict[str, Pin] = {}
    if not path.is_file():
        return found
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found:
            raise LienThongError(
                f"{LOCK}:{number}:1: no accepted role, or one twice", hint="lienthong role accept"
            )
        found[match[1]] = Pin(match[1], match[2], Target(match[3]), match[4])
    return found


def pin(root: Path, role: Role, where: Target) -> Pin:
    """Write a role into the lock, in place of what stood there for it.

    Raises:
        LienThongError: for live, and it has not run in a lab as it is.
    """
    if where is Target.LIVE and not proved(root, role.digest):
        raise LienThongError(
            f"roles/{role.name} has not run in a lab as it is now",
            hint="lienthong lab up SITE; lienthong apply SITE; then accept it --live",
        )
    found: Mapping[str, Pin] = {**pins(root), role.name: Pin(role.name, role.digest, where, role.signer)}
    lines = [f"{one.name} sha256:{one.digest} {one.where} {one.signer}\n" for _, one in sorted(found.items())]
    path = root / LOCK
    new = path.with_name(f".{path.name}.new")
    new.write_text(_HEAD + "".join(lines), encoding="utf-8")
    new.replace(path)
    return found[role.name]


def must_be_pinned(root: Path, role: Role, target: Target) -> None:
    """
    Raises:
        LienThongError: the role is not what was accepted, or not for this target.
    """
    one = pins(root).get(role.name)
    if one is None:
        raise LienThongError(f"roles/{role.name} was not accepted", hint=f"lienthong role accept {role.name}")
    if one.digest != role.digest:
        raise LienThongError(
            f"roles/{role.name} is not what was accepted: {role.digest[:16]}, in {LOCK} {one.digest[:16]}",
            hint=f"look at what is new, then lienthong role accept {role.name}",
        )
    if target is Target.LIVE and one.where is not Target.LIVE:
        raise LienThongError(
            f"roles/{role.name} was accepted for the lab only",
            hint=f"after it has run there: lienthong role accept {role.name} --live",
        )


def proved(root: Path, digest: str) -> bool:
    """Whether it has run in a lab of this checkout without a failure."""
    return (root / PROVED / digest).is_file()


def prove(root: Path, digest: str) -> None:
    """Remember that it has."""
    (root / PROVED).mkdir(parents=True, exist_ok=True)
    (root / PROVED / digest).touch()
