"""A plan that is kept: read back, refused when the world has moved, signed by a second officer or not at
all."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lienthong import planfile
from lienthong.change import as_data, change_of
from lienthong.diff import compare
from lienthong.errors import LienThongError, Refused
from lienthong.guard import Predicted
from lienthong.model.words import Target
from lienthong.platforms import platform
from lienthong.platforms.dialects.frr import FRR
from lienthong.platforms.dialects.leaves import leaves
from lienthong.provision import Report
from lienthong.runners.result import StepResult

HAS = leaves("interface vlan10\n description old\n")


def result(wants: str = "new", has: Any = HAS) -> StepResult:
    diff = compare(FRR, leaves(f"interface vlan10\n description {wants}\n"), has)
    change = change_of("gw", platform("linux-gw"), {"frr": Predicted(FRR, has, diff)}, (), 60)
    return StepResult("gw", "gear", "netmiko", "changed", change.told, change=as_data(change))


HOST = StepResult("srv", "app", "pyinfra", "changed", ("new /etc/x",))


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(planfile, "fingerprint", lambda ws: ws.inputs)
    monkeypatch.setenv("LIENTHONG_OFFICER", "an")
    site = SimpleNamespace(site=SimpleNamespace(level=3))
    (tmp_path / "inventory").mkdir()
    return SimpleNamespace(
        access=SimpleNamespace(target=Target.LIVE), inputs="i1", root=tmp_path, site=lambda _: site
    )


def kept(ws: Any, *results: StepResult) -> Path:
    path = Path(ws.root) / "plan.json"
    planfile.write(path, ws, ["loc-ninh"], "wan", Report("plan", results or (result(), HOST), 1.0))
    return path


def test_what_was_kept_is_read(ws: Any) -> None:
    found = planfile.read(kept(ws))
    assert (found.target, found.side, found.sites, found.author) == ("live", "wan", ("loc-ninh",), "an")
    assert found.gear["gw"].told == result().changes
    assert found.hosts == {"srv pyinfra": ("new /etc/x",)}


def test_a_plan_with_holes_is_none(ws: Any) -> None:
    with pytest.raises(LienThongError, match="srv could not be looked at"):
        kept(ws, result(), StepResult("srv", "app", "pyinfra", "unreachable"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"lienthong-plan": 2}', '{"lienthong-plan": 1, "gear": 3}']
)
def test_what_is_no_plan_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LienThongError, match="no plan of this tool"):
        planfile.read(path)


def now(*results: StepResult) -> Report:
    return Report("plan", results, 1.0)


def test_a_plan_holds_while_nothing_has_moved(ws: Any) -> None:
    planfile.still_true(planfile.read(kept(ws)), ws, now(result(), HOST))


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        ((HOST,), "gw"),
        ((result("other"), HOST), "gw"),
        ((result(has=(*HAS, ("ip route 10.9.0.0/16 10.0.0.1",))), HOST), "gw"),
        ((result(),), "srv pyinfra"),
        ((result(), HOST, StepResult("vc", "app", "pyinfra", "changed", ("x",))), "vc pyinfra"),
    ],
)
def test_whatever_has_moved_is_named(ws: Any, seen: tuple[StepResult, ...], named: str) -> None:
    with pytest.raises(Refused, match=f"moved since the plan was made: {named}\n"):
        planfile.still_true(planfile.read(kept(ws)), ws, now(*seen))


def test_other_inputs_or_another_target_are_refused(ws: Any) -> None:
    plan = planfile.read(kept(ws))
    ws.inputs = "i2"
    with pytest.raises(Refused, match="inventory, a template or the tool"):
        planfile.still_true(plan, ws, now(result(), HOST))
    ws.inputs, ws.access.target = "i1", Target.LAB
    with pytest.raises(Refused, match="made for live, this is lab"):
        planfile.still_true(plan, ws, now(result(), HOST))


def officer(ws: Any, name: str) -> Path:
    key = ws.root / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, "-C", name], check=True)
    public = Path(f"{key}.pub").read_text(encoding="utf-8")
    with (ws.root / planfile.OFFICERS).open("a", encoding="utf-8") as file:
        file.write(f"{name} {public}")
    return Path(key)


def sign(path: Path, key: Path, namespace: str = planfile.NAMESPACE) -> None:
    Path(f"{path}.sig").unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key, path], check=True, capture_output=True
    )


def test_a_second_officer_signs_and_nobody_else_can(ws: Any) -> None:
    path = kept(ws)
    plan = planfile.read(path)
    with pytest.raises(Refused, match="is not signed"):
        planfile.check_signature(plan, path, ws)
    first, second = officer(ws, "an"), officer(ws, "binh")
    sign(path, second)
    assert planfile.check_signature(plan, path, ws) == "binh"
    sign(path, first)
    with pytest.raises(Refused, match="an made this plan"):
        planfile.check_signature(plan, path, ws)
    sign(path, second, "something-else")
    with pytest.raises(Refused, match="does not fit"):
        planfile.check_signature(plan, path, ws)
    (ws.root / planfile.OFFICERS).write_text("", encoding="utf-8")
    sign(path, second)
    with pytest.raises(Refused, match="signed by nobody"):
        planfile.check_signature(plan, path, ws)


def test_a_plan_that_was_changed_after_it_was_signed_is_refused(ws: Any) -> None:
    path = kept(ws)
    officer(ws, "an")
    sign(path, officer(ws, "binh"))
    data = json.loads(path.read_text(encoding="utf-8"))
    data["gear"][0]["parts"][0]["commands"].append("no router ospf")
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(Refused, match="does not fit"):
        planfile.check_signature(planfile.read(path), path, ws)


def test_below_that_level_and_in_a_lab_no_signature_is_asked(ws: Any) -> None:
    path = kept(ws)
    ws.site("x").site.level = 2
    assert planfile.check_signature(planfile.read(path), path, ws) is None
    ws.site("x").site.level = 5
    ws.access.target = Target.LAB
    assert planfile.check_signature(planfile.read(path), path, ws) is None
