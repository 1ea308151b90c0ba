"""MikroTik RouterOS 7.16: the console, exports, backups and schedules of a RouterBOARD.

One chassis stands for every model: 28 ports have the maker's names, the others were named on day 0 as the
inventory names ports and lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import Vendor, day0_vlan
from lienthong.sim.vendors.mikrotik_routeros import grammar
from lienthong.sim.vendors.mikrotik_routeros.box import RouterOs
from lienthong.sim.vendors.mikrotik_routeros.packets import Site

_NAMED = ("inet0", "trunk0", "tslcd-a", "tslcd-b", *(f"e{number}" for number in range(1, 27)))
_PORTS = (*(f"ether{number}" for number in range(1, 25)), *(f"sfp-sfpplus{number}" for number in range(1, 5)))
BRIDGE = "br-lan"


def make(name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> RouterOs:
    """A box after day 0: its address in the management VLAN, the account `netadm` with keys, a way back."""
    box = RouterOs(name, managed_by)
    store = box.store
    for path in grammar.SINGLES:
        store.put(path, {}, "set")
    for number, port in enumerate((*_PORTS, *_NAMED), 1):
        default = port if port in _PORTS else f"ether{number}"
        store.put("/interface ethernet", {"default-name": default, "name": port}, "set",
                  f"[ find default-name={default} ]")  # fmt: skip
    for service, port in grammar.PORTS.items():
        values = {"name": service, "port": port, "disabled": "yes" if service == "www-ssl" else "no"}
        store.put("/ip service", values, "set", service).defaults = dict(values)
    store.put("/snmp community", {"name": "public"}, "set", "[ find default=yes ]").values["default"] = "yes"
    vlan = day0_vlan(managed_by)
    first = managed_by.network[1]
    trunk = BRIDGE if managed_by.ip != first else "trunk0"
    box.site = Site(managed_by, vlan, ("e1", "ether1") if trunk == BRIDGE else ())
    if trunk == BRIDGE:
        store.add("/interface bridge", {"name": BRIDGE, "vlan-filtering": "yes"})
        store.add("/interface bridge port", {"bridge": BRIDGE, "interface": "e1"})
        tagged = {"bridge": BRIDGE, "vlan-ids": str(vlan), "tagged": f"{BRIDGE},e1"}
        store.add("/interface bridge vlan", tagged)
    store.add("/interface vlan", {"name": f"vlan{vlan}", "interface": trunk, "vlan-id": str(vlan)})
    store.add("/ip address", {"address": str(managed_by), "interface": f"vlan{vlan}"})
    back = first if managed_by.ip != first else managed_by.network[254]
    store.add("/ip route", {"dst-address": "0.0.0.0/0", "gateway": str(back)})
    store.add("/user", {"name": "admin", "group": "full", "comment": "system default user"})
    store.add("/user", {"name": "netadm", "group": "full"})
    for key in keys:
        store.add("/user ssh-keys", {"user": "netadm", "key": key})
    return box


VENDOR = Vendor("mikrotik-routeros", "mikrotik-routeros", make)
