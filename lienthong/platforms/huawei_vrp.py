"""Huawei with VRP5: campus switches S5735, access routers AR. Sockets from the vendor's hardware guides."""

from __future__ import annotations

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.vrp import VRP
from lienthong.platforms.undo.vrp5 import UNDO

_SWITCH = frozenset({"routing", "ospf", "bfd", "dhcp-server", "dhcp-relay", "nat"})
_ROUTER = frozenset({"switching", "port-security", "ports-off"})


def _ports(number: int, first: int = 1) -> dict[str, str]:
    return {f"e{one}": f"GigabitEthernet0/0/{one - 1 + first}" for one in range(1, number + 1)}


PLATFORM = Platform(
    name="huawei-vrp",
    dialects=(VRP,),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing", "switching", "vlans", "trunk", "ipv4", "ipv6", "static", "ospf", "bfd", "dhcp-server",
            "dhcp-relay", "nat", "policy", "plane", "aaa", "snmpv3", "port-security", "ports-off",
        }
    ),
    models={
        "S5735-L24T4S": Hardware(
            _ports(24), lacks=_SWITCH, source="https://support.huawei.com/enterprise/en/doc/EDOC1100064364"
        ),
        "S5735-L48T4S": Hardware(
            _ports(48), lacks=_SWITCH, source="https://support.huawei.com/enterprise/en/doc/EDOC1100064364"
        ),
        # Sockets 0 to 7 switch, so the trunk is one of them, with an interface a VLAN; 8 and 9 are WAN.
        "AR651": Hardware(
            {
                "trunk0": "GigabitEthernet0/0/0",
                "tslcd-a": "GigabitEthernet0/0/8",
                "tslcd-b": "GigabitEthernet0/0/9",
                "inet0": "GigabitEthernet0/0/8",
            },
            lacks=_ROUTER,
            source="https://support.huawei.com/enterprise/en/doc/EDOC1100112347",
        ),
        # All sockets route: the trunk is cut into subinterfaces.
        "AR6140": Hardware(
            {
                "trunk0": "GigabitEthernet0/0/0",
                "tslcd-a": "GigabitEthernet0/0/1",
                "tslcd-b": "GigabitEthernet0/0/2",
                "inet0": "GigabitEthernet0/0/1",
            },
            lacks=_ROUTER,
            source="https://support.huawei.com/enterprise/en/doc/EDOC1100112347",
        ),
    },
)  # fmt: skip
