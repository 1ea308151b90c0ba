"""Simulated Huawei devices with VRP5: an AR651 where the address is .1, else an S5735-L24T4S.

After day 0 the account has its key. The lab's keys are Ed25519, which VRP5 does not know: what day 0 loads is
taken as it is, what is typed is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import Vendor, day0_vlan
from lienthong.sim.vendors.huawei_vrp.box import VrpBox
from lienthong.sim.vendors.huawei_vrp.forms import VRP5

SWITCH = tuple(f"GigabitEthernet0/0/{number}" for number in range(1, 29))
LAN = tuple(f"GigabitEthernet0/0/{number}" for number in range(8))
WAN = tuple(f"GigabitEthernet0/0/{number}" for number in (8, 9))


def day0(name: str, managed: IPv4Interface, keys: Sequence[str], trunk: str = "") -> str:
    """What an officer types on the bench: the way to the device, and the account of the tool.

    Args:
        trunk: a socket that routes, cut into subinterfaces; empty: the first that switches.
    """
    vlan = day0_vlan(managed)
    gateway = managed.network[1]
    users = []
    for number, key in enumerate(keys):
        users.append(
            f"rsa peer-public-key day0{number or ''} encoding-type openssh\n"
            f"  public-key-code begin\n   {key}\n  public-key-code end\npeer-public-key end\n#"
        )
    address = f" ip address {managed.ip} {managed.network.netmask}"
    if trunk:
        way = f"interface {trunk}.{vlan}\n dot1q termination vid {vlan}\n arp broadcast enable\n{address}\n#"
        vlans = ""
    else:
        port = LAN[0] if managed.ip == gateway else SWITCH[0]
        way = f"interface Vlanif{vlan}\n{address}\n#\ninterface {port}\n port link-type trunk\n" \
              f" port trunk allow-pass vlan {vlan}\n#"  # fmt: skip
        vlans = f"vlan batch {vlan}\n#\n"
    route = [f"ip route-static 0.0.0.0 0.0.0.0 {gateway}", "#"] if managed.ip != gateway else []
    return "\n".join([
        VRP5.header, "#", f"sysname {name}", "#", *(vlans + "aaa").splitlines(),
        " authentication-scheme default", "  authentication-mode local",
        " domain default_admin", "  authentication-scheme default",
        " local-user netadm privilege level 15", " local-user netadm service-type ssh", "#", *users, way,
        *route, "stelnet server enable", "ssh user netadm",
        "ssh user netadm authentication-type rsa", "ssh user netadm assign rsa-key day0",
        "ssh user netadm service-type stelnet", "#", "user-interface con 0", " authentication-mode password",
        "user-interface vty 0 4", " authentication-mode aaa", " user privilege level 15",
        " protocol inbound ssh", "#", "return",
    ])  # fmt: skip


def make(name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> VrpBox:
    """A box as it is after day 0."""
    text = day0(name, managed_by, keys)
    if managed_by.ip == managed_by.network[1]:
        return VrpBox(name, managed_by, VRP5, text, LAN, WAN, "AR651")
    return VrpBox(name, managed_by, VRP5, text, SWITCH, (), "S5735-L24T4S")


VENDOR = Vendor("huawei_vrp", "huawei-vrp", make)
