"""Huawei VRP8 (CloudEngine 6800, NetEngine): lines gather in a candidate that a commit puts in force.

The commit is a trial that outlives its session: without `persist` the device would take it back when the
session that sent it ends, before anybody has looked over a new one ("commit", NetEngine 8000 command
reference: http://a10.tagan.ru/huawei/netengine8000f1a/command/8090/Commit(CFGOM).html). All else is as with
VRP5, secrets too: what is shown is encrypted with a salt, and a changed secret is not noticed.
"""

from __future__ import annotations

import re

from lienthong.platforms import Dialect, Lines
from lienthong.platforms.dialects.vrp import ERRORS, prompt
from lienthong.platforms.dialects.vrp_lines import intended, parse
from lienthong.platforms.dialects.vrp_reach import health, interfaces, reach, vlans
from lienthong.platforms.dialects.vrp_scope import owns
from lienthong.platforms.dialects.vrp_type import commands

#: By what a trial of the tool is known.
PERSIST = "lienthong"
SHORTEST_S, LONGEST_S = 60, 65535


def shown(text: str) -> Lines:
    """What runs. A port is an access port unless it says otherwise, and up unless it says `shutdown`."""
    found = [line for line in parse(text) if line[-1] != "undo shutdown"]
    kinds = {line[0] for line in found if line[-1].startswith("port link-type ")}
    access = [line[0] for line in found if re.match(r"port default vlan \d+$", line[-1])]
    return (*found, *((head, "port link-type access") for head in access if head not in kinds))


def commit(window_s: int) -> tuple[str, ...]:
    """A trial that ends by itself unless it is confirmed."""
    return (f"commit trial {min(max(window_s, SHORTEST_S), LONGEST_S)} persist {PERSIST}",)


VRP8 = Dialect(
    name="vrp8",
    device_type="huawei_vrpv8",
    account="network",
    show="display current-configuration",
    errors=ERRORS,
    save="save",
    saved="successfully",
    parse=shown,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    intended=intended,
    reach=reach,
    health=health,
    enter=("system-view",),
    # With a candidate left, `return` would ask whether to commit it.
    leave=("clear configuration candidate", "return"),
    commit=commit,
    answers=((r"(?i)\[Y(?:\(yes\))?/N(?:\(no\))?[^\]]*\] ?:? ?\Z", "y"),),
    prompt=prompt,
)
