"""Layers of packages over the base, and the hosts that are started only where somebody asks for them."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lienthong import services
from lienthong.cli._picked import picked
from lienthong.errors import LienThongError, Unreachable
from lienthong.inventory import load
from lienthong.lab import disk, image, layer, state
from lienthong.lab.image import packages
from lienthong.lab.place import Place
from lienthong.lab.topology import Topology, derive, left_out
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory, Site
from lienthong.plan.build import build
from lienthong.services import discover
from lienthong.target import resolve
from lienthong.workspace import Workspace
from tests.throwaway import BOX, SERVER, SERVICE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def throwaway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One file more among the services, as somebody adds one."""
    (tmp_path / "throwaway.py").write_text(SERVICE, encoding="utf-8")
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    discover.cache_clear()
    yield
    discover.cache_clear()
    sys.modules.pop("lienthong.services.throwaway")


@pytest.fixture
def plan(throwaway: None) -> ProvincePlan:
    """Lộc Ninh with a host that runs nothing else, and a server that runs it beside its own."""
    inventory = load(ROOT / "inventory")
    raw: dict[str, Any] = inventory.sites["loc-ninh"].model_dump(by_alias=True, exclude_none=True)
    raw["hosts"]["box"] = {"segment": "servers", "id": 30, "runs": {"throwaway": {}}}
    raw["hosts"]["srv"]["runs"]["throwaway"] = {}
    raw["devices"]["sw-wan"]["ports"]["e6"] = {"host": "box"}
    sites = {**inventory.sites, "loc-ninh": Site.model_validate(raw)}
    return build(Inventory(province=inventory.province, sites=sites))


@pytest.fixture
def topology(plan: ProvincePlan) -> Topology:
    return derive(plan, ["loc-ninh"])


def test_what_services_need_is_named_as_packages_are(throwaway: None) -> None:
    named = {name for module in discover().values() for name in module.packages}
    assert "memcached" in named
    assert [name for name in named if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)] == []


def test_what_is_in_the_base_makes_no_layer(plan: ProvincePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lienthong.lab.topology.packages", lambda: packages() | {"memcached"})
    found = {system.name: system for system in derive(plan, ["loc-ninh"]).systems}
    assert (found[BOX].packages, found[BOX].optional) == (frozenset(), False)


def test_a_host_that_needs_nothing_but_layers_is_optional(topology: Topology) -> None:
    found = {system.name: system for system in topology.systems}
    wanted = frozenset({"memcached"})
    assert (found[BOX].packages, found[BOX].optional) == (wanted, True)
    assert (found[SERVER].packages, found[SERVER].optional) == (wanted, False)
    assert (found["loc-ninh-vc"].packages, found["loc-ninh-vc"].optional) == (frozenset(), False)
    assert not any(system.optional for system in topology.systems if system.name != BOX)


def test_it_is_left_out_unless_somebody_asks(topology: Topology) -> None:
    assert left_out(topology, full=False) == (BOX,)
    assert left_out(topology, full=True) == ()
    assert left_out(topology, full=False, also=[BOX]) == ()
    with pytest.raises(LienThongError, match="no node 'loc-ninh-bx' at loc-ninh"):
        left_out(topology, full=False, also=["loc-ninh-bx"])


def lab(folder: Path, topology: Topology, without: tuple[str, ...]) -> state.State:
    where = Place(folder, "x")
    where.folder.mkdir(parents=True)
    state.write(where, state.of(where, topology, {}, {}, without=without))
    found = state.read(where)
    assert found is not None
    return found


def test_addresses_are_the_same_with_it_and_without(topology: Topology, tmp_path: Path) -> None:
    with_it = lab(tmp_path / "a", topology, ())
    without = lab(tmp_path / "b", topology, (BOX,))
    assert {**without.management, BOX: with_it.management[BOX]} == with_it.management
    assert (with_it.without, without.without) == ((), (BOX,))
    assert without.links == with_it.links


def test_verbs_pass_over_what_the_lab_has_not(
    plan: ProvincePlan, topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_LAB", "x")
    monkeypatch.delenv("LIENTHONG_TARGET", raising=False)
    lab(tmp_path, topology, (BOX,))
    access = resolve(tmp_path)
    assert (access.reaches(plan.nodes[BOX]), access.reaches(plan.nodes[SERVER])) == (False, True)
    with pytest.raises(Unreachable) as caught:
        access.address(plan.nodes[BOX])
    assert "lab up --full" in caught.value.hint
    ws = Workspace(tmp_path)
    ws.__dict__["plan"] = plan
    names = {node.name for node in ws.reachable()}
    assert (BOX in names, SERVER in names) == (False, True)
    assert BOX not in {node.name for node in picked(ws, ["loc-ninh"], None)}
    assert [node.name for node in picked(ws, [BOX], None)] == [BOX]


def test_a_layer_keeps_what_packages_bring_and_nothing_that_they_switch_on(tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    kept = ["usr/sbin/thingd", "etc/passwd", "etc/thing.conf", "lib/systemd/system/thing.service"]
    gone = ["etc/machine-id", "etc/apt/sources.list", "usr/sbin/policy-rc.d", "run/thing/pid", "tmp/x"]
    gone += ["etc/resolv.conf", "etc/ssh/ssh_host_rsa_key", "var/lib/apt/lists/a", "var/cache/apt/b.bin"]
    for name in (*kept, *gone):
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).touch()
    units = upper / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    (units / "multi-user.target.wants/thing.service").symlink_to("/lib/systemd/system/thing.service")
    (units / "thing-too.service").symlink_to("/lib/systemd/system/thing.service")
    (units / "other.service").symlink_to("/dev/null")
    (upper / "etc/rc2.d").mkdir()
    (upper / "etc/rc2.d/S01thing").symlink_to("../init.d/thing")
    layer.neutral(upper)
    left = {
        str(path.relative_to(upper)) for path in upper.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    assert left == {*kept, "etc/systemd/system/other.service"}


def test_a_layers_name_follows_from_its_base_and_its_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[frozenset[str]] = []

    def make(base: Path, names: frozenset[str], home: Path) -> None:
        made.append(names)
        (home / "upper").mkdir(parents=True)

    monkeypatch.setattr(layer, "_make", make)
    monkeypatch.setattr(image, "CACHE", tmp_path)
    one, two = frozenset({"a1", "b2"}), frozenset({"a1"})
    bases = [tmp_path / name / "base" for name in ("x", "y")]
    first = layer.ensure(bases[0], [one, two, frozenset(), one])
    assert first[frozenset()] == () and len(set(first.values())) == 3 and sorted(made, key=len) == [two, one]
    again = layer.ensure(bases[0], [two, one])
    assert len(made) == 2 and again[one] == first[one]
    assert layer.ensure(bases[1], [one])[one] != first[one] and len(made) == 3


def test_old_layers_are_forgotten_but_never_one_that_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(base: Path, names: frozenset[str], home: Path) -> None:
        (home / "upper").mkdir(parents=True)

    monkeypatch.setattr(layer, "_make", make)
    monkeypatch.setattr(image, "CACHE", tmp_path)
    monkeypatch.setattr(image, "in_use", lambda folder: folder.stat().st_mtime == 1)
    sets = [frozenset({f"p{number}"}) for number in range(12)]
    base = tmp_path / "x" / "base"
    found = []
    for number, names in enumerate(sets):
        [path] = layer.ensure(base, [names])[names]
        os.utime(path.parent, (number, number))
        found.append(path.parent)
    assert [path.is_dir() for path in found] == [False, True, *[False] * 2, *[True] * 8]


def test_the_state_of_an_older_lab_is_read(tmp_path: Path, topology: Topology) -> None:
    lab(tmp_path, topology, (BOX,))
    where = Place(tmp_path, "x")
    raw = json.loads(where.state_file.read_text(encoding="utf-8"))
    del raw["without"]
    where.state_file.write_text(json.dumps(raw), encoding="utf-8")
    found = state.read(where)
    assert found is not None and found.without == ()


def test_what_was_mounted_by_way_of_a_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second checkout's `run` is a link: its lab's disks stayed mounted after `lab down`."""
    (tmp_path / "first/run").mkdir(parents=True)
    (tmp_path / "second").mkdir()
    (tmp_path / "second/run").symlink_to(tmp_path / "first/run")
    node = tmp_path.resolve() / "first/run/lab/node"
    told = "".join(f"36 35 98:0 / {path} rw - overlay none rw\n" for path in (node, node / "dev", "/other"))
    real = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda self, **how: told if self.name == "mountinfo" else real(self, **how)
    )
    assert disk.mounts(tmp_path / "second/run/lab") == [node / "dev", node]
