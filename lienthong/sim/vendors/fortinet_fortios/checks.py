"""What an entry must be before the FortiGate takes it, and what it does not let go."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface

from lienthong.sim.vendors.fortinet_fortios.schema import BUILT_IN, Section
from lienthong.sim.vendors.fortinet_fortios.tree import Tree, named, quoted
from lienthong.sim.vendors.fortinet_fortios.values import Refused, wrong

#: A text in which a name of something else may stand without speaking of it.
_PROSE = frozenset({"name", "alias", "description", "comment", "comments", "hostname", "buffer", "location"})
_PORTS = frozenset({"physical", "hard-switch", "aggregate"})


def there(running: Tree, table: str, name: str) -> bool:
    """Whether a value may name this entry."""
    section = running.part(f"config {table}") or Tree()
    return name in BUILT_IN.get(table, ()) or not {f"edit {quoted(name)}", f"edit {name}"}.isdisjoint(
        section.items
    )


def refuse_wrong(running: Tree, path: str, section: Section, name: str, entry: Tree) -> None:
    """Refuse an entry, or a section, that cannot be as it is.

    Raises:
        Refused: with the reason that the device gives.
    """
    for attribute in section.needs:
        if entry.value(attribute) is None:
            raise _missing(attribute)
    if path == "system interface":
        _interface(running, name, entry)
    elif path == "system dhcp server ip-range":
        first, last = (IPv4Address(entry.words(which)[0]) for which in ("start-ip", "end-ip"))
        if last < first:
            raise Refused(
                "end-ip must be greater than start-ip\n"
                "object check operator error, -45, discard the setting\n"
                "Command fail. Return code 1\n"
            )
    elif path == "firewall service custom":
        if entry.value("protocol") is None and not (
            entry.value("tcp-portrange") or entry.value("udp-portrange")
        ):
            raise Refused(
                "TCP/UDP/SCTP portrange cannot all be empty.\n"
                "object check operator error, -651, discard the setting\n"
                "Command fail. Return code 1\n"
            )
    elif path == "firewall policy":
        for other, policy in running.entries(path).items():
            if other != name and entry.value("name") and policy.value("name") == entry.value("name"):
                raise wrong(
                    entry.words("name")[0], f"node_check_object fail! for name {entry.words('name')[0]}", -5
                )
    elif path == "router static" and entry.value("device") is None and entry.value("blackhole") is None:
        raise _missing("device")


def refuse_removal(running: Tree, path: str, name: str, entry: Tree) -> None:
    """Refuse to delete what is named elsewhere, and what is a part of the device.

    Raises:
        Refused: with the reason that the device gives.
    """
    if (
        path == "system interface"
        and entry.words("type")[:1]
        and entry.words("type")[0] in {"physical", "hard-switch"}
    ):
        raise Refused("\nCommand fail. Return code -61\n")  # its wording is not documented
    uses = sum(1 for user in _users(running, path, name) if user)
    if uses:
        # FortiOS 7.0.3: `delete fortilink`.
        raise Refused(f"The entry is used by other {uses} entries\nCommand fail. Return code -23\n")


def _users(running: Tree, path: str, name: str) -> Iterator[bool]:
    """Every entry, or section, that names it."""
    told = quoted(name)
    for heading, section in running.items.items():
        if not isinstance(section, Tree):
            continue
        parts = [(item, part) for item, part in section.items.items() if isinstance(part, Tree)]
        for item, part in parts:
            if item.startswith("edit ") and heading == f"config {path}" and named(item) == name:
                continue
            yield _names(part, told)
        yield _names(
            Tree({item: part for item, part in section.items.items() if isinstance(part, str)}), told
        )


def _names(tree: Tree, told: str) -> bool:
    for item, part in tree.items.items():
        if isinstance(part, Tree):
            if _names(part, told):
                return True
        elif item.split()[-1] not in _PROSE and told in part:
            return True
    return False


def _interface(running: Tree, name: str, entry: Tree) -> None:
    kind = (entry.words("type") or [""])[0]
    others = {other: leg for other, leg in running.entries("system interface").items() if other != name}
    if kind not in {*_PORTS, "loopback", "tunnel"}:
        for attribute in ("interface", "vlanid"):
            if entry.value(attribute) is None:
                raise _missing(attribute)
        for leg in others.values():
            if leg.words("interface") == entry.words("interface") and leg.words("vlanid") == entry.words(
                "vlanid"
            ):
                raise Refused(
                    "\nVLAN ID is used by another interface\n"
                    "object set operator error, -5, discard the setting\n"
                    "Command fail. Return code -5\n"
                )  # the wording is not documented; -5 is "entry exists"
    if entry.value("vdom") is None:
        raise _missing("vdom")
    if entry.value("ip") is not None:
        mine = IPv4Interface(entry.net("ip")).network
        for other, leg in others.items():
            if leg.value("ip") is not None and IPv4Interface("/".join(leg.words("ip"))).network.overlaps(
                mine
            ):
                # CLI Reference: `allow-subnet-overlap` is off by default. Wording from memory.
                raise Refused(
                    f"Subnets overlap between '{other}' and '{name}'\n"
                    "object set operator error, -54, discard the setting\nCommand fail. Return code -54\n"
                )


def _missing(attribute: str) -> Refused:
    return Refused(
        f"\nnode_check_object fail! for {attribute} \nAttribute '{attribute}' MUST be set.\n"
        "Command fail. Return code 1\n"
    )
