"""Looks at a change before it is sent and refuses what could strand a site. Pure.

A refusal has a name, `<rule>@<node>`; only that name, given by the operator, overrides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from lienthong.diff import Diff, future
from lienthong.errors import Refused
from lienthong.platforms import Dialect, Line, Lines

#: More than this share of the owned lines may not go in one change.
LARGEST_REMOVAL = 0.3
MANAGEMENT = "management-path"
REMOVAL = "large-removal"


@dataclass(frozen=True)
class Management:
    """How the device is reached while it is changed."""

    interfaces: frozenset[str]
    """Interfaces beside the plan's (the lab's `mgmt0`): no line may speak of them."""
    address: IPv4Address | None
    """The plan's own address when the device is managed through it, else None."""


@dataclass(frozen=True)
class Predicted:
    """One dialect's change with what the device holds now."""

    dialect: Dialect
    running: Lines
    diff: Diff


def check(
    node: str, changes: Mapping[str, Predicted], management: Management, allowed: frozenset[str] = frozenset()
) -> None:
    """Refuse the change of one device (all its dialects together).

    Args:
        allowed: names of refusals that the operator overrides.

    Raises:
        Refused: by name, with every reason.
    """
    reasons = [
        *((MANAGEMENT, why) for why in _management(changes, management)),
        *((REMOVAL, why) for why in _removal(changes)),
    ]
    standing = [(rule, why) for rule, why in reasons if f"{rule}@{node}" not in allowed]
    if standing:
        names = " ".join(dict.fromkeys(f"{rule}@{node}" for rule, _ in standing))
        raise Refused(
            f"{node}: " + "; ".join(why for _, why in standing),
            hint=f"if this is meant, override it by name: {names}",
        )


def _removal(changes: Mapping[str, Predicted]) -> Iterator[str]:
    owned = sum(change.diff.owned for change in changes.values())
    gone = sum(_lost(change.diff) for change in changes.values())
    if owned and gone / owned > LARGEST_REMOVAL:
        yield f"removes {gone} of {owned} owned lines, more than {LARGEST_REMOVAL:.0%}"


def _lost(diff: Diff) -> int:
    """Removed lines that no added line stands in for (same place, same first word)."""
    replaced = [_slot(line) for line in diff.added]
    lost = 0
    for line in diff.removed:
        if _slot(line) in replaced:
            replaced.remove(_slot(line))
        else:
            lost += 1
    return lost


def _slot(line: Line) -> tuple[str, ...]:
    return (*line[:-1], *line[-1].split()[:3]) if len(line) == 1 else (*line[:-1], *line[-1].split()[:2])


def _management(changes: Mapping[str, Predicted], management: Management) -> Iterator[str]:
    for change in changes.values():
        for line in (*change.diff.removed, *change.diff.added):
            for name in sorted(change.dialect.interfaces(line) & management.interfaces):
                yield f"touches {name}, by which the device is managed: {' / '.join(line)}"
    if management.address is None:
        return
    carriers = frozenset(
        name
        for change in changes.values()
        for line in change.running
        if _is_address(line, management.address)
        for name in change.dialect.interfaces(line)
    )
    for change in changes.values():
        yield from _path(change, management.address, carriers)


def _path(change: Predicted, address: IPv4Address, carriers: frozenset[str]) -> Iterator[str]:
    after = frozenset(future(change.running, change.diff))
    for line in change.diff.added:
        if line[-1] == "shutdown" and change.dialect.interfaces(line) & carriers:
            yield f"shuts {line[0]}, which has the management address"
    vlan = {
        vlan
        for line in change.running
        if change.dialect.interfaces(line) & carriers
        for vlan in change.dialect.vlans(line)
    }
    for line in change.diff.removed:
        names = change.dialect.interfaces(line)
        carried = vlan & change.dialect.vlans(line)
        if _is_address(line, address) and not any(_is_address(other, address) for other in after):
            yield f"takes away the management address {address}"
        elif carried and (names & carriers or len(change.dialect.vlans(line)) > 1):
            stays = {v for other in after if change.dialect.interfaces(other) == names
                     for v in change.dialect.vlans(other)}  # fmt: skip
            if carried - stays:
                yield f"takes VLAN {min(carried)}, which carries management, off {', '.join(sorted(names))}"
        elif line[0].startswith("ip route 0.0.0.0/0 ") and not any(
            other[0].startswith("ip route 0.0.0.0/0 ") for other in after
        ):
            yield "takes away the default route, by which management answers"


def _is_address(line: Line, address: IPv4Address) -> bool:
    return line[-1].startswith(f"ip address {address}/")
