"""A switch that is a Debian system: Open vSwitch does the switching, FRR holds its own address."""

from lienthong.platforms import Platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.ovs import OVS
from lienthong.platforms.undo.linux import UNDO

PLATFORM = Platform(
    name="linux-sw",
    dialects=(OVS, FRR),
    undo=UNDO,
    capabilities=frozenset(
        {
            "switching",
            "vlans",
            "trunk",
            "ipv4",
            "ipv6",
            "static",
            "policy",
            "plane",
            "snmpv3",
            "ports-off",
            "debian",
        }
    ),
)
