"""A short seeded part of the campaign, and what the judge says of a device that is half changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lienthong.drill import campaign
from lienthong.drill.ground import LAB, candidates
from lienthong.drill.judge import Snapshot, of_all, wrong
from lienthong.sim.box import Box, Timer
from lienthong.sim.vendors import discover

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", ["7/fault/0", "7/kill/1"])
def test_a_round_of_faults_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    monkeypatch.setenv("LIENTHONG_LAB", LAB)
    found = campaign.one_round(ROOT, tmp_path / "ground", seed, "/kill/" in seed)
    assert found["wrong"] == []
    assert found["kill"] or len(found["struck"]) >= 4, "hardly a fault has struck"


#: What a device will do by itself, as each vendor's box calls it.
OWN_UNDO = (
    "commit trial",
    "commit confirmed",
    "rollback",
    "schedule reboot",
    "cfg-revert",
    "schedule lienthong-undo",
)


def test_devices_whose_own_undo_does_nothing_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Box.after

    def after(self: Box, seconds: float, what: Callable[[], None], name: str = "") -> Timer:
        return begin(self, seconds, (lambda: None) if name.startswith(OWN_UNDO) else what, name)

    monkeypatch.setattr(Box, "after", after)
    monkeypatch.setenv("LIENTHONG_LAB", LAB)
    # When it is killed is never twice the same: one of these is enough.
    for number, seed in enumerate(("7/kill/10", "7/kill/8", "7/kill/5") * 3):
        found = campaign.one_round(ROOT, tmp_path / str(number), seed, kill=True)
        if any("holds neither" in one for one in found["wrong"]):
            return
    pytest.fail("nobody noticed")


def test_every_vendor_with_an_undo_is_drilled() -> None:
    drilled = {platform for found in candidates().values() for platform, _ in found}
    assert drilled == {vendor.platform for vendor in discover().values()} - {"cisco-roomos"}


@pytest.mark.parametrize(
    ("said", "held", "saved", "why"),
    [
        ("changed", "neither", True, "neither"),
        (None, "neither", True, "neither"),
        ("changed", "before", True, "said to be changed"),
        ("changed", "intended", False, "not saved"),
        ("failed", "intended", True, "said to be failed"),
        ("failed", "before", False, "come up with something else"),
        ("unreachable", "intended", True, "said to be unreachable"),
        ("unchanged", "before", True, "said to be unchanged"),
        ("changed", "intended", True, ""),
        ("uncertain", "before", True, ""),
        ("uncertain", "intended", True, ""),
        (None, "before", True, ""),
    ],
)
def test_the_judge_believes_the_device_and_not_the_tool(said: str, held: str, saved: bool, why: str) -> None:
    found = wrong("sw", said, held, saved)  # type: ignore[arg-type]
    assert (why in found) if why else found == ""


def test_a_device_of_which_a_run_that_ended_tells_nothing_is_wrong() -> None:
    class Content:
        def held(self, *_: object) -> str:
            return "both"

    now = {"sw": Snapshot(frozenset(), saved=True)}
    judge: Any = Content()
    assert of_all(judge, now, {}, now)[1] == ["sw is missing in what was told"]
    assert of_all(judge, now, {"sw": "unchanged"}, now)[1] == []
    assert of_all(judge, now, {}, now, ended=False)[1] == []
