"""RouterOS 7 by its console: `/export terse`, one `add` or `set` a line, every value in one spelling.

`show-sensitive`, because an export hides secrets otherwise and a changed OSPF or SNMP key would never be
noticed; the transport turns known values into their names, and `parse` turns the rest into `<other secret>`.
Accounts are in no export, so they are printed after it. Their passwords and the bodies of their SSH keys are
told to nobody: a key stands once more in the comment of its item, an account's comment names its secret, and
both are taken as they were told. So a password that changes under the same name is not noticed here.

Owned is what bears a comment that begins with `lienthong:`, or a name, chain or list that begins with
`lienthong`; what has the address, port or name of an intended item; addresses on interfaces that the plan
addresses, routes to a prefix that it routes, its ports in anybody's bridge; the settings of
:data:`~.routeros_menus.SETTINGS`; and the comment and state of ports that the plan names.
Rules of the packet filter lie in chains of our own, behind a jump that must come first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lienthong.platforms import Dialect, Line, Lines
from lienthong.platforms.dialects.routeros_change import commands
from lienthong.platforms.dialects.routeros_menus import (
    MENUS,
    NAMED,
    ON_PORT,
    OTHER,
    OURS,
    PLACE,
    PORT,
    SECRET,
    natural,
    plain,
    settings,
)
from lienthong.platforms.dialects.routeros_reach import health, ids, reach
from lienthong.platforms.dialects.routeros_told import intended
from lienthong.platforms.dialects.routeros_words import Item, item, pairs, quoted, whole

_USERS, _KEYS = "/user", "/user ssh-keys"
#: What is printed after the export, each behind its own line.
SHOW = "; ".join(
    [
        "/export terse show-sensitive",
        *(f':put "# {path}"; {path} print detail without-paging' for path in (_USERS, _KEYS)),
    ]
)
#: Of what is printed of accounts, what somebody has set.
_KEPT = {
    _USERS: ("name", "group", "address", "inactivity-timeout", "inactivity-policy"),
    _KEYS: ("user",),
}
_NUMBERED = re.compile(r"\s*\d+ +([A-Z]+ +)?(?=;;; |[a-z-]+=)(.*)")
_SLAVES = "/interface bridge port"
_FILTERS = ("/ip firewall filter", "/ipv6 firewall filter")
_PORT_NAME = re.compile(r"\[ find default-name=(\S+) \]")


def parse(text: str) -> Lines:
    """An export and what is printed after it."""
    # The transport hides any word behind `md5`, which in an export is the number of the key, not the key.
    text = text.replace(f"auth=md5 {OTHER}", "auth=md5 auth-id=1")
    # A value without quotes may have become the name of a secret, which has a blank in it.
    text = re.sub(rf"(?<==)({SECRET.pattern}|{OTHER})", r'"\1"', text)
    exported, _, rest = text.partition(f"# {_USERS}\n")
    users, _, keys = rest.partition(f"# {_KEYS}\n")
    found = list(_exported(exported))
    found += [line for path, said in ((_USERS, users), (_KEYS, keys)) for line in _printed(path, said)]
    return tuple(dict.fromkeys((str(line),) for line in found))


def _exported(text: str) -> Iterator[Item | str]:
    lines = [line for line in whole(text) if not line.startswith("#")]
    items = [item(line) for line in lines]
    names = {one.which: one.get("name") for one in items if one is not None and one.path == PORT}
    seen: set[tuple[str, str]] = set()
    for line, one in zip(lines, items, strict=True):
        if one is None:
            yield line
        elif one.verb == "set":
            port = _PORT_NAME.fullmatch(one.which) if one.path == PORT else None
            which = quoted(names[one.which] or port[1]) if port is not None else one.which
            for key, value in plain(one).values.items():
                yield Item(one.path, "set", which, {key: value})
        else:
            yield _placed(plain(one), seen)


def _placed(one: Item, seen: set[tuple[str, str]]) -> Item:
    """A rule with a mark where it stands behind one that must stand behind it.

    Args:
        seen: (menu, chain) in which no rule of ours may follow; added to.
    """
    if one.path not in _FILTERS or one.get("disabled") == "yes":
        return one
    chain = (one.path, one.get("chain"))
    ours = _named(one)
    late = ours and chain in seen
    inner = chain[1].startswith(NAMED)
    if (inner and one.get("comment").startswith(f"{OURS}last")) or (not inner and not ours):
        seen.add(chain)
    return one.of({**one.values, PLACE: "late"}) if late else one


def _printed(path: str, text: str) -> Iterator[Item]:
    """`print detail`: a number, flags, perhaps a comment to the end of its line, then values."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        first = _NUMBERED.fullmatch(line)
        if first is not None:
            blocks.append(["X" if "X" in (first[1] or "") else "", first[2]])
        elif blocks and line.strip():
            blocks[-1].append(line.strip())
    for off, *words in blocks:
        comment = words.pop(0)[4:] if words[0].startswith(";;; ") else ""
        try:
            values = pairs(" ".join(words))
        except ValueError:
            continue
        kept = {key: values[key] for key in _KEPT[path] if key in values}
        secret = f"<secret {comment.split()[-1]}>" if path == _USERS and comment.startswith(OURS) else ""
        if SECRET.fullmatch(secret) and len(comment.split()) > 1:
            kept["password"] = secret
        yield plain(Item(path, "add", "", {**kept, "comment": comment, "disabled": "yes" if off else "no"}))


def owns(line: Line, intended: frozenset[Line]) -> bool:
    """Whether the plan may change this line of the device."""
    one = item(line[0])
    if one is None:
        return False
    if line in intended:
        return True
    ports, marks = _scope(intended)
    if one.verb == "set":
        if one.path == PORT:
            return one.which in ports and ON_PORT.keys() >= one.values.keys()
        return bool(one.values) and settings(one.path, one.which).keys() >= one.values.keys()
    if one.path not in MENUS:
        return False
    if one.path == _SLAVES and quoted(one.get("interface")) in ports:
        return True  # a port of the plan in somebody's bridge carries nothing of the plan's
    return _named(one) or not marks.isdisjoint(_marks(one))


def _named(one: Item) -> bool:
    return one.get("comment").startswith(OURS) or any(
        one.get(key).startswith(NAMED) for key in ("name", "chain", "list")
    )


def _marks(one: Item) -> Iterator[tuple[str, ...]]:
    """By what an item that nobody marked is known for the plan's."""
    key = natural(one)
    if key is not None:
        yield (one.path, *key)
    if one.path in ("/ip route", "/ipv6 route"):
        yield (one.path, "to", one.get("dst-address"))
    if one.path in ("/ip address", "/ipv6 address"):
        yield (one.path, "on", one.get("interface"))


@lru_cache(maxsize=64)
def _scope(intended: frozenset[Line]) -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """Ports that the plan speaks of, and marks of its items."""
    items = [one for line in intended if (one := item(line[0])) is not None]
    ports = frozenset(one.which for one in items if one.path == PORT)
    return ports, frozenset(mark for one in items if one.verb == "add" for mark in _marks(one))


def interfaces(line: Line) -> frozenset[str]:
    """Interfaces that a line speaks of."""
    one = item(line[0])
    if one is None:
        return frozenset()
    keys: Iterable[str] = ("interface", "interfaces", "in-interface", "out-interface", "tagged", "untagged")
    found = {name for key in keys for name in one.get(key).split(",") if name}
    if one.path in (PORT, "/interface vlan", "/interface bridge"):
        found.add(one.which or one.get("name"))
    return frozenset(found)


def vlans(line: Line) -> frozenset[int]:
    """VLANs that a line lets a port carry."""
    one = item(line[0])
    text = one.get("vlan-ids") or one.get("vlan-id") or one.get("pvid") if one is not None else ""
    return frozenset(ids(text))


def prompt(name: str) -> str:  # noqa: ARG001
    """`[netadm@loc-ninh-gw-wan] > `, also in a menu and in Safe Mode.

    Not the name: a change of it is in force with the next prompt, and Netmiko cuts it after 16 characters.
    """
    return r"(?:^|[\r\n])\[[^\]\r\n@]+@[^\]\r\n]*\] ?(?:/[a-z0-9/ -]*)?(?:<SAFE>|>) ?$"


#: How the console refuses (help.mikrotik.com/docs/display/ROS/Console and …/ROS/API "!trap"); an export that
#: gave up on a menu says so in a comment, and what is missing in it must not pass for gone.
ERRORS = (
    r"^(?:bad command name|syntax error|expected |expecting |ambiguous value|unknown parameter)[^\n]*",
    r"^(?:input does not match|invalid |value of [^\n]* out of range|missing value|no such item)[^\n]*",
    r"^(?:failure|std failure|action failed|execution failed|not enough permissions|interrupted)[^\n]*",
    r"^(?:already have|couldn't |can't |cannot |unable to |Script Error|[Ee]rror[: ])[^\n]*",
    r"^# ?error exporting[^\n]*",
)

ROUTEROS = Dialect(
    name="routeros",
    device_type="mikrotik_routeros",
    account="network",
    show=SHOW,
    errors=ERRORS,
    save=None,  # every line is kept as soon as it is in force
    saved=None,
    parse=parse,
    owns=owns,
    commands=commands,
    interfaces=interfaces,
    vlans=vlans,
    intended=intended,
    reach=reach,
    health=health,
    enter=(),
    leave=(),
    prompt=prompt,
)
