"""Checks of gear by its command line: pure functions of what a device shows, held against every vendor."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network
from types import ModuleType
from typing import Any

import pytest

from lienthong.checks import Evidence, mark_of
from lienthong.facts.gear import GearFacts
from lienthong.model.words import Role, Target
from lienthong.platforms import Reach
from lienthong.target import Access
from tests.boxes import ROOT, province, told
from tests.unit.test_vendors import cases, drive


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks_device", ROOT / "checks" / "test_device.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS: dict[str, Callable[..., None]] = {
    name: function for name, function in vars(_module()).items() if mark_of(function) is not None
}
ACCESS = Access(Target.LAB, ROOT, "lienthong", "netadm", ROOT / "none", ROOT / "none", {}, ROOT / "none")
each = pytest.mark.parametrize(("vendor", "role", "model"), cases())


class Brought:
    """A device that holds its intent, and what it shows."""

    def __init__(self, vendor: str, role: Role, model: str | None) -> None:
        device = drive(vendor, role, model)
        device.bring()
        self.node = device.node
        running = device.running()
        assert device.dialect.reach is not None
        self.facts = GearFacts(
            self.node.name,
            {device.dialect.name: running},
            device.dialect.reach(running),
            told(self.node).sockets,
        )

    def wrong(self, facts: GearFacts | None = None) -> dict[str, str]:
        """Why, by check that fails."""
        found = {}
        for name, check in CHECKS.items():
            mark = mark_of(check)
            assert mark is not None and mark.nodes is not None
            if not mark.nodes.matches(replace(self.node, debian=False)):
                continue
            known: dict[str, Any] = {
                "device": facts or self.facts, "node": self.node, "plan": province(), "access": ACCESS,
                "evidence": Evidence(),
            }  # fmt: skip
            names = check.__code__.co_varnames[: check.__code__.co_argcount]
            try:
                check(**{word: known[word] for word in names})
            except AssertionError as error:
                found[name] = str(error)
        return found

    def but(self, **what: object) -> dict[str, str]:
        """Why, by check that fails, were the device otherwise in this."""
        return self.wrong(replace(self.facts, reach=replace(self.facts.reach, **what)))  # type: ignore[arg-type]


@each
def test_a_device_that_holds_its_intent_passes_and_each_fault_is_found_by_its_check_alone(
    vendor: str, role: Role, model: str | None
) -> None:
    device = Brought(vendor, role, model)
    assert device.wrong() == {}
    reach: Reach = device.facts.reach
    assert device.but(ssh=False).keys() == {"test_only_management_networks_may_log_in"}
    anywhere = (IPv4Network("0.0.0.0/0"),)
    assert "logins from 0.0.0.0/0" in device.but(logins=anywhere)["test_only_management_networks_may_log_in"]
    assert "not answered" in device.but(logins=())["test_only_management_networks_may_log_in"]
    assert device.but(local=False).keys() == {"test_local_accounts_work_when_no_server_answers"}
    users = frozenset(reach.users or ()) | {"admin"}
    assert device.but(users=users) == {"test_accounts_are_the_planned_ones": "in no plan: admin"}
    assert "netadm is missing" in device.but(users=frozenset())["test_accounts_are_the_planned_ones"]
    name, first = next(iter(reach.addresses.items()))
    theirs = IPv4Interface("172.16.40.9/24")
    other = next(s for s in province().sites["loc-ninh"].segments.values() if s.side is not device.node.side)
    more = {**reach.addresses, name: (*first, IPv4Interface((other.prefix[9], other.prefix.prefixlen)))}
    assert device.but(addresses=more).keys() == {"test_gear_has_no_leg_in_the_other_side"}
    assert device.but(addresses={**reach.addresses, name: (*first, theirs)}) == {}, (
        "what is foreign is left alone"
    )
    less = {key: value for key, value in reach.addresses.items() if key != name}
    assert "is missing" in device.but(addresses=less)["test_addresses_are_the_planned_ones"]
    own = IPv4Interface((device.node.segment.prefix[77], 24))
    assert (
        "is in no plan"
        in device.but(addresses={**reach.addresses, name: (*first, own)})[
            "test_addresses_are_the_planned_ones"
        ]
    )


@pytest.mark.parametrize(("vendor", "role", "model"), [case for case in cases() if case[1] is Role.SWITCH])
def test_a_port_with_another_vlan_is_found(vendor: str, role: Role, model: str | None) -> None:
    device = Brought(vendor, role, model)
    carried = device.facts.reach.carried
    socket = device.facts.socket("e2")
    less = {**carried, socket: frozenset[int]()}
    assert device.but(carried=less).keys() == {"test_ports_carry_the_planned_vlans"}
    more = {**carried, socket: carried[socket] | {100}}
    assert device.but(carried=more).keys() == {
        "test_ports_carry_the_planned_vlans",
        "test_gear_has_no_leg_in_the_other_side",
    }
