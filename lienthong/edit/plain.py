"""The same edits on plain data: what the text must say afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lienthong.edit.write import Value
from lienthong.errors import LienThongError
from lienthong.inventory.yamlfile import Path_


def _plain(value: Value) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def put_data(data: Any, path: Path_, value: Value) -> None:
    """Set the value at a path; mappings on the way are made."""
    for part in path[:-1]:
        if isinstance(data, dict) and data.get(part) is None:
            data[part] = {}
        data = data[part]
    data[path[-1]] = _plain(value)


def take_data(data: Any, path: Path_) -> None:
    """Take away what is at a path."""
    for part in path[:-1]:
        data = data[part]
    del data[path[-1]]


def whole(data: Any, path: Path_) -> Path_:
    """The path whose removal leaves no mapping or list empty behind.

    Raises:
        LienThongError: there is nothing at that path.
    """
    chain = [data]
    for part in path:
        try:
            chain.append(chain[-1][part])
        except (KeyError, IndexError, TypeError):
            raise LienThongError(f"there is no {'.'.join(map(str, path))} in the file") from None
    while len(path) > 1 and len(chain[len(path) - 1]) == 1:
        path = path[:-1]
    return path
