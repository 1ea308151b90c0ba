"""What the guard refuses, and what the runner does when something goes wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lienthong import guard
from lienthong.diff import compare
from lienthong.errors import Refused
from lienthong.guard import Management, Predicted
from lienthong.inventory import load
from lienthong.model.secret import Secret, SecretRef
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.platforms import Dialect, Line
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.leaves import leaves
from lienthong.platforms.dialects.ovs import OVS, SHOW
from lienthong.runners import netmiko
from lienthong.runners.result import StepResult
from lienthong.target import Access
from lienthong.transport.replay import ReplayDevice

ROOT = Path(__file__).resolve().parents[2]
LIVE = Management(frozenset(), IPv4Address("10.0.44.2"))
LAB = Management(frozenset({"mgmt0"}), None)
SWITCH_FRR = leaves(
    "interface vlan40\n description management\n ip address 10.0.44.2/24\n"
    "interface e24\n description unused\n shutdown\nip route 0.0.0.0/0 10.0.44.1 tag 227\n"
)
SWITCH_OVS: tuple[Line, ...] = (
    ("bridge br-lan netdev standalone",),
    ("port br-lan e1 trunk 10,20,40",),
    ("port br-lan e11 access 40",),
    ("port br-lan vlan40 access 40 internal",),
)


def predict(dialect: Dialect, intended: tuple[Line, ...], running: tuple[Line, ...]) -> Predicted:
    return Predicted(dialect, running, compare(dialect, intended, running))


def look(
    management: Management,
    frr: tuple[Line, ...] = SWITCH_FRR,
    ovs: tuple[Line, ...] = SWITCH_OVS,
    allowed: frozenset[str] = frozenset(),
) -> None:
    changes = {"ovs": predict(OVS, ovs, SWITCH_OVS), "frr": predict(FRR, frr, SWITCH_FRR)}
    guard.check("sw", changes, management, allowed)


def swapped(lines: tuple[Line, ...], old: str, new: str | None) -> tuple[Line, ...]:
    """The lines with one replaced or, with None, left out; `old` must be there."""
    assert any(line[-1] == old for line in lines)
    return tuple(
        (*line[:-1], line[-1] if line[-1] != old else str(new))
        for line in lines
        if new is not None or line[-1] != old
    )


def test_an_ordinary_change_passes() -> None:
    look(LIVE, swapped(SWITCH_FRR, "description unused", "description spare"))
    look(LIVE, ovs=swapped(SWITCH_OVS, "port br-lan e1 trunk 10,20,40", "port br-lan e1 trunk 10,20,30,40"))


@pytest.mark.parametrize(
    ("frr", "ovs", "why"),
    [
        (swapped(SWITCH_FRR, "ip address 10.0.44.2/24", "ip address 10.0.44.9/24"), SWITCH_OVS, "10.0.44.2"),
        (
            (*SWITCH_FRR, ("interface vlan40", "shutdown")),
            SWITCH_OVS,
            "shuts the management address",
        ),
        (swapped(SWITCH_FRR, "ip route 0.0.0.0/0 10.0.44.1 tag 227", None), SWITCH_OVS, "default route"),
        (
            SWITCH_FRR,
            swapped(SWITCH_OVS, "port br-lan e1 trunk 10,20,40", "port br-lan e1 trunk 10,20"),
            "off e1",
        ),
        (
            SWITCH_FRR,
            swapped(
                SWITCH_OVS, "port br-lan vlan40 access 40 internal", "port br-lan vlan40 access 20 internal"
            ),
            "off vlan40",
        ),
    ],
)
def test_a_change_of_the_management_path_is_refused_by_name(
    frr: tuple[Line, ...], ovs: tuple[Line, ...], why: str
) -> None:
    with pytest.raises(Refused, match="management-path@sw") as refusal:
        look(LIVE, frr, ovs)
    assert why in refusal.value.what
    look(LIVE, frr, ovs, frozenset({"management-path@sw"}))
    with pytest.raises(Refused):
        look(LIVE, frr, ovs, frozenset({"management-path@other"}))


@pytest.mark.parametrize(
    ("frr", "ovs"),
    [
        ((*SWITCH_FRR, ("interface mgmt0", "shutdown")), SWITCH_OVS),
        (SWITCH_FRR, (*SWITCH_OVS, ("port br-lan mgmt0 access 10",))),
        ((*SWITCH_FRR, ("ip route 10.9.0.0/16 mgmt0 tag 227",)), SWITCH_OVS),
    ],
)
def test_the_labs_management_port_is_not_to_be_named(frr: tuple[Line, ...], ovs: tuple[Line, ...]) -> None:
    with pytest.raises(Refused, match="mgmt0"):
        look(LAB, frr, ovs)


def test_a_change_that_removes_much_is_refused_by_name() -> None:
    few = SWITCH_FRR[:2]
    with pytest.raises(Refused, match="large-removal@sw"):
        look(LAB, (*few, ("interface e24", "description unused")), SWITCH_OVS[:1])
    look(
        LAB, (*few, ("interface e24", "description unused")), SWITCH_OVS[:1], frozenset({"large-removal@sw"})
    )


def test_replacing_is_not_removing() -> None:
    look(LAB, ovs=tuple((line[0].replace("access 40", "access 20"),) for line in SWITCH_OVS))


# The runner, against a device made of text.

PLAN = build(load(ROOT / "inventory"))
NODE = PLAN.nodes["loc-ninh-gw-net"]
SHOW_FRR = "show running-config"
EMPTY = {
    SHOW: "\n".join(['{"headings": ["name"], "data": []}'] * 3),
    SHOW_FRR: "service integrated-vtysh-config\n",
}


class Store:
    """One secret for every name."""

    def get(self, ref: SecretRef) -> Secret:
        return Secret("abcdef0123456789")


def bring(device: ReplayDevice, *, check: bool = False) -> StepResult:
    access = Access(Target.LAB, ROOT, "lienthong", "netadm", Path("k"), Path("h"), {}, Path("s"))
    (result,) = netmiko.run(
        access, Store(), PLAN, [NODE], check=check, progress=lambda _: None,
        connect=lambda *_: device.log_in(),
    )  # fmt: skip
    return result


def test_planning_sends_nothing() -> None:
    device = ReplayDevice(EMPTY)
    result = bring(device, check=True)
    assert result.outcome == "changed"
    assert "frr: + interface inet0 / ip address 203.0.113.22/30" in result.changes
    assert set(device.done) == {"login", "close"}


def test_a_rejected_line_ends_the_sending_and_returns_the_device() -> None:
    device = ReplayDevice(EMPTY, refuses="203.0.113.22/30")
    result = bring(device)
    assert result.outcome == "failed"
    assert "refused 'ip address 203.0.113.22/30'" in result.detail
    assert device.done.index("arm") < device.done.index("send interface inet0")
    assert not [entry for entry in device.done if "ip route" in entry]
    assert "fire" in device.done
    assert "save" not in device.done


def test_what_is_not_in_force_on_the_new_login_is_returned_and_never_saved() -> None:
    device = ReplayDevice(EMPTY)  # takes every line and forgets it
    result = bring(device)
    assert result.outcome == "failed"
    assert "not in force after the change" in result.detail
    assert "fire" in device.done
    assert not {"confirm", "save"} & set(device.done)


def test_a_device_that_cannot_be_reached_any_more_is_reported_and_left_to_its_undo() -> None:
    device = ReplayDevice(EMPTY, lost=True)
    result = bring(device)
    assert result.outcome == "uncertain"
    assert "returns by itself within 62 s" in result.detail
    assert "confirm" not in device.done


def test_the_guard_speaks_before_anything_is_armed() -> None:
    assert NODE.device is not None
    bad = replace(NODE.device.interfaces[0], name="mgmt0")
    node = replace(NODE, device=replace(NODE.device, interfaces=(bad,)))
    device = ReplayDevice(EMPTY)
    access = Access(Target.LAB, ROOT, "lienthong", "netadm", Path("k"), Path("h"), {}, Path("s"))
    (result,) = netmiko.run(
        access,
        Store(),
        PLAN,
        [node],
        check=False,
        progress=lambda _: None,
        connect=lambda *_: device.log_in(),
    )
    assert result.outcome == "failed"
    assert "management-path@loc-ninh-gw-net" in result.detail
    assert set(device.done) == {"login", "close"}
