"""A gateway that is a Debian system: Open vSwitch carries its trunk, FRR its addresses and routes."""

from lienthong.platforms import Platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.ovs import OVS
from lienthong.platforms.undo.linux import UNDO

# Open vSwitch first: FRR addresses the ports that it makes.
PLATFORM = Platform(
    name="linux-gw",
    dialects=(OVS, FRR),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing",
            "hub",
            "vlans",
            "trunk",
            "ipv4",
            "ipv6",
            "static",
            "ospf",
            "bfd",
            "dhcp-server",
            "nat",
            "policy",
            "wireguard",
            "plane",
            "snmpv3",
            "ports-off",
            "debian",
        }
    ),
)
