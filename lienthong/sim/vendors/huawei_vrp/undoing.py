"""`undo` on a simulated VRP5 device: what it takes, what it refuses, what goes along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lienthong.sim.vendors.huawei_vrp.grammar import Form, Miss, best
from lienthong.sim.vendors.huawei_vrp.spelling import Call, Device, Refusal, spelt
from lienthong.sim.vendors.huawei_vrp.switching import undo_allow_pass, undo_vlan

if TYPE_CHECKING:
    from lienthong.sim.vendors.huawei_vrp.shell import VrpShell

#: Objects and members of lists of which the device says that they are not there.
_MISSED = {"route", "rule", "rule_text", "open_acl", "open_pool", "open_interface", "open_key", "open_scheme",
           "open_ospf", "local_user", "usm", "ssh_user", "excluded"}  # fmt: skip


def undo(shell: VrpShell, text: str, typed: list[str]) -> str:
    """Do one `undo`; returns what is printed."""
    box, path, view = shell.target, shell.path, shell.view
    words = spelt(typed)
    if view == "if" and words[:4] == ["port", "trunk", "allow-pass", "vlan"] and len(words) > 4:
        undo_allow_pass(Call(box, path, words))
        return ""
    if view == "sys" and words[:2] == ["vlan", "batch"] and len(words) > 2:
        return shell.ask(
            "Warning: The configurations of the VLAN will be deleted. Continue?[Y/N]:",
            lambda answer: _vlan(shell, words, answer),
        )
    tables = shell.box.tables
    mine = [*tables.forms(view), *(form for form, _ in tables.doors(view))]
    patterns = [(form, pattern) for form in mine for pattern in form.undo]
    number, miss = best(words, [pattern for _, pattern in patterns])
    if miss is not None:
        return shell._miss(text, Miss(miss.at + 1, miss.text))
    form, pattern = patterns[number]
    if form.do == "open_ospf":
        return shell.ask(
            "Warning: The OSPF process will be deleted. Continue? [Y/N]:",
            lambda answer: _ospf(shell, words, answer),
        )
    _in_use(box, form, words)
    exact = pattern == form.words and form.key == 0 and form.do != "route" and form.words != ("snmp-agent",)
    start = " ".join(words)
    if form.words[0] == "acl" and view == "vty":
        gone = box.running.drop(path, lambda line: re.fullmatch(r"acl \S+ inbound", line) is not None)
    elif exact and not form.do.startswith("open_"):
        gone = box.running.drop(path, lambda line: line == start)
    else:
        gone = box.running.drop(path, lambda line: line == start or line.startswith(f"{start} "))
    if form.words[:2] == ("ipv6", "enable") and gone:
        box.running.drop(path, lambda line: line.startswith("ipv6 address "))
    if form.words[:2] == ("port-security", "enable") and gone:
        box.running.drop(path, lambda line: line.startswith("port-security "))
    if form.words == ("bfd",) and gone:
        for head, _ in list(box.running.sections("interface ")):
            box.running.drop((head,), lambda line: line.startswith("ospf bfd "))
    if not gone and (form.do in _MISSED or (form.key == 0 and len(form.words) > 2)):
        raise Refusal("Error: The specified configuration does not exist.")
    return ""


def _vlan(shell: VrpShell, words: list[str], answer: str) -> str:
    if answer.lower().startswith("y"):
        try:
            undo_vlan(shell.target, words)
        except Refusal as refusal:
            return f"{refusal}\n"
    return ""


def _ospf(shell: VrpShell, words: list[str], answer: str) -> str:
    running = shell.target.running
    if not answer.lower().startswith("y"):
        return ""
    if not running.drop((), lambda line: line.split()[:2] == words[:2]):
        return "Error: The OSPF process does not exist.\n"
    for head, _ in list(running.sections("interface ")):
        running.drop((head,), lambda line: line.startswith(f"ospf enable {words[1]} "))
    return ""


def _in_use(box: Device, form: Form, words: list[str]) -> None:
    """What others stand on stays."""
    running = box.running
    if form.do == "open_acl":
        name = words[-1]
        users = [line for _, lines in running.sections("interface ") for line in lines] + running.lines()
        if any(line.startswith("traffic-filter ") and name in line.split() for line in users):
            raise Refusal("Error: The ACL has been applied and cannot be deleted.")
    if form.do == "open_key" and any(
        re.fullmatch(rf"ssh user \S+ assign rsa-key {re.escape(words[2])}", line) for line in running.lines()
    ):
        # http://a10.tagan.ru/huawei/dc/rsa_peer-public-key.html, precautions
        raise Refusal("Error: The public key has been assigned to an SSH user.")
    if form.do == "open_scheme":
        for line in running.lines(("aaa",)):
            if line.startswith("domain ") and " ".join(words) in running.lines(("aaa", line)):
                raise Refusal("Error: The authentication scheme is used by a domain.")
    if form.do == "open_interface" and words[1] in box.routed | box.switched:
        raise Refusal("Error: Wrong parameter found at '^' position.")
    if form.do == "rule" and not any(line.split()[:2] == words[:2] for line in box.running.lines(())):
        return
