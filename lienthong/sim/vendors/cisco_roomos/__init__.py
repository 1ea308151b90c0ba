"""A simulated conference endpoint with Cisco RoomOS.

Not simulated: calls, pictures, what its touch panel shows; the registrar is only asked whether it would
take the password. `ntc-templates` has no template for this software, so none is tested here.
"""

from __future__ import annotations

from lienthong.sim.box import Vendor
from lienthong.sim.vendors.cisco_roomos.box import RoomOs

VENDOR = Vendor(name="cisco_roomos", platform="cisco-roomos", make=RoomOs)
