"""Cisco IOS and IOS-XE: access switches and branch routers. Sockets from the vendor's hardware guides."""

from __future__ import annotations

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.ios import IOS
from lienthong.platforms.undo.ios import UNDO

_SWITCH = frozenset({"routing", "ospf", "bfd", "dhcp-server", "dhcp-relay", "nat"})
_ROUTER = frozenset({"switching", "port-security", "ports-off"})


def _ports(number: int) -> dict[str, str]:
    return {f"e{one}": f"GigabitEthernet1/0/{one}" for one in range(1, number + 1)}


def _lines(trunk: str, first: str, second: str) -> dict[str, str]:
    return {"trunk0": trunk, "tslcd-a": first, "tslcd-b": second, "inet0": first}


PLATFORM = Platform(
    name="cisco-ios",
    dialects=(IOS,),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing", "switching", "vlans", "trunk", "ipv4", "ipv6", "static", "ospf", "bfd", "dhcp-server",
            "dhcp-relay", "hub", "nat", "policy", "plane", "aaa", "snmpv3", "port-security", "ports-off",
        }
    ),
    models={
        "C9200L-24T": Hardware(
            _ports(24),
            lacks=_SWITCH,
            source="https://www.cisco.com/c/en/us/products/collateral/switches/catalyst-9200-series-switches/nb-06-cat9200-ser-data-sheet-cte-en.html",
        ),
        "C9300-24T": Hardware(
            _ports(24),
            lacks=_SWITCH,
            source="https://www.cisco.com/c/en/us/products/collateral/switches/catalyst-9300-series-switches/nb-06-cat9300-ser-data-sheet-cte-en.html",
        ),
        # LAN Base: no routing, and IPv6 for hosts only after another template of its memory and a restart.
        "C2960X-24": Hardware(
            _ports(24),
            lacks=_SWITCH | {"ipv6"},
            source="https://www.cisco.com/c/en/us/products/collateral/switches/catalyst-2960-x-series-switches/data_sheet_c78-728232.html",
        ),
        "ISR4331": Hardware(
            _lines("GigabitEthernet0/0/0", "GigabitEthernet0/0/1", "GigabitEthernet0/0/2"),
            lacks=_ROUTER,
            source="https://www.cisco.com/c/en/us/td/docs/routers/access/4400/hardware/installation/guide4400-4300/C4400_isr.html",
        ),
        "C8200": Hardware(
            _lines("GigabitEthernet0/0/0", "GigabitEthernet0/0/1", "GigabitEthernet0/0/2"),
            lacks=_ROUTER,
            source="https://www.cisco.com/c/en/us/td/docs/routers/cloud_edge/c8200/hardware_installation/b-c8200-hig.html",
        ),
        # Two sockets route; eight switch, so the trunk is one of them, with an interface a VLAN.
        "ISR1111": Hardware(
            _lines("GigabitEthernet0/1/0", "GigabitEthernet0/0/0", "GigabitEthernet0/0/1"),
            lacks=_ROUTER | {"hub"},
            source="https://www.cisco.com/c/en/us/td/docs/routers/access/1100/hardware/installation/guide/b-cisco-1100-series-hig.html",
        ),
    },
)  # fmt: skip
