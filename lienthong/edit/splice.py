"""Edits of YAML text: every byte that an edit does not mean stays as it is."""

from __future__ import annotations

import copy
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lienthong.edit.place import below, end_of, fit, line_of, newline, root_of, start_of
from lienthong.edit.plain import put_data, take_data, whole
from lienthong.edit.write import WIDEST, Value, entry, flow, scalar
from lienthong.errors import LienThongError
from lienthong.inventory.yamlfile import Document, Path_, read
from lienthong.model.site import Site

_COUNTED = re.compile(r"([a-z]+)([0-9]+)")
_ORDER = {name: index for index, name in enumerate(Site.model_fields)}


@dataclass(frozen=True)
class Put:
    """Set the value at a path; mappings on the way are made."""

    path: Path_
    value: Value


@dataclass(frozen=True)
class Take:
    """Take a key or a list's item away, and mappings that are empty without it."""

    path: Path_


@dataclass(frozen=True)
class Note:
    """Write a comment on a line of its own above a key of a block mapping."""

    path: Path_
    text: str


Edit = Put | Take | Note


def edited(text: str, edits: Iterable[Edit], name: str) -> str:
    """The text after the edits, in order; `name` is how messages call the file.

    Raises:
        LienThongError: the text is not what the strict reader takes, a path does not exist, or the file
            is laid out so that the edit cannot be made safely.
    """
    wanted = data_of(text, name)
    for edit in edits:
        if isinstance(edit, Put):
            text = _put(text, edit.path, edit.value)
            put_data(wanted, edit.path, edit.value)
        elif isinstance(edit, Take):
            path = whole(wanted, edit.path)
            text = _take(text, path)
            take_data(wanted, path)
        else:
            text = _note(text, edit.path, edit.text)
    try:
        same = data_of(text, name) == wanted
    except LienThongError:
        same = False
    if not same:
        raise LienThongError(
            f"{name}: its layout does not let this tool make the change safely",
            hint="nothing was written; make the change in an editor",
        )
    return text


def document_of(text: str, name: str) -> Document:
    """What the strict reader makes of a text, with places."""
    with tempfile.NamedTemporaryFile("wb", suffix=".yaml") as file:
        file.write(text.encode())
        file.flush()
        return read(Path(file.name), name)


def data_of(text: str, name: str) -> Any:
    """What the strict reader makes of a text; the caller's to change."""
    return copy.deepcopy(document_of(text, name).value)


def _put(text: str, path: Path_, value: Value) -> str:
    node = parent = root_of(text)
    key: yaml.Node | None = None
    for depth, part in enumerate(path):
        found = below(node, part)
        if found is None:
            return _insert(text, path, depth, (parent, key, node), value)
        parent, (key, node) = node, found
    return _replace(text, parent, key, node, value, len(path))


def _nested(path: Path_, value: Value) -> Value:
    for part in reversed(path):
        value = {str(part): value}
    return value


def _insert(
    text: str, path: Path_, depth: int, here: tuple[yaml.Node, yaml.Node | None, yaml.Node], value: Value
) -> str:
    """Put a new key into the mapping that the path reaches at that depth."""
    parent, key, node = here
    fresh, name = _nested(path[depth + 1 :], value), str(path[depth])
    empty = isinstance(node, yaml.ScalarNode) and node.value in {"", "~", "null"} and not node.style
    if isinstance(node, yaml.MappingNode) and not node.value and parent is not node:
        empty = True
    if empty:
        return _replace(text, parent, key, node, {name: fresh}, depth)
    if not isinstance(node, yaml.MappingNode):
        where = ".".join(map(str, path[:depth]))
        raise LienThongError(f"{where} is no mapping, so it cannot hold {name}")
    if node.flow_style:
        return _insert_flow(text, parent, node, name, fresh)
    column = int(node.value[0][0].start_mark.column)
    fresh_text = fit(text, entry(name, fresh, column, depth + 1))
    before = _before(node, name, depth)
    if before is None:
        at = start_of(node.value[0][0])
        return text[:at] + fresh_text + newline(text) + " " * column + text[at:]
    at = line_of(text, end_of(text, before))[1]
    return text[:at] + newline(text) + " " * column + fresh_text + text[at:]


def _before(node: yaml.MappingNode, name: str, depth: int) -> yaml.Node | None:
    """The value after which a new key of a block mapping is written; None: before all others."""
    keys = [str(key.value) for key, _ in node.value]
    counted = [_COUNTED.fullmatch(key) for key in (*keys, name)]
    rank: dict[str, Any] = {}
    if depth == 0 and name in _ORDER:
        rank = {key: _ORDER.get(key, len(_ORDER)) for key in (*keys, name)}
    elif all(counted):
        rank = {match.group(): (match[1], int(match[2])) for match in counted if match}
    if not rank:
        return node.value[-1][1]  # type: ignore[no-any-return]
    earlier = [value for key, value in node.value if rank[str(key.value)] < rank[name]]
    return earlier[-1] if earlier else None


def _insert_flow(text: str, parent: yaml.Node, node: yaml.MappingNode, name: str, fresh: Value) -> str:
    pair = f"{scalar(name)}: {flow(fresh)}"
    start, end = start_of(node), int(node.end_mark.index)
    if not node.value:
        return text[:start] + "{" + pair + "}" + text[end:]
    at = end_of(text, node.value[-1][1])
    first, last = line_of(text, at)
    in_block = isinstance(parent, yaml.MappingNode) and not parent.flow_style and parent is not node
    if in_block and last - first + len(pair) > WIDEST and "#" not in text[start:end]:
        column = int(parent.value[0][0].start_mark.column) + 2
        pairs = [text[start_of(key) : end_of(text, value)] for key, value in node.value] + [pair]
        block = "".join("\n" + " " * column + one for one in pairs)
        return text[:start].rstrip(" ") + fit(text, block) + text[end:]
    return f"{text[:at]}, {pair}{text[at:]}"


def _replace(
    text: str, parent: yaml.Node, key: yaml.Node | None, node: yaml.Node, value: Value, depth: int
) -> str:
    start, end = start_of(node), end_of(text, node)
    if key is None or (isinstance(parent, yaml.CollectionNode) and parent.flow_style):
        return text[:start] + flow(value) + text[end:]
    column = int(key.start_mark.column)
    fresh = entry(str(key.value), value, column, depth)
    inline = "\n" not in fresh
    was_inline = not isinstance(node, yaml.ScalarNode) or node.style not in {"|", ">"}
    if isinstance(node, yaml.CollectionNode):
        was_inline = bool(node.flow_style)
    if inline and was_inline:
        gap = "" if text[start - 1 : start].isspace() else " "
        return text[:start] + gap + flow(value) + text[end:]
    if was_inline:  # what stands behind the value on its line, a comment, stays there
        first, rest = fresh.split("\n", 1)
        line_end = line_of(text, end)[1]
        head = text[: start_of(key)] + first + text[end:line_end]
        return head + newline(text) + fit(text, rest) + text[line_end:]
    return text[: start_of(key)] + fit(text, fresh) + text[end:]


def _take(text: str, path: Path_) -> str:
    node = root_of(text)
    for part in path[:-1]:
        found = below(node, part)
        assert found is not None  # `whole` has walked there
        node = found[1]
    assert isinstance(node, yaml.CollectionNode)
    items = [item if isinstance(item, tuple) else (item, item) for item in node.value]
    part = path[-1]
    index = part if isinstance(part, int) else [key.value for key, _ in items].index(part)
    key, value = items[index]
    start, end = start_of(key), end_of(text, value)
    if len(items) == 1:
        raise LienThongError(f"{part} is the only thing in the file")
    if node.flow_style:
        if index + 1 < len(items):
            return text[:start] + text[start_of(items[index + 1][0]) :]
        return text[: end_of(text, items[index - 1][1])] + text[end:]
    if isinstance(node, yaml.SequenceNode):
        start = text.rfind("-", 0, start)
    first = line_of(text, start)[0]
    if index + 1 < len(items) and text[first:start].strip():  # behind a list's dash: the next one moves up
        return text[:start] + text[start_of(items[index + 1][0]) :]
    return _cut(text, first, end, start - first, index)


def _cut(text: str, first: int, end: int, column: int, index: int) -> str:
    """Whole lines from `first` to the one where `end` is, with the comments that belong to them."""
    last = text.find("\n", end) + 1 or len(text)
    while last < len(text):  # comments that are indented deeper than the key speak of what goes
        line = text[last : text.find("\n", last) + 1 or len(text)]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
            break
        last += len(line)
    while index > 0 and first > 0:  # and so do those directly above it
        above = text.rfind("\n", 0, first - 1) + 1
        line = text[above:first]
        if not line.strip().startswith("#") or len(line) - len(line.lstrip()) != column:
            break
        first = above
    above = text.rfind("\n", 0, first - 1) + 1 if first else 0
    if first and not text[above:first].strip() and not text[last : line_of(text, last)[1]].strip():
        first = above
    return text[:first] + text[last:]


def _note(text: str, path: Path_, note: str) -> str:
    node = root_of(text)
    above: yaml.Node | None = None
    for part in path:
        found = below(node, part)
        if found is None:
            raise LienThongError(f"there is no {'.'.join(map(str, path))} in the file")
        if found[0] is None or (isinstance(node, yaml.CollectionNode) and node.flow_style):
            break  # no line of its own in there: above the key that holds it
        above, node = found
    line = line_of(text, start_of(above or node))[0]
    pad = text[line : start_of(above or node)]
    if pad.strip():
        raise LienThongError(f"no comment can stand above {'.'.join(map(str, path))}")
    plain = "".join(char if char.isprintable() else " " for char in note)
    return f"{text[:line]}{pad}# {plain}{newline(text)}{text[line:]}"
