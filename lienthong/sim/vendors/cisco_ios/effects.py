"""What a line of configuration does to an IOS box, and what the box refuses of lines that it understands."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from lienthong.platforms.dialects.ios_words import names, vlan_list
from lienthong.sim.vendors.cisco_ios.grammar import Form
from lienthong.sim.vendors.cisco_ios.ports import Path, Refused, checked, settle, six, undone

if TYPE_CHECKING:
    from lienthong.sim.vendors.cisco_ios.box import IosBox

#: What the other lines of port security begin with, but does not replace them.
_SECURE = "switchport port-security"


def do(box: IosBox, path: Path, form: Form, words: list[str]) -> str:
    """Put a line into the running configuration; returns what is printed.

    Raises:
        Refused: with what the box prints.
    """
    key = " ".join(words[: form.key]) if form.key else ""
    said = ""
    text = " ".join(words)
    if form.mode == "if":
        said, text = checked(box, path, text)
    elif form.mode == "global":
        shown = _spelt(box, text)
        if shown is None:
            return said
        text = shown
    elif form.words[0] == "access-class" or form.mode == "acl6":
        key = "access-class" if form.mode == "line" else ""
    elif form.mode == "std":
        return _entry(box, path, text)
    elif form.mode == "line" and text == "exec-timeout 10 0":
        box.running.drop(path, lambda line: line.startswith("exec-timeout "))  # the default is not printed
        return ""
    directed = re.match(r"(ip access-group|ipv6 traffic-filter) ", text)

    def replaces(line: str) -> bool:
        if directed:
            return line.startswith(directed[0]) and line.split()[-1] == words[-1]
        return bool(key) and text != _SECURE and (line in (key, f"no {key}") or line.startswith(f"{key} "))

    box.running.put(path, text, replaces)
    if text == "aaa new-model":
        _logins(box, lambda line: not line.startswith("login"), ())
    settle(box, path)
    return said


def undo(box: IosBox, path: Path, form: Form, words: list[str]) -> str:
    """Take a line out of the running configuration; what is not there is no error, but for a few."""
    if words[0] == "ipv6":
        words = six(words)
    text = " ".join(words)
    key = " ".join(words[: form.key]) if form.key else text
    if form.mode == "if":
        undone(box, path, text)
    if re.match(r"(?:ip access-group|ipv6 traffic-filter) ", text):
        box.running.drop(path, lambda line: line == text)
    elif re.match(r"ip http (?:secure-)?server$", text):
        box.running.put(path, f"no {text}", lambda line: line == text)
    elif text == "aaa new-model":
        box.running.put(path, f"no {text}", lambda line: line == text)
        box.running.drop(path, lambda line: line.startswith(("aaa authentication ", "aaa authorization ")))
        _logins(box, lambda _: True, ("login",))
    elif text.startswith("passive-interface ") and text != "passive-interface default":
        if "passive-interface default" in box.running.lines(path):
            box.running.put(path, f"no {text}")
        box.running.drop(path, lambda line: line == text)
    elif text == "passive-interface default":
        box.running.drop(path, lambda line: "passive-interface" in line)
    elif form.mode in {"std", "ext", "acl6"}:
        box.running.drop(path, lambda line: re.sub(r"^(?:\d+|sequence \d+) ", "", line) == names(text))
    elif text.startswith("snmp-server user "):
        box.snmp_users.pop((words[2], words[3]), None)
    elif text.startswith("vlan "):
        gone = set(vlan_list(words[1]))
        for head, _ in list(box.running.sections("vlan ")):
            if re.fullmatch(r"vlan [\d,-]+", head) and gone & set(vlan_list(head[5:])):
                box.running.drop((), lambda line, head=head: line == head)  # type: ignore[misc]
    elif text.startswith("username "):
        box.running.drop(path, lambda line: line.split()[:2] == words[:2])
    else:
        found = box.running.drop(
            path, lambda line: line == key or (key != _SECURE and line.startswith(f"{key} "))
        )
        if not found and text.startswith("ip route "):
            raise Refused("%No matching route to delete\n")
    settle(box, path)
    return ""


def add_entry(box: IosBox, path: Path, text: str) -> str:
    """An entry of an extended list."""
    return _entry(box, path, text)


def _entry(box: IosBox, path: Path, text: str) -> str:
    """New releases print the number of an entry, and count on by ten (IOS XE 16.12 and later)."""
    text = names(text)
    held = box.running.lines(path)
    if any(re.sub(r"^\d+ ", "", line) == text for line in held) and not text.startswith("remark "):
        return ""  # one that is there is taken in silence
    if box.numbered:
        last = max((int(found[1]) for line in held if (found := re.match(r"(\d+) ", line))), default=0)
        text = f"{last + 10} {text}"
    box.running.put(path, text)
    return ""


def _spelt(box: IosBox, text: str) -> str | None:
    """A global line as it is printed; None for one that is in no configuration."""
    words = text.split()
    if text.startswith("username ") and words[2] == "secret":
        # Type 9 is what `secret` makes of a password in 17; printed behind the level, as one line.
        level = [line.split()[3] for line in box.running.lines()
                 if re.match(rf"username {re.escape(words[1])} privilege ", line)]  # fmt: skip
        hashed = words[3:] if words[3] == "9" else ["9", box.hashed(" ".join(words[3:]))]
        start = ["username", words[1], *(["privilege", level[0]] if level else []), "secret", *hashed]
        box.running.drop((), lambda line: line.split()[:2] == words[:2])
        return " ".join(start)
    if text.startswith("username "):
        old = [line for line in box.running.lines() if line.split()[:2] == words[:2] and " secret " in line]
        box.running.drop((), lambda line: line.split()[:2] == words[:2])
        return text + (old[0][old[0].index(" secret ") :] if old else "")
    if text.startswith("snmp-server user "):
        if "auth" not in words:
            raise Refused("% Incomplete command.\n\n")
        for secret in (words[7], words[11]):
            if len(secret) < 8:
                raise Refused("% The password must be at least 8 characters\n")
        box.snmp_users[words[2], words[3]] = (words[6], f"AES{words[10]}")
        return None
    if text.startswith("banner "):
        mark = words[2][0]
        body = text.partition(mark)[2]
        if mark not in body:
            raise Refused("% Incomplete command.\n\n")  # the rest would be asked for; the tool types one line
        return f"{words[0]} {words[1]} ^C{body.partition(mark)[0]}^C"
    if re.match(r"logging \d", text):
        return f"logging host {words[1]}"
    if text.startswith("ip domain-name "):
        return f"ip domain name {words[2]}"
    if text.startswith("ip nat inside source list ") and text.split()[7] not in box.interfaces():
        raise Refused("% Invalid input detected at '^' marker.\n\n")
    if (
        text.startswith("ip route ")
        and IPv4Address(words[2]) != IPv4Network(f"{words[2]}/{words[3]}", strict=False).network_address
    ):
        raise Refused("%Inconsistent address and mask\n")
    if text.startswith("ipv6 route "):
        return " ".join(six(words))
    return text


def _logins(box: IosBox, stays: Callable[[str], bool], comes: tuple[str, ...]) -> None:
    """How lines log in is AAA's with `aaa new-model`, which takes `login local` off them for good; without it
    they ask for a password of their own ("Authentication Configuration Guide", `aaa new-model`)."""
    for head, _ in list(box.running.sections("line vty ")):
        box.running.drop((head,), lambda line: not stays(line))
        for line in comes:
            box.running.put((head,), line)
