"""A node whose entry is missing is adopted, and the inventory is what it was: the plan, to the last field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lienthong.adopt.known import load_types
from lienthong.plan.build import build
from tests.lab.conftest import NAME, ROOT, District
from tests.lab.second import Second, second

#: Per node: what its site's file says while the entry is missing.
MISSING: dict[str, dict[str, dict[str, Any]]] = {
    "gw-wan": {"devices": {"gw-wan": None}},
    "sw-wan": {"devices": {"sw-wan": None}},
    "srv": {"hosts": {"srv": None}, "devices": {"sw-wan": {"ports": {"e2": {"host": None, "unused": True}}}}},
}


@pytest.fixture
def other(district: District, tmp_path: Path) -> Iterator[Second]:
    assert district.first is not None
    with second(ROOT, NAME, tmp_path) as found:
        yield found


@pytest.mark.parametrize("short", sorted(MISSING))
def test_an_adopted_node_is_what_the_inventory_had(other: Second, short: str) -> None:
    folder, file = other.root / "inventory", other.site("loc-ninh")
    before = build(load_types(folder))
    site = yaml.safe_load(file.read_text(encoding="utf-8"))
    for group, entries in MISSING[short].items():
        site[group] = {**site.get(group, {}), **entries}
    if short == "srv":
        site["systems"] = {"meeting": None}  # it runs there; an officer writes it, not a device
    file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    lacks = load_types(folder)
    assert short not in lacks.sites["loc-ninh"].devices | lacks.sites["loc-ninh"].hosts

    shown = other.run("adopt", f"loc-ninh-{short}", "--json")
    assert shown.returncode == 0, shown.stderr
    proposal = json.loads(shown.stdout)
    assert (proposal["site"], proposal["name"], proposal["contradicts"]) == ("loc-ninh", short, [])
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == site  # nothing was written

    written = other.run("adopt", f"loc-ninh-{short}", "--write")
    assert written.returncode == 0, written.stderr
    if short == "srv":
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("systems:\n  meeting: null\n", ""), encoding="utf-8")
    assert build(load_types(folder)) == before


def test_a_device_whose_host_key_nobody_knows_is_not_looked_at(other: Second) -> None:
    unknown = other.run("adopt", "10.255.15.254")
    assert unknown.returncode == 3, unknown.stdout
    assert "no login" in unknown.stderr
    nonsense = other.run("adopt", "nobody; reboot")
    assert nonsense.returncode == 2
    assert "is no address and no node" in nonsense.stderr
