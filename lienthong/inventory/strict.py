"""The strict reader: what a text of the inventory means.

A subset of YAML 1.2: no anchors, no aliases, no tags, no duplicate keys. Plain words that YAML 1.1
reads as something else (`no`, `012`, `12:30`) are refused, not guessed.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

from lienthong.errors import InventoryError, Problem
from lienthong.inventory.yamlfile import Document, Path_

MAX_DEPTH = 20
MAX_TOKENS = 200_000
"""Keys, values and signs; a site of 30 devices has five thousand."""
_OPENS = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSES = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_SHARE = "write the value out, or put what sites share into inventory/layers/"
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_SURPRISE = re.compile(r"(?i:yes|no|on|off|y|n)|[-+]?0[0-9_]+|0[xob][0-9a-fA-F]+|[0-9]+(:[0-5]?[0-9])+")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def document(name: str, text: str) -> Document:
    """Read a text; `name` is how messages call its file.

    Raises:
        InventoryError: it is not the YAML this project allows.
    """
    return _Reader(name).document(text)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Path_, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def document(self, text: str) -> Document:
        try:
            loader = _LOADER(text)
            try:
                self._harmless(text)
                root = loader.get_single_node()
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name
            raise InventoryError([Problem(where, f"is not valid YAML: {error.problem}")]) from None
        except yaml.YAMLError as error:
            raise InventoryError([Problem(self.name, f"is not valid YAML: {error}")]) from None
        if root is None:
            raise InventoryError([Problem(f"{self.name}:1:1", "is empty")])
        value = self._convert(root, ())
        if self.problems:
            raise InventoryError(self.problems)
        return Document(self.name, value, self.places)

    def _harmless(self, text: str) -> None:
        """Refuse what would hurt before anything is built: anchors and aliases, so no bombs and no cycles;
        nesting that costs the C library its stack or quadratic time; more than one site can be."""
        depth = 0
        for count, token in enumerate(yaml.scan(text, Loader=_LOADER)):
            if isinstance(token, (yaml.AliasToken, yaml.AnchorToken)):
                self._refuse(token, "an anchor or alias is not allowed here", _SHARE)
            if isinstance(token, yaml.TagToken):
                self._refuse(token, "a tag is not allowed here", _SHARE)
            depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
            if depth > MAX_DEPTH + 1:
                self._refuse(token, f"is nested deeper than {MAX_DEPTH} levels", "")
            if count > MAX_TOKENS:
                self._refuse(token, f"holds more than {MAX_TOKENS} words", "one file describes one site")

    def _refuse(self, token: yaml.Token, what: str, hint: str) -> NoReturn:
        mark = token.start_mark
        raise InventoryError([Problem(f"{self.name}:{mark.line + 1}:{mark.column + 1}", what, hint)])

    def _convert(self, node: yaml.Node, path: Path_) -> Any:
        self.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if len(path) > MAX_DEPTH:
            self._problem(node, f"is nested deeper than {MAX_DEPTH} levels", "")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._convert(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._problem(key_node, "a key must be a word", "")
                continue
            if key in found:
                self._problem(key_node, f"key {key!r} stands here twice", "keep one of them")
                continue
            self.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            found[key] = self._convert(value_node, (*path, key))
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        if node.style:  # quoted or block text; libyaml says "" for a plain word, PyYAML None
            return text
        if text in {"", "~", "null"}:
            return None
        if text in {"true", "false"}:
            return text == "true"
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _SURPRISE.fullmatch(text):
            self._problem(
                node,
                f"{text} means different things to different programs",
                f'write "{text}" for the text, or true, false or a plain decimal number',
            )
        return text

    def _problem(self, node: yaml.Node, what: str, hint: str) -> None:
        mark = node.start_mark
        self.problems.append(Problem(f"{self.name}:{mark.line + 1}:{mark.column + 1}", what, hint))
