"""Which controls a site gains and loses with its services and its level, as far as it is known."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.model.intent import SitePlan


@dataclass(frozen=True)
class Follow:
    """What changes in the controls of one site."""

    level_before: int
    level_after: int
    lost: tuple[str, ...]
    """Controls whose service is no longer at the site: they no longer apply."""
    gained: tuple[str, ...]
    """Controls of services that are new at the site."""


def by_service(checks: Path) -> dict[str, tuple[str, ...]]:
    """The controls that the checks of each service assert, read from `checks/test_<service>.py` unrun."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(checks.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        marks = [
            mark.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for mark in node.decorator_list
            if isinstance(mark, ast.Call)
            and isinstance(mark.func, ast.Name)
            and mark.func.id == "control"
            and mark.args
            and isinstance(mark.args[0], ast.Constant)
        ]
        found[path.stem.removeprefix("test_")] = tuple(sorted({str(mark) for mark in marks}))
    return found


def follow(before: SitePlan, after: SitePlan, controls: Mapping[str, tuple[str, ...]]) -> Follow:
    """Compare the services of a site before and after."""

    def services(site: SitePlan) -> set[str]:
        return {service for node in site.nodes.values() for service in node.services}

    old, new = services(before), services(after)

    def of(names: set[str]) -> set[str]:
        return {one for name in names for one in controls.get(name, ())}

    return Follow(
        before.site.level,
        after.site.level,
        tuple(sorted(of(old) - of(new))),
        tuple(sorted(of(new) - of(old))),
    )
