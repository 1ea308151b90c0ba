"""From rows to the sites they speak of: paths, values and the cell that each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lienthong.edit.write import Value
from lienthong.errors import Problem
from lienthong.inventory.yamlfile import Path_
from lienthong.workbook.columns import ITEM, Column
from lienthong.workbook.reading import Row


@dataclass
class Said:
    """What a workbook says of one site."""

    slug: str
    values: dict[Path_, Value] = field(default_factory=dict)
    cells: dict[Path_, str] = field(default_factory=dict)

    def cell(self, path: Path_) -> str | None:
        """The cell that speaks of a path, or of the nearest place above or below it."""
        for length in range(len(path), 0, -1):
            near = [cell for said, cell in self.cells.items() if said[:length] == path[:length]]
            if near:
                return self.cells.get(path[:length], near[0])
        return None


def fill(said: Said, row: Row, names: Mapping[str, str]) -> list[Problem]:
    """Add a row to what is said of its site; `names` fills paths beside the row's own columns."""
    problems: list[Problem] = []
    items: dict[Path_, dict[str, Value]] = {}
    for column in row.sheet.columns:
        if not column.path or column.key not in row.values:
            continue
        value = row.values[column.says or column.key]
        path, missing = _path(column, row, names)
        if missing:
            what = f"{column.key} is said, and {missing} is not"
            problems.append(Problem(row.cell(column.key), what, f"fill {missing} too"))
        elif column.path == ("*services",):
            for service in value if isinstance(value, list) else []:
                problems += _say(
                    said, ("hosts", str(row.values["host"]), "runs", str(service)), {}, row, column
                )
        elif ITEM in path:
            at = path.index(ITEM)
            items.setdefault(path[:at], {})[str(path[at + 1])] = value
            said.cells.setdefault(path[:at], row.cell(column.key))
        else:
            problems += _say(said, path, value, row, column)
    for path, item in items.items():
        have = said.values.setdefault(path, [])
        assert isinstance(have, list)
        if item not in have:
            have.append(item)
    return problems


def _path(column: Column, row: Row, names: Mapping[str, str]) -> tuple[Path_, str]:
    """The path, or the name of the column that it lacks."""
    found = []
    for part in column.path:
        if part.startswith("{"):
            key = part.strip("{}")
            value = row.values.get(key, names.get(key))
            if value is None:
                return (), key
            found.append(str(value))
        else:
            found.append(part)
    return tuple(found), ""


def _say(said: Said, path: Path_, value: Value, row: Row, column: Column) -> list[Problem]:
    here = row.cell(column.key)
    if path in said.values and said.values[path] != value:
        what = f"{column.key} is {value!r} here and {said.values[path]!r} in {said.cells[path]}"
        return [Problem(here, what, "keep one of them")]
    said.values.setdefault(path, value)
    said.cells.setdefault(path, here)
    return []
