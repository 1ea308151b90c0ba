"""MikroTik with RouterOS 7.16 or later: gateways of both sides, and switches of the series CRS3xx.

It has no limit of Ethernet addresses on a port of a bridge, so no port security; TACACS+ it does not speak.
A hEX leaves the factory in device mode `home`, which forbids schedules and so the undo: on day 0 it is told
`/system device-mode update mode=advanced`, which its button confirms (…/docs/display/ROS/Device-mode).
"""

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.routeros import ROUTEROS
from lienthong.platforms.undo.routeros import UNDO

_PRODUCT = "https://mikrotik.com/product/"
_LINES = {"inet0": "ether1", "trunk0": "ether2", "tslcd-a": "ether3", "tslcd-b": "ether4"}


def _switch(ports: int, source: str, *more: str) -> Hardware:
    names = [*(f"ether{number}" for number in range(1, ports + 1)), *more]
    return Hardware(
        sockets={f"e{number}": name for number, name in enumerate(names, 1)},
        # Their processor routes some hundred Mbit/s only: they do not stand in a gateway's place.
        lacks=frozenset({"routing", "ospf", "bfd", "nat", "dhcp-server", "dhcp-relay"}),
        source=_PRODUCT + source,
    )


PLATFORM = Platform(
    name="mikrotik-routeros",
    dialects=(ROUTEROS,),
    undo=UNDO,
    capabilities=frozenset(
        {
            "routing", "switching", "vlans", "trunk", "ipv4", "ipv6", "static", "ospf", "bfd", "dhcp-server",
            "dhcp-relay", "hub", "nat", "policy", "plane", "aaa", "snmpv3", "ports-off", "wireguard",
        }
    ),
    models={
        "MikroTik hEX S": Hardware(_LINES, source=_PRODUCT + "hex_s"),
        "MikroTik RB760iGS": Hardware(_LINES, source=_PRODUCT + "hex_s"),
        "MikroTik RB4011": Hardware(_LINES, source=_PRODUCT + "rb4011igs_rm"),
        "MikroTik CCR2004-16G": Hardware(_LINES, source=_PRODUCT + "ccr2004_16g_2s"),
        "MikroTik CCR2004-1G-12S": Hardware(
            {line: port.replace("ether", "sfp-sfpplus") for line, port in _LINES.items()},
            source=_PRODUCT + "ccr2004_1g_12s_2xs",
        ),
        "MikroTik CRS326": _switch(24, "CRS326-24G-2SplusRM", "sfp-sfpplus1", "sfp-sfpplus2"),
        "MikroTik CRS354": _switch(48, "crs354_48g_4splus2qplusrm"),
    },
)  # fmt: skip
