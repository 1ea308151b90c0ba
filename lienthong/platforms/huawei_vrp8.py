"""Huawei with VRP8: data-centre switches CE6800, whose uplinks can route. Software that knows `persist`."""

from __future__ import annotations

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.vrp8 import VRP8
from lienthong.platforms.undo.vrp8 import UNDO

_SOURCE = "https://support.huawei.com/enterprise/en/doc/EDOC1000166501"


def _ports(speed: str, number: int) -> dict[str, str]:
    """The last four of a gateway are its trunk and its lines."""
    found = {f"e{one}": f"{speed}1/0/{one}" for one in range(1, number + 1)}
    lines = ("trunk0", "tslcd-a", "tslcd-b", "inet0")
    return {**found, **{name: f"{speed}1/0/{number - 3 + index}" for index, name in enumerate(lines)}}


PLATFORM = Platform(
    name="huawei-vrp8",
    dialects=(VRP8,),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing",
            "switching",
            "vlans",
            "trunk",
            "ipv4",
            "ipv6",
            "static",
            "ospf",
            "bfd",
            "dhcp-server",
            "dhcp-relay",
            "policy",
            "plane",
            "aaa",
            "snmpv3",
            "port-security",
            "ports-off",
        }
    ),
    models={
        "CE6881-48S6CQ": Hardware(_ports("10GE", 48), source=_SOURCE),
        "CE6857-48S6CQ": Hardware(_ports("10GE", 48), source=_SOURCE),
        "CE5881-48T6CQ": Hardware(_ports("GE", 48), source=_SOURCE),
    },
)
