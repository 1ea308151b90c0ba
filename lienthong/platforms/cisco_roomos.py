"""Conference endpoints with Cisco RoomOS. They have no undo: what failed is typed back by the tool."""

from lienthong.platforms import Hardware, Platform
from lienthong.platforms.dialects.roomos import ROOMOS

#: Paths, value spaces and values from the factory.
GUIDE = (
    "https://www.cisco.com/c/dam/en/us/td/docs/telepresence/endpoint/roomos-115/"
    "api-reference-guide-roomos-115.pdf"
)

PLATFORM = Platform(
    name="cisco-roomos",
    dialects=(ROOMOS,),
    undo=None,
    capabilities=frozenset({"conference"}),
    # One Ethernet socket each; none is told apart by what the plan sets.
    models={
        name: Hardware(sockets={"eth0": "Network 1"}, source=GUIDE)
        for name in (
            "Cisco Room Kit",
            "Cisco Room Bar",
            "Cisco Codec EQ",
            "Cisco Codec Plus",
            "Cisco Codec Pro",
            "Cisco Desk Pro",
        )
    },
)
