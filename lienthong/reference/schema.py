"""JSON Schema (draft 2020-12) of the files of an inventory, for the YAML language server of an editor.

A file says only what the layers below it do not, so nothing is required but what every site must say
itself; and `null` takes away what a lower layer said. Rules across values stay with `lienthong validate`.
"""

from __future__ import annotations

from typing import Any

from lienthong.model.site import Province, Site
from lienthong.services import discover

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
#: What no layer can say for a site.
OWN_KEYS = ["kind", "name", "number"]


def site_schema() -> Schema:
    """Of `inventory/sites/<slug>.yaml`."""
    schema = _site()
    schema["required"] = OWN_KEYS
    return {**schema, "$schema": DRAFT, "title": "A site of Liên Thông"}


def layer_schema() -> Schema:
    """Of `inventory/layers/**.yaml`: `site` holds defaults, `province` stands in one of them."""
    site = _site()
    province = _loose(Province.model_json_schema(by_alias=True), nullable=False)
    defs = {**site.pop("$defs", {}), **province.pop("$defs", {})}
    return {
        "$schema": DRAFT,
        "title": "A layer of Liên Thông",
        "type": "object",
        "additionalProperties": False,
        "properties": {"site": site, "province": province},
        "$defs": defs,
    }


def _site() -> Schema:
    schema = _loose(Site.model_json_schema(by_alias=True), nullable=True)
    runs = _runs(schema["$defs"])
    for model in ("Device", "Host"):
        schema["$defs"][model]["properties"]["runs"] = runs
    return schema


def _runs(defs: Schema) -> Schema:
    """Each service with its own parameters; an unknown service is marked in the editor."""
    properties: Schema = {}
    for name, service in discover().items():
        params = _loose(service.params.model_json_schema(by_alias=True), nullable=True)
        defs.update(params.pop("$defs", {}))
        properties[name] = {"anyOf": [params, {"type": "null"}]}
    return {
        "type": "object",
        "description": "services on it, with their parameters",
        "properties": properties,
        "additionalProperties": False,
    }


def _loose(schema: Schema, *, nullable: bool) -> Schema:
    """The same schema with nothing required, and with `null` allowed where a layer may be taken back."""
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("required", None)
        if not nullable or part.get("type") != "object":
            continue
        for name, value in part.get("properties", {}).items():
            part["properties"][name] = _or_null(value)
    return schema


def _or_null(value: Schema) -> Schema:
    value = dict(value)
    patterns = value.get("patternProperties")
    if patterns:  # a mapping with names: each entry can be taken away, and other names are wrong
        value["patternProperties"] = {
            pattern: {"anyOf": [one, {"type": "null"}]} for pattern, one in patterns.items()
        }
        value["additionalProperties"] = False
    if {"type": "null"} in value.get("anyOf", []):
        return value
    keep: Schema = {key: value.pop(key) for key in ("title", "description", "default") if key in value}
    return {"anyOf": [value, {"type": "null"}], **keep}
