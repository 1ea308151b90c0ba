"""From a template's text to the lines that an export would show."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from lienthong.platforms import Lines
from lienthong.platforms.dialects.routeros_menus import HIDDEN, NAMED, PORT, plain, settings
from lienthong.platforms.dialects.routeros_words import Item, quoted, rendered

_TELLING = re.compile(r"<?\b(md5|password|secret|authentication-key|key-string) ")
_FILTER = "/ip firewall filter"


def intended(text: str) -> Lines:
    """The lines of a template, in its order; a setting that is the default is no line of any export."""
    found: list[Item] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        one = _harmless(rendered(line))
        if one.verb == "add":
            found += map(plain, _listed(one))
            continue
        one = plain(one)
        default = settings(one.path, one.which)
        which = quoted(one.which) if one.path == PORT else one.which
        for key, value in one.values.items():
            if default.get(key) != value:
                found.append(Item(one.path, "set", which, {key: value}))
    return tuple(dict.fromkeys((str(one),) for one in found))


def _harmless(one: Item) -> Item:
    """What people wrote names no secret, which would be put in where everybody reads it; and has none of the
    words behind which the transport hides what a device shows, so that it is read back as it was told.
    """
    return one.of(
        {
            key: value if key in HIDDEN or key == "public-key" else _TELLING.sub(r"\1-", value)
            for key, value in one.values.items()
        }
    )


def _listed(one: Item) -> Iterator[Item]:
    """A rule of several addresses, behind lists of them that bear the name of what they hold.

    So rules share lists, and one whose addresses change goes from one whole list to another.
    """
    values = dict(one.values)
    for key in ("src-address", "dst-address"):
        networks = sorted(values.get(key, "").split(","))
        if one.path == _FILTER and len(networks) > 1:
            name = f"{NAMED}-{hashlib.sha256(' '.join(networks).encode()).hexdigest()[:12]}"
            del values[key]
            values[f"{key}-list"] = name
            for network in networks:
                yield Item("/ip firewall address-list", "add", "", {"list": name, "address": network})
    yield one.of(values)
