#!/usr/bin/env python3
"""Configures the Internet side of sites: its gateway and its switch (Netmiko).

.venv/bin/python deploys/internet.py loc-ninh           bring them to the inventory's intent
.venv/bin/python deploys/internet.py loc-ninh --check   only say what would change
"""

from __future__ import annotations

import sys

from lienthong.gear_script import main
from lienthong.model.intent import Node
from lienthong.model.words import Side


def _mine(node: Node) -> bool:
    return node.device is not None and node.side is Side.NET


if __name__ == "__main__":
    sys.exit(main(str(__doc__), _mine))
