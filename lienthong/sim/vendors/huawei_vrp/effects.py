"""What a VRP command needs, and what of it is stored: the rules behind the grammar.

An effect gives the line that is stored, or None where it has stored it itself. The texts of refusals are in
the manner of the command references; no driver depends on more of them than `Error:`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.vendors.huawei_vrp.spelling import (
    Call,
    Device,
    Effect,
    first,
    listed,
    need,
    numbers,
    vlans_of,
)


def set_vlans(box: Device, found: Sequence[int]) -> None:
    """Store the VLANs that exist; 64 numbers or so fit on a line, so long lists become several."""
    box.running.drop((), lambda line: line.startswith("vlan batch "))
    words = listed([vlan for vlan in found if vlan != 1]).replace(" to ", "-").split()
    for start in range(0, len(words), 10):
        box.running.put((), "vlan batch " + " ".join(words[start : start + 10]).replace("-", " to "))


def _vlan_batch(call: Call) -> None:
    set_vlans(call.box, [*vlans_of(call.box.running), *numbers(call.words[2:])])


def _open_vlan(call: Call) -> str:
    if int(call.words[1]) not in vlans_of(call.box.running):
        set_vlans(call.box, [*vlans_of(call.box.running), int(call.words[1])])
    return " ".join(call.words)


def _open_interface(call: Call) -> str:
    name, _, sub = call.words[1].partition(".")
    vlanif = re.fullmatch(r"Vlanif(\d+)", name)
    if vlanif:
        need(int(vlanif[1]) in vlans_of(call.box.running), "The VLAN does not exist.")
    elif not re.fullmatch(r"LoopBack\d{1,4}", name):
        need(name in call.box.routed | call.box.switched, "Wrong parameter found at '^' position.")
        need(not sub or name in call.box.routed, "The interface does not support sub-interfaces.")
    return " ".join(call.words)


def _open_acl(call: Call) -> str:
    for other in call.box.running.lines():
        if other.startswith("acl ") and other != " ".join(call.words):
            need(other.split()[-1] != call.words[-1], "The ACL number is used by another ACL.")
            need(_acl_name(other) != _acl_name(" ".join(call.words)), "The ACL has another number.")
    return " ".join(call.words)


def _acl_name(heading: str) -> str:
    found = re.match(r"acl (ipv6 )?name (\S+)", heading)
    return found[0] if found else heading


def _open_ospf(call: Call) -> str | None:
    text = " ".join(call.words)
    for line in call.box.running.lines():
        if line.split()[:2] == call.words[:2]:
            if len(call.words) > 2:
                call.box.running.put((), text, lambda other: other.split()[:2] == call.words[:2])
            return None
    return text


def _rule_text(call: Call) -> str:
    need(
        any(line.split()[:2] == call.words[:2] for line in call.box.running.lines(call.path)),
        "The rule does not exist.",
    )
    return " ".join(call.words)


def _interface_there(call: Call) -> str:
    known = (
        call.box.routed
        | call.box.switched
        | {line.split()[1] for line in call.box.running.lines() if line.startswith("interface ")}
    )
    need(call.words[-1] in known, "Wrong parameter found at '^' position.")
    return " ".join(call.words)


def _password(call: Call) -> str:
    secret = call.words[-1]
    kinds = sum(bool(re.search(kind, secret)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))
    need(len(secret) >= 8 and kinds >= 2, "Invalid password, it is too simple or too short.")
    return " ".join([*call.words[:-1], _irreversible(call.box, secret)])


def _irreversible(box: Device, secret: str) -> str:
    salt = box.salt()
    return f"$1a${salt}${base64.b64encode(hashlib.sha256((salt + secret).encode()).digest()).decode()}$"


def encrypted(box: Device, secret: str) -> str:
    """As a secret is shown that the device needs itself."""
    salt = box.salt()
    body = base64.b64encode(hashlib.sha256((salt + secret).encode()).digest()).decode()
    return f"%^%#{salt}{body}%^%#"


def _cipher(call: Call) -> str:
    return " ".join([*call.words[:-1], encrypted(call.box, call.words[-1])])


def _scheme_there(call: Call) -> str:
    known = {line for line in call.box.running.lines(("aaa",)) if line.startswith("authentication-scheme ")}
    need(" ".join(call.words) in known, "The authentication scheme does not exist.")
    return " ".join(call.words)


def _address(call: Call) -> str:
    mine = IPv4Interface(f"{call.words[2]}/{call.words[3]}")
    for head, lines in call.box.running.sections("interface "):
        for line in lines:
            found = re.match(r"ip address (\S+) (\S+)", line)
            if found and head != call.path[0]:
                other = IPv4Interface(f"{found[1]}/{found[2]}")
                need(
                    not other.network.overlaps(mine.network),
                    "The specified address conflicts with another address.",
                )
    need(first(call.path) not in call.box.switched, "Unrecognized command found at '^' position.")
    return " ".join(call.words)


def _with(line: str, why: str) -> Effect:
    """A command that needs a line of the system view."""

    def needs(call: Call) -> str:
        need(line in call.box.running.lines(), why)
        return " ".join(call.words)

    return needs


def _ipv6_enabled(call: Call) -> str:
    need("ipv6 enable" in call.box.running.lines(call.path), "IPv6 is not enabled on the interface.")
    return " ".join(call.words)


def _ospf_there(call: Call) -> str:
    heads = [line for line in call.box.running.lines() if line.split()[:2] == ["ospf", call.words[2]]]
    need(bool(heads), "The OSPF process does not exist.")
    call.box.running.put((heads[0],), f"area {call.words[4]}")
    return " ".join(call.words)


def _subinterface(call: Call) -> str:
    need("." in first(call.path), "Unrecognized command found at '^' position.")
    return " ".join(call.words)


def _filter(call: Call) -> str:
    names = {
        line.split()[-2] for line in call.box.running.lines() if line.startswith("acl ") and " name " in line
    }
    need(call.words[-1] in names, "The specified ACL does not exist.")
    text = " ".join(call.words)
    same = [
        line for line in call.box.running.lines(call.path) if line.rsplit(" ", 1)[0] == text.rsplit(" ", 1)[0]
    ]
    need(not same or same == [text], "A simplified traffic policy has been applied already.")
    return text


def _route(call: Call) -> None:
    at = 5
    call.box.running.put((), " ".join(call.words), lambda line: line.split()[:at] == call.words[:at])


def _ssh_user(call: Call) -> str:
    need(
        call.words[:3] == call.words or " ".join(call.words[:3]) in call.box.running.lines(),
        "The user does not exist.",
    )
    return " ".join(call.words)


def _ssh_key(call: Call) -> str:
    _ssh_user(Call(call.box, call.path, call.words[:3]))
    need(f"rsa peer-public-key {call.words[-1]}" in {_named(line) for line in call.box.running.lines()},
          "The RSA public key does not exist.")  # fmt: skip
    return " ".join(call.words)


def _named(line: str) -> str:
    return " ".join(line.split()[:3])


def _idle(call: Call) -> str | None:
    call.box.running.drop(call.path, lambda line: line.startswith("idle-timeout "))
    return None if call.words[1:] == ["10", "0"] else " ".join(call.words)  # the default is not shown


def _protocol(call: Call) -> str:
    need(call.words[-1] != "ssh" or "authentication-mode aaa" in call.box.running.lines(call.path),
          "Please set the authentication mode to AAA first.")  # fmt: skip
    return " ".join(call.words)


EFFECTS: dict[str, Effect] = {
    "vlan_batch": _vlan_batch, "open_vlan": _open_vlan, "open_interface": _open_interface,
    "open_acl": _open_acl, "open_ospf": _open_ospf, "rule_text": _rule_text,
    "interface_there": _interface_there, "password": _password,
    "cipher": _cipher, "scheme_there": _scheme_there, "address": _address, "route": _route,
    "ipv6_there": _with("ipv6", "Please enable IPv6 in the system view first."),
    "dhcp_there": _with("dhcp enable", "Please enable DHCP in the global view first."),
    "bfd_there": _with("bfd", "Please enable BFD in the system view first."),
    "ipv6_enabled": _ipv6_enabled, "ospf_there": _ospf_there, "subinterface": _subinterface,
    "filter": _filter, "ssh_user": _ssh_user, "ssh_key": _ssh_key,
    "idle": _idle, "protocol": _protocol,
}  # fmt: skip
