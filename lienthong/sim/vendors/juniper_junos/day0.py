"""What a device holds after day 0: `templates/bootstrap/juniper-junos.j2`, pasted at its console.

An SRX300 is a packet-mode router here, and has been restarted since: a device in the flow mode of the factory
drops every login by an interface that is in no security zone ("Security Zones Overview").
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import day0_vlan

#: The socket that carries the VLANs of a gateway, and its first line.
TRUNK, LINE = "ge-0/0/1", "ge-0/0/0"
UPLINK = "ge-0/0/0"
EX = tuple(f"ge-0/0/{number}" for number in range(24)) + tuple(f"xe-0/1/{number}" for number in range(4))
SRX = tuple(f"ge-0/0/{number}" for number in range(8))
_PACKETS = "set security forwarding-options family mpls mode packet-based"


def day0(name: str, managed: IPv4Interface, keys: Sequence[str], routes: bool) -> str:
    """The configuration as `set` lines; a router's way to the office leads over its first line."""
    vlan = day0_vlan(managed)
    lines = [
        "set version 21.4R3.15",
        f"set system host-name {name}",
        "set system login user netadm class super-user",
        "set system services ssh protocol-version v2",
    ]
    for key in keys or ("ssh-ed25519 AAAAnobody",):
        kind = key.split()[0]
        kind = "ssh-ecdsa" if kind.startswith("ecdsa") else kind
        lines.append(f'set system root-authentication {kind} "{key}"')
    for key in keys:
        kind = "ssh-ecdsa" if key.startswith("ecdsa") else key.split()[0]
        lines.append(f'set system login user netadm authentication {kind} "{key}"')
    if routes:
        lines += [
            _PACKETS,
            f"set interfaces {TRUNK} vlan-tagging",
            f"set interfaces {TRUNK} unit {vlan} vlan-id {vlan}",
            f"set interfaces {TRUNK} unit {vlan} family inet address {managed}",
            f"set interfaces {LINE} unit 0 family inet address 192.0.2.2/30",
        ]
    else:
        switched = f"set interfaces {UPLINK} unit 0 family ethernet-switching"
        lines += [
            f"set vlans vlan{vlan} vlan-id {vlan}",
            f"set vlans vlan{vlan} l3-interface irb.{vlan}",
            f"{switched} interface-mode trunk",
            f"{switched} vlan members vlan{vlan}",
            f"set interfaces irb unit {vlan} family inet address {managed}",
        ]
    via = "192.0.2.1" if routes else str(managed.network[1])
    lines += [
        f"set routing-options static route 0.0.0.0/0 {said}" for said in (f"next-hop {via}", "preference 250")
    ]
    return "\n".join(lines)
