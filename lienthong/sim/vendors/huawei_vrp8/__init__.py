"""Simulated Huawei devices with VRP8: CE6881-48S6CQ, whose last sockets are the lines of a gateway.

After day 0 the account has its key, as with :mod:`lienthong.sim.vendors.huawei_vrp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import Vendor
from lienthong.sim.vendors.huawei_vrp import day0
from lienthong.sim.vendors.huawei_vrp8.box import Vrp8Box
from lienthong.sim.vendors.huawei_vrp8.forms import VRP8

PORTS = tuple(f"10GE1/0/{number}" for number in range(1, 49))


def make(name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> Vrp8Box:
    """A box as it is after day 0."""
    text = day0(name, managed_by, keys)
    text = text.replace(" privilege level 15\n local-user", " level 3\n local-user")
    text = text.replace("user privilege level 15", "user privilege level 3")
    gateway = managed_by.ip == managed_by.network[1]
    text = text.replace("interface GigabitEthernet0/0/0", "interface 10GE1/0/45")
    text = text.replace(
        "interface GigabitEthernet0/0/1", "interface 10GE1/0/45" if gateway else "interface 10GE1/0/1"
    )
    return Vrp8Box(name, managed_by, VRP8, text, PORTS, (), "CE6881-48S6CQ")


VENDOR = Vendor("huawei_vrp8", "huawei-vrp8", make)
