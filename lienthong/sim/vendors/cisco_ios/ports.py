"""What an interface of an IOS box refuses, and how it prints what it took."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from lienthong.platforms.dialects.ios_words import vlan_list

if TYPE_CHECKING:
    from lienthong.sim.vendors.cisco_ios.box import IosBox

Path = tuple[str, ...]
_OUT_OF_RANGE = "Bad VLAN list - VLAN {} is reserved or out of the range 1..4094.\n"
_CONFLICT = "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this interface: {}\n"
_SAME_VID = (
    "%Configuration of multiple subinterfaces of the same main\n"
    "interface with the same VID ({}) is not permitted.\n"
)
_SUBINTERFACE = (
    "% Configuring IP routing on a LAN subinterface is only allowed if that\n"
    "subinterface is already configured as part of an IEEE 802.10, IEEE 802.1Q,\nor ISL vLAN.\n"
)


class Refused(Exception):
    """The box understands the line and does not do it; with what it prints."""


def joined(vlans: list[int]) -> str:
    """VLANs as a list is printed: `10,20-23`."""
    out: list[list[int]] = []
    for vlan in sorted(set(vlans)):
        if out and vlan == out[-1][1] + 1:
            out[-1][1] = vlan
        else:
            out.append([vlan, vlan])
    return ",".join(str(low) if low == high else f"{low}-{high}" if high > low + 1 else f"{low},{high}"
                    for low, high in out)  # fmt: skip


def checked(box: IosBox, path: Path, text: str) -> tuple[str, str]:
    """A line of an interface: (what is printed, the line as it is printed)."""
    name, lines, said = path[0].split()[1], box.running.lines(path), ""
    switched = name in box.switched
    if text.startswith(("switchport", "spanning-tree")) and not switched:
        raise Refused("% Invalid input detected at '^' marker.\n\n")
    if text.startswith("ip address "):
        _address(box, path, text, lines)
    elif text.startswith("ipv6 "):
        text = " ".join(six(text.split()))
    elif text.startswith("encapsulation "):
        _alone(box, path, text)
    elif text.startswith("ip ospf message-digest-key "):
        start = " ".join(text.split()[:4])
        same = [line for line in lines if line.startswith(f"{start} ")]
        if same and same != [text]:
            raise Refused(f"OSPF: Key {text.split()[3]} already exists\n")
    elif text == "switchport nonegotiate" and not any(x.startswith("switchport mode ") for x in lines):
        raise Refused(_CONFLICT.format(name))
    elif text == "switchport port-security" and not any(x.startswith("switchport mode ") for x in lines):
        raise Refused(f"Command rejected: {name} is a dynamic port.\n")
    elif text.startswith("switchport mode trunk") and "switchport port-security" in lines:
        raise Refused(f"Command rejected: {name} is a secured port.\n")
    elif text.startswith("switchport access vlan "):
        vlan = int(text.split()[-1])
        if vlan not in box.vlans():
            said = f"% Access VLAN does not exist. Creating vlan {vlan}\n"
            box.running.put((), f"vlan {vlan}")
    elif text.startswith("switchport trunk allowed vlan "):
        text = _allowed(text, lines)
    elif text == "spanning-tree portfast":
        # "Configuring Optional Spanning-Tree Features": typing it warns.
        said = (
            "%Warning: portfast should only be enabled on ports connected to a single\n host.\n\n"
            f"%Portfast has been configured on {name} but will only\n"
            " have effect when the interface is in a non-trunking mode.\n"
        )
    return said, text


def _allowed(text: str, lines: list[str]) -> str:
    words = text.split()
    start = "switchport trunk allowed vlan "
    had = next(
        (vlan_list(line.split()[-1]) for line in lines if line.startswith(start)), list(range(1, 4095))
    )
    if words[4] == "add":
        return start + joined([*had, *vlan_list(words[5])])
    if words[4] == "remove":
        gone = set(vlan_list(words[5]))
        return start + (joined([vlan for vlan in had if vlan not in gone]) or "none")
    return start + (words[4] if words[4] in {"all", "none"} else joined(vlan_list(words[4])))


def _address(box: IosBox, path: Path, text: str, lines: list[str]) -> None:
    name = path[0].split()[1]
    words = text.split()
    mine = IPv4Interface(f"{words[2]}/{words[3]}")
    if name in box.switched:
        raise Refused("% Invalid input detected at '^' marker.\n\n")
    if mine.network.prefixlen < 31 and mine.ip in (mine.network[0], mine.network[-1]):
        raise Refused(f"Bad mask /{mine.network.prefixlen} for address {mine.ip}\n")
    if "." in name and not any(line.startswith("encapsulation ") for line in lines):
        raise Refused(_SUBINTERFACE)
    for head, others in box.running.sections("interface "):
        for line in others if head != path[0] else []:
            found = re.match(r"ip address ([\d.]+) ([\d.]+)", line)
            if found and IPv4Interface(f"{found[1]}/{found[2]}").network.overlaps(mine.network):
                raise Refused(f"% {mine.network.network_address} overlaps with {head.split()[1]}\n")


def _alone(box: IosBox, path: Path, text: str) -> None:
    name = path[0].split()[1]
    if "." not in name:
        raise Refused("% Invalid input detected at '^' marker.\n\n")
    for head, lines in box.running.sections(f"interface {name.partition('.')[0]}."):
        if head != path[0] and text in lines:
            raise Refused(_SAME_VID.format(text.split()[2]))


def undone(box: IosBox, path: Path, text: str) -> None:
    lines, name = box.running.lines(path), path[0].split()[1]
    if text.startswith("switchport mode"):
        if "switchport nonegotiate" in lines:
            raise Refused(_CONFLICT.format(name))
        if "switchport port-security" in lines:
            raise Refused(f"Command rejected: {name} is a secured port.\n")


def settle(box: IosBox, path: Path) -> None:
    """An interface that routes says that it has no address, where it has none."""
    if not path or not path[0].startswith("interface ") or path[0].split()[1] in box.switched:
        return
    if box.running.view(path) is None:
        return
    if any(line.startswith("ip address ") for line in box.running.lines(path)):
        box.running.drop(path, lambda line: line == "no ip address")
    else:
        box.running.put(path, "no ip address")


def six(words: list[str]) -> list[str]:
    """Addresses of IPv6 are shown in capitals."""
    return [word.upper() if ":" in word else word for word in words]


def refuse_vlans(text: str) -> None:
    """VLANs that a switch keeps for itself ("VLAN Configuration Guide", 1002 to 1005)."""
    for vlan in vlan_list(text):
        if vlan in range(1002, 1006) or not 1 <= vlan <= 4094:
            raise Refused(_OUT_OF_RANGE.format(vlan))
