"""Every vendor that is found, as gateway and as switch: the same drives, and one over real SSH.

What is a vendor's own stands in its own tests; here stands what all of them owe.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.journal import Journal
from lienthong.model.intent import Node
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Role, Target
from lienthong.platforms import Platform, platform
from lienthong.platforms.undo import Arming
from lienthong.runners import look, netmiko
from lienthong.runners.look import kind_of
from lienthong.sim.faults import Fault
from lienthong.sim.fleet import Fleet, fleet
from lienthong.sim.server import HOST
from lienthong.sim.vendors import discover
from lienthong.target import Access
from lienthong.transport import Session
from lienthong.transport.veil import Veil
from tests.boxes import CONTROLLER, ROOT, Drive

#: Sockets that tell what a model is for, and the node of the inventory that it is tried as.
SHORT = {Role.GATEWAY: ("gw-wan", {"trunk0", "tslcd-a"}), Role.SWITCH: ("sw-wan", {"e1", "e24"})}
#: Where the simulated factory makes another than the first that fits.
FACTORY = {("fortinet-fortios", Role.GATEWAY): "FortiGate 60F", ("mikrotik-routeros", Role.SWITCH): None}


def cases() -> list[tuple[str, Role, str | None]]:
    """(vendor, role, first model that has the sockets of the role)."""
    found: list[tuple[str, Role, str | None]] = []
    for vendor in discover().values():
        kind = platform(vendor.platform)
        for role, (_, sockets) in SHORT.items():
            fits = [model for model, hardware in kind.models.items() if sockets <= hardware.sockets.keys()]
            if fits and kind.undo is not None:
                found.append((vendor.name, role, FACTORY.get((kind.name, role), fits[0])))
    return found


each = pytest.mark.parametrize(("vendor", "role", "model"), cases())


class Store:
    """Every secret is made of its name, and no two are alike: a veil could not tell which it sees."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret("Xy7" + hashlib.sha256(str(ref).encode()).hexdigest()[:12])


def drive(vendor: str, role: Role, model: str | None, site: str = "loc-ninh") -> Drive:
    found = Drive(discover()[vendor], role, model, site)
    found.veil = Veil(Store(), found.intended)
    return found


def test_every_vendor_of_gear_is_tried_as_what_it_can_be() -> None:
    tried = {vendor for vendor, _, _ in cases()}
    gear = {one.name for one in discover().values() if platform(one.platform).undo is not None}
    assert tried == gear
    assert {role for _, role, _ in cases()} == {Role.GATEWAY, Role.SWITCH}


@each
def test_from_day_0_to_the_intent_and_then_nothing(vendor: str, role: Role, model: str | None) -> None:
    device = drive(vendor, role, model)
    assert device.bring(), "there was nothing to do after day 0"
    assert not device.diff()
    assert device.box.configuration() == device.box.saved()
    device.box.reboot()
    device.box.pass_time(device.box.boot_s + 1)
    assert not device.diff(), "a restart has forgotten some of it"


OFFICE = [
    (vendor, role, model)
    for vendor, role, model in cases()
    if role is Role.GATEWAY and "hub" in platform(discover()[vendor].platform).able(model)
]


@pytest.mark.parametrize(("vendor", "role", "model"), OFFICE)
def test_the_office_gateway_with_all_its_lines_too(vendor: str, role: Role, model: str | None) -> None:
    """Every site of the province has its lines there: thousands of lines where a district has hundreds."""
    device = drive(vendor, role, model, "tinh-uy")
    assert len(device.bring().added) > 300
    assert not device.diff()
    device.box.reboot()
    device.box.pass_time(device.box.boot_s + 1)
    assert not device.diff(), "a restart has forgotten some of it"


@each
def test_nobody_confirms_and_it_returns_within_its_window(vendor: str, role: Role, model: str | None) -> None:
    device = drive(vendor, role, model)
    before = frozenset(device.running())
    device.send(device.diff(), 120)
    undo = device.kind.undo
    assert undo is not None
    away = undo.outage_s + device.box.boot_s if undo.reboots else 0
    device.box.pass_time(undo.window(120) + away + 60)
    assert frozenset(device.running()) == before
    device.box.reboot()
    device.box.pass_time(device.box.boot_s + 1)
    assert frozenset(device.running()) == before, "what was undone came back with a restart"


@each
def test_it_is_returned_at_once_when_asked(vendor: str, role: Role, model: str | None) -> None:
    device = drive(vendor, role, model)
    before = frozenset(device.running())
    undo = device.kind.undo
    assert undo is not None
    device.send(device.diff())
    session = device.session()
    try:
        undo.fire(session)
    except LienThongError as error:
        raise AssertionError(f"it could not be returned: {error}") from None
    finally:
        session.close()
    device.box.pass_time(device.box.boot_s + 60)
    assert frozenset(device.running()) == before


@each
@pytest.mark.parametrize("after", ["the first line", "the last line"])
def test_a_restart_while_armed_leaves_what_was_before(
    vendor: str, role: Role, model: str | None, after: str
) -> None:
    device = drive(vendor, role, model)
    assert device.kind.undo is not None
    before = frozenset(device.running())
    diff = device.diff()
    if after == "the last line":
        device.send(diff)
    else:
        undo = device.kind.undo
        session = device.session()
        undo.arm(session, Arming(undo.window(120), ROOT / "templates", "netadm"))
        for line in device.dialect.enter:
            session.ask(line)
        session.close()
    device.box.reboot()
    device.box.pass_time(device.box.boot_s + 3600)
    now = frozenset(device.running())
    assert device.box.answers(CONTROLLER)
    if after == "the last line" and not device.kind.undo.survives_reboot:
        # Nobody promises that it returns: then it holds all of it, and the next run finds nothing to do.
        assert now != before
        assert not device.diff()
        return
    assert now == before, sorted(now ^ before)[:10]


NODES = {
    f"{site}-{SHORT[role][0]}": (discover()[vendor].platform, model)
    for site, (vendor, role, model) in zip(
        ("loc-ninh", "bu-dop", "bu-dang", "binh-long", "chon-thanh", "dong-phu", "hon-quan", "phu-rieng",
         "bu-gia-map", "dong-xoai", "phuoc-long", "tinh-uy"), cases(), strict=False,
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    found = fleet(tmp_path_factory.mktemp("vendors"), "vendors", load(ROOT / "inventory"), NODES)
    found.start()
    found.write()
    yield found
    found.stop()


def reached(lab: Fleet) -> Access:
    home: Path = lab.folder
    return Access(
        Target.LAB, ROOT, "lienthong", "netadm", home / "id_ed25519", home / "known_hosts",
        {name: IPv4Address(HOST) for name in NODES}, home / "secrets",
        ports={name: one.port for name, one in lab.served.items()}, simulated=True,
    )  # fmt: skip


def shows(lines: list[str], command: str) -> int:
    return sum(re.sub(r"\s+", " ", line) == command for line in lines)


def test_over_ssh_all_are_brought_to_their_intent_and_the_second_time_one_show_is_all(lab: Fleet) -> None:
    nodes = [lab.plan.nodes[name] for name in NODES]
    under_way, most = set[str](), 0

    def stage(name: str, reached: str, _data: object) -> None:
        nonlocal most
        (under_way.discard if reached == "saved" else under_way.add)(name)
        most = max(most, len(under_way))

    results = netmiko.run(
        reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, record=stage,
        changes_at_once=5,
    )  # fmt: skip
    assert {one.node: (one.outcome, one.detail) for one in results} == dict.fromkeys(NODES, ("changed", ""))
    assert 1 < most <= 5, "others wait for their turn"
    assert not under_way
    for one in lab.served.values():
        assert one.box.configuration() == one.box.saved()
        one.history.clear()
    results = netmiko.run(reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None)
    assert {one.outcome for one in results} == {"unchanged"}
    for name, one in lab.served.items():
        (dialect,) = platform(NODES[name][0]).dialects
        assert shows(list(one.history), dialect.show) == 1, (name, list(one.history))
        assert len(one.history) <= 8, f"{name}: more than a login and one look: {list(one.history)}"
        assert not one.broken


def test_a_run_that_dies_between_confirming_and_saving_is_ended_by_the_next(tmp_path: Path) -> None:
    class Died(Exception):
        pass

    def die(_node: str, stage: str, _data: object) -> None:
        if stage == "confirmed":
            raise Died

    lab = fleet(tmp_path, "died", load(ROOT / "inventory"), NODES)
    lab.start()
    lab.write()
    nodes = [lab.plan.nodes[name] for name in NODES]
    try:
        results = netmiko.run(
            reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, record=die
        )
        assert {one.outcome for one in results} == {"uncertain"}
        results = netmiko.run(
            reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, alone=True,
            unsaved=frozenset(NODES), doubted=lambda _: True,
        )  # fmt: skip
        assert {one.node: (one.outcome, one.detail) for one in results} == dict.fromkeys(
            NODES, ("unchanged", "")
        )
        assert all(one.box.configuration() == one.box.saved() for one in lab.served.values())
    finally:
        lab.stop()


def test_a_device_that_returned_just_before_is_not_said_to_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock jumps between the last look and the confirmation; what confirms hears nothing of it."""
    lab = fleet(tmp_path, "jumps", load(ROOT / "inventory"), NODES)
    lab.start()
    lab.write()

    def deaf(node: Node) -> Platform | None:
        kind = kind_of(node)
        if kind is None or kind.undo is None:
            return kind
        return replace(kind, undo=replace(kind.undo, confirm=lambda _: None))

    def jump(name: str, stage: str, _data: object) -> None:
        if stage == "checked":
            lab.do(partial(lab.served[name].box.pass_time, 3600.0))

    monkeypatch.setattr(look, "kind_of", deaf)
    try:
        before = {name: one.box.configuration() for name, one in lab.served.items()}
        results = netmiko.run(
            reached(lab), Store(), lab.plan, [lab.plan.nodes[name] for name in NODES], check=False,
            progress=lambda _: None, record=jump,
        )  # fmt: skip
        assert {one.outcome for one in results} <= {"failed", "uncertain"}, {
            one.node: (one.outcome, one.detail) for one in results
        }
        assert any("returned before it was confirmed" in one.detail for one in results)
        assert {name: one.box.configuration() for name, one in lab.served.items()} == before
    finally:
        lab.stop()


def test_a_device_that_returns_between_the_look_and_the_question_whether_it_is_armed_is_looked_at_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead run had sent everything; while the next one looks, the time of the device is over."""
    lab = fleet(tmp_path, "late", load(ROOT / "inventory"), NODES)
    lab.start()
    lab.write()
    nodes = [lab.plan.nodes[name] for name in NODES]

    class Died(Exception):
        pass

    def die(_node: str, stage: str, _data: object) -> None:
        if stage == "sent":
            raise Died

    late = {name for name in NODES if platform(NODES[name][0]).undo.reboots is False}  # type: ignore[union-attr]
    asked = set[str]()

    def slow(node: Node) -> Platform | None:
        kind = kind_of(node)
        undo = kind.undo if kind is not None else None
        if kind is None or undo is None or node.name not in late:
            return kind

        def pending(session: Session) -> str | None:
            if node.name not in asked:
                asked.add(node.name)
                lab.do(partial(lab.served[node.name].box.pass_time, 3600.0))
            return undo.pending(session)

        return replace(kind, undo=replace(undo, pending=pending))

    try:
        netmiko.run(reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, record=die)
        monkeypatch.setattr(look, "kind_of", slow)
        results = netmiko.run(
            reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, alone=True,
            doubted=lambda _: True,
        )  # fmt: skip
        said = {one.node: one.outcome for one in results if one.node in late}
        assert asked == late and len(late) >= 4
        assert set(said.values()) == {"changed"}, said
        again = netmiko.run(reached(lab), Store(), lab.plan, nodes, check=True, progress=lambda _: None)
        assert {one.outcome for one in again if one.node in late} == {"unchanged"}
    finally:
        lab.stop()


@pytest.mark.parametrize("line", [1, 3])
def test_a_connection_that_ends_while_a_device_confirms_or_saves_is_told_as_it_is(
    tmp_path: Path, line: int
) -> None:
    lab = fleet(tmp_path, "cut", load(ROOT / "inventory"), NODES)
    lab.start()
    lab.write()

    def cut(name: str, stage: str, _data: object) -> None:
        if stage == "checked":
            lab.do(partial(lab.served[name].set_faults, Fault("cut-after", line)))

    nodes = [lab.plan.nodes[name] for name in NODES]

    def run(check: bool) -> dict[str, str]:
        results = netmiko.run(
            reached(lab), Store(), lab.plan, nodes, check=check, progress=lambda _: None, record=cut
        )
        return {one.node: one.outcome for one in results}

    try:
        said = run(False)
        assert sum(bool(one.struck) for one in lab.served.values()) >= len(NODES) // 2
        for one in lab.served.values():
            lab.do(one.set_faults)
            lab.do(partial(one.box.pass_time, 3600.0))
        holds = run(True)
        for name, one in lab.served.items():
            if said[name] != "uncertain":
                stays = said[name] == "changed"
                assert (holds[name] == "unchanged") == stays, (name, said[name])
                assert one.box.configuration() == one.box.saved(), (name, said[name])
        assert sum(outcome == "changed" for outcome in said.values()) >= len(NODES) - 2, said
    finally:
        lab.stop()


@pytest.mark.parametrize("line", [3, 6])
def test_a_line_refused_around_the_confirmation_leaves_nothing_unsaved(tmp_path: Path, line: int) -> None:
    """Whether it was confirmed cannot be seen then; the next run looks, and saves what is in force."""
    lab = fleet(tmp_path, "refused", load(ROOT / "inventory"), NODES)
    lab.start()
    lab.write()
    journal = Journal(tmp_path / "journal.sqlite")
    number = journal.begin("apply", "lab", ["loc-ninh"], "1", "x")

    def refuse(name: str, stage: str, data: Mapping[str, object]) -> None:
        journal.reached(number, name, stage, data)
        if stage == "checked":
            lab.do(partial(lab.served[name].set_faults, Fault("reject", line)))

    nodes = [lab.plan.nodes[name] for name in NODES]

    def run(record: Callable[[str, str, Mapping[str, object]], None]) -> dict[str, tuple[str, str]]:
        results = netmiko.run(
            reached(lab), Store(), lab.plan, nodes, check=False, progress=lambda _: None, record=record,
            unsaved=frozenset(journal.unsaved()), doubted=lambda node: node.name not in journal.sure(),
            alone=True,
        )  # fmt: skip
        return {one.node: (one.outcome, one.detail) for one in results}

    try:
        first = run(refuse)
        for one in lab.served.values():
            lab.do(one.set_faults)
            for _ in range(4):  # one that returns may start anew
                lab.do(partial(one.box.pass_time, 3600.0))
        time.sleep(1.0)  # their doors are opened anew
        second = run(partial(journal.reached, number))
        assert {outcome for outcome, _ in second.values()} <= {"changed", "unchanged"}, (first, second)
        for name, one in lab.served.items():
            assert one.box.configuration() == one.box.saved(), (name, first[name], second[name])
    finally:
        lab.stop()


def test_a_device_with_another_key_is_told_nothing(lab: Fleet) -> None:
    name = next(iter(NODES))
    one = lab.served[name]
    lab.do(lambda: one.set_faults(Fault("host-key")))
    lab.do(one.history.clear)
    time.sleep(0.4)  # its door is opened anew
    try:
        results = netmiko.run(
            reached(lab), Store(), lab.plan, [lab.plan.nodes[name]], check=True, progress=lambda _: None
        )
    finally:
        lab.do(one.set_faults)
    assert results[0].outcome in {"failed", "unreachable"}
    assert "host key" in results[0].detail.lower()
    assert list(one.history) == []
