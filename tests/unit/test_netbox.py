"""The export for NetBox: every object is one that its import form takes, and refers to what is there."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from copy import deepcopy
from functools import cache
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.cli import app
from lienthong.errors import LienThongError
from lienthong.export.check import Objects, problems
from lienthong.export.files import files
from lienthong.export.kinds import BY_NAME, KINDS
from lienthong.export.names import slugify, unique_slug, with_slug
from lienthong.export.netbox import export
from lienthong.inventory import load
from lienthong.model.intent import ProvincePlan
from lienthong.model.site import Inventory, Site
from lienthong.plan.build import build
from lienthong.secrets.names import needs

ROOT = Path(__file__).resolve().parents[2]


@cache
def province() -> Inventory:
    return load(ROOT / "inventory")


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return province()


@pytest.fixture(scope="module")
def plan(inventory: Inventory) -> ProvincePlan:
    return build(inventory)


@pytest.fixture(scope="module")
def objects(inventory: Inventory, plan: ProvincePlan) -> Objects:
    return export(inventory, plan)


def changed(objects: Objects, kind: str, index: int, **values: Any) -> Objects:
    copy = deepcopy({name: [dict(record) for record in records] for name, records in objects.items()})
    copy[kind][index] |= values
    return copy


def test_netbox_would_refuse_nothing_of_the_province(objects: Objects) -> None:
    assert problems(objects) == []


def test_everything_of_the_plan_is_there(objects: Objects, plan: ProvincePlan) -> None:
    assert {record["name"] for record in objects["devices"]} == set(plan.nodes)
    assert len(objects["sites"]) == len(plan.sites)
    segments = [s for site in plan.sites.values() for s in site.segments.values()]
    prefixes = {ip_network(str(record["prefix"])) for record in objects["prefixes"]}
    assert {s.prefix for s in segments} | {s.prefix6 for s in segments if s.prefix6} <= prefixes
    assert len(objects["cables"]) == sum(len(site.cables) for site in plan.sites.values())
    primary = {r["device"]: ip_interface(str(r["address"])).ip for r in objects["ip-addresses"]
               if "is_primary" in r and ":" not in str(r["address"])}  # fmt: skip
    assert primary == {node.name: node.address for node in plan.nodes.values()}


def test_every_address_lies_in_a_prefix_of_the_export(objects: Objects) -> None:
    prefixes = [ip_network(str(record["prefix"])) for record in objects["prefixes"]]
    for record in objects["ip-addresses"]:
        address = ip_interface(str(record["address"])).ip
        assert any(address in prefix for prefix in prefixes), address


def test_a_socket_takes_one_cable_and_is_no_virtual_interface(objects: Objects) -> None:
    ends = Counter(
        (record[f"side_{side}_device"], record[f"side_{side}_name"])
        for record in objects["cables"]
        for side in "ab"
    )
    assert max(ends.values()) == 1
    kinds = {(record["device"], record["name"]): record["type"] for record in objects["interfaces"]}
    assert {kinds[end] for end in ends} == {"other"}


def test_a_trunk_carries_the_vlans_of_its_side(objects: Objects) -> None:
    trunk = next(r for r in objects["interfaces"] if (r["device"], r["name"]) == ("ban-to-chuc-sw-wan", "e1"))
    assert (trunk["mode"], trunk["tagged_vlans"], trunk["vlan_group"]) == ("tagged", "10,40", "ban-to-chuc")
    shut = next(r for r in objects["interfaces"] if (r["device"], r["name"]) == ("ban-to-chuc-sw-wan", "e24"))
    assert (shut["enabled"], shut["untagged_vlan"]) == (False, 999)


def test_what_the_asset_register_knows_is_told(objects: Objects) -> None:
    gateway = next(record for record in objects["devices"] if record["name"] == "tinh-uy-gw-wan")
    assert (gateway["asset_tag"], gateway["status"]) == ("TU-0001", "active")
    assert gateway["location"] == "Phòng máy chủ (main/server-room)"
    assert "supported until 2031-03-14" in str(gateway["comments"])


def test_a_primary_address_comes_after_the_others(objects: Objects) -> None:
    """A table says false for an empty cell, and false takes the primary address away again."""
    found = [record.get("is_primary", False) for record in objects["ip-addresses"]]
    assert found == sorted(found)


def test_no_secret_and_no_field_that_could_hold_one(objects: Objects, plan: ProvincePlan) -> None:
    said = json.dumps(objects, ensure_ascii=False)
    assert not [need.ref for need in needs(plan) if str(need.ref) in said]
    names = {field for kind in KINDS for field in kind.fields}
    assert not [name for name in names if any(word in name for word in ("key", "secret", "password", "psk"))]


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "a status nobody knows": ("devices", {"status": "broken"}, "'broken' is none of active"),
    "a name that is too long": ("sites", {"name": "x" * 101}, "has 101 characters, 100 fit"),
    "a slug with a space": ("tenants", {"slug": "a b"}, "does not look like"),
    "a site that is not there": (
        "devices",
        {"site": "nowhere"},
        "no sites with {'name': 'nowhere'} before it",
    ),
    "a VLAN that is too high": ("vlans", {"vid": 5000}, "5000 is not within (1, 4094)"),
    "a field of no form": ("cables", {"colour": "red"}, "colour is no field of CableImportForm"),
    "an empty value": ("devices", {"serial": ""}, "serial: is empty"),
    "a text for a truth": ("interfaces", {"enabled": "yes"}, "do not go together"),
    "an interface of another device": ("ip-addresses", {"interface": "nope"}, "no interfaces with"),
    "a VLAN that the group lacks": ("interfaces", {"tagged_vlans": "10,77"}, "'vid': 77} before it"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_netbox_would_refuse_is_found(objects: Objects, case: str) -> None:
    kind, values, expected = WRONG[case]
    last = len(objects[kind]) - 1
    if case == "a VLAN that the group lacks":
        last = next(i for i, record in enumerate(objects[kind]) if "tagged_vlans" in record)
    found = problems(changed(objects, kind, last, **values))
    assert any(expected in what for what in found), found
    with pytest.raises(LienThongError, match="NetBox would refuse"):
        files(changed(objects, kind, last, **values))


def test_a_missing_field_a_double_name_and_a_wrong_order_are_found(objects: Objects) -> None:
    copy = {name: [dict(record) for record in records] for name, records in objects.items()}
    del copy["devices"][0]["status"]
    del copy["interfaces"][0]["enabled"]
    copy["sites"].append({**copy["sites"][0], "name": str(copy["sites"][0]["name"]).upper()})
    copy["locations"].reverse()
    found = "\n".join(problems(copy))
    assert "status is required" in found
    assert "enabled is missing, and an empty cell of a table says false" in found
    assert "another has name" in found, "NetBox's names differ by more than their case"
    assert "no locations with" in found, "a room before its building"


def test_files_are_the_same_twice_and_csv_says_what_json_says(
    inventory: Inventory, plan: ProvincePlan, objects: Objects
) -> None:
    made = files(objects)
    shuffled = Inventory(province=inventory.province, sites=dict(reversed(list(inventory.sites.items()))))
    assert files(export(shuffled, build(shuffled))) == made
    for number, kind in enumerate(KINDS, 1):
        records = json.loads(made[f"{number:02}-{kind.name}.json"])
        assert records == list(objects[kind.name])
        if not records:
            continue
        rows = list(csv.DictReader(io.StringIO(made[f"{number:02}-{kind.name}.csv"])))
        assert len(rows) == len(records)
        for row, record in zip(rows, records, strict=True):
            said = {key: str(value).lower() if isinstance(value, bool) else str(value)
                    for key, value in record.items()}  # fmt: skip
            assert {key: value for key, value in row.items() if value} == said
    order = json.loads(made["order.json"])["kinds"]
    assert [entry["count"] for entry in order] == [len(objects[kind.name]) for kind in KINDS]


def test_the_command_writes_only_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["export", "netbox", "--root", str(ROOT), "--out", str(tmp_path / "nb")], standalone_mode=False)
    assert "113  devices" in capsys.readouterr().out
    assert (tmp_path / "nb/05-sites.csv").read_text(encoding="utf-8").startswith("name,slug,status,region")
    app(["export", "netbox", "--root", str(ROOT), "--json", "--no-scopes"], standalone_mode=False)
    said = json.loads(capsys.readouterr().out)
    assert not any("scope_name" in record for record in said["prefixes"])


# --- other inventories ----------------------------------------------------------------------------------

_LETTERS = "aăâđêôơưáàảãạấộữỹ ABCĐ.,/()+=@:_-019"
_TEXT = st.text(_LETTERS, min_size=1, max_size=120).map(str.strip).filter(bool)
_CODE = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,30}", fullmatch=True)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """What a site may say of itself beyond the real ones: names of any length, assets, clients, contracts."""
    rooms = {f"r{i}": {"name": draw(_TEXT), "floor": i} for i in range(draw(st.integers(0, 2)))}
    buildings = {f"b{i}": {"name": draw(_TEXT), "address": draw(_TEXT), "rooms": rooms} for i in range(2)}
    known: list[str | None] = [None, *(f"b0/{name}" for name in rooms)]
    room = draw(st.sampled_from(known))
    state = draw(st.sampled_from(["in-use", "spare", "repair", "retired", None]))
    client = {"segment": "users", "mac": "52:54:00:00:00:01"}
    old = {"kind": "board", "valid": {"until": "2025-06-30"}}
    asset = {"keeper": draw(_TEXT), "room": room, "state": state, "importance": "low"}
    return {
        "name": {"vi": draw(_TEXT), "en": draw(_TEXT)},
        "buildings": buildings,
        "clients": {"pc": {**client, "model": draw(_TEXT), "asset": asset}},
        "units": {"old": {**old, "name": {"vi": draw(_TEXT), "en": "x"}}},
        "device": {"model": draw(_TEXT), "firmware": draw(_TEXT), "serial": draw(_CODE), "asset": asset},
        "line": {"provider": draw(_TEXT), "bandwidth_mbps": draw(st.integers(1, 400_000)),
                 "contract": {"number": draw(_CODE), "since": "2024-01-01", "until": "2027-01-01"}},
    }  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True)
@given(sites())
def test_any_names_and_assets_give_objects_that_netbox_takes(said: dict[str, Any]) -> None:
    inventory = province()
    slugs = ["tinh-uy", "ban-to-chuc", "loc-ninh"]  # an office, somebody it serves, documents to back up
    raw = {slug: inventory.sites[slug].model_dump(mode="json", by_alias=True) for slug in slugs}
    mine = raw["ban-to-chuc"] | {key: said[key] for key in ("name", "buildings", "clients", "units")}
    mine["devices"]["gw-wan"] |= said["device"]
    mine["uplinks"]["tslcd-a"] |= said["line"]
    found = {slug: Site.model_validate(values) for slug, values in (raw | {"ban-to-chuc": mine}).items()}
    small = Inventory(province=inventory.province, sites=found)
    objects = export(small, build(small))
    assert problems(objects) == []
    files(objects)
    assert len(objects["mac-addresses"]) == 1
    assert "ban-to-chuc-pc" in {record["name"] for record in objects["devices"]}


def test_a_long_name_keeps_its_slug() -> None:
    assert with_slug("x" * 120, "loc-ninh") == "x" * 89 + " (loc-ninh)"


def test_a_maker_that_is_spelt_two_ways_is_one() -> None:
    """NetBox compares names without their case."""
    inventory = province()
    sites = {}
    for slug, model in (("tinh-uy", "HP 2530"), ("loc-ninh", "hp 2530"), ("ban-to-chuc", "Hp 1920")):
        raw = inventory.sites[slug].model_dump(mode="json", by_alias=True)
        raw["devices"]["sw-wan"]["model"] = model
        raw["uplinks"]["tslcd-a"]["provider"] = model
        sites[slug] = Site.model_validate(raw)
    small = Inventory(province=inventory.province, sites=sites)
    objects = export(small, build(small))
    assert problems(objects) == []
    assert [r["name"] for r in objects["manufacturers"]] == ["HP", "Unknown"]
    assert [r["model"] for r in objects["device-types"] if r["manufacturer"] == "HP"] == ["1920", "2530"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(_TEXT, _TEXT)
def test_slugs_differ_where_names_do(one: str, other: str) -> None:
    for name in (one, other):
        assert BY_NAME["sites"].fields["slug"].pattern.fullmatch(slugify(name))  # type: ignore[union-attr]
        assert len(with_slug(name, "loc-ninh")) <= 100
        assert with_slug(name, "loc-ninh").endswith("(loc-ninh)")
    assert (unique_slug(one, "") == unique_slug(other, "")) is (one == other)
