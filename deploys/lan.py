#!/usr/bin/env python3
"""Configures the inside of sites: switches of both sides and the gateway of the WAN side (Netmiko).

.venv/bin/python deploys/lan.py loc-ninh           bring them to the inventory's intent
.venv/bin/python deploys/lan.py loc-ninh --check   only say what would change
"""

from __future__ import annotations

import sys

from lienthong.gear_script import main
from lienthong.model.intent import Node
from lienthong.model.words import Side


def _mine(node: Node) -> bool:
    return node.is_switch or (node.is_gateway and node.side is Side.WAN)


if __name__ == "__main__":
    sys.exit(main(str(__doc__), _mine))
