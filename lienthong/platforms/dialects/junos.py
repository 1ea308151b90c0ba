"""Juniper Junos: `set` lines of `show configuration | display set`, gathered in a candidate and committed.

Written from documents. What is shown of a secret is hashed or salted: an owned line with one is as intended
when it is there, and a changed secret is not noticed. Order of terms means nothing, since all but the last
accept; a new one is put before the last.
"""

from __future__ import annotations

import re

from lienthong.platforms import Dialect
from lienthong.platforms.dialects.junos_lines import intended, parse
from lienthong.platforms.dialects.junos_reach import health, interfaces, reach, vlans
from lienthong.platforms.dialects.junos_scope import owns
from lienthong.platforms.dialects.junos_type import commands


def commit(window_s: int) -> tuple[str, ...]:
    """Looked over first; then in force for so many minutes, for good with the next commit only."""
    return ("commit check", f"commit confirmed {max(1, -(-window_s // 60))}")


def prompt(name: str) -> str:
    """`user@name>`, with `#` while configuring."""
    return rf"(?:^|[\r\n])[\w.-]+@{re.escape(name.rpartition('@')[2])}[>#] ?$"


JUNOS = Dialect(
    name="junos",
    device_type="juniper_junos",
    account="network",
    show="show configuration | display set | no-more",
    errors=(r"^\s*syntax error.*", r"^error: .*", r"^\s*unknown command.*", r"^\s*missing argument.*",
            r"^\s*invalid .*", r"load complete \([1-9]\d* errors?\)", r"^warning: statement not found.*"),
    save=None,
    saved=None,
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    intended=intended,
    reach=reach,
    health=health,
    enter=("configure exclusive",),
    leave=("rollback 0", "exit configuration-mode"),
    commit=commit,
    batch=("load set terminal", "\x04"),
    prompt=prompt,
)  # fmt: skip
