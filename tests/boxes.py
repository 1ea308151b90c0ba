"""A simulated device reached without SSH, and the drives that every platform of a vendor must pass.

`tests/unit/test_vendors.py` runs them over all vendors that are found; a vendor's own tests may too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from lienthong.diff import Diff, compare, future
from lienthong.errors import Unreachable
from lienthong.inventory import load
from lienthong.model.intent import Node, ProvincePlan
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.wanted import Wanted
from lienthong.model.words import Role
from lienthong.plan.build import build
from lienthong.plan.wanted import wanted
from lienthong.platforms import Dialect, Lines, Platform, platform
from lienthong.platforms.undo import Arming, Rejected
from lienthong.render import render
from lienthong.sim.box import Box, Shell, Vendor
from lienthong.transport.veil import Veil

ROOT = Path(__file__).resolve().parents[1]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1EZ1JQd2V0bm9ib2R5aGFzdGhlb3RoZXJoYWxm lienthong"
CONTROLLER = IPv4Address("10.0.4.10")
"""In the office's management segment, from where devices are managed."""


class Store:
    """Every secret is made of its name."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret("Xy7" + re.sub("[^a-z0-9]", "", str(ref))[-12:])

    def public(self, ref: SecretRef) -> str:
        return "Pub" + re.sub("[^a-z0-9]", "", str(ref))


@cache
def province() -> ProvincePlan:
    return build(load(ROOT / "inventory"))


def node_of(kind: Platform, role: Role, model: str | None = None, site: str = "loc-ninh") -> Node:
    """The gateway or switch of a site's WAN side as a device of that platform."""
    short = "gw-wan" if role is Role.GATEWAY else "sw-wan"
    node = province().nodes[f"{site}-{short}"]
    assert node.device is not None
    return replace(node, device=replace(node.device, platform=kind.name, model=model))


def told(node: Node) -> Wanted:
    return wanted(province(), node, "netadm", KEY)


def intended(node: Node, dialect: Dialect) -> Lines:
    assert node.device is not None
    return render(told(node), platform(node.device.platform), dialect, ROOT / "templates")


def new_box(vendor: Vendor, node: Node) -> Box:
    """A box after day 0, switched on."""
    managed = IPv4Interface(f"{node.address}/{node.segment.prefix.prefixlen}")
    box = vendor.make(node.name, managed, [KEY])
    box.power_on()
    return box


class BoxSession:
    """A :class:`lienthong.transport.Session` on a box, without a wire."""

    def __init__(self, box: Box, dialect: Dialect, veil: Veil) -> None:
        if not (box.up and box.answers(CONTROLLER) and box.keys_of("netadm")):
            raise Unreachable(f"{box.name}: no answer")
        shell = box.log_in("netadm")
        if shell is None:
            raise Unreachable(f"{box.name}: every line is taken")
        self.box, self.dialect, self.veil = box, dialect, veil
        self.shell: Shell = shell
        self.shell.page = 0
        self.sent: list[str] = []

    def show(self, command: str) -> str:
        return self.ask(command)

    def ask(self, line: str, answers: tuple[tuple[str, str], ...] = ()) -> str:
        said = self._line(line)
        for _ in range(4):
            prompt = self.shell.prompt()
            answer = next((answer for pattern, answer in answers if re.search(pattern, said + prompt)), None)
            if answer is None or re.search(self.dialect.prompt(self.box.name), "\n" + prompt):
                break
            said += prompt + "\n" + self._line(answer)
        return self._looked(line, said)

    def configure(self, lines: tuple[str, ...], commit: tuple[str, ...] = ()) -> None:
        dialect = self.dialect
        for line in dialect.enter:
            self.ask(line)
        try:
            if dialect.batch is not None and lines:
                opening, end = dialect.batch
                said = "".join(self._line(line) for line in (opening, *lines, end))
                self._looked(opening, said)
            else:
                for line in lines:
                    self.ask(line, dialect.answers)
            for line in commit:
                self.ask(line, dialect.answers)
        finally:
            if not self.shell.closed:
                for line in dialect.leave:
                    self.ask(line, dialect.answers)

    def save(self) -> None:
        if self.dialect.save is not None and self.dialect.saved is not None:
            said = self.ask(self.dialect.save, self.dialect.answers)
            if self.dialect.saved not in said:
                raise Rejected(f"not saved: {said}")

    def run(self, command: str, stdin: str = "", timeout_s: float = 30.0) -> tuple[int, str]:
        raise AssertionError("gear of vendors has no shell")

    def watch(self, check: Callable[[], None], unheard_s: float | None = None) -> None:
        pass

    def close(self) -> None:
        self.shell.interrupted()
        self.shell.closed = True

    def _line(self, line: str) -> str:
        if self.shell.closed or not self.box.answers(CONTROLLER):
            self.shell.interrupted()
            self.shell.closed = True
            raise Unreachable(f"{self.box.name}: connection lost")
        self.sent.append(line)
        return self.shell.line(self.veil.reveal(line))

    def _looked(self, line: str, said: str) -> str:
        said = self.veil.conceal(said)
        for pattern in self.dialect.errors:
            found = re.search(pattern, said, re.MULTILINE)
            if found:
                raise Rejected(f"refused {line!r}: {found[0]}")
        return said


class Drive:
    """One device of a vendor under the tool, step by step as the runner does it."""

    def __init__(self, vendor: Vendor, role: Role, model: str | None = None, site: str = "loc-ninh") -> None:
        self.kind = platform(vendor.platform)
        (self.dialect,) = self.kind.dialects
        self.node = node_of(self.kind, role, model, site)
        self.intended = intended(self.node, self.dialect)
        self.veil = Veil(Store(), self.intended)
        self.box = new_box(vendor, self.node)

    def session(self) -> BoxSession:
        return BoxSession(self.box, self.dialect, self.veil)

    def running(self) -> Lines:
        session = self.session()
        try:
            return self.dialect.parse(session.show(self.dialect.show))
        finally:
            session.close()

    def diff(self, intended: Lines | None = None) -> Diff:
        return compare(self.dialect, self.intended if intended is None else intended, self.running())

    def send(self, diff: Diff, window_s: int = 120) -> None:
        """Arm and send; the session ends; nothing is confirmed."""
        undo = self.kind.undo
        assert undo is not None
        session = self.session()
        assert undo.pending(session) is None
        window = undo.window(window_s)
        undo.arm(session, Arming(window, ROOT / "templates", "netadm"))
        try:
            session.configure(self.dialect.commands(diff.removed, diff.added), self.dialect.commit(window))
        finally:
            session.close()

    def confirm(self) -> None:
        undo = self.kind.undo
        assert undo is not None
        session = self.session()
        undo.confirm(session)
        session.save()
        session.close()

    def bring(self, intended: Lines | None = None) -> Diff:
        """The whole way: compare, arm, send, new login, nothing left, confirm, save."""
        diff = self.diff(intended)
        if diff:
            wanted = frozenset(self.intended if intended is None else intended)
            after = future(self.running(), diff)
            assert {line for line in after if self.dialect.owns(line, wanted)} == wanted
            self.send(diff)
            left = self.diff(intended)
            assert not left, left.told
            self.confirm()
        return diff
