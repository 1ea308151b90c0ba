"""What may be said in a configuration, as data: one line a statement, deeper ones below it.

After the statement's word: nothing, a hierarchy; `!`, something that is there or not (and may hold more);
`<type>`, entries by name (a line of a type alone: entries without a word before them); `=type`, one value;
`*type`, several values. Then words: `ordered` (entries keep their order), `as:NAME` (kept under another
name), `choice:NAME` (one of these only), `needs` (the commit is refused without it). Types: `values.py`.
Source: Junos CLI Reference, https://www.juniper.net/documentation/us/en/software/junos/cli-reference/, the
statements' own pages; Layer 2 as on switches with ELS ("Getting Started with Enhanced Layer 2 Software").
"""

from __future__ import annotations

from lienthong.sim.vendors.juniper_junos.statements.interfaces import INTERFACES
from lienthong.sim.vendors.juniper_junos.statements.protocols import PROTOCOLS
from lienthong.sim.vendors.juniper_junos.statements.system import SYSTEM

STATEMENTS = SYSTEM + INTERFACES + PROTOCOLS
