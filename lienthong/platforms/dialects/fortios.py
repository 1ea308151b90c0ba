"""FortiOS 7 of a FortiGate: `show` tells what is not default, a section is typed as it is shown.

What is owned is told in :mod:`fortios_scope`, what is typed in :mod:`fortios_change`. Known secrets cannot
be compared: FortiOS shows them encrypted, under another salt each time. A line with one is as intended when
it is there (:mod:`fortios_text`), so a secret that was changed in the vault has to be sent by taking the
line away.

Members of a list are compared sorted. Policies of ours that let pass may stand in any order, but before the
one that drops the rest, and all of ours before every one that is not: what does not is told as
`misplaced` and `behind 17`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from lienthong.errors import LienThongError
from lienthong.platforms import Dialect, Line, Lines
from lienthong.platforms.dialects.fortios_change import INTERFACES, commands
from lienthong.platforms.dialects.fortios_reach import reach
from lienthong.platforms.dialects.fortios_scope import (
    ADMINS,
    BEHIND,
    FIRST,
    LAST,
    LOCAL_IN,
    MARK,
    MISPLACED,
    POLICY,
    PREFIX,
    number,
    ours,
    owns,
)
from lienthong.platforms.dialects.fortios_text import OTHER, Hidden, Mine, key, leaves, words

#: Lists whose order means nothing; FortiOS shows them in its own.
_LISTS = frozenset(
    [
        "srcintf",
        "dstintf",
        "srcaddr",
        "dstaddr",
        "service",
        "intf",
        "member",
        "allowaccess",
        "tcp-portrange",
        "udp-portrange",
        "dhcp-relay-ip",
    ]
)
#: Shown by some versions though they are the default, or under another name.
_DEFAULTS = frozenset(
    {
        "set mode static",
        "set status up",
        "set admin-ssh-v1 disable",
        "set dns-service specify",
        "set priv-proto aes",
    }
)
_SPELT = {
    "set authentication md5": "set authentication message-digest",
    # The veil takes the value for a password. `enable` is the default and never shown.
    f"set admin-ssh-password {OTHER}": "set admin-ssh-password disable",
}
#: The veil takes what follows these words for a value that nobody may see.
_VEILED = re.compile(r"\b(md5|password|secret|authentication-key|key-string) (?=\S)")
_TEXTS = ("set description ", "set buffer ", "set comments ")
_PASSIVE = "set passive-interface "
#: Most that FortiOS takes as a name of a policy.
_NAME_LENGTH = 35


def parse(text: str) -> Lines:
    """The lines of `show`.

    Raises:
        LienThongError: the text is not complete, or the device is divided into virtual domains.
    """
    found = leaves(text, printed=True)
    if any(line[0] in {"config vdom", "config global"} for line in found):
        raise LienThongError(
            "the FortiGate is divided into virtual domains",
            hint="this tool configures one that is whole: set vdom-mode no-vdom",
        )
    marked = {line[:2] for line in found if line[0] == ADMINS and line[-1] == MARK}
    spelt = ((line[0], Mine(line[1]), *line[2:]) if line[:2] in marked else line for line in _spelt(found))
    return (*spelt, *_misplaced(found))


def intended(text: str) -> Lines:
    """The lines of a rendered template, with numbers and names of entries that are known by words."""
    taken: dict[Line, str] = {}
    found: list[Line] = []
    for line in leaves(text):
        path: list[str] = []
        for part in line:
            if part.startswith("edit @"):
                head = (*path, part)
                if head not in taken:
                    taken[head] = str(_free(path, part.removeprefix("edit @"), taken))
                part = f"edit {taken[head]}"
            elif part.startswith("set name @"):
                part = f'set name "{_named(part.removeprefix("set name @"), path[-1])}"'
            elif part.startswith(_TEXTS):
                part = _VEILED.sub(r"\1: ", part)
            path.append(part)
        found.append(tuple(path))
    return tuple(dict.fromkeys(_spelt(found)))


def _free(path: list[str], told: str, taken: Mapping[Line, str]) -> int:
    mine = {one for head, one in taken.items() if head[:-1] == tuple(path)}
    found = number(path[-1], told.strip())
    while str(found) in mine:
        found += 1
    return found


def _named(flow: str, edit: str) -> str:
    tail = f" {int(key(edit)) - FIRST:07d}"
    return PREFIX + flow[: _NAME_LENGTH - len(PREFIX) - len(tail)] + tail


def _spelt(lines: Lines | list[Line]) -> Iterator[Line]:
    for line in lines:
        last = line[-1]
        if last.startswith("unset ") or (last in _DEFAULTS and not isinstance(last, Hidden)):
            continue
        if line[0] == "config router ospf" and last.startswith(_PASSIVE):
            for name in words(last.removeprefix(_PASSIVE)):
                yield (*line[:-1], f'append passive-interface "{name}"')
        elif last.startswith("set ") and last.split()[1] in _LISTS and not isinstance(last, Hidden):
            head, attribute, rest = last.split(None, 2) if len(last.split()) > 2 else (*last.split(), "")
            members = sorted(re.findall(r'"(?:[^"\\]|\\.)*"|\S+', rest))
            yield (*line[:-1], " ".join([head, attribute, *members]))
        else:
            yield (*line[:-1], _SPELT.get(str(last), last))


def _misplaced(lines: Lines) -> Iterator[Line]:
    """Our policies that stand behind what drops the rest, or behind one that is not ours."""
    for table in (LOCAL_IN, POLICY):
        names = [key(line[1]) for line in lines if line[0] == table and len(line) == 2 and _numbered(line[1])]
        last = names.index(str(LAST)) if str(LAST) in names else len(names)
        foreign = next((at for at, name in enumerate(names) if not ours(name)), len(names))
        if foreign < last:
            yield (table, f"{BEHIND}{names[foreign]}")
        for at, name in enumerate(names):
            if (
                ours(name)
                and int(name) != LAST
                and at > (min(last, foreign) if int(name) < LAST else foreign)
            ):
                yield (table, f"edit {name}", MISPLACED)


def _numbered(edit: str) -> bool:
    return edit.startswith("edit ") and edit[5:].isdecimal()


def interfaces(line: Line) -> frozenset[str]:
    """Interfaces that a line speaks of, as its entry or as a value."""
    found = set()
    if line[0] == INTERFACES and len(line) > 1:
        found.add(key(line[1]))
    attribute = line[-1].split()[1] if line[-1].startswith(("set ", "append ")) else ""
    if attribute in {"interface", "device", "srcintf", "dstintf", "intf", "extintf", "passive-interface"}:
        found |= set(words(line[-1])[2:])
    return frozenset(found - {"any"})


def vlans(line: Line) -> frozenset[int]:
    """The VLAN that an interface carries on its port."""
    found = re.fullmatch(r"set vlanid (\d{1,4})", line[-1]) if line[0] == INTERFACES else None
    return frozenset({int(found[1])}) if found else frozenset()


def health(ask: Callable[[str], str]) -> frozenset[str]:
    """OSPF neighbours that are full."""
    full = re.findall(
        r"^(\d+\.\d+\.\d+\.\d+)\s+\d+\s+Full\s*/.*\s(\S+)\s*$", ask("get router info ospf neighbor"), re.M
    )
    return frozenset(f"{name} ospf {router} full" for router, name in full)


def prompt(name: str) -> str:  # noqa: ARG001
    """`FGT60F # `, `FGT60F (interface) # `; of whatever name, since a change may be of the name.

    A line of a text that looks so cannot cut an answer short unseen: what is read must end all it began.
    """
    return r"(?:^|[\r\n])[A-Za-z0-9_.-]{1,35} (?:\([^\r\n]*\) )?[#$] ?$"


FORTIOS = Dialect(
    name="fortios",
    device_type="fortinet",
    account="network",
    show="show",
    errors=(
        r"^[Cc]ommand parse error before .*",
        r"^value parse error before .*",
        r"^Unknown action \d+",
        r"^entry not found in datasource.*",
        r"^node_check_object fail!.*",
        r"^incomplete command in the end",
        r"^object (?:set|check) operator error.*",
        r"^The entry is used by other \d+ entries",
        # Not in what somebody wrote, which `show` prints too.
        r"^(?!\s+set ).*Command fail\. Return code -?\d+",
    ),
    save=None,  # every `next` and `end` is kept at once, but while the undo is armed: then it saves
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
