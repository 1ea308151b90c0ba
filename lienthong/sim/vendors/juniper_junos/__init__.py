"""Simulated Juniper devices with Junos 21.4: an SRX300 where the address is .1, else an EX2300-24T.

Quirks have their source where they are: commits in `box.py`, modes in `shell.py` and `editing.py`, statements
in `statements.py`, refusals in `values.py` and `checks.py`, reachability in `reachable.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface

from lienthong.sim.box import Vendor
from lienthong.sim.vendors.juniper_junos.box import JunosBox
from lienthong.sim.vendors.juniper_junos.day0 import EX, SRX, day0


def make(name: str, managed_by: IPv4Interface, keys: Sequence[str]) -> JunosBox:
    """A box as it is after day 0."""
    routes = managed_by.ip == managed_by.network[1]
    text = day0(name, managed_by, keys, routes)
    return JunosBox(name, managed_by, "SRX300" if routes else "EX2300-24T", SRX if routes else EX, text)


VENDOR = Vendor("juniper_junos", "juniper-junos", make)

__all__ = ["VENDOR", "JunosBox"]
