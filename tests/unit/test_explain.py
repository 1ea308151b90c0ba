"""`explain` says of every value which layer it comes from, and agrees with what the loader makes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.errors import LienThongError
from lienthong.inventory import load
from lienthong.inventory.yamlfile import read
from lienthong.model.site import Site
from lienthong.plan.build import build
from lienthong.reference.explain import explain

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "inventory"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "inventory", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "inventory"


def put_together(folder: Path, slug: str) -> dict[str, Any]:
    """The site as its explained leaves make it."""
    whole: dict[str, Any] = {"slug": slug}
    for leaf in explain(folder, slug, "").leaves:
        if leaf.value is None:
            continue
        *above, last = leaf.path.split(".")
        here = whole
        for part in above:
            here = here.setdefault(part, {})
        here[last] = leaf.value
    return whole


@pytest.mark.parametrize("slug", sorted(path.stem for path in (FOLDER / "sites").glob("*.yaml")))
def test_the_explained_leaves_are_the_site(slug: str) -> None:
    assert Site.model_validate(put_together(FOLDER, slug)) == load(FOLDER).sites[slug]


def test_what_a_site_takes_away_is_taken_away(copy: Path) -> None:
    site = copy / "sites/ban-dan-van.yaml"
    with site.open("a", encoding="utf-8") as file:
        file.write("devices:\n  sw-wan:\n    ports:\n      e24: null\n  gw-wan:\n    runs: {dns: null}\n")
    assert Site.model_validate(put_together(copy, "ban-dan-van")) == load(copy).sites["ban-dan-van"]
    (leaf,) = explain(copy, "ban-dan-van", "devices.sw-wan.ports.e24").leaves
    assert leaf.value is None
    assert leaf.said[-1].where.startswith("inventory/sites/ban-dan-van.yaml:")


def test_every_layer_that_speaks_is_named_with_its_place(copy: Path) -> None:
    with (copy / "sites/loc-ninh.yaml").open("a", encoding="utf-8") as file:
        file.write("level: 3\n")
    (leaf,) = explain(copy, "loc-ninh", "level").leaves
    assert [said.value for said in leaf.said] == [2, 3]
    lower, upper = (said.where for said in leaf.said)
    assert lower.startswith("inventory/layers/province.yaml:")
    lines = (copy / "sites/loc-ninh.yaml").read_text(encoding="utf-8").splitlines()
    assert upper == f"inventory/sites/loc-ninh.yaml:{len(lines)}:1"


def test_every_place_really_holds_the_value() -> None:
    for leaf in explain(FOLDER, "tinh-uy", "").leaves:
        for said in leaf.said:
            name, line, column = said.where.rsplit(":", 2)
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
            text = lines[int(line) - 1][int(column) - 1 :]
            key = leaf.path.rsplit(".", 1)[-1]
            assert text.startswith(key), said.where
            word = (
                json.dumps(said.value, ensure_ascii=False)
                .split()[0]
                .translate(dict.fromkeys(map(ord, '[]{}",')))
            )
            assert word in "\n".join([text, *lines[int(line) : int(line) + 2]]), said.where


def test_what_is_derived_is_shown() -> None:
    plan = build(load(FOLDER)).sites["loc-ninh"]
    assert dict(explain(FOLDER, "loc-ninh", "segments.users", plan).derived)["prefix"] == "10.0.40.0/24"
    assert dict(explain(FOLDER, "loc-ninh", "hosts.vc", plan).derived)["address"] == "10.0.42.20"
    assert dict(explain(FOLDER, "loc-ninh", "uplinks.tslcd-b", plan).derived)["hand-off VLAN"] == "1005"


def test_a_key_nobody_wrote_has_its_default() -> None:
    found = explain(FOLDER, "loc-ninh", "hub")
    assert (found.leaves, found.default) == ((), "`false`")


@pytest.mark.parametrize(
    ("site", "path", "hint"),
    [("loc-nin", "level", "loc-ninh"), ("loc-ninh", "devices.gw-wan.platfrm", "platform")],
)
def test_a_misspelt_name_is_answered_with_the_right_one(site: str, path: str, hint: str) -> None:
    with pytest.raises(LienThongError) as caught:
        explain(FOLDER, site, path)
    assert caught.value.hint == f"did you mean {hint}?"


def test_the_verb_speaks_to_programs_too() -> None:
    result = CliRunner().invoke(app, ["explain", "loc-ninh", "hosts.vc.id", "--json", "--root", str(ROOT)])
    data = json.loads(result.stdout)
    place = read(FOLDER / "layers/kinds/district.yaml", "inventory/layers/kinds/district.yaml")
    assert data["values"]["hosts.vc.id"] == [
        {"where": place.where(("site", "hosts", "vc", "id")), "value": 20}
    ]
