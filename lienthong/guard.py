"""Looks at a change before it is sent and refuses what could strand a site. Pure.

From what the device holds now and the change follows what it will hold; from both follows by what it can be
managed (:class:`lienthong.platforms.Reach`). What was there and would be gone is refused. A refusal has a
name, `<rule>@<node>`; only that name, given by the operator, overrides it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lienthong.diff import Diff, future
from lienthong.errors import Refused
from lienthong.platforms import Dialect, Line, Lines, Reach

#: More than this share of the owned lines may not go in one change.
LARGEST_REMOVAL = 0.3
#: So many lines are never much: a device after day 0 has hardly any that are owned.
FEW = 3
MANAGEMENT = "management-path"
LOGIN = "login"
REMOVAL = "large-removal"
DEFAULT = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Management:
    """How the device is reached while it is changed."""

    interfaces: frozenset[str]
    """Interfaces beside the plan's (the lab's `mgmt0`): no line may speak of them."""
    address: IPv4Address | None
    """The plan's own address when the device is managed through it, else None."""
    networks: tuple[IPv4Network, ...] = ()
    """From where it is managed."""
    user: str = ""
    """The account by which it is managed."""


@dataclass(frozen=True)
class Predicted:
    """One dialect's change with what the device holds now."""

    dialect: Dialect
    running: Lines
    diff: Diff

    @property
    def after(self) -> Lines:
        """What the device will hold."""
        return future(self.running, self.diff)


def check(
    node: str, changes: Mapping[str, Predicted], management: Management, allowed: frozenset[str] = frozenset()
) -> None:
    """Refuse the change of one device (all its dialects together).

    Args:
        allowed: names of refusals that the operator overrides.

    Raises:
        Refused: by name, with every reason.
    """
    standing = [(rule, why) for rule, why in reasons(changes, management) if f"{rule}@{node}" not in allowed]
    if standing:
        names = " ".join(dict.fromkeys(f"{rule}@{node}" for rule, _ in standing))
        raise Refused(
            f"{node}: " + "; ".join(dict.fromkeys(why for _, why in standing)),
            hint=f"if this is meant, override it by name: {names}",
        )


def reasons(changes: Mapping[str, Predicted], management: Management) -> list[tuple[str, str]]:
    """Every (rule, why) against a change."""
    before = reach({name: change.running for name, change in changes.items()}, changes)
    after = reach({name: change.after for name, change in changes.items()}, changes)
    return [
        *((MANAGEMENT, why) for why in _touched(changes, management)),
        *((MANAGEMENT, why) for why in _path(before, after, management)),
        *((LOGIN, why) for why in _login(before, after, management)),
        *((REMOVAL, why) for why in _removal(changes)),
    ]


def reach(lines: Mapping[str, Lines], changes: Mapping[str, Predicted]) -> Reach:
    """By what a device is managed, from the lines of all its dialects."""
    found = [
        change.dialect.reach(lines[name])
        for name, change in changes.items()
        if change.dialect.reach is not None
    ]

    def told(key: str) -> object:
        return next((getattr(one, key) for one in found if getattr(one, key) is not None), None)

    return Reach(
        addresses={name: value for one in found for name, value in one.addresses.items()},
        carried={name: value for one in found for name, value in one.carried.items()},
        tag={name: value for one in found for name, value in one.tag.items()},
        routes=frozenset(route for one in found for route in one.routes),
        dynamic=any(one.dynamic for one in found),
        silent={name: value for one in found for name, value in one.silent.items()},
        **{key: told(key) for key in ("ssh", "logins", "users", "local")},  # type: ignore[arg-type]
    )


def _touched(changes: Mapping[str, Predicted], management: Management) -> Iterator[str]:
    for change in changes.values():
        for line in (*change.diff.removed, *change.diff.added):
            for name in sorted(change.dialect.interfaces(line) & management.interfaces):
                yield f"touches {name}, by which the device is managed: {' / '.join(line)}"


def _path(before: Reach, after: Reach, management: Management) -> Iterator[str]:
    """The management address, the VLAN it lies in, the way back."""
    address = management.address
    carrier = _carrier(before, address)
    if address is None or carrier is None:
        return  # it is not managed by the plan's address yet
    new = _carrier(after, address)
    if new is None:
        yield f"takes away or shuts the management address {address}"
    vlan = before.tag.get(carrier)
    if vlan is not None:
        if new is not None and after.tag.get(new) != vlan:
            yield f"moves management from VLAN {vlan} to {after.tag.get(new) or 'none'}"
        for port, carried in sorted(before.carried.items()):
            leads_here = len(carried) > 1 or port == carrier
            if vlan in carried and leads_here and vlan not in after.carried.get(port, frozenset()):
                yield f"takes VLAN {vlan}, which carries management, off {port}"
    if DEFAULT in before.routes and DEFAULT not in after.routes and not after.dynamic:
        yield "takes away the default route, by which management answers"
    if before.dynamic and not after.dynamic and DEFAULT not in after.routes:
        yield "takes away the routing protocol, by which management answers"


def _carrier(reach: Reach, address: IPv4Address | None) -> str | None:
    for name, addresses in reach.addresses.items():
        if any(one.ip == address for one in addresses):
            return name
    return None


def _login(before: Reach, after: Reach, management: Management) -> Iterator[str]:
    """SSH, from where it is answered, and who may come in."""
    if before.ssh and after.ssh is False:
        yield "ends SSH, by which the device is managed"
    if after.logins is not None:
        for network in management.networks:
            was = before.logins is None or _within(network, before.logins)
            if was and not _within(network, after.logins):
                yield f"no longer answers SSH from {network}, from where the device is managed"
    if (
        before.users is not None
        and management.user in before.users
        and management.user not in (after.users or ())
    ):
        yield f"takes away the account {management.user}, by which the device is managed"
    if before.local and after.local is False:
        yield "lets nobody in when no AAA server answers"


def _within(network: IPv4Network, found: tuple[IPv4Network, ...]) -> bool:
    return any(network.subnet_of(one) for one in found)


def _removal(changes: Mapping[str, Predicted]) -> Iterator[str]:
    owned = sum(change.diff.owned for change in changes.values())
    gone = sum(_lost(change.diff) for change in changes.values())
    if gone > FEW and gone / owned > LARGEST_REMOVAL:
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
