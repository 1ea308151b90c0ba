"""Goes to a device and looks: one login, `look.py` on its stdin, host key verified; nothing is changed."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from lienthong.adopt import look
from lienthong.adopt.propose import known_addresses, propose
from lienthong.adopt.seen import Seen, seen
from lienthong.errors import LienThongError, Unreachable
from lienthong.facts.facts import FactMissing, Facts
from lienthong.model.site import Inventory
from lienthong.model.words import Role
from lienthong.openssh import reason, ways
from lienthong.target import Access

LOOK_TIMEOUT_S = 40
MOST_CHARACTERS = 5_000_000


def address_of(access: Access, inventory: Inventory, name: str) -> IPv4Address:
    """Where to log in: an address as given, or a node's name (the lab's, or the inventory's).

    Raises:
        LienThongError: it is neither.
    """
    try:
        return IPv4Address(name)
    except ValueError:
        pass
    known = {"-".join(node): address for address, node in known_addresses(inventory).items()}
    found = access.addresses.get(name) if access.addresses else known.get(name)
    if found is None:
        raise LienThongError(f"{name!r} is no address and no node", hint="give its IPv4 address")
    return found


def visit(access: Access, address: IPv4Address) -> Seen:
    """What the device says of itself.

    Raises:
        Unreachable: no login, or its host key is not on record.
        FactMissing: it cannot be looked at.
    """
    source = Path(look.__file__).read_text(encoding="utf-8")
    hint = f"the key is {access.key_file}; host keys that are believed are in {access.known_hosts}"
    name = str(address)
    # This is one login, and no master is to outlive it.
    with ways(access, {name: address}, shared=False, hint=hint) as there:
        words = ("/usr/bin/python3", "-I", "-")
        done = there.run(name, words, within_s=LOOK_TIMEOUT_S, stdin=source)
    if done.returncode or len(done.stdout) > MOST_CHARACTERS:
        raise FactMissing(f"{name}: it cannot be looked at: {reason(done.stderr)}")
    facts = Facts.from_json(name, done.stdout)
    return seen(facts, access.management_interfaces)


def company(access: Access, inventory: Inventory, one: Seen) -> list[Seen]:
    """The gear of its site that knows what is plugged in where; what cannot be reached is left out."""
    asked = propose(one, inventory)
    if asked.site is None or one.kind == "gateway":
        return []
    site = inventory.sites[asked.site]
    segment = asked.entry.get("segment")
    side = asked.entry["side"] if segment is None else site.segments[segment].side
    role = Role.SWITCH if one.kind == "host" else Role.GATEWAY
    found = []
    for address, (slug, short) in known_addresses(inventory).items():
        device = site.devices.get(short) if slug == site.slug else None
        if device is not None and device.side == side and device.role is role:
            name = f"{slug}-{short}"
            try:
                found.append(visit(access, access.addresses.get(name, address)))
            except (Unreachable, FactMissing):
                continue
    return found
