"""Where things stand in YAML text: indexes of characters, as the parser names them."""

from __future__ import annotations

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def root_of(text: str) -> yaml.Node:
    root = yaml.compose(text, Loader=_LOADER)
    assert root is not None  # the strict reader has taken the text
    return root


def start_of(node: yaml.Node) -> int:
    return int(node.start_mark.index)


def end_of(text: str, node: yaml.Node) -> int:
    """Where the last character of a node ends; the parser's own mark is past comments and blank lines."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(text, last[1] if isinstance(last, tuple) else last)
    start, end = start_of(node), int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        return start + len(text[start:end].rstrip())
    return end


def below(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    """(key, value) of a part of a node; a list's item has no key."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None


def line_of(text: str, index: int) -> tuple[int, int]:
    """Start and end (before its line end) of the line at an index."""
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return start, end - (text[start:end].endswith("\r"))


def newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def fit(text: str, addition: str) -> str:
    return addition.replace("\n", newline(text))
