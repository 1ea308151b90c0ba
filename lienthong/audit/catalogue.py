"""The catalogue of controls, `checks/controls.yaml`: titles, severity, kind, and the clauses they map to."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from lienthong.errors import InventoryError, LienThongError, Problem
from lienthong.model.finding import Control

CATALOGUE = Path("checks") / "controls.yaml"


def load(root: Path) -> dict[str, Control]:
    """Every control by id, in the order of the file. Mappings are a draft until a person has checked them.

    Raises:
        LienThongError: there is no catalogue.
        InventoryError: a control is not as it must be, or an id occurs twice.
    """
    path = root / CATALOGUE
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LienThongError(
            f"{path}: {error.strerror}", hint="the catalogue stands beside the checks"
        ) from None
    found: dict[str, Control] = {}
    problems = []
    for number, entry in enumerate((raw or {}).get("controls", []), 1):
        name = str(entry.get("id", f"number {number}"))
        try:
            control = Control.model_validate(entry)
        except ValidationError as error:
            problems += [
                Problem(f"{CATALOGUE}: {name}: {'.'.join(map(str, e['loc']))}", e["msg"])
                for e in error.errors()
            ]
            continue
        if control.id in found:
            problems.append(Problem(f"{CATALOGUE}: {name}", "occurs twice"))
        found[control.id] = control
    if problems:
        raise InventoryError(problems)
    return found
