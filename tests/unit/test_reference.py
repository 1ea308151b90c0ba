"""The schema and the reference page are as the models say, and an editor's schema agrees with the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.inventory.yamlfile import read
from lienthong.model.site import Province, Site
from lienthong.reference import files
from lienthong.reference.pages import models
from lienthong.reference.schema import layer_schema, site_schema
from lienthong.services import discover

ROOT = Path(__file__).resolve().parents[2]
SITES = sorted((ROOT / "inventory/sites").glob("*.yaml"))
LAYERS = sorted((ROOT / "inventory/layers").rglob("*.yaml"))


def every_model() -> Iterator[type[BaseModel]]:
    seen: set[type[BaseModel]] = set()
    tops: list[type[BaseModel]] = [Site, Province, *(service.params for service in discover().values())]
    for top in tops:
        yield from models(top, seen)


def test_every_key_has_a_description() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in every_model()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []


def test_every_number_has_a_range() -> None:
    endless = []
    for model in every_model():
        for name, one in model.model_json_schema()["properties"].items() if model.model_fields else ():
            for part in (one, *one.get("anyOf", ())):
                if part.get("type") == "integer" and not {"minimum", "maximum"} <= part.keys():
                    endless.append(f"{model.__name__}.{name}")
    assert endless == []


def test_the_files_are_as_the_models_say() -> None:
    stale = [str(p) for p, text in files().items() if (ROOT / p).read_text(encoding="utf-8") != text]
    assert stale == [], "run lienthong schema"


def test_a_stale_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "inventory/sites").mkdir(parents=True)
    result = CliRunner().invoke(app, ["schema", "--check", "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "inventory/schema/site.json" in result.output
    assert not (tmp_path / "docs").exists()
    assert CliRunner().invoke(app, ["schema", "--root", str(tmp_path)]).exit_code == 0
    assert CliRunner().invoke(app, ["schema", "--check", "--root", str(tmp_path)]).exit_code == 0


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("path", SITES, ids=[path.stem for path in SITES])
def test_an_editor_accepts_the_sites(path: Path) -> None:
    assert errors(site_schema(), read(path, path.name).value) == []


@pytest.mark.parametrize("path", LAYERS, ids=[path.stem for path in LAYERS])
def test_an_editor_accepts_the_layers(path: Path) -> None:
    assert errors(layer_schema(), read(path, path.name).value) == []


#: A wrong value at each kind of place; an editor marks every one.
WRONG: dict[str, Any] = {
    "unknown key": {"nummer": 5},
    "number as text": {"number": "5"},
    "number too large": {"number": 3000},
    "name without English": {"name": {"vi": 5}},
    "slug with capitals": {"devices": {"Gw": {"role": "gateway"}}},
    "no such role": {"devices": {"gw": {"role": "bridge"}}},
    "unknown service": {"hosts": {"srv": {"runs": {"telnet": {}}}}},
    "service parameter": {"hosts": {"srv": {"runs": {"backup": {"hour": 25}}}}},
    "template in a text": {"name": {"vi": "{{ x }}"}},
    "newline in a text": {"name": {"vi": "a\nb"}},
    "not a date": {"valid": {"from": 2025}},
    "port out of range": {"systems": {"a": {"watch": [{"port": 70000}]}}},
}


@pytest.mark.parametrize("name", WRONG)
def test_an_editor_marks_what_is_wrong(name: str) -> None:
    good = {"number": 5, "kind": "district", "name": {"vi": "Lộc Ninh", "en": "Loc Ninh"}}
    assert errors(site_schema(), good) == []
    assert errors(site_schema(), {**good, **WRONG[name]}), name


def test_every_file_names_its_schema() -> None:
    for path in (*SITES, *LAYERS):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        assert first.startswith(prefix), path
        named = (path.parent / first.removeprefix(prefix)).resolve()
        assert json.loads(named.read_text(encoding="utf-8"))["title"].endswith("Liên Thông")
