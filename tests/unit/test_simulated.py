"""Gear of a lab that is not booted: simulated, or refused by name where nothing simulates it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lienthong.errors import LienThongError
from lienthong.lab import lifecycle, simulated


def told(*kinds: str) -> tuple[Any, Any]:
    """(plan, topology) of systems that are not booted, of those kinds, beside one that is."""
    devices = {
        f"dev-{kind}": SimpleNamespace(device=SimpleNamespace(platform=kind, model="x"), platform=None)
        for kind in kinds
    }
    systems = [SimpleNamespace(name="srv", booted=True)]
    systems += [SimpleNamespace(name=name, booted=False) for name in devices]
    return SimpleNamespace(nodes=devices), SimpleNamespace(systems=systems)


def test_gear_of_vendors_is_simulated() -> None:
    assert simulated.gear(*told("cisco-ios", "juniper-junos")) == {
        "dev-cisco-ios": ("cisco-ios", "x"),
        "dev-juniper-junos": ("juniper-junos", "x"),
    }


def test_gear_that_nothing_simulates_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    known = simulated._is_simulated
    monkeypatch.setattr(simulated, "_is_simulated", lambda kind: kind != "huawei-vrp" and known(kind))
    with pytest.raises(LienThongError, match="dev-huawei-vrp: software that the lab can neither start"):
        simulated.gear(*told("cisco-ios", "huawei-vrp"))


def test_nobody_enters_a_simulated_device() -> None:
    now = cast(Any, SimpleNamespace(acted=("gw",), nodes={"srv": 1}, without=("db",)))
    assert cast(Any, lifecycle.booted(now, "srv")) == 1
    with pytest.raises(LienThongError, match="gw is a simulated device"):
        lifecycle.booted(now, "gw")
    with pytest.raises(LienThongError, match="db"):
        lifecycle.booted(now, "db")
    with pytest.raises(LienThongError, match="no node 'other'"):
        lifecycle.booted(now, "other")
