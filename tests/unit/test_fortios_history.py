"""What somebody else configured on a FortiGate stays as it is, and where ours stands among it."""

from __future__ import annotations

import pytest

from lienthong.platforms.dialects.fortios import FORTIOS
from lienthong.platforms.dialects.fortios_scope import LAST
from tests.fortios import box_of, by_hand, drive, history, merged


def test_a_new_local_in_policy_comes_before_those_that_drop() -> None:
    found = drive()
    table = "config firewall local-in-policy"
    first = next(line[1] for line in found.intended if line[0] == table)
    later = tuple(line for line in found.intended if line[:2] != (table, first))
    found.bring(later)
    found.bring()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order.index(first) < order.index(f"edit {LAST}")
    # An officer moves it behind.
    by_hand(found, table, f"move {first.split()[1]} after {LAST}", "end")
    assert found.diff().told == (f"- {table} / {first} / misplaced",)
    found.bring()
    assert not found.diff()


def test_local_in_policies_stand_before_those_of_others_too() -> None:
    found = drive()
    box, table = box_of(found), "config firewall local-in-policy"
    old = """    edit 5
        set intf "wan1"
        set srcaddr "all"
        set dstaddr "all"
        set service "PING"
        set schedule "always"
    next
"""
    box.load(merged(box.configuration(), f"{table}\n{old}end\n"))
    found.bring()
    assert not found.diff()
    fewer = tuple(
        line for line in found.intended if line[0] != table or int(line[1].split()[1]) <= LAST + 10**6
    )
    found.bring(fewer)
    found.bring()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order[-1] == "edit 5"
    assert len(order) > 25
    assert not found.diff()


def test_firewall_policies_stand_before_those_of_others() -> None:
    found = drive()
    table = "config firewall policy"
    diff = found.bring()
    assert (table, "behind 1") in diff.removed
    first = next(line[1] for line in found.intended if line[0] == table)
    fewer = tuple(line for line in found.intended if line[:2] != (table, first))
    found.bring(fewer)
    found.bring()  # a new one comes before the one that drops the rest
    assert not found.diff()
    order = [line[1] for line in found.running() if line[0] == table and len(line) == 2]
    assert order[-2:] == [f"edit {LAST}", "edit 1"]
    by_hand(found, table, "move 1 before " + order[0].split()[1], "end")
    assert len(found.diff().removed) == len(order) - 1
    found.bring()
    assert not found.diff()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_not_one_foreign_line_of_a_device_with_a_history_is_touched(seed: int) -> None:
    found = drive()
    box = box_of(found)
    box.load(merged(box.configuration(), history(seed)))
    before, raw = found.running(), box.configuration().splitlines()
    assert len(history(seed).splitlines()) > 500
    wanted = frozenset(found.intended)
    foreign = [line for line in before if not FORTIOS.owns(line, wanted)]
    diff = found.bring()
    after = set(found.running())
    assert all(line in after for line in foreign)
    # Every line that was there is there, in its order, but for the values that the plan replaced.
    replaced = {str(line[-1]).split()[1] for line in diff.removed}
    rest = iter(box.configuration().splitlines())
    left = [line for line in raw if not replaced.intersection(line.split()[1:2])]
    assert all(any(line == other for other in rest) for line in left)
    assert not found.diff()
    # And back again: what was typed for the way back leads to where it came from, byte for byte.
    session = found.session()
    session.configure(FORTIOS.commands(diff.added, diff.removed))
    session.close()
    assert set(found.running()) == set(before)


def test_what_others_told_ospf_and_an_interface_of_the_plan_stays() -> None:
    found = drive()
    box = box_of(found)
    ospf = """config router ospf
    set router-id 192.0.2.2
    set passive-interface "dmz" "wan1"
    config area
        edit 0.0.0.0
        next
    end
    config network
        edit 1
            set prefix 10.10.10.0 255.255.255.0
        next
    end
    config redistribute "static"
        set status enable
    end
end
"""
    box.load(
        merged(box.configuration(), ospf).replace(
            "        set role wan\n", "        set role wan\n        set mtu 1400\n"
        )
    )
    found.bring()
    running = set(found.running())
    assert ("config router ospf", 'append passive-interface "dmz"') in running
    assert ("config router ospf", 'append passive-interface "wan1"') not in running  # the office is behind it
    assert (
        "config router ospf",
        "config network",
        "edit 1",
        "set prefix 10.10.10.0 255.255.255.0",
    ) in running
    assert ("config router ospf", 'config redistribute "static"', "set status enable") in running
    assert ("config system interface", 'edit "wan1"', "set mtu 1400") in running
    added = {line[1] for line in running if line[-1].startswith("set uuid ")}
    assert 'edit "lt-10.0.40.0-24"' in added  # what the device adds is nobody's
    assert not found.diff()


def test_the_way_back_returns_exactly() -> None:
    found = drive()
    before = box_of(found).configuration()
    diff = found.bring()
    session = found.session()
    session.configure(FORTIOS.commands(diff.added, diff.removed))
    session.close()
    assert sorted(box_of(found).configuration().splitlines()) == sorted(before.splitlines())
