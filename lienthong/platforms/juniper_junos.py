"""Juniper with Junos: access switches (EX, with the Enhanced Layer 2 Software) and branch gateways (SRX).

A gateway runs in packet mode: it routes and asks filters that keep no state, as a router of Cisco asks its
lists, and one template holds the matrix for both. In flow mode every packet would need a zone and a policy
beside. The price is address translation, which only flow mode has ("security forwarding-options",
https://juniper.net/documentation/en_US/junos12.1x47/topics/reference/configuration-statement/security-edit-forwarding-options.html),
so `nat` is not said here. The gateway of the Internet side is refused by `validate` for that, and would be
anyway: it needs WireGuard, which Junos has not. The mode is in force after a restart only, and not while
there are security policies; day 0 sees to both.
"""

from __future__ import annotations

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.junos import JUNOS
from lienthong.platforms.undo.junos import UNDO

_SWITCH = frozenset({"routing", "ospf", "bfd", "dhcp-server", "dhcp-relay"})
_GATEWAY = frozenset({"switching", "port-security", "ports-off"})


def _ports(number: int) -> dict[str, str]:
    return {f"e{one}": f"ge-0/0/{one - 1}" for one in range(1, number + 1)}


#: Eight sockets ge-0/0/0 to ge-0/0/7 on both: six of copper, two for modules.
_LINES = {"trunk0": "ge-0/0/1", "tslcd-a": "ge-0/0/0", "tslcd-b": "ge-0/0/2", "inet0": "ge-0/0/0"}

PLATFORM = Platform(
    name="juniper-junos",
    dialects=(JUNOS,),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing", "switching", "vlans", "trunk", "ipv4", "ipv6", "static", "ospf", "bfd", "dhcp-server",
            "dhcp-relay", "policy", "plane", "aaa", "snmpv3", "port-security", "ports-off",
        }
    ),
    models={
        "EX2300-24T": Hardware(
            _ports(24),
            lacks=_SWITCH,
            source="https://www.juniper.net/documentation/us/en/hardware/ex2300/index.html",
        ),
        "EX3400-24T": Hardware(
            _ports(24),
            lacks=_SWITCH,
            source="https://www.juniper.net/documentation/us/en/hardware/ex3400/index.html",
        ),
        "SRX300": Hardware(
            _LINES,
            lacks=_GATEWAY,
            source="https://www.juniper.net/documentation/us/en/hardware/srx300/index.html",
        ),
        "SRX320": Hardware(
            _LINES,
            lacks=_GATEWAY,
            source="https://www.juniper.net/documentation/us/en/hardware/srx320/index.html",
        ),
    },
)  # fmt: skip
