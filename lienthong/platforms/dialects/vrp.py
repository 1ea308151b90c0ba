"""Huawei VRP5 (S5735, AR): lines act at once; what is shown otherwise than typed is in `vrp_words`.

Secrets are shown encrypted with a salt: a line with one is equal to any of its kind, so a second apply sends
nothing, and a secret that changed is *not* noticed (`vrp_words.Sealed`).
The key of an account is stated when it is RSA, which is what these devices know; a key of another kind stays
what day 0 made it. What is the plan's to change says `vrp_scope`.
"""

from __future__ import annotations

import re

from lienthong.platforms import Dialect
from lienthong.platforms.dialects.vrp_lines import intended, parse
from lienthong.platforms.dialects.vrp_reach import health, interfaces, reach, vlans
from lienthong.platforms.dialects.vrp_scope import owns
from lienthong.platforms.dialects.vrp_type import commands

#: VRP says every refusal so; `Info:` and `Warning:` are none.
ERRORS = (r"^ ?Error: ?.*", r"^Failed to generate committed config.*")


def prompt(name: str) -> str:
    """`<name>`, `[name-Vlanif10]`, `[~name]`, `[*name]`, and the question for a secret."""
    host = re.escape(name)
    return (
        rf"(?:^|[\r\n])(?:<{host}[^\s<>]*>|\[[~*]?{host}[^\s\[\]]*\]) ?\Z"
        r"|(?:^|[\r\n])(?:Enter|Confirm) [Pp]assword: ?\Z"
    )


VRP = Dialect(
    name="vrp",
    device_type="huawei",
    account="network",
    show="display current-configuration",
    errors=ERRORS,
    save="save",
    saved="successfully",
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    intended=intended,
    reach=reach,
    health=health,
    enter=("system-view",),
    leave=("return",),
    answers=((r"(?i)\[Y(?:\(yes\))?/N(?:\(no\))?\] ?:? ?\Z", "y"),),
    prompt=prompt,
)
