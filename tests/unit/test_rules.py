"""Every rule of the inventory was seen failing, and none fails on the inventory itself.

The cases are those of `tests/errors/cases`. A line that makes a `Problem` and is reached by none of them is
a rule that nobody saw failing.
"""

from __future__ import annotations

import ast
import copy
import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lienthong.errors import InventoryError, Problem, visible
from lienthong.inventory import load, rules
from lienthong.inventory.rules import check, marked, told
from lienthong.model.site import Inventory
from lienthong.model.words import PARKING_VLAN, VLANS
from lienthong.plan.build import build
from tests.errors.test_bad_inventories import CASES, lay
from tests.examples import properties

ROOT = Path(__file__).resolve().parents[2]
RULES = Path(str(rules.__file__)).parent


def problem_lines() -> dict[str, dict[int, str]]:
    """For each file of the rules the lines on which a `Problem(` begins, with the function they are in."""
    found: dict[str, dict[int, str]] = {}
    for path in sorted(RULES.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                        found.setdefault(str(path), {})[node.lineno] = function.name
    return found


def unseen(cases: list[Path], folder: Path) -> list[str]:
    """`file:line (function)` of every `Problem(` that no case reaches."""
    wanted = problem_lines()
    seen: set[tuple[str, int]] = set()

    def noted(*args: str) -> Problem:
        caller = sys._getframe(1)
        seen.add((caller.f_code.co_filename, caller.f_lineno))
        return Problem(*args)

    with ExitStack() as stack:
        for file in wanted:
            name = Path(file).stem
            module = rules if name == "__init__" else importlib.import_module(f"{rules.__name__}.{name}")
            stack.enter_context(patch.object(module, "Problem", noted))
        for case in cases:
            today = lay(case, folder / case.stem)
            try:
                load(folder / case.stem, today)
            except InventoryError:
                continue
    return [
        f"{Path(file).name}:{line} ({function})"
        for file, lines in wanted.items()
        for line, function in sorted(lines.items())
        if (file, line) not in seen
    ]


def test_every_rule_was_seen_failing(tmp_path: Path) -> None:
    assert unseen(CASES, tmp_path) == []


def test_a_rule_without_its_case_is_missed(tmp_path: Path) -> None:
    assert unseen([case for case in CASES if case.stem == "ring-of-switches"], tmp_path)


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(ROOT / "inventory")


def test_no_rule_fails_on_the_inventory_itself(inventory: Inventory) -> None:
    where = {slug: (lambda _: "here") for slug in inventory.sites}
    assert check(inventory, where, today=date(2026, 11, 23)) == []


def test_a_place_in_a_layer_names_its_sites() -> None:
    def layer(path: object) -> str:
        return "inventory/layers/country.yaml:3:1"

    problems = [Problem(marked(slug, layer)(()), "wrong") for slug in ("d", "c", "b", "a")]
    own = Problem(marked("a", lambda _: "inventory/sites/a.yaml:1:1")(()), "wrong")
    assert told([*problems[-1:], own]) == [
        Problem("inventory/layers/country.yaml:3:1", "wrong (in a)"),
        Problem("inventory/sites/a.yaml:1:1", "wrong"),
    ]
    assert [p.what for p in told(problems)] == ["wrong (in 4 sites: a, b, c, …)"]


def test_the_parking_vlan_is_nobodys() -> None:
    assert PARKING_VLAN not in VLANS.values()


def test_what_a_message_quotes_is_visible() -> None:
    hostile = "a\x1b[31m\u202e\u2028\x00\u200b\U000e0041\ud800b"
    assert visible(hostile) == r"a\x1b[31m\u202e\u2028\x00\u200b\U000e0041\ud800b"
    assert visible("Huyện ủy, điểm cầu … ‘xa’") == "Huyện ủy, điểm cầu … ‘xa’"
    assert len(visible("x" * 10_000_000)) == 1001


# --- whatever is written: problems with places, or a plan


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


#: A site that says something of everything, so that there is much to spoil.
RICH = yaml.safe_load((ROOT / "inventory/sites/loc-ninh.yaml").read_text(encoding="utf-8")) | yaml.safe_load(
    """
parent: tinh-uy
valid: {from: "2025-07-01"}
units: {xa-a: {kind: board, name: {vi: Xã A, en: Commune A}, valid: {until: "2025-06-30"}, succeeds: []}}
buildings: {main: {name: Trụ sở, rooms: {r1: {name: Phòng}}}}
clients: {printer: {segment: users, mac: "52:54:00:00:00:01", serial: S1, asset: {room: main/r1}}}
segments: {net-dmz: {side: net, zone: dmz}, backup: {side: wan, zone: backup}}
devices:
  sw-wan: {ports: {e20: {device: sw-two, far_port: e1, cable: C1}, e21: {host: vault}}}
  sw-two: {role: switch, side: wan, platform: linux-sw, id: 3, ports: {e1: {device: sw-wan, far_port: e20}}}
  sw-net: {ports: {e20: {host: www}}}
systems:
  letters:
    name: {vi: Đơn thư, en: Letters}
    host: srv
    reached_by: [{zone: users, ports: [443], why: work}]
    reaches: [{node: tinh-uy-svc-wan, ports: [443], why: work}]
    backup: {paths: [/srv/documents]}
"""
)
RICH["hosts"] |= {
    "www": {"segment": "net-dmz", "id": 10, "public": "203.0.113.22", "runs": {
        "portal": {"updates": "updates"}}},
    "vault": {"segment": "backup", "id": 10, "runs": {"backup": {"sources": "app", "copies": [
        {"name": "tape", "place": "tinh-uy/archive", "medium": "tape"},
        {"name": "disk", "place": "loc-ninh/main", "medium": "disk"}]}}},
}  # fmt: skip
SPOTS = [path for path in _places(RICH) if path]
VALUES: list[Any] = [
    None, True, 0, -1, 5, 2999, 10**30, 1.5, "", "no", "loc-ninh", "tinh-uy", "sw-wan", "users", "internet",
    "wan", "net", "gw-wan", "203.0.113.1/30", "2001:db8::1/64", "srv", "e1", "dns", "portal", [], ["users"],
    [[]], {}, {"a": {}}, {"x": None}, {"dns": {"forward_node": "loc-ninh-gw-wan"}},
    {"logs": {"central": "internet"}},
]  # fmt: skip


def spoilt(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    """The rich site with other values in some places; None takes the key away."""
    site: dict[str, Any] = copy.deepcopy(RICH)
    for path, value in changes:
        inner: Any = site
        try:
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
    return site


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory of the office and one district."""
    folder = tmp_path_factory.mktemp("two") / "inventory"
    lay(CASES[0], folder)
    for path in (folder / "sites").glob("*.yaml"):
        if path.stem not in {"tinh-uy", "loc-ninh"}:
            path.unlink()
    return folder


def outcome(folder: Path, site: dict[str, Any]) -> str:
    """`good`, or the problems."""
    text = yaml.safe_dump(site, allow_unicode=True, sort_keys=False, default_style=None)
    (folder / "sites" / "loc-ninh.yaml").write_text(text, encoding="utf-8")
    try:
        loaded = load(folder, date(2026, 11, 23))
    except InventoryError as error:
        return str(error)
    build(loaded)
    return "good"


def test_the_rich_site_is_good(bench: Path) -> None:
    assert outcome(bench, RICH) == "good"


@properties(40)
@given(st.lists(st.tuples(st.sampled_from(SPOTS), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_what_loads_can_be_planned_and_the_rest_has_its_places(
    bench: Path, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    said = outcome(bench, spoilt(changes))
    heads = [line for line in said.splitlines() if not line.startswith("hint: ")]
    assert said == "good" or all(line.startswith("inventory/") for line in heads)
