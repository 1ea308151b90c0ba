"""What a commit refuses: statements that miss others, and references to what is not there.

Missing mandatory statements are told as in "Commit the Configuration"; texts of the other refusals are as
seen in transcripts, their wording differs between releases. All but the first is `configuration check-out
failed` (CLI User Guide, "Verifying the Junos Configuration").
"""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.sim.vendors.juniper_junos.tree import Node

MISSING = "error: commit failed: (missing mandatory statements)\n"
FAILED = "error: configuration check-out failed: (statements constraint check failed)\n"
#: Classes that are there without being configured: "Login Classes Overview".
CLASSES = frozenset({"operator", "read-only", "super-user", "superuser", "unauthorized"})


def refusal(tree: Node) -> str | None:
    """What a commit of it says instead of committing; None: it is fine."""
    missing = [*_system(tree), *_missing(tree, ())]
    if missing:
        return "".join(missing) + MISSING
    wrong = [*_switching(tree), *_routed(tree), *_filters(tree), *_others(tree)]
    return "".join(wrong) + FAILED if wrong else None


def _said(path: str, statement: str, why: str) -> str:
    return f"[edit{' ' + path if path else ''}]\n  '{statement}'\n    {why}\n"


def _system(tree: Node) -> Iterator[str]:
    if not tree.has("system"):
        yield _said("", "system", "Missing mandatory statement: 'root-authentication'")


def _missing(node: Node, path: tuple[str, ...]) -> Iterator[str]:
    for spec in node.spec.below:
        if spec.needs and (spec.word, "") not in node.items:
            why = f"Missing mandatory statement: '{spec.word}'"
            yield _said(" ".join(path[:-1]), path[-1] if path else "", why)
    for item in node.items.values():
        below = (*path, " ".join(item.words)) if item.words else path
        yield from _missing(item, below)


def units(tree: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Logical interfaces: port, number, the port's statements, their own."""
    for port, above in tree.entries("interfaces").items():
        for number, unit in above.entries("unit").items():
            yield port, number, above, unit


def _switching(tree: Node) -> Iterator[str]:
    vlans = tree.entries("vlans")
    numbers = [one.one("vlan-id") for one in vlans.values()]
    for name, vlan in vlans.items():
        number = vlan.one("vlan-id")
        if number is not None and numbers.count(number) > 1:
            yield _said(f"vlans {name}", f"vlan-id {number}", "duplicate vlan-id exists")
        leg = vlan.one("l3-interface")
        if leg is not None and not _there(tree, leg):
            yield _said(f"vlans {name}", f"l3-interface {leg}", f"interface {leg} is not configured")
    for port, number, _, unit in units(tree):
        switched = unit.at("family", "ethernet-switching")
        if switched is None:
            continue
        where = f"interfaces {port} unit {number} family ethernet-switching"
        members = switched.several("vlan", "members")
        for member in members:
            if (
                member != "all"
                and "-" not in member.strip("0123456789")
                and not _known(member, vlans, numbers)
            ):
                yield _said(f"{where} vlan", f"members {member}", f"VLAN {member} does not exist")
        if switched.one("interface-mode") != "trunk" and len(members) > 1:
            yield _said(f"{where}", "vlan", f"Access interface {port}.{number} can be in one VLAN only")
        if unit.has("family", "inet") or unit.has("family", "inet6"):
            why = "Family ethernet-switching and rest of the families are mutually exclusive"
            yield _said(f"interfaces {port} unit {number}", "family", why)


def _known(member: str, vlans: dict[str, Node], numbers: list[str | None]) -> bool:
    return member in vlans or member in numbers


def _there(tree: Node, leg: str) -> bool:
    port, _, number = leg.partition(".")
    return tree.has("interfaces", port, "unit", number or "0")


def _routed(tree: Node) -> Iterator[str]:
    held: dict[str, str] = {}
    for port, number, above, unit in units(tree):
        where = f"interfaces {port}"
        tagged = above.has("vlan-tagging") or above.has("flexible-vlan-tagging")
        if unit.has("vlan-id") and not tagged:
            yield _said(
                where, f"unit {number}", "VLAN-ID can only be specified on tagged ethernet interfaces"
            )
        elif tagged and not unit.has("vlan-id"):
            yield _said(where, f"unit {number}", "VLAN-ID must be specified on tagged ethernet interfaces")
        elif not tagged and number != "0" and port[:2] in {"ge", "xe", "ae"}:
            yield _said(where, f"unit {number}", "Only unit 0 is valid for this encapsulation")
        for family in ("inet", "inet6"):
            for address in unit.several("family", family, "address"):
                ip = address.split("/")[0]
                other = held.setdefault(ip, f"{port}.{number}")
                if other != f"{port}.{number}":
                    why = f"identical local address is found on {other} and {port}.{number}"
                    yield _said(f"{where} unit {number} family {family}", f"address {address}", why)


def _filters(tree: Node) -> Iterator[str]:
    for port, number, _, unit in units(tree):
        for family in ("inet", "inet6", "ethernet-switching"):
            for way in ("input", "output"):
                name = unit.one("family", family, "filter", way)
                if name is not None and not tree.has("firewall", "family", family, "filter", name):
                    where = f"interfaces {port} unit {number} family {family}"
                    yield _said(where, "filter", f"Referenced filter '{name}' is not defined")
    lists = tree.entries("policy-options", "prefix-list")
    for family in ("inet", "inet6"):
        for name, one in tree.entries("firewall", "family", family, "filter").items():
            for term, said in one.entries("term").items():
                for kind in ("source-prefix-list", "destination-prefix-list"):
                    for used in said.entries("from", kind):
                        if used not in lists:
                            where = f"firewall family {family} filter {name} term {term} from {kind}"
                            yield _said(where, used, f"Referenced prefix-list '{used}' is not defined")


def _others(tree: Node) -> Iterator[str]:
    classes = CLASSES | tree.entries("system", "login", "class").keys()
    for name, user in tree.entries("system", "login", "user").items():
        if user.one("class") not in classes:
            yield _said(f"system login user {name}", f"class {user.one('class')}", "class is not defined")
    packets = tree.one("security", "forwarding-options", "family", "mpls", "mode") == "packet-based"
    if packets and tree.has("security", "policies"):
        why = "MPLS mode packet-based not allowed when [security policies] are configured."
        yield _said("security forwarding-options family", "mpls", why)
