"""A gateway that is a Debian system: Open vSwitch carries its trunk, FRR its addresses and routes."""

from lienthong.platforms import Platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.ovs import OVS

# Open vSwitch first: FRR addresses the ports that it makes.
PLATFORM = Platform(
    name="linux-gw",
    dialects=(OVS, FRR),
    arms=True,
    capabilities=frozenset({"vlans", "trunk", "ipv4", "static", "ospf", "bfd", "dhcp-relay", "nat"}),
)
