"""FortiGate with FortiOS 7, a gateway of the WAN side: it has no WireGuard, which the Internet side needs."""

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.undo.fortios import UNDO

#: What the sockets are called was not seen there: it is from memory, and the first device tells.
_GUIDE = "https://docs.fortinet.com/product/fortigate/hardware (QuickStart Guide of the series)"
#: On all of them the sockets for the office are one switch of the device, which carries the VLANs.
_DESKTOP = {"trunk0": "internal", "tslcd-a": "wan1", "tslcd-b": "wan2", "inet0": "wan1"}

PLATFORM = Platform(
    name="fortinet-fortios",
    dialects=(FORTIOS,),
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
            "dhcp-relay",
            "nat",
            "policy",
            "plane",
            "aaa",
            "snmpv3",
        }
    ),
    models={
        # One port for the line; the second line takes a port out of the switch `lan` on day 0.
        "FortiGate 40F": Hardware(
            sockets={"trunk0": "lan", "tslcd-a": "wan", "tslcd-b": "lan3", "inet0": "wan"},
            source=_GUIDE,
        ),
        "FortiGate 60F": Hardware(sockets=_DESKTOP, source=_GUIDE),
        "FortiGate 61F": Hardware(sockets=_DESKTOP, source=_GUIDE),
        "FortiGate 80F": Hardware(sockets=_DESKTOP, source=_GUIDE),
        "FortiGate 100F": Hardware(
            sockets={"trunk0": "lan", "tslcd-a": "wan1", "tslcd-b": "wan2", "inet0": "wan1"},
            source="https://docs.fortinet.com/document/fortigate/7.0.0/hardware-acceleration/719639",
        ),
    },
)
