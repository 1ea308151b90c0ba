"""Open vSwitch by ovs-vsctl: its database is read in one command and changed in one transaction.

A line is one bridge or one port with everything the plan says of it:

    bridge br-lan netdev standalone
    port br-lan trunk0 trunk 10,20
    port br-lan vlan10 access 10 internal

What the plan makes carries `external_ids:owner=lienthong`; the line of anything else ends with `foreign`. A
port without a device ends with `absent`. So what somebody else made is seen and left alone, unless the plan
wants a port of that name: then it is taken over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote
from typing import Any

from lienthong.errors import LienThongError
from lienthong.model.words import PARKING_VLAN
from lienthong.platforms import Dialect, Line, Lines, Reach

OWNER = "external_ids:owner=lienthong"
FOREIGN = "foreign"
ABSENT = "absent"
SHOW = (
    "sudo -n ovs-vsctl --format=json"
    " -- --columns=name,datapath_type,fail_mode,external_ids,ports list Bridge"
    " -- --columns=_uuid,name,vlan_mode,tag,trunks,external_ids,interfaces list Port"
    " -- --columns=_uuid,name,type,error list Interface"
)


def parse(text: str) -> Lines:
    """Bridges and ports of the database.

    Raises:
        LienThongError: the answer is not the three tables that were asked for.
    """
    tables = [_rows(line) for line in text.splitlines() if line.startswith("{")]
    if len(tables) != 3:
        raise LienThongError("ovs-vsctl did not answer with its bridges, ports and interfaces")
    bridges, ports, interfaces = tables
    port_of = {_one(row["_uuid"]): row for row in ports}
    made_of = {_one(row["_uuid"]): row for row in interfaces}
    found: list[Line] = []
    for bridge in sorted(bridges, key=lambda row: str(row["name"])):
        name, fail = str(bridge["name"]), _one(bridge["fail_mode"])
        found.append(
            (_told("bridge", name, bridge["datapath_type"] or "system", fail or "none", _mark(bridge)),)
        )
        rows = [port_of[uuid] for uuid in _set(bridge["ports"])]
        for row in sorted(rows, key=lambda row: str(row["name"])):
            if row["name"] != name:  # the bridge's own port
                legs = [made_of[uuid] for uuid in _set(row["interfaces"]) if uuid in made_of]
                found.append((_told("port", name, row["name"], *_vlans(row), *_state(row, legs)),))
    return tuple(found)


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """What carries our mark, and what bears a name that the plan wants."""
    words = line[0].split()
    if words[-1] != FOREIGN:
        return True
    return _name(words) in {_name(other[0].split()) for other in intended}


def commands(removed: Sequence[Line], added: Sequence[Line]) -> tuple[str, ...]:
    """One transaction: `ovs-vsctl a -- b -- c`; nothing if there is nothing to do."""
    stays = {line[0].split()[1] if line[0].startswith("bridge ") else "" for line in added}
    at = {_name(line[0].split()): line[0].split()[1] for line in added}
    parts: list[str] = []
    for (line,) in removed:
        words = line.split()
        if words[0] == "port" and at.get(_name(words)) != words[1]:
            parts.append(f"--if-exists del-port {quote(words[1])} {quote(words[2])}")
    for (line,) in removed:
        words = line.split()
        if words[0] == "bridge" and words[1] not in stays:
            parts.append(f"--if-exists del-br {quote(words[1])}")
    for (line,) in sorted(added, key=lambda one: one[0].split()[0]):  # bridges before their ports
        parts += _make(line.split())
    return (" -- ".join(["sudo -n ovs-vsctl --timeout=20", *parts]),) if parts else ()


def interfaces(line: Line) -> frozenset[str]:
    """The port, or the bridge's own port."""
    words = line[0].split()
    return frozenset({words[2] if words[0] == "port" else words[1]})


def vlans(line: Line) -> frozenset[int]:
    """What a port carries; a trunk without a list carries all."""
    words = line[0].split()
    if words[0] != "port":
        return frozenset()
    if words[4] == "all":
        return frozenset(range(1, 4095))
    return frozenset(int(word) for word in words[4].split(","))


def reach(lines: Lines) -> Reach:
    """VLANs of ports, and of the device's own legs."""
    ports = {next(iter(interfaces(line))): vlans(line) for line in lines if line[0].startswith("port ")}
    return Reach(
        addresses={},
        carried=ports,
        tag={name: next(iter(ids)) for name, ids in ports.items() if len(ids) == 1},
        routes=frozenset(),
        dynamic=False,
    )


def _make(words: list[str]) -> list[str]:
    if words[0] == "bridge":
        _, name, datapath, fail = words
        return [
            f"--may-exist add-br {quote(name)}",
            f"set bridge {quote(name)} datapath_type={quote(datapath)} fail_mode={quote(fail)} {OWNER}",
        ]
    _, bridge, name, mode, ids, *internal = words
    value = f"tag={ids} trunks=[]" if mode == "access" else f"tag=[] trunks={ids}"
    parts = [
        f"--may-exist add-port {quote(bridge)} {quote(name)}",
        f"set port {quote(name)} vlan_mode={mode} {value} {OWNER}",
    ]
    if internal:
        parts.append(f"set interface {quote(name)} type=internal")
    return parts


def _name(words: list[str]) -> tuple[str, str]:
    return words[0], words[2] if words[0] == "port" else words[1]


def _vlans(row: dict[str, Any]) -> tuple[str, str]:
    tag, trunks = _one(row["tag"]), sorted(_set(row["trunks"]))
    mode = _one(row["vlan_mode"]) or ("trunk" if tag is None else "access")
    ids = [tag] if mode == "access" and tag is not None else [*([] if tag is None else [tag]), *trunks]
    return str(mode), ",".join(map(str, ids)) or "all"


def _state(row: dict[str, Any], legs: list[dict[str, Any]]) -> tuple[str, str, str]:
    internal = "internal" if any(leg["type"] == "internal" for leg in legs) else ""
    # An unused port need not be there; one that is used must.
    parked = _vlans(row) == ("access", str(PARKING_VLAN))
    absent = ABSENT if any(_one(leg["error"]) for leg in legs) and not parked else ""
    return internal, absent, _mark(row)


def _mark(row: dict[str, Any]) -> str:
    return "" if ["owner", "lienthong"] in row["external_ids"][1] else FOREIGN


def _told(*words: object) -> str:
    return " ".join(str(word) for word in words if word != "")


def _rows(line: str) -> list[dict[str, Any]]:
    try:
        table = json.loads(line)
        return [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
    except (ValueError, KeyError, TypeError):
        raise LienThongError("ovs-vsctl answered with something that is not a table") from None


def _set(value: Any) -> list[Any]:
    """OVSDB writes a set of one as the bare value (RFC 7047, 5.1)."""
    if isinstance(value, list) and value and value[0] == "set":
        return [_one(item) for item in value[1]]
    return [_one(value)]


def _one(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2:
        if value[0] == "uuid":
            return value[1]
        if value[0] == "set":
            return _one(value[1][0]) if value[1] else None
    return value


OVS = Dialect(
    name="ovs",
    device_type="linux",
    account="automation",
    show=SHOW,
    # That a port has no device comes with exit code 0: it is seen afterwards, as `absent`.
    errors=(r"^ovs-vsctl: (?!Error detected while setting up|The default log directory).*", r"^sudo: .*"),
    save=None,
    saved=None,
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    reach=reach,
)
