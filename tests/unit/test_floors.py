"""Imports of the engine point down only; the floors are the ones of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[2] / "lienthong"

#: From the ground up. A module may import its own floor and every floor below.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"cache", "errors", "model", "root"}),
    frozenset({"services", "platforms"}),
    frozenset({"plan", "target", "jump", "secrets"}),
    frozenset({"inventory"}),
    frozenset({"workspace"}),
    frozenset(
        {
            "render",
            "diff",
            "guard",
            "change",
            "transport",
            "probe",
            "handed",
            "hostsfile",
            "openssh",
            "sim",
        }
    ),
    frozenset(
        {
            "hosts",
            "conference",
            "coverage",
            "dashboards",
            "ztp",
            "checks",
            "runners",
            "facts",
            "journal",
            "lease",
            "nights",
            "snapshots",
            "stopping",
        }
    ),
    frozenset(
        {
            "adopt",
            "bootstrap",
            "bundle",
            "edit",
            "lab",
            "mirror",
            "provision",
            "settle",
            "goback",
            "planfile",
            "reorganise",
            "restore",
            "state",
            "timers",
            "trust",
        }
    ),
    frozenset({"audit", "drift", "export", "report", "summary", "table", "reference", "workbook"}),
    frozenset({"cli", "pytest_plugin", "gear_script", "drill"}),
)
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}


def imports(path: Path) -> set[str]:
    """The top-level modules of the engine that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "lienthong":
                names = [f"lienthong.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("lienthong.")}
    return found - {"__version__"}


def wrong_ways(engine: Path) -> list[str]:
    """Every import that points up, and every module that is on no floor."""
    wrong = []
    for path in sorted(engine.rglob("*.py")):
        room = path.relative_to(engine).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        if room not in LEVEL:
            wrong.append(f"{room} is on no floor")
            continue
        for name in sorted(imports(path)):
            if LEVEL.get(name, -1) > LEVEL[room]:
                wrong.append(f"{path.relative_to(engine)} imports {name}, which is above it")
    return wrong


def test_imports_point_down() -> None:
    assert wrong_ways(ENGINE) == []


def test_an_import_upwards_is_seen(tmp_path: Path) -> None:
    (tmp_path / "errors.py").write_text("from lienthong.plan.build import build\n", encoding="utf-8")
    (tmp_path / "attic.py").write_text("", encoding="utf-8")
    assert wrong_ways(tmp_path) == [
        "attic is on no floor",
        "errors.py imports plan, which is above it",
    ]


def test_the_engine_never_imports_content() -> None:
    content = {"deploys", "checks", "inventory", "roles", "templates", "tests"}
    for path in ENGINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [module or ""]
            assert not {name.split(".")[0] for name in names} & content, path
