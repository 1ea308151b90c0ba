"""What `get` and `execute` print, in the forms that ntc-templates reads (its `fortinet_*.textfsm`).

Forms: transcripts of FortiOS 7.0.3 for `get system status` and `get system interface`, the templates
themselves for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from lienthong.sim.vendors.fortinet_fortios.reachable import neighbours, open_legs
from lienthong.sim.vendors.fortinet_fortios.schema import SECTIONS
from lienthong.sim.vendors.fortinet_fortios.tree import Tree
from lienthong.sim.vendors.fortinet_fortios.values import incomplete, unknown

if TYPE_CHECKING:
    from lienthong.sim.vendors.fortinet_fortios import FortiGate

_BEGUN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_LEG = (
    "netflow-sampler: disable    sflow-sampler: disable    src-check: enable    "
    "explicit-web-proxy: disable    explicit-ftp-proxy: disable    proxy-captive-portal: disable"
)
_NO_ADDRESS = "0.0.0.0 0.0.0.0"
_CODES = """Codes: K - kernel, C - connected, S - static, R - RIP, B - BGP
       O - OSPF, IA - OSPF inter area
       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2
       E1 - OSPF external type 1, E2 - OSPF external type 2
       i - IS-IS, L1 - IS-IS level-1, L2 - IS-IS level-2, ia - IS-IS inter area
       * - candidate default

Routing table for VRF=0
"""


def filtered(words: list[str]) -> tuple[list[str], Callable[[str], str]]:
    """A command without its `| grep WORD`, and what that leaves of an answer."""
    if "|" not in words:
        return words, lambda text: text
    at = words.index("|")
    rest = words[at + 1 :]
    if len(rest) != 2 or rest[0] != "grep":
        raise unknown("|")
    return words[:at], lambda text: "".join(line + "\n" for line in text.splitlines() if rest[1] in line)


def get(box: FortiGate, words: list[str]) -> str:
    """The answer to `get …`."""
    if not words:
        raise incomplete()
    answers: dict[str, Callable[[FortiGate], str]] = {
        "system status": _status,
        "system interface": _interfaces,
        "system interface physical": _physical,
        "system arp": _arp,
        "router info routing-table all": _routes,
        "router info ospf neighbor": _neighbours,
    }
    asked = " ".join(words)
    if asked in answers:
        return answers[asked](box)
    if asked in SECTIONS and not SECTIONS[asked].key:
        return _values(box, asked)
    raise unknown(words[0])


def execute(box: FortiGate, words: list[str]) -> str:
    """The answer to `execute …`."""
    if not words:
        raise incomplete()
    now = _BEGUN + timedelta(seconds=box.now_s)
    if words == ["date"]:
        return f"current date is: {now:%Y-%m-%d}\n"
    if words == ["time"]:
        return f"current time is: {now:%H:%M:%S}\nlast ntp sync: {now:%a %b %d %H:%M:%S %Y}\n"
    raise unknown(words[0])


def _values(box: FortiGate, path: str) -> str:
    """Every value of a section with what is default: `output              : standard`."""
    tree = box.running.part(f"config {path}") or Tree()
    found = []
    for name, spec in SECTIONS[path].values.items():
        kind, *rest = spec.split()
        default = {"option": rest[:1], "int": rest[2:3]}.get(kind, [""])[0]
        value = tree.value(name)
        found.append(f"{name:<20}: {default if value is None else value.strip(chr(34))}".rstrip() + "\n")
    return "".join(found)


def _status(box: FortiGate) -> str:
    now = _BEGUN + timedelta(seconds=box.now_s)
    return f"""Version: FortiGate-60F v7.4.4,build2662,240514 (GA.F)
Virus-DB: 1.00000(2018-04-09 18:07)
Extended DB: 1.00000(2018-04-09 18:07)
AV AI/ML Model: 0.00000(2001-01-01 00:00)
IPS-DB: 6.00741(2015-12-01 02:30)
IPS-ETDB: 6.00741(2015-12-01 02:30)
APP-DB: 6.00741(2015-12-01 02:30)
INDUSTRIAL-DB: 6.00741(2015-12-01 02:30)
IPS Malicious URL Database: 1.00001(2015-01-01 01:01)
Serial-Number: FGT60FTK00000001
BIOS version: 05000100
System Part-Number: P24286-03
Log hard disk: Not available
Hostname: {box.running_words("system global", "hostname")[0]}
Private Encryption: Disable
Operation Mode: NAT
Current virtual domain: root
Max number of virtual domains: 10
Virtual domains status: 1 in NAT mode, 0 in TP mode
Virtual domain configuration: disable
FIPS-CC mode: disable
Current HA mode: standalone
Branch point: 2662
Release Version Information: GA
System time: {now:%a %b %d %H:%M:%S %Y}
Last reboot reason: {"power cycle" if box.boots < 2 else "warm reboot"}
"""


def _interfaces(box: FortiGate) -> str:
    found = []
    for name, leg in box.running.entries("system interface").items():
        kind = (leg.words("type") or ["vlan"])[0]
        address = leg.value("ip") or _NO_ADDRESS
        status = (leg.words("status") or ["up"])[0]
        found.append(f"== [ {name} ]\n")
        if kind == "loopback":
            found.append(f"name: {name}   ip: {address}   status: {status}    type: {kind}   {_LEG}\n")
            continue
        mode = (leg.words("mode") or ["static"])[0]
        found.append(
            f"name: {name}   mode: {mode}    ip: {address}   status: {status}    netbios-forward: disable    "
            f"type: {kind}   {_LEG}    mtu-override: disable    wccp: disable    "
            "drop-overlapped-fragment: disable    drop-fragment: disable\n"
        )
    return "".join(found)


def _physical(box: FortiGate) -> str:
    found = ["== [onboard]\n"]
    for name, leg in box.running.entries("system interface").items():
        if leg.words("type") == ["physical"]:
            up = leg.words("status") != ["down"]
            found.append(
                f"\t==[{name}]\n\t\tmode: {(leg.words('mode') or ['static'])[0]}\n"
                f"\t\tip: {leg.value('ip') or _NO_ADDRESS}\n\t\tipv6: ::/0\n"
                f"\t\tstatus: {'up' if up else 'down'}\n"
                f"\t\tspeed: {'1000Mbps (Duplex: full)' if up else 'n/a'}\n"
            )
    return "".join(found)


def _routes(box: FortiGate) -> str:
    found = []
    legs = open_legs(box.running)
    for route in box.running.entries("router static").values():
        device = (route.words("device") or [""])[0]
        if device in legs and route.words("status") != ["disable"]:
            net = IPv4Network(route.net("dst"))
            mark = "S*" if not net.prefixlen else "S "
            distance = (route.words("distance") or ["10"])[0]
            found.append(
                f"{mark}      {net} [{distance}/0] via {route.words('gateway')[0]}, {device}, [1/0]\n"
            )
    for name, leg in legs.items():
        if leg.value("ip"):
            net = IPv4Interface(leg.net("ip")).network
            found.append(f"C       {net} is directly connected, {name}\n")
    return _CODES + "".join(found)


def _arp(box: FortiGate) -> str:
    legs = open_legs(box.running)
    found = ["Address           Age(min)   Hardware Addr      Interface\n"]
    for number, route in enumerate(box.running.entries("router static").values()):
        device = (route.words("device") or [""])[0]
        if device in legs:
            found.append(
                f"{route.words('gateway')[0]:<17} 0          00:09:0f:00:00:{number:02x}  {device}\n"
            )
    return "".join(found)


def _neighbours(box: FortiGate) -> str:
    found = ["OSPF process 0, VRF 0:\n"]
    found.append("Neighbor ID     Pri   State           Dead Time   Address         Interface\n")
    found += [
        f"{address!s:<15}   1   Full/ -         00:00:03    {address!s:<15} {name}\n"
        for name, address in neighbours(box.running).items()
    ]
    return "".join(found)
