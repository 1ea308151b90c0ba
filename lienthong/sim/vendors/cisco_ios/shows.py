"""What the box shows; in the forms that the templates of ntc-templates for `cisco_ios` read."""

from __future__ import annotations

import difflib
import re

from lienthong.sim.vendors.cisco_ios import access
from lienthong.sim.vendors.cisco_ios.box import IosBox

_ARCHIVE = "archive config differences nvram:startup-config system:running-config"


def show(box: IosBox, user: str, words: list[str]) -> str | None:
    """The answer to `show …`; None where there is no such command."""
    text = " ".join(words).lower()
    table = {
        "running-config": lambda: _running(box, user),
        "startup-config": lambda: f"Using {len(box.saved())} out of 33554432 bytes\n{box.saved()}",
        "version": lambda: _version(box),
        "clock": lambda: f"{box.clock():%H:%M:%S.000} UTC {box.clock():%a %b %d %Y}\n",
        "ip interface brief": lambda: _brief(box),
        "interfaces description": lambda: _descriptions(box),
        "interfaces status": lambda: _status(box),
        "vlan": lambda: _vlan(box),
        "vlan brief": lambda: _vlan(box),
        "vtp status": lambda: _vtp(box),
        "snmp user": lambda: _users(box),
        "archive": lambda: _archive(box),
        "archive config rollback timer": lambda: _timer(box),
        _ARCHIVE: lambda: _differences(box),
        "ip ssh": lambda: _ssh(box),
        "logging": lambda: "\n".join(box.log[-50:]) + "\n",
        "inventory": lambda: (
            f'NAME: "Chassis", DESCR: "Cisco {box.hardware.model}"\n'
            f"PID: {box.hardware.model:<18}, VID: V01  , SN: FDO26200ABC\n"
        ),
    }
    switch_only = {"vlan", "vlan brief", "vtp status", "interfaces status"}
    names = [name for name in table if _cut(name, text) and (box.switched or name not in switch_only)]
    exact = [name for name in names if name == text]
    found = exact or names
    return table[found[0]]() if len(found) == 1 else None


def _cut(name: str, text: str) -> bool:
    parts, words = name.split(), text.split()
    return len(parts) == len(words) and all(p.startswith(w) for p, w in zip(parts, words, strict=True))


def _running(box: IosBox, user: str) -> str:
    body = box.configuration()
    return (
        f"Building configuration...\n\nCurrent configuration : {len(body)} bytes\n!\n"
        f"! Last configuration change at {box.clock():%H:%M:%S} UTC {box.clock():%a %b %d %Y} by {user}\n"
        f"{body}\n"
    )


def _version(box: IosBox) -> str:
    one, minutes = box.hardware, int(box.now_s // 60)
    return (
        f"Cisco IOS Software, {one.model} Software ({one.image}), Version {one.version},"
        " RELEASE SOFTWARE (fc3)\n"
        "Technical Support: http://www.cisco.com/techsupport\n\nROM: IOS-XE ROMMON\n\n"
        f"{box.hostname} uptime is 1 day, 2 hours, {minutes} minutes\n"
        'System returned to ROM by Reload Command\nSystem image file is "flash:packages.conf"\n'
        "Last reload reason: Reload Command\n\n"
        f"cisco {one.model} (1GB) processor with 4194304K/6147K bytes of memory.\n"
        "Processor board ID FDO26200ABC\n\nConfiguration register is 0x2102\n\n"
    )


def _up(box: IosBox, name: str, lines: list[str]) -> str:
    open_ones = {one for one, _ in access._open(box.running)}
    if name not in open_ones:
        return "administratively down"
    return "up" if name.startswith(("Vlan", "Loopback")) or len(lines) > 2 else "down"


def _brief(box: IosBox) -> str:
    out = ["Interface              IP-Address      OK? Method Status                Protocol"]
    for head, lines in box.running.sections("interface "):
        name = head.split()[1]
        address = next((line.split()[2] for line in lines if re.match(r"ip address \d", line)), "unassigned")
        state = _up(box, name, lines)
        out.append(f"{name:<22} {address:<15} YES NVRAM  {state:<21} {'up' if state == 'up' else 'down'}")
    return "\n".join(out) + "\n"


def _short(name: str) -> str:
    return re.sub(r"^GigabitEthernet", "Gi", re.sub(r"^Loopback", "Lo", re.sub(r"^Vlan", "Vl", name)))


def _descriptions(box: IosBox) -> str:
    out = ["Interface                      Status         Protocol Description"]
    for head, lines in box.running.sections("interface "):
        name = head.split()[1]
        text = next((line[12:] for line in lines if line.startswith("description ")), "")
        state = _up(box, name, lines)
        shown = "admin down" if state == "administratively down" else state
        out.append(f"{_short(name):<30} {shown:<14} {'up' if state == 'up' else 'down':<8} {text}".rstrip())
    return "\n".join(out) + "\n"


def _access(lines: list[str]) -> int:
    return next((int(line.split()[-1]) for line in lines if line.startswith("switchport access vlan ")), 1)


def _status(box: IosBox) -> str:
    out = ["", "Port         Name               Status       Vlan       Duplex  Speed Type"]
    for name in box.hardware.switched:
        lines = box.running.lines((f"interface {name}",))
        text = next((line[12:] for line in lines if line.startswith("description ")), "")
        state = {"up": "connected", "down": "notconnect"}.get(_up(box, name, lines), "disabled")
        vlan = "trunk" if "switchport mode trunk" in lines else str(_access(lines))
        out.append(f"{_short(name):<12} {text[:18]:<18} {state:<12} {vlan:<10} {'a-full':>6} a-1000"
                   " 10/100/1000BaseTX")  # fmt: skip
    return "\n".join(out) + "\n"


def _vlan(box: IosBox) -> str:
    names = {1: "default"}
    for head, lines in box.running.sections("vlan "):
        if head[5:].isdigit():
            mine = int(head[5:])
            names[mine] = next((line[5:] for line in lines if line.startswith("name ")), f"VLAN{mine:04}")
    for vlan in box.vlans():
        names.setdefault(vlan, f"VLAN{vlan:04}")
    members: dict[int, list[str]] = {}
    for name in box.hardware.switched:
        lines = box.running.lines((f"interface {name}",))
        if "switchport mode trunk" not in lines:
            members.setdefault(_access(lines), []).append(_short(name))
    out = ["", "VLAN Name                             Status    Ports",
           "---- -------------------------------- --------- -------------------------------"]  # fmt: skip
    for vlan, name in sorted(names.items()):
        ports = members.get(vlan, [])
        rows = [", ".join(ports[at : at + 4]) for at in range(0, len(ports), 4)] or [""]
        out.append(f"{vlan:<4} {name:<32} active    {rows[0]}".rstrip())
        out += [" " * 48 + row for row in rows[1:]]
    return "\n".join(out) + "\n"


def _vtp(box: IosBox) -> str:
    mode = next((line.split()[2] for line in box.running.lines() if line.startswith("vtp mode ")), "server")
    return (
        "VTP Version capable             : 1 to 3\nVTP version running             : 1\n"
        f"VTP Domain Name                 : \n\nFeature VLAN:\n--------------\n"
        f"VTP Operating Mode                : {mode.capitalize()}\n"
        f"Number of existing VLANs          : {len(box.vlans())}\n"
    )


def _users(box: IosBox) -> str:
    return "".join(
        f"\nUser name: {name}\nEngine ID: 800000090300AABBCC000100\nstorage-type: nonvolatile        active\n"
        f"Authentication Protocol: {auth.upper()}\nPrivacy Protocol: {priv}\nGroup-name: {group}\n"
        for (name, group), (auth, priv) in box.snmp_users.items()
    )


def _archive(box: IosBox) -> str:
    if box.path is None:
        return "Archive feature not enabled\n"
    rows = [f"   {at:<10} {name}" for at, name in enumerate(box.archived, 1)]
    return (
        "The maximum archive configurations allowed is 10.\n"
        f"There are currently {len(rows)} archive configurations saved.\n"
        f"The next archive file will be named {box.path}-<timestamp>-{len(rows)}\n Archive #  Name\n"
        + "\n".join(rows)
        + "\n"
    )


def _timer(box: IosBox) -> str:
    """ "Configuration Rollback Confirmed Change": the fields of it."""
    if box.armed is None:
        return "%No Rollback Confirmed Change pending\n"
    minutes, left, user = box.armed
    whole = round(left)
    return (
        f"Time configured(or reconfigured): {box.clock():%H:%M:%S} UTC {box.clock():%a %b %d %Y}\n"
        f"Timer type: absolute timer\nTimer value: {minutes} min\nUser: {user}(Priv: 15, View: 0)\n"
        f"Time left: {whole // 60:02} min {whole % 60:02} sec\n"
    )


def _differences(box: IosBox) -> str:
    old, new = box.saved().splitlines(), box.configuration().splitlines()
    rows = [line for line in difflib.unified_diff(old, new, lineterm="", n=0)
            if line[:1] in "+-" and line[:3] not in {"+++", "---"}]  # fmt: skip
    return "!Contextual Config Diffs:\n" + ("\n".join(rows) if rows else "!No changes were found") + "\n"


def _ssh(box: IosBox) -> str:
    version = next(
        (line.split()[3] for line in box.running.lines() if line.startswith("ip ssh version ")), "1.99"
    )
    version = version if "." in version else f"{version}.0"
    return f"SSH Enabled - version {version}\nAuthentication timeout: 120 secs\n"
