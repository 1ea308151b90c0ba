"""A switch that is a Debian system: Open vSwitch does the switching, FRR holds its own address."""

from lienthong.platforms import Platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.ovs import OVS

PLATFORM = Platform(
    name="linux-sw",
    dialects=(OVS, FRR),
    arms=True,
    capabilities=frozenset({"vlans", "trunk", "ipv4", "static", "ports-off"}),
)
