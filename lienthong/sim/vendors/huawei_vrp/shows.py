"""What a simulated VRP5 device says to `display`, in the formats that ntc-templates reads."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from lienthong.sim.vendors.huawei_vrp.spelling import Path, vlans_of
from lienthong.sim.vendors.huawei_vrp.switching import carried

if TYPE_CHECKING:
    from lienthong.sim.vendors.huawei_vrp.box import VrpBox


def display(box: VrpBox, path: Path, words: list[str]) -> str | None:
    """What is printed; None for what is not known."""
    line = " ".join(words[1:])
    piped = re.fullmatch(r"(.+?) \| include (.+)", line)
    if piped:
        whole = display(box, path, ["display", *piped[1].split()])
        return None if whole is None else "".join(
            f"{one}\n" for one in whole.splitlines() if re.search(piped[2], one)
        )  # fmt: skip
    if line == "current-configuration":
        return box.configuration()
    if line == "saved-configuration":
        return box.saved()
    if line == "this":
        found = box.running.view(path) if path else None
        body = [found.text, *(f" {one.text}" for one in found.lines)] if found else []
        return "\n".join(["#", *body, "#", "return"]) + "\n"
    if line == "schedule reboot":
        due = box.scheduled
        if due is None:
            return "Info: There is no reboot schedule.\n"
        return f"Info:System will reboot at {due[0]:%H:%M:%S %Y/%m/%d} {_left(due[1])}.\n"
    if line == "clock":
        return f"{box.clock():%Y-%m-%d %H:%M:%S}\n{box.clock():%A}\nTime Zone(UTC) : UTC+00:00\n"
    known = {"version": _version, "interface brief": _brief, "interface description": _described,
             "ip interface brief": _addresses, "vlan": _vlans, "acl all": _acls, "startup": _startup,
             "ospf peer brief": _neighbours,
             "telnet server status": _telnet}  # fmt: skip
    return known[line](box) if line in known else None


def _left(minutes: int) -> str:
    return f"(in {minutes // 60} hours and {minutes % 60} minutes)"


def _version(box: VrpBox) -> str:
    return (
        "Huawei Versatile Routing Platform Software\n"
        f"VRP (R) software, Version {box.tables.version} ({box.model} {box.tables.header.split()[-1]})\n"
        "Copyright (C) 2000-2022 HUAWEI TECH Co., Ltd.\n"
        f"HUAWEI {box.model} Routing Switch uptime is 0 week, 0 day, 0 hour, {int(box.now_s // 60)} minutes\n"
    )


def _state(lines: list[str]) -> str:
    return "*down" if "shutdown" in lines else "up"


def _interfaces(box: VrpBox) -> list[tuple[str, list[str]]]:
    return [(head.split()[1], lines) for head, lines in box.running.sections("interface ")]


def _short(name: str) -> str:
    return name.replace("GigabitEthernet", "GE")


def _brief(box: VrpBox) -> str:
    out = [
        "PHY: Physical", "*down: administratively down", "(l): loopback", "(s): spoofing",
        "InUti/OutUti: input utility/output utility",
        "Interface                   PHY   Protocol  InUti OutUti   inErrors  outErrors",
    ]  # fmt: skip
    for name, lines in _interfaces(box):
        state = _state(lines)
        out.append(f"{name:<27} {state:<5} {state.lstrip('*'):<8} {'0%':>6} {'0%':>6} {0:>10} {0:>10}")
    return "\n".join(out) + "\n"


def _described(box: VrpBox) -> str:
    out = [
        "PHY: Physical",
        "*down: administratively down",
        "Interface                     PHY     Protocol Description",
    ]
    for name, lines in _interfaces(box):
        text = next((line[12:] for line in lines if line.startswith("description ")), "")
        state = _state(lines)
        out.append(f"{_short(name):<29} {state:<7} {'up' if state == 'up' else 'down':<8} {text}".rstrip())
    return "\n".join(out) + "\n"


def _addresses(box: VrpBox) -> str:
    out = ["Interface                         IP Address/Mask      Physical   Protocol"]
    for name, lines in _interfaces(box):
        found = next((line.split() for line in lines if line.startswith("ip address ")), None)
        if found is None and name in box.switched:
            continue
        mask = sum(bin(int(part)).count("1") for part in found[3].split(".")) if found else 0
        shown = f"{found[2]}/{mask}" if found else "unassigned"
        state = _state(lines)
        out.append(f"{name:<33} {shown:<20} {state:<10} {'up' if state == 'up' else 'down'}")
    return "\n".join(out) + "\n"


def _vlans(box: VrpBox) -> str:
    rule = "-" * 80
    out = [
        f"The total number of vlans is : {len(vlans_of(box.running))}", rule,
        "U: Up;         D: Down;         TG: Tagged;         UT: Untagged;",
        "MP: Vlan-mapping;               ST: Vlan-stacking;",
        "#: ProtocolTransparent-vlan;    *: Management-vlan;", rule, "",
        "VID  Type    Ports", rule,
    ]  # fmt: skip
    for vlan in vlans_of(box.running):
        ports = []
        for name, lines in _interfaces(box):
            if f"port default vlan {vlan}" in lines:
                ports.append(f"UT:{_short(name)}(U)")
            elif vlan in carried(box, (f"interface {name}",)):
                ports.append(f"TG:{_short(name)}(U)")
        out.append(f"{vlan:<4} common  {'    '.join(ports)}".rstrip())
    out += ["", "VID  Status  Property      MAC-LRN Statistics Description", rule]
    for vlan in vlans_of(box.running):
        named = box.running.lines((f"vlan {vlan}",))
        text = next((line[12:] for line in named if line.startswith("description ")),
                    f"VLAN {vlan:04}")  # fmt: skip
        out.append(f"{vlan:<4} enable  default       enable  disable    {text}")
    return "\n".join(out) + "\n"


def _acls(box: VrpBox) -> str:
    out = []
    found = [(head.split(), lines) for head, lines in box.running.sections("acl name ")]
    out.append(f" Total quantity of nonempty ACL number is {len(found)} \n")
    for words, lines in found:
        kind = "Basic" if words[-1].startswith("2") else "Advanced"
        rules = [line for line in lines if re.match(r"rule \d+ (?:permit|deny)", line)]
        out.append(f"{kind} ACL {words[2]} {words[-1]}, {len(rules)} rules\nAcl's step is 5")
        out += [f" {line.replace(' tcp-flag established', '').replace(' logging', '')}"
                if "icmp-type" not in line else f" {line.split(' icmp-type')[0]}"
                for line in rules]  # fmt: skip
        out.append("")
    return "\n".join(out) + "\n"


def _neighbours(box: VrpBox) -> str:
    """At the other end of every line that is up somebody answers (the other address of its /31)."""
    rule = " " + "-" * 76
    found = []
    for name, lines in _interfaces(box):
        address = next((line.split()[2] for line in lines if line.startswith("ip address ")), None)
        runs = any(line.startswith("ospf authentication-mode ") for line in lines) and any(
            line.startswith("ospf enable ") for line in lines
        )
        if runs and address and "shutdown" not in lines:
            other = IPv4Address(int(IPv4Address(address)) ^ 1)
            found.append(f" 0.0.0.0          {name:<32} {other!s:<16} Full")
    if not any(line.startswith("ospf ") for line in box.running.lines()):
        return ""
    head = "\n\t Peer Statistic Information\n"
    return (
        f"{head}{rule}\n Area Id          Interface                        Neighbor id      State\n"
        + "".join(f"{line}\n" for line in [*found, rule])
    )


def _startup(_: VrpBox) -> str:
    pairs = (
        ("Startup system software", "flash:/s5735_v200r021.cc"),
        ("Next startup system software", "flash:/s5735_v200r021.cc"),
        ("Startup saved-configuration file", "flash:/vrpcfg.zip"),
        ("Next startup saved-configuration file", "flash:/vrpcfg.zip"),
        ("Startup patch package", "NULL"),
        ("Next startup patch package", "NULL"),
    )
    return "MainBoard:\n" + "".join(f"  {name + ':':<42} {value}\n" for name, value in pairs)


def _telnet(box: VrpBox) -> str:
    on = "Enable" if "telnet server enable" in box.running.lines() else "Disable"
    return (
        f" TELNET IPv4 server                       :{on}\n"
        " TELNET IPv6 server                       :Disable\n"
        " TELNET server port                       :23\n"
    )
