"""Cisco IOS and IOS-XE, simulated: a C9200L switch, an ISR4331 router; others by :func:`box`."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import Vendor, day0_vlan
from lienthong.sim.vendors.cisco_ios.access import hashed
from lienthong.sim.vendors.cisco_ios.box import Hardware, IosBox


def _sockets(start: str, numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"GigabitEthernet{start}/{number}" for number in numbers)


#: Sockets and releases from data sheets and captures; only new releases number the entries of lists.
HARDWARE = {
    "C9200L-24T": Hardware(
        "C9200L-24T-4G", "CAT9K_LITE_IOSXE", "17.9.4", _sockets("1/0", range(1, 29)), (), True
    ),
    "C2960X-24": Hardware(
        "WS-C2960X-24TS-L", "C2960X-UNIVERSALK9-M", "15.2(7)E8", _sockets("1/0", range(1, 29)), (), False
    ),
    "ISR4331": Hardware(
        "ISR4331/K9", "X86_64_LINUX_IOSD-UNIVERSALK9-M", "17.9.4", (), _sockets("0/0", range(3)), True
    ),
    "ISR1111": Hardware(
        "C1111-8P", "ARMV8EB_LINUX_IOSD-UNIVERSALK9-M", "17.9.4", _sockets("0/1", range(8)),
        _sockets("0/0", range(2)), True,
    ),
}  # fmt: skip


def day0(name: str, managed: IPv4Interface, keys: Sequence[str], hardware: Hardware) -> str:
    """What an officer types on the bench: the way to the device, the account of the tool, an archive.

    A gateway is reached over its trunk by a router of the bench, `.254`.
    """
    vlan = day0_vlan(managed)
    gateway = managed.network[1]
    address = f" ip address {managed.ip} {managed.network.netmask}"
    if hardware.switched:
        port = hardware.switched[0]
        way = [f"interface {port}", f" switchport trunk allowed vlan {vlan}", " switchport mode trunk", "!",
               f"interface Vlan{vlan}", address, "!"]  # fmt: skip
        vlans = ["vtp mode transparent", "!", f"vlan {vlan}", "!"]
    else:
        port = hardware.routed[0]
        way = [f"interface {port}", " no ip address", " negotiation auto", "!",
               f"interface {port}.{vlan}", f" encapsulation dot1Q {vlan}", address, "!"]  # fmt: skip
        vlans = []
    if managed.ip == gateway:
        route = f"ip route 0.0.0.0 0.0.0.0 {managed.network[254]}"
    else:
        route = f"ip default-gateway {gateway}"
    return "\n".join([
        "!", f"version {hardware.version[:4]}", "service timestamps log datetime msec", "!",
        f"hostname {name}", "!", "aaa new-model", "!", "aaa authentication login default local",
        "aaa authorization exec default local", "!", *vlans, "archive", " path flash:lienthong-", "!",
        "username netadm privilege 15", "!", *way, route, "ip http server", "ip http secure-server", "!",
        "ip ssh version 2", "ip ssh pubkey-chain", "  username netadm",
        *(f"   key-hash {hashed(key)} day0" for key in keys), "!", "line con 0", " stopbits 1",
        "line vty 0 4",
        " transport input ssh", "line vty 5 15", " transport input ssh", "!", "end",
    ])  # fmt: skip


def box(name: str, managed_by: IPv4Interface, keys: Sequence[str], model: str) -> IosBox:
    """A box of one model as it is after day 0."""
    hardware = HARDWARE[model]
    return IosBox(name, managed_by, hardware, day0(name, managed_by, keys, hardware), keys)


def make(name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> IosBox:
    """A box as it is after day 0."""
    return box(name, managed_by, keys, "ISR4331" if managed_by.ip == managed_by.network[1] else "C9200L-24T")


VENDOR = Vendor("cisco_ios", "cisco-ios", make)
