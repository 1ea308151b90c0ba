"""What may stand in an inventory, told from the models: a JSON Schema for editors and pages for people."""

from __future__ import annotations

import json
from pathlib import Path

from lienthong.reference.pages import page
from lienthong.reference.schema import layer_schema, site_schema

__all__ = ["files"]


def files() -> dict[Path, str]:
    """Every file of the reference by its path in the checkout; the same models give the same bytes."""
    return {
        Path("inventory/schema/site.json"): _text(site_schema()),
        Path("inventory/schema/layer.json"): _text(layer_schema()),
        Path("docs/inventory.md"): page(),
    }


def _text(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
