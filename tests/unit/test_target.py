"""Lab and live are never confused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lienthong.errors import Exit, LienThongError, Unreachable
from lienthong.inventory import load
from lienthong.model.words import Target
from lienthong.plan.build import build
from lienthong.target import resolve

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIENTHONG_LAB", "x")
    monkeypatch.delenv("LIENTHONG_TARGET", raising=False)
    return tmp_path


def start_lab(checkout: Path) -> None:
    folder = checkout / "run" / "lab" / "x"
    folder.mkdir(parents=True)
    state = {"management": {"loc-ninh-srv": "10.255.0.29"}}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")


def test_without_a_lab_the_target_must_be_named(checkout: Path) -> None:
    with pytest.raises(LienThongError, match="no target") as caught:
        resolve(checkout)
    assert caught.value.exit_code is Exit.BAD_INPUT
    assert resolve(checkout, "live").target is Target.LIVE


def test_a_lab_that_is_asked_for_and_down_is_unreachable(checkout: Path) -> None:
    with pytest.raises(Unreachable):
        resolve(checkout, "lab")


def test_while_the_lab_is_up_it_is_the_default_and_live_must_be_named(checkout: Path) -> None:
    start_lab(checkout)
    assert resolve(checkout).target is Target.LAB
    assert resolve(checkout, "live").target is Target.LIVE


def test_an_unknown_target_is_refused(checkout: Path) -> None:
    with pytest.raises(LienThongError, match="no target 'prod'"):
        resolve(checkout, "prod")


@pytest.mark.parametrize("target", ["lab", "live"])
def test_the_other_side_is_never_reached(
    checkout: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_lab(checkout)
    server = build(load(ROOT / "inventory")).nodes["loc-ninh-srv"]
    monkeypatch.setenv("LIENTHONG_SIDE", server.side.value)
    assert resolve(checkout, target).reaches(server)
    monkeypatch.setenv("LIENTHONG_SIDE", "net")
    assert not resolve(checkout, target).reaches(server)
    with pytest.raises(Unreachable, match="of side wan, and this controller of side net"):
        resolve(checkout, target).address(server)
    monkeypatch.setenv("LIENTHONG_SIDE", "dmz")
    with pytest.raises(LienThongError, match="no such side"):
        resolve(checkout, target)


def test_the_lab_uses_nothing_of_the_inventory_and_live_nothing_of_the_lab(checkout: Path) -> None:
    start_lab(checkout)
    plan = build(load(ROOT / "inventory"))
    server, other = plan.nodes["loc-ninh-srv"], plan.nodes["bu-dang-srv"]
    lab, live = resolve(checkout, "lab"), resolve(checkout, "live")
    assert str(lab.address(server)) == "10.255.0.29"
    assert live.address(server) == server.address
    with pytest.raises(Unreachable, match="bu-dang-srv does not run in this lab"):
        lab.address(other)
    for path in (lab.key_file, lab.known_hosts, lab.secrets_file):
        assert path.resolve().is_relative_to((checkout / "run" / "lab" / "x").resolve())
    for path in (live.key_file, live.known_hosts, live.secrets_file):
        assert not path.resolve().is_relative_to((checkout / "run").resolve())
    assert lab.out != live.out
    assert live.management_interfaces == ()
