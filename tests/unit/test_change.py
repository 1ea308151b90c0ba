"""A change as a value: what is told, what leads back, how risky it is, and that a file keeps all of it."""

from __future__ import annotations

import json

import pytest

from lienthong.change import as_data, change_of, fingerprint, from_data
from lienthong.diff import compare
from lienthong.guard import Predicted
from lienthong.platforms import Dialect, Lines, platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.leaves import leaves
from lienthong.platforms.dialects.ovs import OVS

HAS = leaves("interface vlan10\n description old\n ip address 10.0.1.1/24\n")
WANTS = leaves("interface vlan10\n description new\n ip address 10.0.1.1/24\n")
ROUTES = leaves("interface vlan10\n description old\n ip address 10.0.2.1/24\n")


def part(dialect: Dialect, has: Lines, wants: Lines) -> Predicted:
    return Predicted(dialect, has, compare(dialect, wants, has))


def change(wants: Lines, refused: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    parts = {"ovs": part(OVS, (), ()), "frr": part(FRR, HAS, wants)}
    return change_of("gw", platform("linux-gw"), parts, refused, 45)


def test_only_what_differs_is_a_part_and_the_rollback_is_the_way_back() -> None:
    found = change(WANTS)
    assert [one.dialect for one in found.parts] == ["frr"]
    assert found.parts[0].commands == ("interface vlan10", "description new", "exit")
    assert found.parts[0].rollback == ("interface vlan10", "description old", "exit")
    assert found.told == (
        "frr: - interface vlan10 / description old",
        "frr: + interface vlan10 / description new",
    )


def test_risk_is_what_could_happen() -> None:
    assert change(WANTS).risk == "low"
    assert change(ROUTES).risk == "medium"
    assert change(WANTS, ("it strands the site",)).risk == "high"
    assert "it strands the site" in change(WANTS, ("it strands the site",)).why[0]


def test_the_undo_is_named_with_its_time() -> None:
    found = change(WANTS)
    assert "timer" in found.undo
    assert (found.window_s, found.reboots) == (45, False)


def test_a_file_keeps_all_of_it() -> None:
    found = change(ROUTES)
    assert from_data(json.loads(json.dumps(as_data(found)))) == found


@pytest.mark.parametrize("spoiled", [{}, {"parts": 3}, {"parts": [{}]}])
def test_what_is_no_change_is_not_read(spoiled: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no change"):
        from_data(spoiled)


def test_a_fingerprint_knows_every_line_and_no_order() -> None:
    assert fingerprint({"frr": HAS}) == fingerprint({"frr": tuple(reversed(HAS))})
    assert fingerprint({"frr": HAS}) != fingerprint({"frr": WANTS})
    assert fingerprint({"frr": HAS}) != fingerprint({"ovs": HAS})


def test_the_same_change_of_two_devices_is_alike() -> None:
    assert change(WANTS).likeness == change(WANTS).likeness
    assert change(WANTS).likeness != change(ROUTES).likeness
