"""Ports of a simulated VRP5 switch: kinds of port, VLANs of a trunk, port security, what goes with a VLAN.

"Interface and VLAN Configuration Commands" of S300 to S6700 V200R021: a port changes its kind only with the
default configuration of the kind it has; a trunk carries VLAN 1 until that is undone.
"""

from __future__ import annotations

from lienthong.sim.vendors.huawei_vrp.effects import set_vlans
from lienthong.sim.vendors.huawei_vrp.spelling import (
    Call,
    Device,
    Effect,
    Path,
    Refusal,
    first,
    listed,
    need,
    numbers,
    vlans_of,
)

NO_ONE = "undo port trunk allow-pass vlan 1"
_LIST = "port trunk allow-pass vlan "


def kind(box: Device, path: Path) -> str:
    """`access`, `trunk` or `hybrid`; what a port is from the factory is not shown."""
    return next(
        (line.split()[-1] for line in box.running.lines(path) if line.startswith("port link-type ")),
        box.link_type,
    )


def carried(box: Device, path: Path) -> list[int]:
    """VLANs that a trunk is let carry, but for VLAN 1."""
    found: list[int] = []
    for line in box.running.lines(path):
        if line.startswith(_LIST):
            found += numbers(line.split()[4:])
    return found


def _switched(box: Device, path: Path) -> None:
    need(first(path) in box.switched, "Unrecognized command found at '^' position.")


def _link_type(call: Call) -> str | None:
    _switched(call.box, call.path)
    changed = any(
        line.startswith(("port default ", "port trunk ", "undo port trunk "))
        for line in call.box.running.lines(call.path)
    )
    need(
        kind(call.box, call.path) == call.words[2] or not changed, "Please renew the default configurations."
    )
    if call.words[2] == call.box.link_type:
        call.box.running.drop(call.path, lambda line: line.startswith("port link-type "))
        return None
    return " ".join(call.words)


def _default_vlan(call: Call) -> str:
    _switched(call.box, call.path)
    need(kind(call.box, call.path) == "access", "This command is only for access ports.")
    need(int(call.words[3]) in vlans_of(call.box.running), "The VLAN does not exist.")
    return " ".join(call.words)


def _set_carried(box: Device, path: Path, vlans: list[int]) -> None:
    box.running.drop(path, lambda line: line.startswith(_LIST))
    words = listed(vlans).replace(" to ", "-").split()
    for start in range(0, len(words), 10):
        box.running.put(path, _LIST + " ".join(words[start : start + 10]).replace("-", " to "))


def _allow_pass(call: Call) -> None:
    _switched(call.box, call.path)
    need(kind(call.box, call.path) == "trunk", "This command is only for trunk ports.")
    wanted = numbers(call.words[4:])
    if 1 in wanted:
        call.box.running.drop(call.path, lambda line: line == NO_ONE)
    _set_carried(
        call.box, call.path, [*carried(call.box, call.path), *(vlan for vlan in wanted if vlan != 1)]
    )


def undo_allow_pass(call: Call) -> None:
    """`undo port trunk allow-pass vlan …`"""
    _switched(call.box, call.path)
    need(kind(call.box, call.path) == "trunk", "This command is only for trunk ports.")
    gone = numbers(call.words[4:])
    if 1 in gone:
        call.box.running.put(call.path, NO_ONE)
    _set_carried(call.box, call.path, [vlan for vlan in carried(call.box, call.path) if vlan not in gone])


def undo_vlan(box: Device, words: list[str]) -> None:
    """`undo vlan batch …`: a VLAN with an interface stays."""
    gone = numbers(words[2:])
    known = vlans_of(box.running)
    need(all(vlan in known for vlan in gone), "The VLAN does not exist.")
    heads = {line for line in box.running.lines() if line.startswith("interface Vlanif")}
    for vlan in gone:
        if f"interface Vlanif{vlan}" in heads:
            raise Refusal(f"Error: The VLAN {vlan} has a L3 interface. Please delete it first.")
    set_vlans(box, [vlan for vlan in known if vlan not in gone])
    box.running.drop((), lambda line: line in {f"vlan {vlan}" for vlan in gone})
    for head, lines in list(box.running.sections("interface ")):
        path = (head,)
        if any(line.startswith(_LIST) for line in lines):
            # what a port may carry stays written though the VLAN is gone
            continue
        for line in lines:
            if line in {f"port default vlan {vlan}" for vlan in gone}:
                box.running.drop(path, lambda one, line=line: one == line)  # type: ignore[misc]


def _secure(call: Call) -> str:
    _switched(call.box, call.path)
    return " ".join(call.words)


def _secured(call: Call) -> str | None:
    need("port-security enable" in call.box.running.lines(call.path), "Please enable port security first.")
    if call.words[1:] in (["max-mac-num", "1"], ["maximum", "1"], ["protect-action", "restrict"]):
        call.box.running.drop(call.path, lambda line: line.startswith(" ".join(call.words[:2]) + " "))
        return None  # the default is not shown
    return " ".join(call.words)


EFFECTS: dict[str, Effect] = {
    "link_type": _link_type, "default_vlan": _default_vlan, "allow_pass": _allow_pass, "secure": _secure,
    "secured": _secured,
}  # fmt: skip
